// A batch that is being filled: each message is written where it will travel, behind room for header and tag, so that it is
// copied once.

import { Buffer } from "node:buffer";
import { writeU32 } from "../wire/integers.js";
import { payloadLength, writePayload } from "../wire/payload.js";
import type { Front } from "./parts.js";

const COUNT_BYTES = 4;
const FIRST_BYTES = 1024;

/** Messages that will have one tag. */
export class Batch {
  /** That of all of them. */
  readonly front: Front;
  readonly #payloadAt: number;
  #frame: Buffer;
  #end: number;
  #count = 0;

  /**
   * @param front      of the first message
   * @param payloadAt  where in the signature frame the payload begins
   * @param bytes      room to begin with; it grows
   */
  constructor(front: Front, payloadAt: number, bytes = FIRST_BYTES) {
    this.front = front;
    this.#payloadAt = payloadAt;
    this.#frame = Buffer.allocUnsafe(payloadAt + bytes);
    this.#end = payloadAt + COUNT_BYTES;
  }

  /** Messages in it. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of its payload, counts and lengths included. */
  get bytes(): number {
    return this.#end - this.#payloadAt;
  }

  /** Takes one more message, as it is now. */
  add(body: readonly Buffer[]): void {
    this.#makeRoom(payloadLength(body));
    this.#end = writePayload(this.#frame, this.#end, body);
    this.#count++;
  }

  /** The signature frame; header and tag are yet to be written. */
  get frame(): Buffer {
    writeU32(this.#frame, this.#payloadAt, this.#count);
    return this.#frame.subarray(0, this.#end);
  }

  #makeRoom(length: number): void {
    const needed = this.#end + length;
    if (needed <= this.#frame.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#frame.length));
    this.#frame.copy(larger, 0, 0, this.#end);
    this.#frame = larger;
  }
}
