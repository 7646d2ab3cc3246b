// Question 2: whose is it, and is it intact? Keys by the id that the message names, then the tag over everything it
// covers, compared in constant time (docs/wire.md, sections 2 and 7).

import { timingSafeEqual } from "node:crypto";
import { type Clock, MICROS_PER_MS } from "../clock.js";
import type { PreparedKey } from "../crypto/engine.js";
import type { Key, Use } from "../keys/key.js";
import { type Keyring, validity } from "../keys/keyring.js";
import { keyHolder } from "../keys/names.js";
import type { Reason } from "../reasons.js";
import { coveredParts, type Form } from "../wire/form.js";
import { FLAGS, type Header } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { publishes } from "../wire/patterns.js";
import { lengthPrefixed } from "../wire/payload.js";
import { DerivedKeys } from "./derived-keys.js";
import type { Identity } from "./identity.js";

/** Finds the key that a message verifies under. Remembers nothing of a message that does not. */
export class Authenticator {
  readonly #keyring: Keyring;
  readonly #identity: Identity;
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #derived = new DerivedKeys();
  readonly #tag = Buffer.alloc(WIRE.tagBytes);

  constructor(keyring: Keyring, identity: Identity, channel: string, clock: Clock) {
    this.#keyring = keyring;
    this.#identity = identity;
    this.#channel = channel;
    this.#clock = clock;
  }

  /** The key that this message verifies under, or why there is none. */
  authenticate(form: Form, requestTag: Uint8Array | undefined): Key | Reason {
    const keys = this.#keyring.find(form.header.keyId);
    if (typeof keys === "string") return keys;
    const { name, alias } = this.#identity;
    const found = this.#authenticateAs(name, form, keys, requestTag);
    const isForAlias =
      found === "bad-signature" && alias !== undefined && (form.header.flags & FLAGS.addressed) !== 0;
    if (!isForAlias) return found;
    return this.#authenticateAs(alias, form, keys, requestTag);
  }

  #authenticateAs(name: string, form: Form, keys: readonly Key[], requestTag?: Uint8Array): Key | Reason {
    const context = this.#context(name, form.header, requestTag);
    if (context === undefined) return "not-bound";
    const covered = coveredParts(form.headerBytes, form.topic, form.payload, context);
    return this.#tryEach(keys, this.#use(form.header), covered, form.tag);
  }

  /** Ids may collide, so each key with this id is tried; the reason is of the one that came furthest. */
  #tryEach(keys: readonly Key[], use: Use, covered: readonly Buffer[], tag: Buffer): Key | Reason {
    let reason: Reason = "key-out-of-scope";
    for (const key of keys) {
      const invalid = validity(key, this.#clock() / MICROS_PER_MS);
      const macKey = invalid === undefined ? this.#derived.find(key, use) : undefined;
      if (macKey === undefined) {
        reason = reason === "key-out-of-scope" ? (invalid ?? reason) : reason;
      } else if (this.#isIntact(macKey, covered, tag)) {
        this.#derived.keep(key, use, macKey);
        return key;
      } else {
        reason = "bad-signature";
      }
    }
    return reason;
  }

  #isIntact(macKey: PreparedKey, covered: readonly Buffer[], tag: Buffer): boolean {
    macKey.mac(covered, this.#tag, 0);
    return timingSafeEqual(this.#tag, tag);
  }

  #use({ sender, pattern, flags }: Header): Use {
    const use = { sender: keyHolder(sender), channel: this.#channel, published: publishes(pattern) };
    return (flags & FLAGS.recipientKey) === 0 ? use : { ...use, recipient: this.#identity.holder };
  }

  /** What the tag covers besides the message: my own name, my own request. */
  #context(name: string, { flags }: Header, requestTag: Uint8Array | undefined): Buffer[] | undefined {
    const context: Buffer[] = [];
    if ((flags & FLAGS.addressed) !== 0) context.push(lengthPrefixed(Buffer.from(name)));
    if ((flags & FLAGS.bound) === 0) return context;
    if (requestTag === undefined) return undefined;
    context.push(lengthPrefixed(requestTag));
    return context;
  }
}
