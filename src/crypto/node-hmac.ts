// HMAC-SHA256 (RFC 2104, FIPS 180-4) by node:crypto.

import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import { type MacEngine, type PreparedKey, partsAround } from "./engine.js";

const TAG_BYTES = 32;

class NodeHmacKey implements PreparedKey {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  mac(parts: readonly Uint8Array[], out: Uint8Array, offset: number): void {
    out.set(this.#tag(parts), offset);
  }

  seal(frame: Uint8Array, at: number, between: Uint8Array | undefined, rest: readonly Uint8Array[]): void {
    frame.set(this.#tag(partsAround(TAG_BYTES, frame, at, between, rest)), at);
  }

  matches(
    frame: Uint8Array,
    at: number,
    between: Uint8Array | undefined,
    rest: readonly Uint8Array[],
  ): boolean {
    const tag = this.#tag(partsAround(TAG_BYTES, frame, at, between, rest));
    return timingSafeEqual(tag, frame.subarray(at, at + TAG_BYTES));
  }

  #tag(parts: readonly Uint8Array[]): Buffer {
    return tagOver(this.#key, parts);
  }
}

function tagOver(key: KeyObject | Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** HMAC-SHA256 by node:crypto. */
export const nodeHmacSha256: MacEngine = {
  name: "node:crypto",
  tagBytes: TAG_BYTES,
  prepare: (key) => new NodeHmacKey(key),
  once: tagOver,
};
