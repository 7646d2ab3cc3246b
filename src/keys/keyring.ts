// The keys of one party over time: one current key, any number of accepted ones, and those that were revoked.
// Verifiers hold the keyring and see every change at once (docs/wire.md, section 2.4).

import { misuse } from "../errors.js";
import type { Reason } from "../reasons.js";
import { formatKeyId, Key } from "./key.js";

/** What `signing.key` takes: secret bytes, a {@link Key}, a {@link Keyring}, or a function that returns one. */
export type KeySource = Uint8Array | Key | Keyring | (() => Uint8Array | Key | Keyring);

/** Where keys are found, to verify with and to sign with: a {@link Keyring}, or the keys of sessions. */
export interface KeyBook {
  /** The keys that messages are accepted under, as far as their removal must be followed. */
  readonly keys: readonly Key[];
  /** Goes up with every change of them. */
  readonly revision: number;
  /** Whether each key belongs to one other end, so that none is there before that is. */
  readonly pairwise: boolean;
  /** The keys with this id (ids may collide), or why there is none. */
  find(id: number): readonly Key[] | Reason;
  /** The key to sign with at `now` (milliseconds), for this recipient or for nobody in particular; throws where there is none. */
  speaking(to: string | null, now: number): Key;
  /** The key that answers what `key` has verified of this sender, if that is not just any. */
  answering(key: Key, sender: string, now: number): Key | undefined;
  /** A message was accepted under this key, which belongs to a session. */
  used?(key: Key): void;
}

const MOST_REVOKED = 1024;

/**
 * A set of keys. The first whose terms allow it now is the current one, with which a sender signs; all are accepted
 * by a receiver while their terms hold. Change it at any time: signers and verifiers that use it follow.
 */
export class Keyring implements KeyBook {
  #keys: Key[] = [];
  readonly #byId = new Map<number, Key[]>();
  readonly #revoked = new Set<number>();
  #revision = 0;

  constructor(keys: Iterable<Uint8Array | Key>) {
    for (const key of keys) this.add(key);
    if (this.#keys.length === 0) {
      throw misuse("ERR_COUNTERSIGN_KEY", "A keyring needs at least one key: new Keyring([generateKey()]).");
    }
  }

  /** The keyring that a {@link KeySource} stands for. */
  static from(source: KeySource): Keyring {
    const value = typeof source === "function" ? source() : source;
    return value instanceof Keyring ? value : new Keyring([value]);
  }

  /** The keys, current one first. */
  get keys(): readonly Key[] {
    return this.#keys;
  }

  /** Its keys are for anybody. */
  readonly pairwise = false;

  /** Goes up with every change. */
  get revision(): number {
    return this.#revision;
  }

  /** Accepts one more key, behind those already there. */
  add(key: Uint8Array | Key): Key {
    const added = key instanceof Key ? key : new Key(key);
    this.#set([...this.#keys.filter((held) => !held.equals(added)), added]);
    return added;
  }

  /**
   * Signs with `next` from now on, and accepts the keys signed with so far for `overlap` milliseconds more.
   * Add the new key to the receivers first (`add`), then rotate the senders.
   */
  rotate(next: Uint8Array | Key, { overlap, now = Date.now() }: { overlap: number; now?: number }): Key {
    if (typeof overlap !== "number" || !(overlap >= 0)) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", "overlap must be a number of milliseconds, 0 or more.");
    }
    const key = next instanceof Key ? next : new Key(next);
    const retiring = this.#keys
      .filter((held) => !held.equals(key))
      .map((held) => endingBy(held, now + overlap));
    this.#set([key, ...retiring]);
    return key;
  }

  /** Takes a key out: from now on it is revoked, and what it vouched for last is forgotten. */
  revoke(key: Key | string): void {
    const idText = typeof key === "string" ? key : key.idText;
    const kept = this.#keys.filter((held) =>
      typeof key === "string" ? held.idText !== key : !held.equals(key),
    );
    if (kept.length === this.#keys.length) {
      throw misuse("ERR_COUNTERSIGN_KEY", `The keyring holds no key ${idText}.`);
    }
    this.#set(kept);
  }

  /** Takes over the keys of another keyring, such as one read again from its file; what is missing is revoked. */
  replace(other: Keyring): void {
    this.#set([...other.keys]);
  }

  /** The keys with this id (ids may collide), or why there is none. */
  find(id: number): readonly Key[] | Reason {
    const keys = this.#byId.get(id);
    if (keys !== undefined) return keys;
    return this.#revoked.has(id) ? "revoked-key" : "unknown-key";
  }

  /** The key as the ring holds it now, under its present terms; `undefined` where it is not valid at `now` (milliseconds). */
  usable(key: Key, now: number): Key | undefined {
    const same = this.#byId.get(key.id);
    if (same === undefined) return undefined;
    for (const held of same) if (held.equals(key) && validity(held, now) === undefined) return held;
    return undefined;
  }

  /** The current key, whoever it is for. */
  speaking(_to: string | null, now: number): Key {
    return this.current(now);
  }

  /** What verified answers, while it is valid. */
  answering(key: Key, _sender: string, now: number): Key | undefined {
    return this.usable(key, now);
  }

  /** The key to sign with at `now` (milliseconds): the first that is valid. */
  current(now: number): Key {
    for (const key of this.#keys) if (validity(key, now) === undefined) return key;
    throw misuse("ERR_COUNTERSIGN_KEY", `No key to sign with: ${this.#explainNone(now)}`);
  }

  #explainNone(now: number): string {
    if (this.#keys.length === 0) return "the keyring is empty; add one.";
    return this.#keys.map((key) => `${key.idText} is ${validity(key, now)}`).join(", ");
  }

  #set(keys: Key[]): void {
    const held = new Set(keys.map((key) => key.id));
    for (const { id } of this.#keys) if (!held.has(id)) this.#remember(id);
    this.#keys = keys;
    this.#byId.clear();
    for (const key of keys) {
      this.#revoked.delete(key.id);
      const same = this.#byId.get(key.id);
      if (same) same.push(key);
      else this.#byId.set(key.id, [key]);
    }
    this.#revision++;
  }

  #remember(id: number): void {
    this.#revoked.add(id);
    if (this.#revoked.size > MOST_REVOKED)
      this.#revoked.delete(this.#revoked.values().next().value as number);
  }

  /** What a log may show. */
  toJSON(): object {
    return { keys: this.#keys.map((key) => formatKeyId(key.id)) };
  }
}

/** The key until `end` (milliseconds) and no longer. */
function endingBy(key: Key, end: number): Key {
  const notAfter = Math.min(key.terms.notAfter ?? Infinity, end);
  return key.withTerms({ ...key.terms, notAfter: notAfter === Infinity ? undefined : notAfter });
}

/** The book that a source stands for. */
export function keyBookOf(source: KeySource | KeyBook): KeyBook {
  return source !== null && typeof source === "object" && "pairwise" in source
    ? source
    : Keyring.from(source);
}

/** Why `key` is not valid at `now` (milliseconds); `undefined` while it is. Both bounds are included. */
export function validity(key: Key, now: number): Reason | undefined {
  const { notBefore, notAfter } = key.terms;
  if (notBefore !== undefined && now < notBefore) return "key-not-yet-valid";
  if (notAfter !== undefined && now > notAfter) return "key-expired";
  return undefined;
}
