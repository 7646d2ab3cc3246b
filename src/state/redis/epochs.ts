// A sender's epochs in Redis (docs/wire.md, section 8.1): each above all before it. A sender that starts before its Redis
// waits for it, for nobody may sign without.

import { EPOCHS_AHEAD } from "../../replay/state.js";
import type { Run } from "./client.js";
import { type ErrorListener, Outage } from "./outage.js";
import { EPOCH_SCRIPT } from "./script.js";

/** How long after the clock has passed it an epoch is kept: over a year, in microseconds. */
const EPOCH_LIFE = 400 * 24 * 3600 * 1_000_000;
/** Milliseconds between two attempts. */
const PAUSE = 250;

/** Gives senders their epochs. */
export class Epochs {
  readonly #run: Run;
  readonly #timeout: number;
  readonly #outage: Outage;
  /** Those who wait and were failed. */
  readonly #failing = new Set<symbol>();

  /** @param timeout  milliseconds after which Redis is said to be away */
  constructor(run: Run, timeout: number, listener: ErrorListener | undefined) {
    this.#run = run;
    this.#timeout = timeout;
    this.#outage = new Outage("senders wait for their epoch until it answers.", listener);
  }

  /** The next epoch of the sender that has this key, once Redis gives one. */
  async next(key: string, atLeast: number): Promise<number> {
    const args = [atLeast, EPOCHS_AHEAD, EPOCH_LIFE].map(String);
    const waiting = Symbol(key);
    for (;;) {
      const timer = setTimeout(() => {
        this.#failed(waiting, new Error(`no answer within ${this.#timeout} ms`), key);
      }, this.#timeout).unref();
      try {
        const epoch = epochIn(await this.#run(EPOCH_SCRIPT, [key], args), key, atLeast);
        this.#given(waiting);
        return epoch;
      } catch (error) {
        this.#failed(waiting, error, key);
        await new Promise((resolve) => {
          setTimeout(resolve, PAUSE).unref();
        });
      } finally {
        clearTimeout(timer);
      }
    }
  }

  #failed(waiting: symbol, cause: unknown, key: string): void {
    this.#failing.add(waiting);
    this.#outage.failed(cause, key);
  }

  /** What one sender is given is no recovery while another waits: its key may be at fault. */
  #given(waiting: symbol): void {
    this.#failing.delete(waiting);
    if (this.#failing.size === 0) this.#outage.answered();
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
