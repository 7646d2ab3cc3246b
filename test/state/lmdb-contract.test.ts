// LMDB keeps the contract that every memory keeps: in this process, and in processes that are really killed.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { stateContract } from "../../src/state/contract.js";
import { LmdbState } from "../../src/state/lmdb.js";
import { RemoteState } from "./remote.js";

// In memory where there is such a folder: this is about what is remembered, not about the disk.
const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "countersign-lmdb-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const medium = (name: string) => {
  const path = join(scratch, name);
  return { path, wipe: () => rmSync(path, { recursive: true, force: true }) };
};

describe("in this process", () => {
  const { path, wipe } = medium("here");
  const checks = stateContract({
    open: (clock) => new LmdbState({ path, clock }),
    close: (state) => (state as LmdbState).close(),
    wipe,
    survives: true,
    sharesStreams: false,
    sharesEpochs: true,
  });
  for (const { name, run } of checks) test(name, run);
});

describe("in a process of its own", () => {
  const { path, wipe } = medium("elsewhere");
  const checks = stateContract({
    open: (clock) => RemoteState.open({ path }, clock),
    close: (state) => (state as RemoteState).close(),
    crash: (state) => (state as RemoteState).crash(),
    wipe,
    survives: true,
    sharesStreams: false,
    sharesEpochs: true,
  });
  for (const { name, run } of checks) test(name, run);
});
