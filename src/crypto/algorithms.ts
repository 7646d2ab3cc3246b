// The algorithms a key may have, as rows of a table. The algorithm belongs to the key's record and is named as in a
// JWK's `alg` (RFC 7518, section 3.1); a message never chooses it.

import type { MacEngine } from "./engine.js";
import { nodeHmacSha256 } from "./node-hmac.js";

/** Engines by JWK algorithm name. */
export const ALGORITHMS = {
  HS256: nodeHmacSha256,
} as const satisfies Record<string, MacEngine>;

/** A MAC algorithm by its JWK name. */
export type Algorithm = keyof typeof ALGORITHMS;
