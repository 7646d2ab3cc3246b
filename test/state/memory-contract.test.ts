// The memory of this process keeps the contract that every memory keeps.

import { test } from "vitest";
import { MemoryState } from "../../src/replay/memory.js";
import { stateContract } from "../../src/state/contract.js";

const checks = stateContract({
  open: (clock) => new MemoryState({ clock }),
  close: () => {},
  wipe: () => {},
  survives: false,
  sharesStreams: false,
  sharesEpochs: false,
});

for (const { name, run } of checks) test(name, run);
