// A session: what both ends have once a handshake has finished. Only that makes one: the constructor is private, and the two
// functions that call it take what a finished exchange, or a session before it, has left (docs/handshake.md, section 5).

import { misuse } from "../errors.js";
import { formatKeyId, Key } from "../keys/key.js";
import { keyHolder } from "../keys/names.js";
import type { Pattern } from "../wire/patterns.js";
import { lengthPrefixed } from "../wire/payload.js";
import { expandTo, hmac, isEqual, MOST_EXPANDED } from "./schedule.js";

/** The two ends of a session. */
export type End = "client" | "server";

/** Whose session it is: what the transcript vouches for. */
export interface Parties {
  /** Who logged in. */
  readonly user: string;
  /** How. */
  readonly mechanism: string;
  /** The client's name. */
  readonly client: string;
  /** The server's name. */
  readonly server: string;
  /** The client's socket type. */
  readonly clientPattern: Pattern;
  /** The server's. */
  readonly serverPattern: Pattern;
  /** Whether X25519 is in its keys. */
  readonly forwardSecrecy: boolean;
}

/** What both ends have come to know: of a handshake, or of a renewal. */
export interface Agreement {
  /** Hash of all that was said: 32 bytes. */
  readonly transcript: Uint8Array;
  /** The mechanism's secret; or that of the session before. */
  readonly secret: Uint8Array;
  /** X25519's; empty without forward secrecy. */
  readonly shared: Uint8Array;
}

interface Lineage {
  readonly name: string;
  readonly exporter: Buffer;
  readonly generation: number;
}

const NOTHING = Buffer.alloc(0);

/** HKDF-Extract: 32 bytes from which all keys come. */
function masterOf({ transcript, secret, shared }: Agreement): Buffer {
  return hmac(transcript, lengthPrefixed(secret), lengthPrefixed(shared));
}

/** What shows that an end has come to the same: the server sends it with its last message. */
export function confirmationOf(agreement: Agreement): Buffer {
  return expandTo(masterOf(agreement), "confirmation", NOTHING);
}

/** What is proven by whoever holds a session's keys: that it is there, or that it renews them. */
export type Purpose = "alive" | "renew";

/** The session of a finished exchange. Only for its last step, on whose word everything rests. */
export let establish: (end: End, parties: Parties, agreement: Agreement) => Session;
/** The same session under new keys. */
export let renew: (session: Session, transcript: Uint8Array, shared: Uint8Array) => Session;
/** The tag that shows that `speaker` holds this session's keys. */
export let proofOf: (session: Session, speaker: End, purpose: Purpose, said: Uint8Array) => Buffer;

/** An authenticated session: two keys, one for each direction, and who is at its ends. */
export class Session implements Parties {
  /** Which end this is. */
  readonly end: End;
  /** Who logged in. */
  readonly user: string;
  /** How. */
  readonly mechanism: string;
  /** The client's name. */
  readonly client: string;
  /** The server's name. */
  readonly server: string;
  /** The client's socket type. */
  readonly clientPattern: Pattern;
  /** The server's. */
  readonly serverPattern: Pattern;
  /** Whether X25519 is in its keys. */
  readonly forwardSecrecy: boolean;
  /** How often its keys were renewed. */
  readonly generation: number;
  /** What stays the same when its keys are renewed: 32 hexadecimal digits. Names the session's streams. */
  readonly lineage: string;
  /** Verifies what the other end says. */
  readonly receiveKey: Key;
  /** Signs what this end says. */
  readonly sendKey: Key;
  readonly #exporter: Buffer;
  readonly #renewal: Buffer;
  readonly #alive: Buffer;

  private constructor(end: End, parties: Parties, agreement: Agreement, before: Lineage | undefined) {
    const master = masterOf(agreement);
    const own = (label: string, length?: number) => expandTo(master, label, NOTHING, length);
    this.end = end;
    this.user = parties.user;
    this.mechanism = parties.mechanism;
    this.client = parties.client;
    this.server = parties.server;
    this.clientPattern = parties.clientPattern;
    this.serverPattern = parties.serverPattern;
    this.forwardSecrecy = parties.forwardSecrecy;
    this.generation = before === undefined ? 0 : before.generation + 1;
    this.lineage = before?.name ?? own("lineage", 16).toString("hex");
    this.#exporter = before?.exporter ?? own("exporter");
    this.#renewal = own("renewal");
    this.#alive = own("alive");
    const id = own("key id", 4).readUInt32BE(0);
    const keyOf = (speaker: End) => {
      const [name, user] =
        speaker === "client" ? [parties.client, parties.user] : [parties.server, undefined];
      const session = { stream: this.lineage, sender: name, user, mechanism: parties.mechanism };
      return new Key(own(`${speaker} key`), {}, { from: "sender", sender: keyHolder(name) }, id, session);
    };
    this.sendKey = keyOf(end);
    this.receiveKey = keyOf(end === "client" ? "server" : "client");
  }

  /** The id on the wire, eight hexadecimal digits: another one after each renewal. */
  get id(): string {
    return formatKeyId(this.receiveKey.id);
  }

  /** The name of the other end. */
  get peer(): string {
    return this.end === "client" ? this.server : this.client;
  }

  /** The other end's socket type. */
  get peerPattern(): Pattern {
    return this.end === "client" ? this.serverPattern : this.clientPattern;
  }

  /**
   * A key for a purpose of the application's own (as RFC 5705 for TLS): both ends get the same bytes for the same label, as
   * long as the session lasts; renewing its keys does not change them.
   *
   * @param label   what it is for: 1 to 255 bytes of text
   * @param length  bytes, 16 to 8,160
   * @throws CountersignError for a label or length out of these bounds
   */
  exportKey(label: string, length: number): Buffer {
    const bytes = typeof label === "string" ? Buffer.byteLength(label) : 0;
    if (bytes < 1 || bytes > 255) {
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        "exportKey needs a label of 1 to 255 bytes: what the key is for.",
      );
    }
    if (!Number.isInteger(length) || length < 16 || length > MOST_EXPANDED) {
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        `exportKey gives 16 to ${MOST_EXPANDED} bytes; got ${String(length)}.`,
      );
    }
    return Buffer.from(expandTo(this.#exporter, "export", Buffer.from(label), length));
  }

  /** What a log may show. */
  toJSON(): object {
    const { id, user, mechanism, client, server, forwardSecrecy, generation } = this;
    return { id, user, mechanism, client, server, forwardSecrecy, generation };
  }

  static {
    establish = (end, parties, agreement) => new Session(end, parties, agreement, undefined);
    renew = (session, transcript, shared) => {
      const { lineage: name, generation } = session;
      const before = { name, generation, exporter: session.#exporter };
      return new Session(session.end, session, { transcript, shared, secret: session.#renewal }, before);
    };
    proofOf = (session, speaker, purpose, said) => {
      const secret = purpose === "alive" ? session.#alive : expandTo(session.#renewal, "tag", NOTHING);
      return hmac(secret, lengthPrefixed(Buffer.from(`${speaker} ${purpose}`)), said);
    };
  }
}

/** Is this that tag? */
export function isProof(
  tag: Uint8Array,
  ...of: [session: Session, speaker: End, purpose: Purpose, said: Uint8Array]
): boolean {
  return isEqual(tag, proofOf(...of));
}
