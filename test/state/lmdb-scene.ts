// Folders for LMDB, and processes that use them: what the tests of its failures have in common.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { afterAll, afterEach } from "vitest";
import { wallClock } from "../../src/clock.js";
import type { Streams } from "../../src/replay/state.js";
import { proven } from "../../src/state/contract/scene.js";
import { RemoteState } from "./remote.js";

export const OPTIONS = { window: 0, limit: 10_000 };
export const isRoot = process.getuid?.() === 0;

export const scratch = mkdtempSync(join(tmpdir(), "countersign-lmdb-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let folders = 0;
/** A path where there is nothing yet. */
export const folder = () => join(scratch, `state-${++folders}`);

export const remotes = new Set<RemoteState>();
afterEach(async () => {
  for (const remote of remotes) await remote.crash();
  remotes.clear();
});

/** A process with the state in this folder; killed after the test. */
export async function running(path: string): Promise<RemoteState> {
  const remote = await RemoteState.open({ path }, wallClock);
  remotes.add(remote);
  return remote;
}

export const tableOf = (state: RemoteState, receiver = "r") =>
  state.table(receiver, "shell", "dealer", OPTIONS);
export const outages = ({ warnings }: RemoteState) =>
  warnings.filter(({ code }) => code === "COUNTERSIGN_STATE");

/** Asks until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 200; left > 0; left--) {
    if (await isSo()) return;
    await passed(50);
  }
  throw new Error("it did not come to that");
}

/** Asks until the medium works again. */
export function recovered(table: Streams, claim = proven(1, { stream: "probe" })): Promise<void> {
  return until(async () => (await table.admit(claim)) !== "state-unavailable");
}

/** A disk of this many KiB, where this user may make one. */
export function smallDisk(path: string, size: number): boolean {
  mkdirSync(path, { recursive: true });
  return isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}k`, "tmpfs", path]).status === 0;
}
