// `npm run bench -- memory`: what a verifier's memory of its senders costs, at three sizes, each in a fresh process.

import { start } from "./child.js";
import type { Crowd, CrowdHandlers } from "./crowd.js";

const SIZES = [1, 1_000, 1_000_000];

export async function measureMemory(): Promise<Crowd[]> {
  const crowds: Crowd[] = [];
  for (const senders of SIZES) {
    const child = start<CrowdHandlers>(new URL("./crowd.js", import.meta.url), "crowd", ["--expose-gc"]);
    crowds.push(await child.ask("measure", senders).finally(() => child.stop()));
  }
  return crowds;
}
