// A sender's epochs in Redis (docs/wire.md, section 8.1): each above all before it. A sender that starts before its Redis
// waits for it, for nobody may sign without.

import { EPOCHS_AHEAD } from "../../replay/state.js";
import type { Run } from "./client.js";
import type { Outage } from "./outage.js";
import { EPOCH_SCRIPT } from "./script.js";

/** How long after the clock has passed it an epoch is kept: over a year, in microseconds. */
const EPOCH_LIFE = 400 * 24 * 3600 * 1_000_000;
/** Milliseconds between two attempts. */
const PAUSE = 250;
const CONSEQUENCE = "senders wait for their epoch until it answers.";

/** The next epoch of the sender that has this key, once Redis can be reached. */
export async function nextEpoch(
  run: Run,
  key: string,
  atLeast: number,
  timeout: number,
  outage: Outage,
): Promise<number> {
  const args = [atLeast, EPOCHS_AHEAD, EPOCH_LIFE].map(String);
  for (;;) {
    const timer = setTimeout(() => {
      outage.failed(new Error(`no answer within ${timeout} ms`), CONSEQUENCE);
    }, timeout).unref();
    try {
      const epoch = epochIn(await run(EPOCH_SCRIPT, [key], args), key, atLeast);
      outage.answered();
      return epoch;
    } catch (error) {
      outage.failed(error, CONSEQUENCE);
      await new Promise((resolve) => {
        setTimeout(resolve, PAUSE).unref();
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @throws Error for anything else: a client within a transaction answers "QUEUED", one in a legacy mode nothing */
function epochIn([status, answer]: readonly string[], key: string, atLeast: number): number {
  if (status === "unusable") {
    throw new Error(
      `"${key}" holds "${answer}", above which there is no epoch: give the sender another name, or delete that key, ` +
        "and whoever has heard a higher epoch refuses it as stale-epoch",
    );
  }
  const epoch = Number(answer);
  if (status === "given" && Number.isSafeInteger(epoch) && epoch >= atLeast) return epoch;
  throw new Error(`it answers "${status}" where a script was run`);
}
