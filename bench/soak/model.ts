// What a receiver must do with genuine messages, in the plainest way there is: a bit for every message ever sent.
// It shares no code with the library, so the two can be wrong together only by the same thought.

import { Bits } from "./bits.js";

export class Model {
  /** How many were delivered, and how many of those after a later one. */
  delivered = 0;
  late = 0;
  readonly #seen: Bits;
  readonly #window: number;
  #highest = -1;

  /** @param window the receiver's window, or 0 where it is strict */
  constructor(messages: number, window: number) {
    this.#seen = new Bits(messages);
    this.#window = window;
  }

  /** Which ones were delivered. */
  get bits(): Buffer {
    return this.#seen.bytes;
  }

  /** What becomes of the genuine message of this index when it arrives now, for the first time or again. */
  arrive(index: number): "delivered" | "replayed" | "below-window" {
    if (index < this.#highest && this.#window > 0 && this.#highest - index >= this.#window)
      return "below-window";
    if (this.#seen.has(index) || (index < this.#highest && this.#window === 0)) return "replayed";
    this.#seen.add(index);
    this.delivered++;
    if (index < this.#highest) this.late++;
    else this.#highest = index;
    return "delivered";
  }
}
