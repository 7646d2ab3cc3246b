// One key: its secret, its id, what it is good for, and the MAC keys derived from it (docs/wire.md, section 2).
//
//   PRK = HKDF-Extract(secret)     K_sender = Expand(PRK, sender)     K = Expand(K_sender, channel)
//
// A master key derives everyone's; a sender key is one K_sender, a stream key one K. What is published (PUB, XPUB) has a
// K of its own: subscribers may hold it, and must not be able to forge anything but broadcasts with it.

import { randomBytes } from "node:crypto";
import { ALGORITHMS, type Algorithm } from "../crypto/algorithms.js";
import type { PreparedKey } from "../crypto/engine.js";
import { misuse } from "../errors.js";
import { expand, extract } from "./hkdf.js";
import { assertChannel, assertSender, keyHolder } from "./names.js";

/** Bytes of a new key, and fewest of any. */
const KEY_BYTES = 32;

/** What a secret is: a master key, one sender's key, or the key of one sender on one channel. */
export type Derived =
  | { readonly from: "master" }
  | { readonly from: "sender"; readonly sender: string }
  | { readonly from: "stream"; readonly sender: string; readonly channel: string };

/** When and for whom a key is good. Times in milliseconds since the Unix epoch, both ends included. */
export interface KeyTerms {
  /** Refused before; no bound if left out. */
  readonly notBefore?: number | undefined;
  /** Refused after; no bound if left out. */
  readonly notAfter?: number | undefined;
  /** Senders (without instance) whose messages it may sign; all if left out. */
  readonly senders?: readonly string[] | undefined;
  /** Channels it may be used on; all if left out. */
  readonly channels?: readonly string[] | undefined;
}

/** Whose message it is, where, and to whom: what a MAC key is derived for. */
export interface Use {
  /** The sender's name without its instance. */
  readonly sender: string;
  /** The channel it is signed for. */
  readonly channel: string;
  /** Whether a PUB or XPUB signs it: what is published has keys of its own, which subscribers may hold. */
  readonly published?: boolean | undefined;
  /** The recipient without its instance, where the message is signed with a key derived from the recipient's. */
  readonly recipient?: string | undefined;
}

/** The session that a key belongs to, as far as signing and verifying depend on it (docs/handshake.md). */
export interface KeySession {
  /** What stays the same when the session's keys are renewed: its messages are one stream. */
  readonly stream: string;
  /** Who signs with this key: this one name, instance included. */
  readonly sender: string;
  /** Who logged in, where that is who signs. */
  readonly user: string | undefined;
  /** The mechanism of the login. */
  readonly mechanism: string;
}

/** A key and its terms. The secret cannot be read from it by accident: not by logs, JSON or inspection. */
export class Key {
  /** The id on the wire: derived from the master key, reveals nothing about it. */
  readonly id: number;
  /** The id as eight hexadecimal digits. */
  readonly idText: string;
  /** The MAC algorithm: it belongs to the key, never to a message. */
  readonly algorithm: Algorithm = "HS256";
  /** What the secret is: a master key or one derived from it. */
  readonly derived: Derived;
  /** When and for whom it is good. */
  readonly terms: KeyTerms;
  /** The session that it belongs to, if any. */
  readonly session: KeySession | undefined;
  readonly #secret: Buffer;
  readonly #root: Buffer;

  constructor(
    secret: Uint8Array,
    terms: KeyTerms = {},
    derived: Derived = { from: "master" },
    id?: number,
    session?: KeySession,
  ) {
    assertSecret(secret);
    this.session = session;
    this.#secret = Buffer.from(secret);
    this.#root = derived.from === "master" ? extract(this.#secret) : this.#secret;
    this.derived = derived;
    this.terms = checked(terms);
    this.id = id ?? expand(this.#root, "key id").readUInt32BE(0);
    this.idText = formatKeyId(this.id);
  }

  /** The secret itself, for writing a key file. */
  exportSecret(): Buffer {
    return Buffer.from(this.#secret);
  }

  /** The same key under other terms. */
  withTerms(terms: KeyTerms): Key {
    return new Key(this.#secret, terms, this.derived, this.id);
  }

  /** Same secret, same role? */
  equals(other: Key): boolean {
    if (this === other) return true;
    return (
      this.id === other.id && this.#secret.equals(other.#secret) && this.derived.from === other.derived.from
    );
  }

  /** Do the key's terms allow this sender on this channel? */
  allows(use: Use): boolean {
    const { senders, channels } = this.terms;
    return (senders?.includes(use.sender) ?? true) && (channels?.includes(use.channel) ?? true);
  }

  /** The MAC key for `use`, or `undefined` where this key cannot make it or its terms forbid it. */
  derive(use: Use): PreparedKey | undefined {
    const raw = this.allows(use) ? this.#derive(use) : undefined;
    return raw && ALGORITHMS[this.algorithm].prepare(raw);
  }

  #derive({ sender, channel, published, recipient }: Use): Buffer | undefined {
    if (recipient !== undefined) {
      const recipientKey = this.senderSecret(recipient);
      return recipientKey && expand(recipientKey, "to", sender, channel);
    }
    const { derived } = this;
    if (derived.from === "stream") {
      const isIts = published && derived.sender === sender && derived.channel === channel;
      return isIts ? this.#secret : undefined;
    }
    const senderKey = this.senderSecret(sender);
    return senderKey && expand(senderKey, published ? "publish" : "channel", channel);
  }

  /** K_sender, where this key is or derives it. */
  senderSecret(sender: string): Buffer | undefined {
    if (this.derived.from === "master") return expand(this.#root, "sender", sender);
    return this.derived.from === "sender" && this.derived.sender === sender ? this.#secret : undefined;
  }
}

/** A copy of these terms. A bound that is no number would refuse nothing, a text would allow every part of itself. */
function checked({ notBefore, notAfter, senders, channels }: KeyTerms): KeyTerms {
  for (const [name, time] of Object.entries({ notBefore, notAfter })) {
    if (time !== undefined && !Number.isFinite(time))
      throw misuse("ERR_COUNTERSIGN_KEY", `A key's ${name} must be milliseconds since 1970, or be left out.`);
  }
  for (const [name, list] of Object.entries({ senders, channels })) {
    if (list !== undefined && !(Array.isArray(list) && list.every((entry) => typeof entry === "string")))
      throw misuse("ERR_COUNTERSIGN_KEY", `A key's ${name} must be a list of names, or be left out.`);
  }
  for (const sender of senders ?? []) {
    assertSender(sender, "senders");
    if (keyHolder(sender) !== sender)
      throw misuse("ERR_COUNTERSIGN_KEY", `A key's senders stand without instance: "${keyHolder(sender)}".`);
  }
  channels?.forEach(assertChannel);
  return Object.freeze({ notBefore, notAfter, senders: frozen(senders), channels: frozen(channels) });
}

function frozen(list: readonly string[] | undefined): readonly string[] | undefined {
  return list && Object.freeze([...list]);
}

/** 32 fresh random bytes: a key. */
export function generateKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/**
 * The key of one sender, for a device that may speak as itself alone. It verifies what is addressed to that sender,
 * and the sender's own messages; it cannot speak as anybody else.
 *
 * @param key     a master key: at least 32 secret bytes, or a {@link Key}
 * @param sender  the sender's name, without instance
 */
export function deriveSenderKey(key: Uint8Array | Key, sender: string): Key {
  assertSender(sender, "sender");
  const master = asMaster(key, "deriveSenderKey");
  const name = keyHolder(sender);
  return new Key(
    master.senderSecret(name) as Buffer,
    master.terms,
    { from: "sender", sender: name },
    master.id,
  );
}

/**
 * The key of what one sender publishes on one channel (PUB and XPUB): what a subscriber needs to verify it. Whoever
 * holds it can also forge that publisher's broadcasts on that channel, and nothing else: HMAC is symmetric.
 */
export function deriveStreamKey(key: Uint8Array | Key, sender: string, channel = ""): Key {
  assertSender(sender, "sender");
  assertChannel(channel);
  const master = asMaster(key, "deriveStreamKey");
  const name = keyHolder(sender);
  const secret = expand(master.senderSecret(name) as Buffer, "publish", channel);
  return new Key(secret, master.terms, { from: "stream", sender: name, channel }, master.id);
}

function asMaster(key: Uint8Array | Key, caller: string): Key {
  const master = key instanceof Key ? key : new Key(key);
  if (master.derived.from !== "master") {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      `${caller} needs a master key; this one was derived for one sender already.`,
    );
  }
  return master;
}

/** A key id as people see it: eight hexadecimal digits. */
export function formatKeyId(id: number): string {
  return id.toString(16).padStart(8, "0");
}

function assertSecret(secret: unknown): asserts secret is Uint8Array {
  const advice = 'Make one with generateKey(), or write "countersign keygen" on the command line.';
  if (typeof secret === "string") {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      `A key is bytes, not a string: decode it first, for example Buffer.from(text, "base64url"). ${advice}`,
    );
  }
  if (!(secret instanceof Uint8Array)) {
    const got = secret === null ? "null" : typeof secret;
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      `A key must be a Buffer or Uint8Array of at least ${KEY_BYTES} secret bytes; got ${got}. ${advice}`,
    );
  }
  if (secret.length < KEY_BYTES) {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      `A key must have at least ${KEY_BYTES} bytes; this one has ${secret.length}. ${advice}`,
    );
  }
  if (secret.every((byte) => byte === secret[0])) {
    throw misuse("ERR_COUNTERSIGN_KEY", `A key of ${secret.length} equal bytes is no secret. ${advice}`);
  }
}
