// HMAC-SHA256 (RFC 2104, FIPS 180-4) by node:crypto.

import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { MacEngine, PreparedKey } from "./engine.js";

class NodeHmacKey implements PreparedKey {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  mac(parts: readonly Uint8Array[], out: Uint8Array, offset: number): void {
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    out.set(hmac.digest(), offset);
  }
}

/** HMAC-SHA256 by node:crypto. */
export const nodeHmacSha256: MacEngine = {
  name: "node:crypto",
  tagBytes: 32,
  prepare: (key) => new NodeHmacKey(key),
};
