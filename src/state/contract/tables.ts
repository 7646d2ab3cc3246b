// Whose memory it is: receivers, channels and socket types do not mix, and whoever has the same shares it.

import assert from "node:assert/strict";
import { CountersignError } from "../../errors.js";
import { proven, ruled, type Scene } from "./scene.js";

const STRICT = { window: 0, limit: 100 };

/** Checks of `table`, by what they promise. */
export const TABLES: Record<string, (scene: Scene) => Promise<void>> = {
  "the same receiver, channel and socket type share a memory": async (scene) => {
    const state = await scene.open();
    await ruled(scene.table(state), proven(1), "new");
    await ruled(scene.table(state), proven(1), "replayed");
  },

  "another receiver, channel or socket type has another, however the names run together": async (scene) => {
    const state = await scene.open();
    const { receiver } = scene;
    const tables = [
      state.table(receiver, "shell", "dealer", STRICT),
      state.table(`${receiver}s`, "hell", "dealer", STRICT),
      state.table(receiver, "control", "dealer", STRICT),
      state.table(receiver, "", "dealer", STRICT),
      state.table(receiver, "shell", "router", STRICT),
      state.table(`${receiver}","shell`, "dealer", "dealer", STRICT),
      state.table(receiver, 'shell","dealer', "dealer", STRICT),
      state.table(`${receiver}:shell`, "", "dealer", STRICT),
      state.table(receiver, ":shell", "dealer", STRICT),
      state.table(`${receiver}{shell}`, "é/\0..", "dealer", STRICT),
    ];
    for (const table of tables) await ruled(table, proven(1), "new");
    for (const table of tables) await ruled(table, proven(1), "replayed");
  },

  "streams whose names run together with others' are apart": async (scene) => {
    const table = scene.table(await scene.open());
    const names = ["a", "a:b", "a:b:c", "a~1", "a/..", "{a}", '"a"', "A", "a".repeat(64)];
    for (const stream of names) await ruled(table, proven(1, { stream }), "new");
    for (const stream of names) await ruled(table, proven(1, { stream }), "replayed");
  },

  "receivers that share a memory must have the same window": async (scene) => {
    const state = await scene.open();
    scene.table(state);
    assert.throws(
      () => scene.table(state, { window: 64 }),
      (error) => error instanceof CountersignError && error.code === "ERR_COUNTERSIGN_OPTIONS",
    );
  },
};

/** Checks of what several that are open at once share. */
export const SHARED: Record<string, (scene: Scene) => Promise<void>> = {
  "what one has taken is replayed at another": async (scene) => {
    const [one, other] = [scene.table(await scene.open()), scene.table(await scene.open())];
    await ruled(one, proven(1), "new");
    await ruled(other, proven(1), "replayed");
    await ruled(other, proven(2), "new");
    await ruled(one, proven(2), "replayed");
  },

  "of two copies at the same instant, at two of them, one is new": async (scene) => {
    const tables = [scene.table(await scene.open()), scene.table(await scene.open())];
    for (let number = 1; number <= 50; number++) {
      const rulings = await Promise.all(tables.map((table) => table.admit(proven(number))));
      assert.deepEqual(rulings.sort(), ["new", "replayed"]);
    }
  },

  "a key that one forgets is forgotten by all": async (scene) => {
    const [one, other] = [scene.table(await scene.open()), scene.table(await scene.open())];
    const signedAfter = await scene.moment();
    await ruled(one, { ...proven(1), signedAfter }, "new");
    await ruled(other, { ...proven(2), signedAfter }, "new");
    await one.forgetKey(7);
    await ruled(other, { ...proven(3), signedAfter }, "not-live");
  },
};
