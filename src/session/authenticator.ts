// Question 2: whose is it, and is it intact? Keys by the id that the message names, then the tag over everything it
// covers, compared in constant time (docs/wire.md, sections 2 and 7).

import { MICROS_PER_MS, type Micros } from "../clock.js";
import type { PreparedKey } from "../crypto/engine.js";
import type { Key } from "../keys/key.js";
import { type KeyBook, validity } from "../keys/keyring.js";
import type { Reason } from "../reasons.js";
import type { Form } from "../wire/form.js";
import { FLAGS } from "../wire/header.js";
import { lengthPrefixed } from "../wire/payload.js";
import { DerivedKeys } from "./derived-keys.js";
import type { Identity } from "./identity.js";
import type { Topics } from "./topics.js";

const NOTHING: readonly Buffer[] = Object.freeze([]);

/** Finds the key that a message verifies under. Remembers nothing of a message that does not. */
export class Authenticator {
  readonly #keyring: KeyBook;
  readonly #derived: DerivedKeys;
  readonly #topics: Topics;
  /** What the tag of a message to me covers of that. */
  readonly #toMe: readonly Buffer[];
  readonly #toMyAlias: readonly Buffer[] | undefined;

  /** @param most  senders whose keys are kept */
  constructor(
    keyring: KeyBook,
    { name, alias, holder }: Identity,
    channel: string,
    topics: Topics,
    most: number,
  ) {
    this.#keyring = keyring;
    this.#derived = new DerivedKeys(channel, holder, most);
    this.#topics = topics;
    this.#toMe = [lengthPrefixed(Buffer.from(name))];
    this.#toMyAlias = alias === undefined ? undefined : [lengthPrefixed(Buffer.from(alias))];
  }

  /** The key that this message verifies under, or why there is none. */
  authenticate(form: Form, requestTag: Uint8Array | undefined, now: Micros): Key | Reason {
    const { flags, keyId } = form.header;
    const keys = this.#keyring.find(keyId);
    if (typeof keys === "string") return keys;
    if ((flags & FLAGS.addressed) === 0) return this.#tryEach(keys, form, NOTHING, now);
    if ((flags & FLAGS.bound) !== 0 && requestTag === undefined) return "not-bound";
    const found = this.#tryEach(keys, form, this.#context(this.#toMe, flags, requestTag), now);
    if (found !== "bad-signature" || this.#toMyAlias === undefined) return found;
    return this.#tryEach(keys, form, this.#context(this.#toMyAlias, flags, requestTag), now);
  }

  /** What the tag covers besides the message: my own name, my own request. */
  #context(toMe: readonly Buffer[], flags: number, requestTag: Uint8Array | undefined): readonly Buffer[] {
    if ((flags & FLAGS.bound) === 0) return toMe;
    return [...toMe, lengthPrefixed(requestTag as Uint8Array)];
  }

  /** Ids may collide, so each key with this id is tried; the reason is of the one that came furthest. */
  #tryEach(keys: readonly Key[], form: Form, context: readonly Buffer[], now: Micros): Key | Reason {
    const { header, detached } = form;
    const rest = detached.length === 0 ? context : [...detached, ...context];
    let reason: Reason = "key-out-of-scope";
    for (const key of keys) {
      const invalid = validity(key, now / MICROS_PER_MS);
      const macKey = invalid === undefined ? this.#derived.find(key, header) : undefined;
      if (macKey === undefined) {
        reason = reason === "key-out-of-scope" ? (invalid ?? reason) : reason;
      } else if (this.#isIntact(macKey, form, rest)) {
        this.#derived.keep(key, header, macKey);
        return key;
      } else {
        reason = "bad-signature";
      }
    }
    return reason;
  }

  #isIntact(macKey: PreparedKey, { frame, tagAt, topic }: Form, rest: readonly Buffer[]): boolean {
    const covered = topic === undefined ? undefined : this.#topics.of(topic).covered;
    return macKey.matches(frame, tagAt, covered, rest);
  }
}
