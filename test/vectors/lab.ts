// The parties of the vectors. Senders are the product's Signer under a clock that the vectors set; what they should
// be told of at the other end is kept beside, from what was asked for and not from what a verifier said.

import {
  Key,
  type KeyTerms,
  type Kind,
  MemoryState,
  type Origin,
  type Pattern,
  Signer,
  type Target,
  Verifier,
} from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";
import { NO_NONCE } from "../../src/wire/control.js";
import {
  type Arrival,
  type ControlRecord,
  type Expected,
  frameText,
  type KeyRecord,
  type OriginRecord,
  type Receiver,
  type Vector,
} from "./format.js";

/** The secret that most vectors use: 32 bytes, 00 to 1f. */
export const SECRET = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
/** Another one: ff to e0. */
export const OTHER_SECRET = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i));
export const MASTER = new Key(SECRET);
export const OTHER = new Key(OTHER_SECRET);

/** The moment at which receivers began to remember, in microseconds. */
export const SINCE = 1_750_000_000_000_000;
export const SECOND = 1_000_000;
export const HOUR = 3600 * SECOND;

const START_UP = SECOND;
let started = 0;
/** The signers of the vector that is being made. */
const open: Signer[] = [];

/** A frame as a vector's author writes it: text, or bytes. */
type Piece = string | Buffer;

const toBuffer = (piece: Piece) => (typeof piece === "string" ? Buffer.from(piece) : piece);

/** A signed message with what its receiver should be told. */
export interface Sent {
  readonly from: Pattern;
  /** As it goes to the sender's socket. */
  readonly frames: readonly Buffer[];
  /** The messages as the application gave them. */
  readonly given: readonly (readonly Buffer[])[];
  readonly origin: OriginRecord;
  readonly requestTag: Buffer | undefined;
}

/** What a control message says besides how far its sender has come. */
export interface Said {
  readonly answer?: Buffer;
  readonly ask?: Buffer;
  readonly known?: number;
}

/** A signed control message with what its receiver should read in it. */
export interface Announced {
  readonly from: Pattern;
  readonly frames: readonly Buffer[];
  readonly control: ControlRecord;
  readonly requestTag: Buffer | undefined;
}

export interface SenderOptions {
  readonly pattern: Pattern;
  readonly name: string;
  readonly channel?: string;
  readonly key?: Key;
  readonly to?: string;
  readonly hops?: number;
  /** Largest inline payload. Default: the product's. */
  readonly inline?: number;
}

/** One sender, from its start to its end. Each starts a second after the one before. */
export class Sender {
  readonly epoch: number;
  readonly #signer: Signer;
  readonly #options: SenderOptions;
  #now: number;
  #sequence = 0;

  constructor(options: SenderOptions) {
    const { pattern, name, channel = "", key = MASTER, to, hops = 0, inline } = options;
    this.#now = this.epoch = SINCE + ++started * START_UP;
    this.#options = options;
    const limits = inline === undefined ? {} : { inline };
    this.#signer = new Signer({
      key,
      pattern,
      sender: name,
      channel,
      to,
      hops,
      limits,
      clock: () => this.#now,
    });
    open.push(this.#signer);
  }

  sign(message: readonly Piece[], target: Target = {}): Sent {
    const given = [message.map(toBuffer)];
    this.#now += 1000;
    return this.#sent(this.#signer.sign(given[0] as Buffer[], target), given, target);
  }

  signBatch(messages: readonly (readonly Piece[])[], target: Target = {}): Sent {
    const given = messages.map((message) => message.map(toBuffer));
    this.#now += 1000;
    return this.#sent(this.#signer.signBatch(given, target), given, target);
  }

  /** A message to the other end itself, with what its receiver should read in it. */
  control(kind: Kind, body: Said = {}, routing: readonly Piece[] = [], target: Target = {}): Announced {
    const { answer = NO_NONCE, ask = NO_NONCE, known = 0 } = body;
    this.#now += 1000;
    const { pattern, name, key = MASTER, to } = this.#options;
    const front = routing.map(toBuffer);
    const frames = this.#signer.signControl(kind, { answer, ask, known }, front, target);
    const addressed = (target.to === undefined ? to : target.to) != null;
    const nonces = { answer: answer.toString("hex"), ask: ask.toString("hex") };
    const sender = {
      sender: name,
      pattern,
      keyId: key.idText,
      epoch: this.epoch,
      sentAt: this.#now,
      addressed,
    };
    const control = { kind, ...nonces, reached: this.#sequence, known, ...sender };
    return { from: pattern, frames, control, requestTag: this.#signer.requestTag };
  }

  /** Lets time go by, in microseconds. */
  wait(time: number): void {
    this.#now += time;
  }

  /** Ends this sender, so that another one may have its name. */
  close(): void {
    this.#signer.close();
  }

  #sent(frames: readonly Buffer[], given: readonly (readonly Buffer[])[], target: Target): Sent {
    const { pattern, name, key = MASTER, to } = this.#options;
    const addressed = (target.to === undefined ? to : target.to) != null;
    const sequence = this.#sequence + 1;
    this.#sequence += given.length;
    const { epoch } = this;
    const times = { epoch, sequence, sentAt: this.#now };
    const origin = { sender: name, pattern, keyId: key.idText, ...times, addressed, late: false };
    return { from: pattern, frames, given, origin, requestTag: this.#signer.requestTag };
  }
}

/** The id under which a ROUTER of the vectors knows its peer. */
export const PEER_ID = Buffer.from("peer-1");

const EMPTY = Buffer.alloc(0);

/** What ZeroMQ itself makes of a message between a socket of type `from` and one of type `to`. */
export function arrive(from: Pattern, to: Pattern, frames: readonly Buffer[]): Buffer[] {
  let wire = from === "router" ? frames.slice(1) : [...frames];
  if (from === "req" || from === "rep") wire = [EMPTY, ...wire];
  if (to === "req" || to === "rep") {
    if (wire[0]?.length !== 0) throw new Error(`a ${to} drops a message without a delimiter`);
    wire = wire.slice(1);
  }
  return to === "router" ? [PEER_ID, ...wire] : wire;
}

/** A receiver with the defaults of the vectors. */
export function receiver(pattern: Pattern, name: string, rest: Partial<Receiver> = {}): Receiver {
  return { pattern, channel: "", name, since: SINCE, now: SINCE + HOUR, ...rest };
}

export interface ExpectedToo {
  readonly late?: boolean;
  readonly lost?: number;
}

/** This message arrives and is delivered. */
export function delivered(sent: Sent, to: Receiver, { late = false, lost }: ExpectedToo = {}): Arrival {
  const messages = sent.given.map((frames) => arrive(sent.from, to.pattern, frames).map(frameText));
  const expect: Expected = {
    ok: true,
    delivered: messages,
    origin: { ...sent.origin, late },
    ...(lost !== undefined && { lost }),
  };
  return { frames: arrive(sent.from, to.pattern, sent.frames).map(frameText), expect };
}

/** This control message arrives and is understood. */
export function heard({ from, frames, control }: Announced, to: Receiver): Arrival {
  return { frames: arrive(from, to.pattern, frames).map(frameText), expect: { ok: false, control } };
}

/** These frames arrive and are refused. */
export function refused(frames: readonly Uint8Array[], reason: Reason, authentic = false): Arrival {
  return { frames: frames.map(frameText), expect: { ok: false, reason, authentic } };
}

/** This message arrives and is refused. */
export function refusedSent(sent: Sent, to: Receiver, reason: Reason, authentic = false): Arrival {
  return refused(arrive(sent.from, to.pattern, sent.frames), reason, authentic);
}

/** A key as a vector's receiver holds it. */
function keyRecord(key: Key): KeyRecord {
  const { notBefore, notAfter, senders, channels }: KeyTerms = key.terms;
  return {
    secret: key.exportSecret().toString("hex"),
    id: key.idText,
    ...(key.derived.from !== "master" && { derived: key.derived }),
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
    ...(senders && { senders }),
    ...(channels && { channels }),
  };
}

export function vector(
  name: string,
  receiver: Receiver,
  messages: readonly Arrival[],
  keys: readonly Key[] = [MASTER],
): Vector {
  for (const signer of open.splice(0)) signer.close();
  return { name, keys: keys.map(keyRecord), receiver, messages };
}

/** The origin of a REQ's message, for an answer to it. */
export function answerTo(request: Sent | Announced, channel = "", key: Key = MASTER): Origin {
  const { sentAt } = "control" in request ? request.control : request.origin;
  const clock = () => sentAt;
  const state = new MemoryState({ clock: () => SINCE });
  const verifier = new Verifier({ key, pattern: "rep", sender: "server", channel, clock, state });
  const examined = verifier.examine(request.frames);
  if (!("origin" in examined) || examined.origin === undefined)
    throw new Error("the request does not verify");
  return examined.origin;
}
