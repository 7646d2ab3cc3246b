// The key schedule and the transcript (docs/handshake.md, section 5). HKDF with SHA-256 (RFC 5869); every label is versioned
// and length-prefixed, so that no two derivations share an input.

import { createHash, timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "../crypto/hmac-sha256.js";
import { lengthPrefixed } from "../wire/payload.js";

const PROTOCOL = Buffer.from("countersign/handshake/1");
/** Most bytes that {@link expandTo} gives: 255 blocks (RFC 5869, section 2.3). */
export const MOST_EXPANDED = 255 * 32;

/** HMAC-SHA256 over the concatenation of these: 32 bytes. */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  return hmacSha256.once(key, parts);
}

/** SHA-256 over the concatenation of these: 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Equal, in constant time? Of different lengths they are not. */
export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** HKDF-Expand for a label and a context: 32 bytes unless told otherwise. */
export function expandTo(prk: Uint8Array, label: string, context: Uint8Array, length = 32): Buffer {
  const info = Buffer.concat([PROTOCOL, Buffer.from(label), context].map(lengthPrefixed));
  const blocks: Buffer[] = [];
  let last: Buffer = Buffer.alloc(0);
  for (let counter = 1; blocks.length * 32 < length; counter++) {
    last = hmac(prk, last, info, Buffer.from([counter]));
    blocks.push(last);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** The running hash of what both ends said: each message with who said it and its length. */
export class Transcript {
  /** So far: 32 bytes. */
  readonly hash: Buffer;

  private constructor(hash: Buffer) {
    this.hash = hash;
  }

  /** Nothing was said yet: both ends know the protocol, and the channel, which is not sent. */
  static begin(channel: string): Transcript {
    return new Transcript(sha256(...[PROTOCOL, Buffer.from(channel)].map(lengthPrefixed)));
  }

  /** With one more message. */
  with(speaker: "client" | "server", message: Uint8Array): Transcript {
    return new Transcript(sha256(this.hash, ...[Buffer.from(speaker), message].map(lengthPrefixed)));
  }
}
