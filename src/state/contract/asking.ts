// Nonces and what answers them: a stream begins where its live sender has arrived (docs/wire.md, section 8.5).

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Streams } from "../../replay/state.js";
import { crowd } from "./forgetting.js";
import { message, proven, refused, ruled, type Scene } from "./scene.js";

const reached = (sequence: number, epoch = 10) => ({ epoch, sequence, keyId: 7 });

async function nonceOf(table: Streams, stream = "alice"): Promise<Buffer> {
  const nonce = await table.ask(stream);
  assert.ok(nonce !== undefined, "the medium failed");
  return nonce;
}

/** Checks of `ask`, `answered`, `begin` and `epochOf`, by what they promise. */
export const ASKING: Record<string, (scene: Scene) => Promise<void>> = {
  "a stream has one nonce, the same until it is answered, and no other has it": async (scene) => {
    const table = scene.table(await scene.open());
    const nonce = await nonceOf(table);
    assert.equal(nonce.length, 16);
    assert.ok(nonce.equals(await nonceOf(table)));
    assert.ok(!nonce.equals(await nonceOf(table, "bob")));
    assert.equal(await table.answered("alice", nonce, reached(4)), "begun");
    assert.ok(!nonce.equals(await nonceOf(table)));
  },

  "an answer is used once": async (scene) => {
    const table = scene.table(await scene.open());
    const nonce = await nonceOf(table);
    assert.equal(await table.answered("alice", nonce, reached(4)), "begun");
    assert.equal(await table.answered("alice", nonce, reached(0)), "unasked");
    assert.equal(await table.answered("alice", nonce, reached(0, 11)), "unasked");
    await ruled(table, message(4), "replayed", "below-window");
  },

  "what was not asked, or of another, begins nothing": async (scene) => {
    const table = scene.table(await scene.open());
    assert.equal(await table.answered("alice", randomBytes(16), reached(4)), "unasked");
    const nonce = await nonceOf(table);
    assert.equal(await table.answered("alice", randomBytes(16), reached(4)), "unasked");
    assert.equal(await table.answered("bob", nonce, reached(4)), "unasked");
    await ruled(table, message(5), "not-live");
    // A wrong answer does not use the nonce up.
    assert.equal(await table.answered("alice", nonce, reached(4)), "begun");
  },

  ...Object.fromEntries(
    [0, 64].map((window) => [
      `a stream begins at the number that its sender has reached (window ${window})`,
      async (scene: Scene) => {
        const table = scene.table(await scene.open(), { window });
        assert.equal(await table.answered("alice", await nonceOf(table), reached(40)), "begun");
        assert.equal(await table.epochOf("alice"), 10);
        for (const number of [1, 39, 40]) await refused(table, proven(number));
        await ruled(table, message(41), "new");
        await ruled(table, message(41), "replayed");
        await ruled(table, message(42), "new");
      },
    ]),
  ),

  "a sender that has signed nothing yet begins at 1": async (scene) => {
    const table = scene.table(await scene.open());
    assert.equal(await table.answered("alice", await nonceOf(table), reached(0)), "begun");
    await ruled(table, message(1), "new");
  },

  "an answer from an earlier epoch is stale": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(5), "new");
    assert.equal(await table.answered("alice", await nonceOf(table), reached(90, 9)), "stale-epoch");
    assert.equal(await table.begin("alice", reached(90, 9)), "stale-epoch");
    await ruled(table, message(6), "new");
  },

  "the answer to what was asked before its stream was forgotten begins nothing": async (scene) => {
    const table = scene.table(await scene.open(), { limit: 8 });
    await ruled(table, proven(1), "new");
    const nonce = await nonceOf(table);
    const mark = table.mark?.();
    await scene.moment();
    await ruled(table, message(2), "new");
    await scene.moment();
    await crowd(table);
    assert.equal(await table.answered("alice", nonce, reached(1)), "unasked");
    if (mark !== undefined) assert.equal(await table.begin("alice", reached(1), mark), "unasked");
    await refused(table, message(2));
  },

  "a beginning never lowers what is remembered": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(9), "new");
    assert.equal(await table.begin("alice", reached(5)), "begun");
    for (const number of [6, 9]) await ruled(table, proven(number), "replayed");
    await ruled(table, message(10), "new");
    assert.equal(await table.answered("alice", await nonceOf(table), reached(2)), "begun");
    await ruled(table, proven(3), "replayed");
  },

  "a beginning in a higher epoch replaces the lower one": async (scene) => {
    const table = scene.table(await scene.open());
    await ruled(table, proven(9), "new");
    assert.equal(await table.begin("alice", reached(3, 11)), "begun");
    await ruled(table, proven(10), "stale-epoch");
    await ruled(table, proven(3, { epoch: 11 }), "replayed");
    await ruled(table, message(4, { epoch: 11 }), "new");
  },

  "the answer to what was asked after its stream was forgotten begins it": async (scene) => {
    const table = scene.table(await scene.open(), { limit: 8 });
    await ruled(table, proven(9), "new");
    await crowd(table);
    await scene.moment();
    assert.equal(await table.begin("alice", reached(9), table.mark?.()), "begun");
    await refused(table, message(9));
    await ruled(table, message(10), "new");
  },

  "the epoch of a stream is the highest that was taken, and 0 where none was": async (scene) => {
    const table = scene.table(await scene.open());
    assert.equal(await table.epochOf("alice"), 0);
    await ruled(table, message(1, { epoch: 12 }), "not-live");
    assert.equal(await table.epochOf("alice"), 0);
    await ruled(table, proven(1, { epoch: 12 }), "new");
    assert.equal(await table.epochOf("alice"), 12);
    assert.equal(await table.epochOf("bob"), 0);
  },
};
