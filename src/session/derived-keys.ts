// The MAC keys that one receiver needs, so that HKDF runs once for a sender and not once for a message. Bounded, and filled
// only with what has verified: forged names leave nothing behind.

import type { PreparedKey } from "../crypto/engine.js";
import type { Key } from "../keys/key.js";
import { keyHolder } from "../keys/names.js";
import { FLAGS, type Header } from "../wire/header.js";
import { publishes } from "../wire/patterns.js";

/** Whose message it is, as far as its key depends on that. */
export type Signed = Pick<Header, "sender" | "pattern" | "flags">;

/** What a MAC key is derived for: messages to anybody, broadcasts, messages under the recipient's own key. */
type Kind = "sent" | "published" | "toMe";

/** The keys of one receiver. */
export class DerivedKeys {
  readonly #channel: string;
  readonly #holder: string;
  readonly #most: number;
  readonly #byKey = new WeakMap<Key, Record<Kind, Map<string, PreparedKey>>>();
  /** Most messages come from whoever was just heard. */
  #latest: { key: Key; sender: string; kind: Kind; prepared: PreparedKey } | undefined;
  /** The last key that was derived: not kept yet. */
  #fresh: PreparedKey | undefined;

  /**
   * @param channel  the receiver's
   * @param holder   its name without instance
   * @param most     keys that are kept of each master key and kind: beyond that all are dropped, and derived again
   */
  constructor(channel: string, holder: string, most: number) {
    this.#channel = channel;
    this.#holder = holder;
    this.#most = most;
  }

  /** The key derived before, or one derived now and not yet kept; `undefined` where `key` cannot make it, or must not. */
  find(key: Key, signed: Signed): PreparedKey | undefined {
    const kind = kindOf(signed);
    const latest = this.#latest;
    if (latest?.sender === signed.sender && latest.key === key && latest.kind === kind)
      return latest.prepared;
    return this.#byKey.get(key)?.[kind].get(signed.sender) ?? this.#derive(key, signed, kind);
  }

  /** Keeps what {@link find} returned last. */
  keep(key: Key, signed: Signed, prepared: PreparedKey): void {
    if (this.#latest?.prepared === prepared) return;
    const kind = kindOf(signed);
    this.#latest = { key, sender: signed.sender, kind, prepared };
    if (prepared !== this.#fresh) return;
    this.#fresh = undefined;
    const held = this.#heldBy(key)[kind];
    // One by one would not do: the first entry of a large Map is found the slower the more were dropped before it.
    if (held.size >= this.#most) held.clear();
    held.set(signed.sender, prepared);
  }

  #heldBy(key: Key): Record<Kind, Map<string, PreparedKey>> {
    let held = this.#byKey.get(key);
    if (held === undefined) {
      held = { sent: new Map(), published: new Map(), toMe: new Map() };
      this.#byKey.set(key, held);
    }
    return held;
  }

  #derive(key: Key, { sender }: Signed, kind: Kind): PreparedKey | undefined {
    const recipient = kind === "toMe" ? this.#holder : undefined;
    const use = {
      sender: keyHolder(sender),
      channel: this.#channel,
      published: kind === "published",
      recipient,
    };
    this.#fresh = key.derive(use);
    return this.#fresh;
  }
}

function kindOf({ pattern, flags }: Signed): Kind {
  if ((flags & FLAGS.recipientKey) !== 0) return "toMe";
  return publishes(pattern) ? "published" : "sent";
}
