// What outlives a process, and what a process that was killed leaves behind (docs/wire.md, section 8.3: whatever was
// forgotten needs evidence from after it was).

import assert from "node:assert/strict";
import type { ReplayState, Streams } from "../../replay/state.js";
import { CROWD, crowd } from "./forgetting.js";
import { message, proven, refused, ruled, type Scene } from "./scene.js";

/** Above what anybody reserves ahead. */
const FAR = 1_000_000_000;

type Again = (scene: Scene, state: ReplayState) => Promise<ReplayState>;

/** Nothing that was delivered is delivered again, by whatever ending. */
const atMostOnce = (again: Again, window: number) => async (scene: Scene) => {
  let state = await scene.open();
  let table = scene.table(state, { window });
  const signedAfter = await scene.moment();
  const delivered: [stream: string, epoch: number, number: number][] = [];
  const deliver = async (table: Streams, stream: string, epoch: number, number: number) => {
    await ruled(table, message(number, { stream, epoch, signedAfter }), "new", "late");
    delivered.push([stream, epoch, number]);
  };
  for (let number = 1; number <= 100; number++) await deliver(table, "alice", 10, number);
  for (const number of [5, 7, 1000]) await deliver(table, "bob", 10, number);
  for (const epoch of [10, 11, 12]) await deliver(table, "carol", epoch, 3);
  if (window > 0) await deliver(table, "bob", 10, 999);
  for (let round = 0; round < 3; round++) {
    state = await again(scene, state);
    table = scene.table(state, { window });
    for (const [stream, epoch, number] of delivered) {
      await refused(table, message(number, { stream, epoch, signedAfter }));
    }
    const now = await scene.moment();
    const next = 2000 + round;
    await ruled(table, message(next, { stream: "alice", signedAfter: now }), "new");
    delivered.push(["alice", 10, next]);
  }
};

/** What was revoked or pushed out before the end is no less forgotten after it. */
const forgottenForGood = (again: Again) => async (scene: Scene) => {
  let state = await scene.open();
  let table = scene.table(state, { limit: 8 });
  const signedAfter = await scene.moment();
  await ruled(table, message(1, { signedAfter }), "new");
  await scene.moment();
  await crowd(table);
  state = await again(scene, state);
  table = scene.table(state, { limit: 8 });
  await refused(table, message(1, { signedAfter }));
  await refused(table, message(1, { signedAfter, toFreshName: true }));
  const before = await scene.moment();
  await ruled(table, message(1, { stream: "dave", keyId: 9, signedAfter: before }), "new");
  await table.forgetKey(9);
  state = await again(scene, state);
  table = scene.table(state, { limit: 8 });
  assert.equal(await table.epochOf("dave"), 0);
  await refused(table, message(1, { stream: "dave", keyId: 9, signedAfter: before }));
  await refused(table, message(2, { stream: "dave", keyId: 9, signedAfter: before }));
  await ruled(table, message(2, { stream: "dave", signedAfter: await scene.moment() }), "new");
};

/** A stream that a nonce began goes no further back than it began. */
const beganForGood = (again: Again) => async (scene: Scene) => {
  let state = await scene.open();
  let table = scene.table(state);
  const signedAfter = await scene.moment();
  assert.equal(await table.begin("alice", { epoch: 10, sequence: 40, keyId: 7 }), "begun");
  const nonce = (await table.ask("bob")) as Buffer;
  assert.equal(await table.answered("bob", nonce, { epoch: 10, sequence: 40, keyId: 7 }), "begun");
  state = await again(scene, state);
  table = scene.table(state);
  for (const stream of ["alice", "bob"]) {
    for (const number of [1, 40]) await refused(table, message(number, { stream }));
    assert.equal(await table.epochOf(stream), 10);
    await refused(table, message(FAR, { stream, epoch: 9, signedAfter }));
  }
  // An answer given before is good for nothing after.
  assert.equal(await table.answered("bob", nonce, { epoch: 10, sequence: 0, keyId: 7 }), "unasked");
};

const restart: Again = (scene, state) => scene.restart(state);
const kill: Again = (scene, state) => scene.kill(state);

/** Checks of a clean end, for whoever survives it. */
export const CLEAN_ENDS: Record<string, (scene: Scene) => Promise<void>> = {
  "after a clean end nothing is delivered again": atMostOnce(restart, 0),
  "after a clean end nothing is delivered again (window)": atMostOnce(restart, 64),
  "after a clean end what was forgotten stays so": forgottenForGood(restart),
  "after a clean end a stream goes on where it had begun": beganForGood(restart),

  "after a clean end everything is remembered exactly": async (scene) => {
    for (const window of [0, 64]) {
      let state = await scene.open();
      const name = `${scene.receiver}-${window}`;
      const options = { window, limit: 1000 };
      let table = state.table(name, "shell", "dealer", options);
      for (const number of [1, 2, 30]) await ruled(table, proven(number), "new");
      await ruled(table, proven(7, { stream: "bob", epoch: 11, keyId: 8 }), "new");
      const since = table.sinceOf("alice");
      state = await scene.restart(state);
      table = state.table(name, "shell", "dealer", options);
      assert.equal(await table.epochOf("alice"), 10);
      assert.equal(await table.epochOf("bob"), 11);
      assert.equal(table.sinceOf("alice"), since);
      await ruled(table, proven(30), "replayed", "below-window");
      await ruled(table, message(31), "new");
      await ruled(table, message(8, { stream: "bob", epoch: 11 }), "new");
      await ruled(table, proven(9, { stream: "bob" }), "stale-epoch");
      await table.forgetKey(8);
      await ruled(table, message(32, { keyId: 7 }), "new", "not-live");
      await scene.close(state);
    }
  },

  "since is that of the birth: what was said while nobody listened is heard": async (scene) => {
    const state = await scene.open();
    scene.table(state);
    const signedAfter = await scene.moment();
    const table = scene.table(await scene.restart(state));
    await ruled(table, message(1, { signedAfter }), "new");
  },

  "after a clean end who was heard least recently is forgotten first": async (scene) => {
    const state = await scene.open();
    const table = scene.table(state, { limit: 8 });
    for (let i = 0; i < 8; i++) await ruled(table, proven(1, { stream: `old-${i}` }), "new");
    await ruled(table, message(2, { stream: "old-0" }), "new");
    const again = scene.table(await scene.restart(state), { limit: 8 });
    await ruled(again, proven(1), "new");
    await ruled(again, message(3, { stream: "old-0" }), "new");
  },
};

/** Checks of an end by `kill -9`, for whoever survives it. */
export const CRASHES: Record<string, (scene: Scene) => Promise<void>> = {
  "after a crash nothing is delivered again": atMostOnce(kill, 0),
  "after a crash nothing is delivered again (window)": atMostOnce(kill, 64),
  "after a crash what was forgotten stays so": forgottenForGood(kill),
  "after a crash a stream goes no further back than it had begun": beganForGood(kill),

  "after a crash the next number passes with evidence, and far ones without": async (scene) => {
    let state = await scene.open();
    let table = scene.table(state);
    for (let number = 1; number <= 20; number++) await ruled(table, proven(number), "new");
    await ruled(table, proven(1, { stream: "bob" }), "new");
    state = await scene.kill(state);
    table = scene.table(state);
    await ruled(table, message(21, { signedAfter: await scene.moment() }), "new");
    await ruled(table, message(20), "replayed");
    await ruled(table, message(22), "new");
    await ruled(table, message(FAR, { stream: "bob" }), "new");
    await ruled(table, proven(1, { stream: "bob" }), "replayed");
  },

  "after a crash an earlier epoch is stale": async (scene) => {
    const state = await scene.open();
    await ruled(scene.table(state), proven(1, { epoch: 12 }), "new");
    const table = scene.table(await scene.kill(state));
    await ruled(table, proven(FAR, { epoch: 11 }), "stale-epoch");
    assert.equal(await table.epochOf("alice"), 12);
  },

  "after a crash a crowd is remembered as before": async (scene) => {
    const state = await scene.open();
    const table = scene.table(state);
    for (let i = 0; i < CROWD; i++) await ruled(table, proven(i + 1, { stream: `crowd-${i}` }), "new");
    const again = scene.table(await scene.kill(state));
    for (let i = 0; i < CROWD; i++) await refused(again, message(i + 1, { stream: `crowd-${i}` }));
    assert.equal(again.size, CROWD);
  },
};

/** Checks of a medium that was emptied: it knows nothing, and says so. */
export const EMPTIED: Record<string, (scene: Scene) => Promise<void>> = {
  "a medium that was wiped refuses recordings, for since is now": async (scene) => {
    const state = await scene.open();
    const wiped = scene.table(state);
    const signedAfter = await scene.moment();
    await ruled(wiped, message(1, { signedAfter }), "new");
    await scene.close(state);
    await scene.backend.wipe();
    const table = scene.table(await scene.open());
    await ruled(table, message(1, { signedAfter }), "not-live");
    await ruled(table, message(2, { signedAfter }), "not-live");
    await ruled(table, message(2, { signedAfter: await scene.moment() }), "new");
  },
};

/** Checks of an end that forgets everything, for whoever does not survive it. */
export const FORGETFUL_ENDS: Record<string, (scene: Scene) => Promise<void>> = {
  "after the end nothing is known, and recordings are refused": async (scene) => {
    const state = await scene.open();
    const gone = scene.table(state);
    const signedAfter = await scene.moment();
    await ruled(gone, message(1, { signedAfter }), "new");
    const table = scene.table(await scene.restart(state));
    await ruled(table, message(1, { signedAfter }), "not-live");
    await ruled(table, message(2, { signedAfter: await scene.moment() }), "new");
  },
};

const HOUR = 3600 * 1_000_000;

/** Checks of a clock that is set back. */
export const CLOCKS: Record<string, (scene: Scene) => Promise<void>> = {
  "a clock that is set back lowers no since": async (scene) => {
    const state = await scene.open();
    const table = scene.table(state, { limit: 8 });
    const signedAfter = await scene.moment();
    await ruled(table, message(1, { signedAfter }), "new");
    await scene.moment();
    scene.setBack = HOUR;
    await crowd(table);
    await refused(table, message(1, { signedAfter }));
    await ruled(table, message(1, { stream: "dave", keyId: 9, signedAfter: signedAfter + HOUR }), "new");
    await table.forgetKey(9);
    await refused(table, message(1, { signedAfter }));
    if (!scene.backend.survives) return;
    const again = scene.table(await scene.restart(state), { limit: 8 });
    await refused(again, message(1, { signedAfter }));
  },
};
