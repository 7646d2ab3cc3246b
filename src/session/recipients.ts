// To whom a message goes, and with which key it is signed therefore (docs/wire.md, sections 2 and 7).

import { type Clock, MICROS_PER_MS } from "../clock.js";
import type { PreparedKey } from "../crypto/engine.js";
import { misuse } from "../errors.js";
import type { Key, Use } from "../keys/key.js";
import type { Keyring } from "../keys/keyring.js";
import { assertSender, keyHolder } from "../keys/names.js";
import { FLAGS } from "../wire/header.js";
import { type Pattern, publishes } from "../wire/patterns.js";
import { lengthPrefixed } from "../wire/payload.js";
import { DerivedKeys } from "./derived-keys.js";
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

const NO_CONTEXT: readonly Buffer[] = [];

/** Finds the key for each recipient. */
export class Recipients {
  readonly #keyring: Keyring;
  readonly #speaker: Speaker;
  readonly #clock: Clock;
  readonly #derived = new DerivedKeys();

  /** @throws CountersignError when the current key cannot sign as this sender on this channel */
  constructor(keyring: Keyring, speaker: Speaker, clock: Clock) {
    this.#keyring = keyring;
    this.#speaker = speaker;
    this.#clock = clock;
    this.find(null);
  }

  /** The recipient by name, by the message that is answered, or nobody in particular. */
  find(to: string | Origin | null): Recipient {
    if (to === null) return this.#nobody();
    if (to instanceof Origin) return this.#named(to.sender, Origin.peerOf(to));
    assertSender(to, "to");
    return this.#named(to, undefined);
  }

  #nobody(): Recipient {
    const key = this.#current();
    const macKey = this.#macKey(key, this.#use(key, undefined));
    if (macKey === undefined) throw this.#cannotSign(key);
    return { name: undefined, keyId: key.id, macKey, flags: 0, context: NO_CONTEXT };
  }

  #named(name: string, peer: Peer | undefined): Recipient {
    const { key, use, macKey } = this.#keyTo(name, peer);
    const context = [lengthPrefixed(Buffer.from(name))];
    let flags = FLAGS.addressed | (use.recipient === undefined ? 0 : FLAGS.recipientKey);
    if (peer?.requestTag !== undefined) {
      flags |= FLAGS.bound;
      context.push(lengthPrefixed(peer.requestTag));
    }
    return { name, keyId: key.id, macKey, flags, context };
  }

  /** The key that verified the peer answers it, while it is valid and can; else the current one. */
  #keyTo(name: string, peer: Peer | undefined): { key: Key; use: Use; macKey: PreparedKey } {
    const current = this.#current();
    const verified = peer && this.#keyring.usable(peer.key, this.#now());
    for (const key of verified === undefined ? [current] : [verified, current]) {
      const use = this.#use(key, name);
      const macKey = this.#macKey(key, use);
      if (macKey !== undefined) return { key, use, macKey };
    }
    throw this.#cannotSign(current);
  }

  /** A holder of the master key signs with the recipient's, so that the recipient needs no other. */
  #use({ derived }: Key, recipient: string | undefined): Use {
    const { identity, channel, pattern } = this.#speaker;
    const use = { sender: identity.holder, channel, published: publishes(pattern) };
    if (recipient === undefined || derived.from !== "master") return use;
    return { ...use, recipient: keyHolder(recipient) };
  }

  #macKey(key: Key, use: Use): PreparedKey | undefined {
    const macKey = this.#derived.find(key, use);
    if (macKey !== undefined) this.#derived.keep(key, use, macKey);
    return macKey;
  }

  #current(): Key {
    return this.#keyring.current(this.#now());
  }

  #now(): number {
    return this.#clock() / MICROS_PER_MS;
  }

  #cannotSign(key: Key): Error {
    const { identity, channel } = this.#speaker;
    return misuse(
      "ERR_COUNTERSIGN_KEY",
      `Key ${key.idText} cannot sign as "${identity.holder}" on channel "${channel}": it was derived for, or is restricted to, others.`,
    );
  }
}
