// Which process holds a receiver's memory, and whether it is still alive: the number of a process is given out again, so
// on Linux its start is compared too, and that of the machine.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

/** Who opened a receiver's memory. */
export interface Owner {
  readonly pid: number;
  /** When that process started, in the machine's clock ticks; "" where that cannot be told. */
  readonly started: string;
  /** The machine's start; "" where that cannot be told. */
  readonly boot: string;
  /** Which of the states that this process opened. */
  readonly instance: string;
}

/** A state of this process's, unlike any other. */
export function thisOwner(): Owner {
  return { pid: process.pid, started: startOf(process.pid) ?? "", boot: bootId(), instance: randomUUID() };
}

/** Is the process still there that it was? A state of this very process that was not closed counts as alive. */
export function isAlive({ pid, started, boot }: Owner): boolean {
  if (boot !== bootId() || !exists(pid)) return false;
  const start = startOf(pid);
  // Undefined: a zombie, which does nothing any more; or gone since.
  return process.platform !== "linux" || start === started;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is there no less.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); the name in field 2 may hold anything, so fields are counted behind it. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return "";
  const stat = read(`/proc/${pid}/stat`);
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? undefined : fields[18];
}

function bootId(): string {
  return process.platform === "linux" ? read("/proc/sys/kernel/random/boot_id").trim() : "";
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
