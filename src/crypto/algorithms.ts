// The algorithms a key may have, as rows of a table. The algorithm belongs to the key's record and is named as in a
// JWK's `alg` (RFC 7518, section 3.1); a message never chooses it.

import type { MacEngine } from "./engine.js";
import { hmacSha256 } from "./hmac-sha256.js";

/** Engines by JWK algorithm name. */
export const ALGORITHMS = {
  HS256: hmacSha256,
} as const satisfies Record<string, MacEngine>;

/** A MAC algorithm by its JWK name. */
export type Algorithm = keyof typeof ALGORITHMS;
