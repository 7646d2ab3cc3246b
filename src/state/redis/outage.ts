// Tells whoever runs this that the medium fails: once an outage, not once a message.

import { CountersignError } from "../../errors.js";

/** Told of what goes wrong with a state, once an outage. */
export type ErrorListener = (error: CountersignError) => void;

/** Whether Redis answers, and who is told when it does not. */
export class Outage {
  #down = false;
  readonly #listener: ErrorListener;

  constructor(listener: ErrorListener = warn) {
    this.#listener = listener;
  }

  /** It did not answer, or with an error. */
  failed(cause: unknown, consequence: string): void {
    if (this.#down) return;
    this.#down = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.tell(`Redis fails (${why}): ${consequence}`, cause);
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
