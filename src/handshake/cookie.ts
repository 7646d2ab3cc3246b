// The stateless cookie (as RFC 6347, section 4.2.1, for DTLS): whoever says hello gets one, and nothing is kept. Only who
// comes back with it, over the same way and under the same name, costs the server memory.

import { lengthPrefixed } from "../wire/payload.js";
import { COOKIE_BYTES } from "./messages.js";
import { hmac, isEqual } from "./schedule.js";

/** Whom a cookie is for. */
export interface Visitor {
  /** The client's nonce. */
  readonly nonce: Buffer;
  /** Its name. */
  readonly client: Buffer;
  /** The mechanism that it wants. */
  readonly mechanism: Buffer;
  /** The way back to it: routing frames, hashed. */
  readonly path: Buffer;
}

/** Makes and checks cookies. */
export class Cookies {
  readonly #secret: Buffer;
  readonly #lifetime: number;

  /**
   * @param secret    32 random bytes, this server's own
   * @param lifetime  milliseconds for which a cookie is good
   */
  constructor(secret: Buffer, lifetime: number) {
    this.#secret = secret;
    this.#lifetime = lifetime;
  }

  /**
   * A cookie for a visitor: 36 bytes, and nothing is kept.
   *
   * @param now  milliseconds of a clock that never steps, from 0
   */
  make(visitor: Visitor, now: number): Buffer {
    const time = Buffer.alloc(4);
    time.writeUInt32BE(Math.floor(now) % 2 ** 32);
    return Buffer.concat([time, this.#tag(visitor, time)]);
  }

  /** Whether this is a cookie of this server's, for this visitor, and not too old. */
  isGood(cookie: Buffer, visitor: Visitor, now: number): boolean {
    if (cookie.length !== COOKIE_BYTES) return false;
    const time = cookie.subarray(0, 4);
    const age = (Math.floor(now) - time.readUInt32BE(0) + 2 ** 32) % 2 ** 32;
    return isEqual(cookie.subarray(4), this.#tag(visitor, time)) && age <= this.#lifetime;
  }

  #tag({ nonce, client, mechanism, path }: Visitor, time: Buffer): Buffer {
    return hmac(this.#secret, ...[time, nonce, client, mechanism, path].map(lengthPrefixed));
  }
}
