// New, in order, live: what a table says of one message after another (docs/wire.md, sections 8.3 and 8.4).

import assert from "node:assert/strict";
import { LIVE, message, proven, ruled, type Scene } from "./scene.js";

/** Checks of `admit` in strict order, by what they promise. */
export const RULINGS: Record<string, (scene: Scene) => Promise<void>> = {
  "the first message of a stream is new if there is evidence": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(1), "new");
    assert.equal(table.size, 1);
  },

  "without evidence it is refused for the reason that the claim gives": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, message(1), "not-live");
    await ruled(table, message(1, { unproven: "too-old" }), "too-old");
    assert.equal(table.size, 0);
  },

  "a message that is refused leaves nothing behind": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, message(9), "not-live");
    await ruled(table, message(1), "not-live");
    await ruled(table, proven(1), "new");
    await ruled(table, message(9, { epoch: 11 }), "not-live");
    await ruled(table, message(2), "new");
    await ruled(table, proven(8, { epoch: 9 }), "stale-epoch");
    await ruled(table, message(3), "new");
  },

  "a copy is replayed, whatever evidence it bears": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(1), "new");
    await ruled(table, message(1), "replayed");
    await ruled(table, proven(1), "replayed");
    await ruled(table, proven(1, { toFreshName: true, keyId: 8 }), "replayed");
  },

  "a stream that is known needs no evidence": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(5), "new");
    for (let number = 6; number < 20; number++) await ruled(table, message(number), "new");
  },

  "in strict order numbers rise, and what was passed over is gone": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(1), "new");
    await ruled(table, message(3), "new");
    await ruled(table, message(2), "replayed");
    await ruled(table, message(Number.MAX_SAFE_INTEGER), "new");
    await ruled(table, message(Number.MAX_SAFE_INTEGER), "replayed");
    await ruled(table, message(4), "replayed");
  },

  "a batch is taken whole or not at all": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(1, { count: 3 }), "new");
    for (const number of [1, 2, 3]) await ruled(table, message(number), "replayed");
    await ruled(table, message(3, { count: 2 }), "replayed");
    await ruled(table, message(4, { count: 256 }), "new");
    await ruled(table, message(259), "replayed");
    await ruled(table, message(260), "new");
  },

  "streams do not touch one another": async (scene) => {
    const table = scene.table(await scene.open());
    for (const stream of ["alice", "alice~1", "bob"]) {
      await ruled(table, message(4, { stream }), "not-live");
      await ruled(table, proven(4, { stream }), "new");
    }
    await ruled(table, message(9, { stream: "bob" }), "new");
    await ruled(table, message(5, { stream: "alice~1" }), "new");
    await ruled(table, message(5), "new");
  },

  "a higher epoch needs evidence, and replaces the lower one for good": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(50), "new");
    await ruled(table, message(51, { epoch: 11 }), "not-live");
    await ruled(table, proven(1, { epoch: 11 }), "new");
    await ruled(table, message(51), "stale-epoch");
    await ruled(table, proven(51), "stale-epoch");
    await ruled(table, message(2, { epoch: 11 }), "new");
    await ruled(table, message(1, { epoch: 11 }), "replayed");
    assert.equal(await table.epochOf("alice"), 11);
  },

  "evidence counts if it is of later than the table's birth": async (scene) => {
    const before = await scene.moment();
    const table = scene.table(await scene.open());
    const after = await scene.moment();
    await ruled(table, message(1, { signedAfter: before }), "not-live");
    await ruled(table, message(1, { signedAfter: after }), "new");
    await ruled(table, message(1, { epoch: 11, signedAfter: before }), "not-live");
    await ruled(table, message(1, { epoch: 11, signedAfter: after }), "new");
  },

  "evidence of `since` itself is not enough": async (scene) => {
    const table = scene.table(await scene.open());
    const since = table.sinceOf("alice");
    if (since === undefined) return;
    await ruled(table, message(1, { signedAfter: since }), "not-live");
    await ruled(table, message(1, { signedAfter: since + 1 }), "new");
  },

  "a name made at this start is evidence while nothing is forgotten": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, message(1, { toFreshName: true }), "new");
    await ruled(table, message(1, { stream: "bob", keyId: 8, toFreshName: true }), "new");
    await table.forgetKey(8);
    await ruled(table, message(1, { stream: "bob", keyId: 8, toFreshName: true }), "not-live");
    await ruled(table, message(1, { stream: "carol", toFreshName: true }), "not-live");
    await ruled(table, message(2), "new");
  },

  "of two copies at the same instant one is new": async (scene) => {
    const table = scene.table(await scene.open());
    const rulings = await Promise.all(Array.from({ length: 20 }, () => table.admit(proven(1))));
    assert.equal(rulings.filter((ruling) => ruling === "new").length, 1, String(rulings));
    assert.equal(rulings.filter((ruling) => ruling === "replayed").length, 19, String(rulings));
  },

  "messages are ruled on in the order of the calls, and told in it": async (scene) => {
    const table = scene.table(await scene.open());
    const told: number[] = [];
    const numbers = Array.from({ length: 200 }, (_, at) => at + 1);
    const rulings = numbers.map(async (number) => {
      const ruling = await table.admit(message(number, number === 1 ? { signedAfter: LIVE } : {}));
      told.push(number);
      return ruling;
    });
    assert.deepEqual(new Set(await Promise.all(rulings)), new Set(["new"]));
    assert.deepEqual(told, numbers);
  },
};
