// The nonces that senders have yet to answer: one a stream, used once, the oldest forgotten first. Only authentic
// messages cause one, and whoever repeats such a message is asked the same.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { WIRE } from "../wire/limits.js";

/** Nonces by stream, in bounded memory. */
export class Nonces {
  readonly #byStream = new Map<string, Buffer>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The nonce of a stream: the one that waits to be answered, or a new one. */
  ask(stream: string): Buffer {
    const waiting = this.#byStream.get(stream);
    if (waiting !== undefined) return waiting;
    if (this.#byStream.size >= this.#limit) {
      this.#byStream.delete(this.#byStream.keys().next().value as string);
    }
    const nonce = randomBytes(WIRE.nonceBytes);
    this.#byStream.set(stream, nonce);
    return nonce;
  }

  /** Its stream was heard since, and is forgotten: an answer from before that would begin it in the past. */
  drop(stream: string): void {
    this.#byStream.delete(stream);
  }

  /** Is this the answer that was waited for? Then it is no longer. */
  take(stream: string, answer: Uint8Array): boolean {
    const waiting = this.#byStream.get(stream);
    if (waiting === undefined || answer.length !== waiting.length) return false;
    return timingSafeEqual(waiting, answer) && this.#byStream.delete(stream);
  }
}
