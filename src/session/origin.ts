// Where a verified message comes from: what `message.origin` says.

import type { Key } from "../keys/key.js";
import { FLAGS, type Header } from "../wire/header.js";
import type { Pattern } from "../wire/patterns.js";

/** What the verifier knows of a message's sender, for an answer to it; not for the application. */
export interface Peer {
  /** The name that was verified. */
  readonly name: string;
  /** The key that verified it. */
  readonly key: Key;
  /** The tag of a REQ's message, to which the answer must be bound. */
  readonly requestTag: Buffer | undefined;
}

/** The verified origin of a message. */
export class Origin {
  /** The sender's name. */
  readonly sender: string;
  /** The channel it was signed for. */
  readonly channel: string;
  /** The sender's socket type. */
  readonly pattern: Pattern;
  /** The id of the key that verified it, eight hexadecimal digits. */
  readonly keyId: string;
  /** Who logged in, where the message came under a session to whoever let him in. */
  declare readonly user?: string;
  /** The mechanism of that session's login, at either end. */
  declare readonly mechanism?: string;
  /** When the sender started, microseconds since the Unix epoch: higher at every start. */
  readonly epoch: number;
  /** The message's number in its epoch, from 1. */
  readonly sequence: number;
  /** When it was signed by the sender's clock, microseconds since the Unix epoch. */
  readonly sentAt: number;
  /** Whether it was signed for this receiver by name. */
  readonly addressed: boolean;
  /** Whether it came after a later message of its stream; only with a window. */
  readonly late: boolean;
  readonly #peer: Peer;

  constructor(header: Header, channel: string, late: boolean, offset: number, peer: Peer) {
    this.sender = header.sender;
    this.channel = channel;
    this.pattern = header.pattern;
    this.keyId = peer.key.idText;
    this.epoch = header.epoch;
    this.sequence = header.sequence + offset;
    this.sentAt = header.sentAt;
    this.addressed = (header.flags & FLAGS.addressed) !== 0;
    this.late = late;
    this.#peer = peer;
    // Only where there is a session: what every other message says of itself stays as it is.
    const { session } = peer.key;
    if (session === undefined) return;
    if (session.user !== undefined) this.user = session.user;
    this.mechanism = session.mechanism;
  }

  /** Whom an answer to this message goes to. */
  static peerOf(origin: Origin): Peer {
    return origin.#peer;
  }
}
