// Progress of what cannot tell how far it is: PBKDF2 runs in one piece, on another thread. A short run beforehand shows how
// fast this machine is; the rest is a guess, and shown as a percentage on a terminal alone.

import { randomBytes } from "node:crypto";
import { stretch } from "../handshake/scram/keys.js";

const SAMPLE = 20_000;
const INTERVAL = 100;

/** Runs `work`, which hashes so often, and shows how far it is likely to be. */
export async function withProgress<Result>(iterations: number, work: () => Promise<Result>): Promise<Result> {
  if (process.stderr.isTTY !== true) return work();
  const before = performance.now();
  await stretch("sample", randomBytes(16), SAMPLE);
  const expected = ((performance.now() - before) * iterations) / SAMPLE;
  const started = performance.now();
  const timer = setInterval(() => {
    const percent = Math.min(99, Math.round((100 * (performance.now() - started)) / expected));
    process.stderr.write(`\rHashing ${iterations} times: ${String(percent).padStart(2)} %`);
  }, INTERVAL);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    process.stderr.write(`\r${" ".repeat(40)}\r`);
  }
}
