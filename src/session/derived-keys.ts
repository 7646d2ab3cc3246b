// MAC keys derived before, so that HKDF runs once for a peer and not once for a message. Bounded, and filled only
// with what has verified: forged names leave nothing behind.

import type { PreparedKey } from "../crypto/engine.js";
import type { Key, Use } from "../keys/key.js";

const MOST = 16_384;

/** Derived keys of one session by master key and use; the channel is the session's. */
export class DerivedKeys {
  #byKey = new WeakMap<Key, Map<string, PreparedKey>>();

  /** The key derived before, or one derived now and not yet kept. */
  find(key: Key, use: Use): PreparedKey | undefined {
    return this.#byKey.get(key)?.get(nameOf(use)) ?? key.derive(use);
  }

  /** Keeps what {@link find} returned. */
  keep(key: Key, use: Use, prepared: PreparedKey): void {
    const held = this.#byKey.get(key) ?? new Map<string, PreparedKey>();
    const name = nameOf(use);
    if (held.has(name)) return;
    if (held.size >= MOST) held.delete(held.keys().next().value as string);
    held.set(name, prepared);
    this.#byKey.set(key, held);
  }
}

/** Names hold no space and are never empty, so the three forms cannot be confused. */
function nameOf({ sender, published, recipient }: Use): string {
  if (recipient !== undefined) return `${sender} ${recipient}`;
  return published ? `${sender} ` : sender;
}
