// Which process and thread hold a receiver's memory, and whether they are still there: the number of either is given out
// again, so on Linux its start is compared too, and that of the machine.

import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { threadId } from "node:worker_threads";

/** Who opened a receiver's memory. */
export interface Owner {
  readonly pid: number;
  /** Its thread: the kernel's number of it on Linux, elsewhere Node's. A worker ends without its process. */
  readonly thread: number;
  /** When that thread started, in the machine's clock ticks; "" where that cannot be told. */
  readonly started: string;
  /** The machine's start; "" where that cannot be told. */
  readonly boot: string;
  /** Which of the states that this thread opened. */
  readonly instance: string;
}

/** Instances of this thread that are not closed. Of the thread, not of this module: it may be loaded twice. */
const LIVE = Symbol.for("countersign.state.lmdb.live");
const holder = globalThis as { [LIVE]?: Set<string> };
holder[LIVE] ??= new Set();
const live = holder[LIVE];

/** A state of this thread's, unlike any other; alive until {@link disown}. */
export function thisOwner(): Owner {
  const [pid, thread, instance] = [process.pid, thisThread(), randomUUID()];
  live.add(instance);
  return { pid, thread, started: startOf(pid, thread)?.ticks ?? "", boot: bootId(), instance };
}

/** It is closed, whether or not that could be written down. */
export function disown({ instance }: Owner): void {
  live.delete(instance);
}

/** Is its thread the one that it was? Of its own thread's states, this one knows which are closed. */
export function isAlive(owner: Owner): boolean {
  return isThere(owner) && (!isOfThisThread(owner) || live.has(owner.instance));
}

function isThere({ pid, thread, started, boot }: Owner): boolean {
  if (boot !== bootId() || !exists(pid)) return false;
  const start = startOf(pid, thread);
  // A process that may not be looked at is there no less; one that may be has lost the thread.
  if (start === undefined) return startOf(pid, pid) === undefined;
  return !start.hasEnded && start.ticks === started;
}

/** Was it opened by the thread that asks? */
export function isOfThisThread({ pid, thread }: Pick<Owner, "pid" | "thread">): boolean {
  return pid === process.pid && thread === thisThread();
}

function thisThread(): number {
  try {
    return Number(basename(readlinkSync("/proc/thread-self")));
  } catch {
    return threadId;
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is there no less.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Field 22 of /proc/<pid>/task/<thread>/stat (proc(5)); the name in field 2 may hold anything: counted behind it. */
function startOf(pid: number, thread: number): { hasEnded: boolean; ticks: string } | undefined {
  const stat = read(`/proc/${pid}/task/${thread}/stat`);
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields[18];
  return ticks === undefined ? undefined : { hasEnded: state === "Z" || state === "X", ticks };
}

function bootId(): string {
  return read("/proc/sys/kernel/random/boot_id").trim();
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
