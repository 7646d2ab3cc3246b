// What a kernel's process hears besides messages: SIGINT, and the end of who started it.

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
