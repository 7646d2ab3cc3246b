// A sender's epochs: each above every one before, whatever the clock says (docs/wire.md, section 8.1).

import assert from "node:assert/strict";
import { EPOCHS_AHEAD, type ReplayState, type SenderStream } from "../../replay/state.js";
import type { Scene } from "./scene.js";

async function epoch(state: ReplayState, stream: SenderStream, atLeast: number): Promise<number> {
  assert.ok(state.nextEpoch !== undefined, "what outlives its process stores epochs");
  return state.nextEpoch(stream, atLeast);
}

/** Each given epoch leaves room for those that the sender before went on to by itself. */
function assertApart(epochs: readonly number[]): void {
  const sorted = [...epochs].sort((a, b) => a - b);
  for (const [at, given] of sorted.slice(1).entries()) {
    const before = sorted[at] as number;
    assert.ok(given >= before + EPOCHS_AHEAD, `${given} was given ${given - before} above ${before}`);
  }
}

/** Checks of `nextEpoch`, by what they promise. */
export const EPOCHS: Record<string, (scene: Scene) => Promise<void>> = {
  "an epoch is at least what was asked for": async (scene) => {
    const state = await scene.open();
    const now = scene.clock();
    assert.equal(await epoch(state, scene.sender(), now), now);
    const later = now + 60_000_000;
    assert.equal(await epoch(state, scene.sender(), later), later);
  },

  "an epoch is above all those before and what was stored ahead, whatever the clock says": async (scene) => {
    const state = await scene.open();
    const now = scene.clock();
    const given: number[] = [];
    for (const atLeast of [now, now, now - 3_600_000_000, 1, now + 1, now + EPOCHS_AHEAD]) {
      given.push(await epoch(state, scene.sender(), atLeast));
    }
    assert.deepEqual(
      [...given].sort((a, b) => a - b),
      given,
    );
    assertApart(given);
  },

  "epochs that are asked for at the same instant differ": async (scene) => {
    const state = await scene.open();
    const now = scene.clock();
    assertApart(await Promise.all(Array.from({ length: 20 }, () => epoch(state, scene.sender(), now))));
  },

  "senders, channels and socket types have epochs of their own": async (scene) => {
    const state = await scene.open();
    const stream = scene.sender();
    const now = scene.clock();
    await epoch(state, stream, now + 3_600_000_000);
    const others: SenderStream[] = [
      { ...stream, sender: `${stream.sender}~1` },
      { ...stream, channel: "control" },
      { ...stream, pattern: "router" },
      { ...stream, sender: `${stream.sender}:shell`, channel: "" },
    ];
    for (const other of others) assert.equal(await epoch(state, other, now), now);
  },

  "epochs do not go back after a clean end": async (scene) => {
    let state = await scene.open();
    const given = [await epoch(state, scene.sender(), scene.clock())];
    for (let round = 0; round < 3; round++) {
      state = await scene.restart(state);
      given.push(await epoch(state, scene.sender(), 1));
    }
    assertApart(given);
  },
};

/** Checks of `nextEpoch` and an end by `kill -9`. */
export const EPOCHS_AFTER_CRASHES: Record<string, (scene: Scene) => Promise<void>> = {
  "epochs do not go back after a crash": async (scene) => {
    let state = await scene.open();
    const given = [await epoch(state, scene.sender(), scene.clock())];
    for (let round = 0; round < 3; round++) {
      state = await scene.kill(state);
      given.push(await epoch(state, scene.sender(), 1));
    }
    assertApart(given);
  },
};

/** Checks of `nextEpoch` and several that are open at once. */
export const SHARED_EPOCHS: Record<string, (scene: Scene) => Promise<void>> = {
  "several that are open at once give no epoch twice": async (scene) => {
    const states = [await scene.open(), await scene.open()];
    const now = scene.clock();
    const asked = Array.from({ length: 20 }, (_, at) => states[at % 2] as ReplayState);
    assertApart(await Promise.all(asked.map((state) => epoch(state, scene.sender(), now))));
  },
};
