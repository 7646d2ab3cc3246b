// HKDF with SHA-256 (RFC 5869), one block: every key and key id that Countersign derives. Each info is labelled,
// versioned and length-prefixed, so that no two derivations share an input (docs/wire.md, section 2).

import { hmacSha256 } from "../crypto/hmac-sha256.js";
import { lengthPrefixed } from "../wire/payload.js";

const PROTOCOL = Buffer.from("countersign/1");

/** HKDF-Extract (RFC 5869, section 2.2) with the protocol's name as salt: 32 bytes. */
export function extract(key: Uint8Array): Buffer {
  return hmacSha256.once(PROTOCOL, [key]);
}

/** HKDF-Expand (RFC 5869, section 2.3), first block: 32 bytes for this label and these arguments. */
export function expand(prk: Uint8Array, label: string, ...args: readonly string[]): Buffer {
  const info = [PROTOCOL, ...[label, ...args].map((field) => Buffer.from(field))].map(lengthPrefixed);
  return hmacSha256.once(prk, [...info, FIRST_BLOCK]);
}

const FIRST_BLOCK = Buffer.from([1]);
