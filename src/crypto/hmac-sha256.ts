// HMAC-SHA256 as Countersign uses it: the fast engine, once it has shown that it gives the same tags as node:crypto,
// or else node:crypto alone.

import type { MacEngine } from "./engine.js";
import { fastHmacSha256, type Lengths } from "./fast-hmac.js";
import { nodeHmacSha256 } from "./node-hmac.js";
import { assertSameTags } from "./self-test.js";
import { instantiate, type Sha256 } from "./sha256.js";

/**
 * Most bytes, of those that the tag covers, for which each way of hashing is the faster one. By `npm run bench --
 * engines` on two cores of an AMD EPYC with SHA instructions the one-shot hash overtakes WebAssembly at about 500 bytes,
 * and createHash the one-shot hash, by a few hundredths, at about 45,000 (Node 20.20).
 */
export const LENGTHS: Lengths = { short: 500, medium: 32_768 };

/** An engine that decides at its first key what it is. */
export function hmacSha256Over(load: () => Sha256): MacEngine {
  let engine: MacEngine | undefined;
  const chosen = () => (engine ??= choose(load));
  return {
    get name() {
      return chosen().name;
    },
    tagBytes: nodeHmacSha256.tagBytes,
    prepare: (key) => chosen().prepare(key),
    once: (key, parts) => chosen().once(key, parts),
  };
}

/** HMAC-SHA256 by the fastest engine that works here. */
export const hmacSha256: MacEngine = hmacSha256Over(instantiate);

function choose(load: () => Sha256): MacEngine {
  try {
    const fast = fastHmacSha256(load(), LENGTHS);
    assertSameTags(fast, nodeHmacSha256, LENGTHS);
    return fast;
  } catch (error) {
    process.emitWarning(
      `Countersign makes its tags with node:crypto alone: small messages take longer. ${(error as Error).message}`,
      { type: "CountersignWarning", code: "COUNTERSIGN_SLOW_MAC" },
    );
    return nodeHmacSha256;
  }
}
