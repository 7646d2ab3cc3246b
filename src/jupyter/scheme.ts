// Signature schemes: `hmac-` and the name of a hash, as a connection file's `signature_scheme` says it (Jupyter messaging,
// "The Wire Protocol"). Every hash that Node's HMAC has, under the name that Python's hashlib gives it.

import { createHmac, createSecretKey, getHashes, type KeyObject } from "node:crypto";
import type { PreparedKey } from "../crypto/engine.js";
import { hmacSha256 } from "../crypto/hmac-sha256.js";
import { misuse } from "../errors.js";

/** The scheme of whoever says nothing else. */
export const DEFAULT_SCHEME = "hmac-sha256";

const PREFIX = "hmac-";
/** hashlib's names where OpenSSL has others. Underscores between digits are hyphens there besides. */
const OPENSSL_NAMES: Readonly<Record<string, string>> = { blake2b: "blake2b512", blake2s: "blake2s256" };

/** What a message is signed with: the key under one scheme. */
export interface SignatureKey {
  /** Bytes of a signature frame: two hexadecimal digits for each byte of the tag. */
  readonly signatureBytes: number;
  /** The tag over the concatenation of `parts`; a view that the next call writes over. */
  tag(parts: readonly Uint8Array[]): Buffer;
}

/**
 * Prepares a key for a scheme.
 *
 * @param key  the bytes of the connection file's `key`, which is UTF-8 text and not hexadecimal; any length but 0
 * @throws CountersignError for a scheme that is none, or whose hash Node does not have
 */
export function signatureKey(scheme: string, key: Uint8Array): SignatureKey {
  if (scheme === DEFAULT_SCHEME) return new Sha256Key(hmacSha256.prepare(key));
  return new NodeKey(hashOf(scheme), createSecretKey(key));
}

/** The name by which Node knows the hash of a scheme. */
function hashOf(scheme: string): string {
  if (typeof scheme !== "string" || !scheme.startsWith(PREFIX)) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `scheme must be "hmac-" and the name of a hash, such as "${DEFAULT_SCHEME}"; got ${JSON.stringify(scheme)}.`,
    );
  }
  const name = scheme.slice(PREFIX.length);
  const hash = OPENSSL_NAMES[name] ?? name.replaceAll("_", "-");
  if (getHashes().includes(hash) && worksInHmac(hash)) return hash;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    `scheme "${scheme.slice(0, 80)}": this Node has no HMAC with the hash "${name.slice(0, 80)}". Write "${DEFAULT_SCHEME}".`,
  );
}

/** Hashes without a length of their own (SHAKE) make no HMAC, and a build may forbid others. */
function worksInHmac(hash: string): boolean {
  try {
    return createHmac(hash, "key").digest().length > 0;
  } catch {
    return false;
  }
}

class Sha256Key implements SignatureKey {
  readonly signatureBytes = 64;
  readonly #key: PreparedKey;
  readonly #tag = Buffer.alloc(32);

  constructor(key: PreparedKey) {
    this.#key = key;
  }

  tag(parts: readonly Uint8Array[]): Buffer {
    this.#key.mac(parts, this.#tag, 0);
    return this.#tag;
  }
}

class NodeKey implements SignatureKey {
  readonly signatureBytes: number;
  readonly #hash: string;
  readonly #key: KeyObject;

  constructor(hash: string, key: KeyObject) {
    this.#hash = hash;
    this.#key = key;
    this.signatureBytes = 2 * this.tag([]).length;
  }

  tag(parts: readonly Uint8Array[]): Buffer {
    const hmac = createHmac(this.#hash, this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  }
}
