// Tells whoever runs this that the medium fails: once an outage, not once a message.

import { CountersignError } from "../../errors.js";

/** Told of what goes wrong with a state, once an outage of each table and of senders' epochs. */
export type ErrorListener = (error: CountersignError) => void;

/** Whether Redis answers what one table asks, or what senders do for their epochs, and who is told when it does not. */
export class Outage {
  #down = false;
  readonly #consequence: string;
  readonly #listener: ErrorListener;

  /** @param consequence  what comes of it while it does not answer */
  constructor(consequence: string, listener: ErrorListener = warn) {
    this.#consequence = consequence;
    this.#listener = listener;
  }

  /** It did not answer, or with an error, where it was asked for this key. */
  failed(cause: unknown, key: string): void {
    if (this.#down) return;
    this.#down = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.tell(`Redis fails at "${key}" (${why}): ${this.#consequence}`, cause);
  }

  /** It answered: the next failure is told again. */
  answered(): void {
    this.#down = false;
  }

  /** Tells something that is no outage. */
  tell(message: string, cause?: unknown): void {
    const error = new CountersignError("ERR_COUNTERSIGN_STATE", message, { cause });
    try {
      this.#listener(error);
    } catch (thrown) {
      // Whoever listens must not break a ruling; but what he throws must not go unseen.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}

function warn({ message }: CountersignError): void {
  process.emitWarning(message, { type: "CountersignWarning", code: "COUNTERSIGN_STATE" });
}
