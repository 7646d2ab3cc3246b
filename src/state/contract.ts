// countersign/state/contract: what every memory of streams must keep (src/replay/state.ts), as a list of checks that any
// test runner can run: this library's own memories, and those of third parties.

import { ASKING } from "./contract/asking.js";
import type { Check, StateBackend } from "./contract/backend.js";
import { EPOCHS, EPOCHS_AFTER_CRASHES, SHARED_EPOCHS } from "./contract/epochs.js";
import { FORGETTING } from "./contract/forgetting.js";
import { CLEAN_ENDS, CLOCKS, CRASHES, EMPTIED, FORGETFUL_ENDS } from "./contract/restarts.js";
import { RULINGS } from "./contract/rulings.js";
import { Scene } from "./contract/scene.js";
import { SHARED, TABLES } from "./contract/tables.js";
import { WINDOWS } from "./contract/windows.js";

export type { Check, StateBackend } from "./contract/backend.js";

/**
 * The checks that a backend must pass, for what it takes on: {@link StateBackend.survives} and the like choose among
 * them. Each opens and closes what it needs and uses names of its own; run them one after another, for one of them
 * wipes the medium.
 *
 * @example
 * ```ts
 * import { test } from "node:test";
 * import { MemoryState } from "countersign/core";
 * import { stateContract } from "countersign/state/contract";
 *
 * const checks = stateContract({
 *   open: (clock) => new MemoryState({ clock }),
 *   close: () => {},
 *   wipe: () => {},
 *   survives: false,
 *   sharesStreams: false,
 *   sharesEpochs: false,
 * });
 * for (const { name, run } of checks) test(name, run);
 * ```
 */
export function stateContract(backend: StateBackend): Check[] {
  return Object.entries(checksFor(backend)).map(([name, check]) => ({
    name,
    run: async () => {
      const scene = new Scene(backend);
      try {
        await check(scene);
      } finally {
        await scene.end();
      }
    },
  }));
}

function checksFor({ survives, crash, sharesStreams, sharesEpochs, followsClock = true }: StateBackend) {
  const crashes = survives && crash !== undefined;
  return {
    ...RULINGS,
    ...WINDOWS,
    ...ASKING,
    ...FORGETTING,
    ...TABLES,
    ...EMPTIED,
    ...(followsClock ? CLOCKS : {}),
    ...(survives ? { ...CLEAN_ENDS, ...EPOCHS } : FORGETFUL_ENDS),
    ...(crashes ? { ...CRASHES, ...EPOCHS_AFTER_CRASHES } : {}),
    ...(sharesStreams ? SHARED : {}),
    ...(sharesEpochs ? SHARED_EPOCHS : {}),
  };
}
