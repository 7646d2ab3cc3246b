// What a kernel's process knows besides messages: when it began, SIGINT, and the end of who started it.

import { readFileSync } from "node:fs";

const MS_PER_TICK = 10;
/** Milliseconds from the fork until Node's own code runs, at most. */
const MOST_BEFORE_NODE = 5000;

/**
 * When this process was made, in milliseconds since the Unix epoch, and not later. Whoever starts a kernel often asks it
 * something before it is up: that is younger than its process, and no recording of an earlier one.
 */
export function processStart(): number {
  try {
    // proc(5): the 22nd field of stat is the start in ticks since boot; it is counted behind the name, which may hold anything.
    const fields = readFileSync("/proc/self/stat", "latin1").split(") ").at(-1)?.split(" ");
    const started = Number(fields?.[19]) * MS_PER_TICK;
    const uptime = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1000;
    const start = Date.now() - (uptime - started) - MS_PER_TICK;
    // In containers the two files need not speak of the same boot.
    if (start <= performance.timeOrigin && start > performance.timeOrigin - MOST_BEFORE_NODE)
      return Math.floor(start);
  } catch {
    // No Linux: what Node knows is a few milliseconds late.
  }
  return Math.floor(performance.timeOrigin);
}

const LOOK_EVERY = 1000;

/** Calls back for each SIGINT, in place of ending the process; returns what undoes that. */
export function onInterruptSignal(interrupt: () => void): () => void {
  process.on("SIGINT", interrupt);
  return () => process.off("SIGINT", interrupt);
}

/**
 * Calls back when the process that started this one has gone, if that one says that it wants it so: Jupyter sets
 * JPY_PARENT_PID. Returns what undoes that.
 */
export function exitWithParent(end: () => void): () => void {
  if (!process.env.JPY_PARENT_PID || process.platform === "win32") return () => {};
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) end();
  }, LOOK_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}
