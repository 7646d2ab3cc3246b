// The window: its edges, its beginning, and batches across them (RFC 6479; docs/wire.md, section 8.4).

import { message, proven, ruled, type Scene } from "./scene.js";

const edges = (window: number) => async (scene: Scene) => {
  const table = scene.table(await scene.open(), { window });
  const last = 100 + 3 * window;
  await ruled(table, proven(100), "new");
  await ruled(table, message(last), "new");
  await ruled(table, message(last - window), "below-window");
  await ruled(table, message(last - window - 1), "below-window");
  if (window > 1) {
    await ruled(table, message(last - window + 1), "late");
    await ruled(table, message(last - window + 1), "replayed");
  }
  await ruled(table, message(last), "replayed");
  // One further, and one more falls out of reach.
  await ruled(table, message(last + 1), "new");
  await ruled(table, message(last - window + 1), "below-window");
};

/** Checks of `admit` with a window, by what they promise. */
export const WINDOWS: Record<string, (scene: Scene) => Promise<void>> = {
  ...Object.fromEntries(
    [1, 2, 31, 32, 33, 64, 1000, 65_536].map((window) => [
      `a window of ${window} reaches ${window} numbers back and no further`,
      edges(window),
    ]),
  ),

  "in a window each number is taken once, in any order": async (scene) => {
    const table = scene.table(await scene.open(), { window: 64 });
    await ruled(table, proven(1), "new");
    await ruled(table, message(40), "new");
    const shuffled = Array.from({ length: 38 }, (_, at) => ((at * 11) % 38) + 2);
    for (const number of shuffled) await ruled(table, message(number), "late");
    for (let number = 1; number <= 40; number++) await ruled(table, message(number), "replayed");
    await ruled(table, message(41), "new");
  },

  "a window begins closed below the first number that it admits": async (scene) => {
    const table = scene.table(await scene.open(), { window: 64 });
    await ruled(table, proven(50), "new");
    await ruled(table, message(49), "below-window");
    await ruled(table, proven(1), "below-window");
    await ruled(table, message(52), "new");
    await ruled(table, message(51), "late");
    await ruled(table, message(49), "below-window");
  },

  "a higher epoch begins a window of its own": async (scene) => {
    const table = scene.table(await scene.open(), { window: 64 });
    await ruled(table, proven(50), "new");
    await ruled(table, proven(20, { epoch: 11 }), "new");
    await ruled(table, message(19, { epoch: 11 }), "below-window");
    await ruled(table, message(50, { epoch: 11 }), "new");
    await ruled(table, message(21, { epoch: 11 }), "late");
    await ruled(table, message(51), "stale-epoch");
  },

  "a batch of which one number was seen leaves no trace": async (scene) => {
    const table = scene.table(await scene.open(), { window: 64 });
    await ruled(table, proven(1), "new");
    await ruled(table, message(12), "new");
    await ruled(table, message(10, { count: 4 }), "replayed");
    for (const number of [10, 11]) await ruled(table, message(number), "late");
    await ruled(table, message(13), "new");
    await ruled(table, message(5, { count: 3 }), "late");
    for (const number of [5, 6, 7]) await ruled(table, message(number), "replayed");
  },

  "a batch that begins below the window is refused whole": async (scene) => {
    const table = scene.table(await scene.open(), { window: 32 });
    await ruled(table, proven(1), "new");
    await ruled(table, message(100), "new");
    await ruled(table, message(68, { count: 4 }), "below-window");
    await ruled(table, message(69, { count: 3 }), "late");
  },

  "a batch may be larger than the window": async (scene) => {
    const table = scene.table(await scene.open(), { window: 32 });
    await ruled(table, proven(1, { count: 256 }), "new");
    await ruled(table, message(256), "replayed");
    await ruled(table, message(225), "replayed");
    await ruled(table, message(224), "below-window");
    await ruled(table, message(257, { count: 256 }), "new");
  },
};
