// The replay window (RFC 6479: a ring of 32-bit blocks, no shifting; RFC 4303, section 3.4.3). Pure: no clock, no I/O.
// It holds the `size` highest numbers up to the last one, and starts closed below the first it was given.

import type { Reason } from "../reasons.js";

const BITS = 32;

/** Which of the `size` highest sequence numbers of one stream and epoch were seen. */
export class ReplayWindow {
  readonly size: number;
  /** The highest number seen. */
  last: number;
  readonly #first: number;
  readonly #blocks: Uint32Array;

  /** @param size 1 to 65,536 numbers; @param first the lowest number that may still come, and none below it */
  constructor(size: number, first: number) {
    this.size = size;
    this.#first = first;
    this.last = first - 1;
    // One block more than the window fills: the block being entered is cleared while the oldest is still asked for.
    this.#blocks = new Uint32Array(Math.ceil(size / BITS) + 1);
  }

  /** Why `number` is refused; `undefined` while it was never seen and lies in or above the window. */
  check(number: number): Reason | undefined {
    if (number > this.last) return undefined;
    if (number < this.#first || this.last - number >= this.size) return "below-window";
    return this.#isSet(number) ? "replayed" : undefined;
  }

  /** Marks `number`, which passed {@link check}, as seen. */
  accept(number: number): void {
    if (number > this.last) this.#advance(number);
    const block = this.#block(number);
    this.#blocks[block] = (this.#blocks[block] as number) | bitOf(number);
  }

  #advance(number: number): void {
    const from = Math.floor(this.last / BITS);
    const entered = Math.min(Math.floor(number / BITS) - from, this.#blocks.length);
    const to = Math.floor(number / BITS);
    for (let i = 0; i < entered; i++) this.#blocks[(to - i) % this.#blocks.length] = 0;
    this.last = number;
  }

  #block(number: number): number {
    return Math.floor(number / BITS) % this.#blocks.length;
  }

  #isSet(number: number): boolean {
    return ((this.#blocks[this.#block(number)] as number) & bitOf(number)) !== 0;
  }
}

/** A number's bit in its block: a shift takes its count modulo 32, also of numbers beyond 32 bits. */
function bitOf(number: number): number {
  return 1 << number;
}
