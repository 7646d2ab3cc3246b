// Forgetting, of streams heard least recently and of revoked keys: `since` rises, and nothing old comes in again
// (docs/wire.md, section 8.3).

import assert from "node:assert/strict";
import type { Streams } from "../../replay/state.js";
import { message, proven, refused, ruled, type Scene } from "./scene.js";

/** Far more streams than the table is to remember. */
export const CROWD = 50;

/** Lets a crowd in through a table for eight: the first comers are forgotten. */
export async function crowd(table: Streams): Promise<void> {
  for (let i = 0; i < CROWD; i++) await ruled(table, proven(1, { stream: `crowd-${i}` }), "new");
}

/** Checks of bounds and `forgetKey`, by what they promise. */
export const FORGETTING: Record<string, (scene: Scene) => Promise<void>> = {
  "a stream that was forgotten needs evidence from after it was last heard": async (scene) => {
    const table = scene.table(await scene.open(), { limit: 8 });
    const signedAfter = await scene.moment();
    await ruled(table, message(1, { signedAfter }), "new");
    await scene.moment();
    await crowd(table);
    const later = await scene.moment();
    await refused(table, message(1, { signedAfter }));
    await refused(table, message(1, { signedAfter, toFreshName: true }));
    await ruled(table, message(2, { signedAfter: later }), "new");
  },

  "what is remembered is bounded": async (scene) => {
    const table = scene.table(await scene.open(), { limit: 8 });
    await crowd(table);
    assert.ok(table.size <= 8, `${table.size} streams where 8 are to be remembered`);
  },

  "who was heard last is remembered, and his next epoch is judged by his own beginning": async (scene) => {
    const table = scene.table(await scene.open(), { limit: 8 });
    const signedAfter = await scene.moment();
    await ruled(table, message(1, { signedAfter }), "new");
    for (let i = 0; i < CROWD; i++) {
      await ruled(table, proven(1, { stream: `crowd-${i}` }), "new");
      await ruled(table, message(i + 2), "new");
    }
    await ruled(table, message(1, { epoch: 11, signedAfter }), "new");
  },

  "a stream that comes back begins with what was known when it did": async (scene) => {
    const table = scene.table(await scene.open(), { limit: 8 });
    const signedAfter = await scene.moment();
    await ruled(table, message(1, { signedAfter }), "new");
    await scene.moment();
    await crowd(table);
    await ruled(table, proven(5), "new");
    await refused(table, message(1, { epoch: 11, signedAfter }));
  },

  "forgetting a key forgets the streams that it moved last, and no others": async (scene) => {
    const table = scene.table(await scene.open());
    const signedAfter = await scene.moment();
    await ruled(table, message(1, { signedAfter }), "new");
    await ruled(table, proven(1, { stream: "bob", keyId: 8 }), "new");
    await ruled(table, proven(1, { stream: "carol", keyId: 7 }), "new");
    await ruled(table, message(2, { stream: "carol", keyId: 8 }), "new");
    await table.forgetKey(7);
    const later = await scene.moment();
    assert.equal(await table.epochOf("alice"), 0);
    await ruled(table, message(1, { signedAfter }), "not-live");
    await ruled(table, message(2), "not-live");
    await ruled(table, message(2, { stream: "bob", keyId: 8 }), "new");
    await ruled(table, message(3, { stream: "carol", keyId: 8 }), "new");
    await ruled(table, message(1, { signedAfter: later }), "new");
  },

  "memory begins now where a key is forgotten, also for those never heard": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(1), "new");
    const before = await scene.moment();
    await table.forgetKey(7);
    const after = await scene.moment();
    await ruled(table, message(1, { stream: "bob", signedAfter: before }), "not-live");
    await ruled(table, message(1, { stream: "bob", signedAfter: after }), "new");
  },

  "a key that moved nothing takes nothing away": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(1), "new");
    await table.forgetKey(99);
    await ruled(table, message(1), "replayed");
    await ruled(table, message(2), "new");
  },
};
