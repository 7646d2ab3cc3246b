// To whom a message goes, and with which key it is signed therefore (docs/wire.md, sections 2 and 7).

import type { PreparedKey } from "../crypto/engine.js";
import { misuse } from "../errors.js";
import type { Key, Use } from "../keys/key.js";
import type { KeyBook } from "../keys/keyring.js";
import { assertSender, keyHolder } from "../keys/names.js";
import { FLAGS } from "../wire/header.js";
import { type Pattern, publishes } from "../wire/patterns.js";
import { lengthPrefixed } from "../wire/payload.js";
import type { Identity } from "./identity.js";
import { Origin, type Peer } from "./origin.js";

/** The recipient of a message, and what header and tag say of it. */
export interface Recipient {
  /** `undefined` for nobody in particular. */
  readonly name: string | undefined;
  readonly keyId: number;
  readonly macKey: PreparedKey;
  readonly flags: number;
  /** What the tag covers besides the message. */
  readonly context: readonly Buffer[];
}

/** Who signs, where, and from which socket type. */
export interface Speaker {
  readonly identity: Identity;
  readonly channel: string;
  readonly pattern: Pattern;
}

const NO_CONTEXT: readonly Buffer[] = Object.freeze([]);

/** Finds the key for each recipient. */
export class Recipients {
  readonly #keys: KeyBook;
  readonly #speaker: Speaker;
  readonly #most: number;
  readonly #byKey = new WeakMap<Key, Map<string | null, Recipient>>();

  /**
   * @param most  recipients that are kept of each key: beyond that, all are dropped and found again
   * @param now   milliseconds
   * @throws CountersignError when the current key cannot sign as this sender on this channel
   */
  constructor(keys: KeyBook, speaker: Speaker, most: number, now: number) {
    this.#keys = keys;
    this.#speaker = speaker;
    this.#most = most;
    if (!keys.pairwise) this.find(null, now);
  }

  /** The recipient by name, by the message that is answered, or nobody in particular, at `now` (milliseconds). */
  find(to: string | Origin | null, now: number): Recipient {
    if (!(to instanceof Origin)) return this.#spokenTo(to, now);
    const peer = Origin.peerOf(to);
    const recipient = this.#answered(to.sender, peer, now);
    if (peer.requestTag === undefined) return recipient;
    const context = [...recipient.context, lengthPrefixed(peer.requestTag)];
    return { ...recipient, flags: recipient.flags | FLAGS.bound, context };
  }

  /** The key that verified the peer answers it, while it is valid and can; else the current one. */
  #answered(name: string, peer: Peer, now: number): Recipient {
    const answering = this.#keys.answering(peer.key, name, now);
    return (answering && this.#recipient(answering, name)) ?? this.#spokenTo(name, now);
  }

  #spokenTo(name: string | null, now: number): Recipient {
    const current = this.#keys.speaking(name, now);
    return this.#recipient(current, name) ?? this.#refuse(current);
  }

  /** What header and tag say of this recipient where `key` signs; `undefined` where it cannot. */
  #recipient(key: Key, name: string | null): Recipient | undefined {
    return this.#byKey.get(key)?.get(name) ?? this.#derive(key, name);
  }

  #derive(key: Key, name: string | null): Recipient | undefined {
    if (name !== null) assertSender(name, "to");
    const use = this.#use(key, name);
    const macKey = key.derive(use);
    if (macKey === undefined) return undefined;
    const byKey = use.recipient === undefined ? 0 : FLAGS.recipientKey;
    const derived: Recipient =
      name === null
        ? { name: undefined, keyId: key.id, macKey, flags: 0, context: NO_CONTEXT }
        : {
            name,
            keyId: key.id,
            macKey,
            flags: FLAGS.addressed | byKey,
            context: [lengthPrefixed(Buffer.from(name))],
          };
    this.#keep(key, name, derived);
    return derived;
  }

  #keep(key: Key, name: string | null, recipient: Recipient): void {
    let held = this.#byKey.get(key);
    if (held === undefined) {
      held = new Map();
      this.#byKey.set(key, held);
    }
    // All at once: to drop the first entry of a large Map, one by one, takes time that grows with what was dropped before.
    if (held.size >= this.#most) held.clear();
    held.set(name, recipient);
  }

  /** A holder of the master key signs with the recipient's, so that the recipient needs no other. */
  #use({ derived }: Key, recipient: string | null): Use {
    const { identity, channel, pattern } = this.#speaker;
    const use = { sender: identity.holder, channel, published: publishes(pattern) };
    if (recipient === null || derived.from !== "master") return use;
    return { ...use, recipient: keyHolder(recipient) };
  }

  #refuse(key: Key): never {
    const { identity, channel } = this.#speaker;
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      `Key ${key.idText} cannot sign as "${identity.holder}" on channel "${channel}": it was derived for, or is restricted to, others.`,
    );
  }
}
