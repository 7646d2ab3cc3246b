// The signing pipeline: frames in, signed frames out, synchronous. Position, recipient, number, header, payload, tag
// (docs/wire.md, sections 3 to 7).

import { Buffer } from "node:buffer";
import { type Clock, MICROS_PER_MS, type Micros, wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import { formatKeyId } from "../keys/key.js";
import { keyBookOf } from "../keys/keyring.js";
import { assertSender, randomName } from "../keys/names.js";
import type { ReplayState } from "../replay/state.js";
import { CONTROL_BYTES, type ControlBody, writeControl } from "../wire/control.js";
import { coveredDetached, type Place } from "../wire/form.js";
import { type MessageLike, snapshot } from "../wire/frames.js";
import { FLAGS, type Header, HeaderTemplate, type Kind } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { type Pattern, publishes, sends } from "../wire/patterns.js";
import { batchWithinLimits, payloadLength, writePayload } from "../wire/payload.js";
import { signaturePosition } from "../wire/position.js";
import { Batch } from "./batch.js";
import { type Identity, identity } from "./identity.js";
import { claimStream } from "./live-signers.js";
import { type EpochStore, Numbering } from "./numbering.js";
import {
  assertOptions,
  channelOf,
  hopsOf,
  limitsOf,
  patternOf,
  type SignerOptions,
  stateOf,
} from "./options.js";
import { Ordinals } from "./ordinals.js";
import type { Origin } from "./origin.js";
import {
  assertOneBatch,
  type Front,
  ownFront,
  type Parts,
  type Prepared,
  takeApart,
  unsendable,
} from "./parts.js";
import { type Recipient, Recipients } from "./recipients.js";
import { Topics } from "./topics.js";

/** To whom a message goes. */
export interface Target {
  /**
   * The recipient: a name, the {@link Origin} of the message that this one answers (a REQ's answer is bound to it),
   * or `null` for nobody in particular. Default: the signer's own `to`.
   */
  readonly to?: string | Origin | null | undefined;
  /**
   * Whether everything that this signer sends goes to one peer, so that its messages can be counted for that peer.
   * Default: only from a PAIR.
   */
  readonly onePeer?: boolean | undefined;
}

/** The fields of a header that may be another in each message. */
type Variable = Omit<Header, "pattern" | "sender">;

/** A message that has its numbers and waits for its payload and tag. */
interface Draft {
  readonly header: Variable;
  readonly front: Front;
  readonly recipient: Recipient;
  readonly count: number;
  readonly counter: string | undefined;
}

const TO_NOBODY_ELSE: Target = Object.freeze({});
const NOTHING: readonly Buffer[] = Object.freeze([]);

/** Signs messages of one stream: one sender on one channel from one socket type. */
export class Signer {
  /** The socket type that sends. */
  readonly pattern: Pattern;
  /** The channel everything is signed for. */
  readonly channel: string;
  /** The name everything is signed with. */
  readonly identity: Identity;
  readonly #place: Place;
  readonly #to: string | undefined;
  readonly #recipients: Recipients;
  readonly #numbering: Numbering;
  readonly #ordinals: Ordinals;
  readonly #topics = new Topics();
  readonly #clock: Clock;
  readonly #headers: HeaderTemplate;
  readonly #release: () => void;
  #last: { signed: readonly Buffer[]; count: number; counter: string | undefined } | undefined;
  #requestTag: Buffer | undefined;

  /** @throws CountersignError for options that cannot work, or when this stream already has a live signer in this thread */
  constructor(options: SignerOptions) {
    assertOptions(options);
    this.pattern = patternOf(options);
    if (!sends(this.pattern)) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `A ${this.pattern} sends nothing that could be signed.`);
    }
    if (options.to !== undefined) assertSender(options.to, "to");
    this.#to = options.to;
    this.identity = identity(options.sender);
    this.channel = channelOf(options);
    const { pattern, channel } = this;
    const limits = limitsOf(options);
    this.#place = { pattern, hops: hopsOf(options), limits };
    this.#headers = new HeaderTemplate(pattern, this.identity.name);
    this.#clock = options.clock ?? wallClock;
    const now = this.#clock() / MICROS_PER_MS;
    const keys = keyBookOf(options.key);
    this.#recipients = new Recipients(keys, this, limits.peers, now);
    this.#numbering = new Numbering(this.#clock, epochStoreOf(stateOf(options), this));
    this.#ordinals = new Ordinals(limits.peers);
    // A session's keys are for this signer alone, and its streams too.
    const whose = keys.pairwise ? randomName() : formatKeyId(this.#recipients.find(null, now).keyId);
    this.#release = claimStream([this.identity.name, channel, pattern, whose], this);
  }

  /** When this sender started, in microseconds: its messages' epoch. */
  get epoch(): number {
    return this.#numbering.epoch;
  }

  /**
   * Resolves when this sender may sign: where its epoch is stored elsewhere, not at once; `undefined` once it may.
   * Rejects where it cannot be stored.
   */
  get ready(): Promise<void> | undefined {
    return this.#numbering.pending;
  }

  /** The last sequence number of this epoch: what is signed from now on has a higher one. */
  get reached(): number {
    return this.#numbering.reached;
  }

  /** Begins an epoch above this one: somebody has heard of it from an earlier start of this sender. */
  startAbove(epoch: number): void {
    this.#numbering.startAbove(epoch);
    this.#last = undefined;
  }

  /** The tag of the last request (REQ only): pass it to {@link Verifier.verify} with the reply. */
  get requestTag(): Buffer | undefined {
    return this.#requestTag;
  }

  /**
   * Signs one message, given as the application would hand it to the socket: a ROUTER's with its ids, a PUB's with
   * its topic. What is signed is a snapshot.
   *
   * @returns the frames to put on the wire
   * @throws CountersignError when the message cannot be signed: no body, no recipient, over the limits, no valid key
   */
  sign(message: MessageLike, target: Target = TO_NOBODY_ELSE): Buffer[] {
    return this.signPrepared(this.prepare(message), target);
  }

  /**
   * Copies a message to where it will travel, to be signed now or later, and as often as it takes until ZeroMQ takes it.
   * Throws as {@link sign} where it cannot be.
   */
  prepare(message: MessageLike): Prepared {
    const parts = takeApart(message, this.#place);
    const { body } = parts;
    const front = ownFront(parts);
    const length = payloadLength(body);
    if (this.pattern !== "xsub" && length > this.#place.limits.inline) {
      return { front, layout: 0, frame: this.#frame(0), body: body.map(snapshot) };
    }
    const frame = this.#frame(length);
    writePayload(frame, this.#payloadAt, body);
    return { front, layout: FLAGS.inline, frame, body: NOTHING };
  }

  /** Signs what {@link prepare} made. */
  signPrepared({ front, layout, frame, body }: Prepared, target: Target): Buffer[] {
    return this.#seal(this.#draft("data", layout, front, target, 1), frame, body);
  }

  /**
   * Signs up to 256 messages under one tag, to be taken whole or refused whole: same recipient or topic, no
   * delimiter, no answer to a REQ. Each message is given as for {@link sign}.
   */
  signBatch(messages: readonly MessageLike[], target: Target = TO_NOBODY_ELSE): Buffer[] {
    const parts = messages.map((message) => this.takeApart(message));
    assertOneBatch(parts);
    const batch = this.openBatch(parts[0] as Parts);
    for (const { body } of parts) batch.add(body);
    return this.sealBatch(batch, target);
  }

  /** Takes a message apart, as it would be signed. Throws as {@link sign} where it cannot be. */
  takeApart(message: MessageLike): Parts {
    return takeApart(message, this.#place);
  }

  /**
   * A batch to be filled and then sealed, for messages with the routing or topic of the first one. It is empty yet.
   *
   * @param bytes  of payload that it begins with room for
   */
  openBatch(first: Parts, bytes?: number): Batch {
    return new Batch(ownFront(first), this.#payloadAt, bytes);
  }

  /** Whether a message whose payload has this many bytes fits into the batch. */
  hasRoom(batch: Batch, length: number): boolean {
    return batch.count < WIRE.batch && batchWithinLimits(batch.bytes + length, this.#place.limits);
  }

  /** Signs what was put into a batch, as {@link signBatch} does. It may be sealed again: under the next numbers. */
  sealBatch(batch: Batch, target: Target = TO_NOBODY_ELSE): Buffer[] {
    if (!batchWithinLimits(batch.bytes, this.#place.limits)) {
      const { bytes } = this.#place.limits;
      throw unsendable(
        `The batch of ${batch.bytes} bytes is over the limit for one message (${bytes} bytes): make several of it.`,
      );
    }
    const draft = this.#draft("batch", FLAGS.inline, batch.front, target, batch.count);
    return this.#seal(draft, batch.frame, NOTHING);
  }

  /**
   * Signs a message to the other end itself, not to its application: of no stream, numbered 0.
   *
   * @param routing  the frames in front of the signature: ids and delimiter, or the reserved topic
   */
  signControl(
    kind: Kind,
    body: Omit<ControlBody, "reached">,
    routing: readonly Buffer[],
    target: Target,
  ): Buffer[] {
    this.#assertReady();
    const { delimited } = signaturePosition(this.pattern, true, this.#place.hops, routing);
    const topic = publishes(this.pattern) ? routing[0] : undefined;
    const now = this.#clock();
    const recipient = this.#recipient(target, now);
    // Takes no number, but follows the clock: a step back begins an epoch, and that must be the one that is named.
    this.#takeNumbers(0, now);
    const front = { routing, topic, delimited, hasBody: true };
    const header = this.#header(kind, FLAGS.inline, front, recipient, 0, 0);
    const draft = { header, front, recipient, count: 0, counter: undefined };
    const frame = this.#frame(CONTROL_BYTES);
    frame.set(writeControl({ ...body, reached: this.reached }), this.#payloadAt);
    const signed = this.#seal(draft, frame, NOTHING);
    // It says how far this sender has come: no number up to there may be given again.
    this.#last = undefined;
    return signed;
  }

  /**
   * Takes back the number of a message or batch that never left this process, if nothing was signed since: no gap,
   * no number lost.
   */
  retract(signed: readonly Buffer[]): void {
    if (this.#last?.signed !== signed) return;
    const { count, counter } = this.#last;
    this.#numbering.giveBack(count);
    if (counter !== undefined) this.#ordinals.giveBack(counter, count);
    this.#last = undefined;
  }

  /** Ends this stream's claim to its name in this thread. */
  close(): void {
    this.#release();
  }

  #recipient({ to = this.#to }: Target, now: Micros): Recipient {
    if (to === undefined && (this.pattern === "router" || this.pattern === "rep")) {
      const why = `A ${this.pattern} addresses what it sends: name the recipient with "to".`;
      throw misuse("ERR_COUNTERSIGN_RECIPIENT", why);
    }
    return this.#recipients.find(to ?? null, now / MICROS_PER_MS);
  }

  #draft(kind: "data" | "batch", layout: number, front: Front, target: Target, count: number): Draft {
    this.#assertReady();
    const now = this.#clock();
    const recipient = this.#recipient(target, now);
    if (kind === "batch" && (recipient.flags & FLAGS.bound) !== 0) {
      throw unsendable("A batch cannot answer a REQ.");
    }
    const counter = this.#counter(front, recipient, target);
    const sequence = this.#takeNumbers(count, now);
    const ordinal = counter === undefined ? 0 : this.#ordinals.take(counter, this.epoch, count);
    const header = this.#header(kind, layout, front, recipient, ordinal, sequence);
    return { header, front, recipient, count, counter };
  }

  /** @param layout  {@link FLAGS.inline} or 0 */
  #header(
    kind: Kind,
    layout: number,
    { delimited, topic }: Front,
    { flags, keyId }: Recipient,
    ordinal: number,
    sequence: number,
  ): Variable {
    const { epoch, sentAt } = this.#numbering;
    const place = (delimited ? FLAGS.delimited : 0) | (topic === undefined ? 0 : FLAGS.topic);
    return { kind, flags: flags | place | layout, keyId, ordinal, epoch, sequence, sentAt };
  }

  /** A clock that steps back may begin an epoch that must be stored first: under the old one nothing more is signed. */
  #takeNumbers(count: number, now: Micros): number {
    const first = this.#numbering.take(count, now);
    this.#assertReady();
    return first;
  }

  #assertReady(): void {
    if (this.#numbering.pending === undefined) return;
    throw misuse("ERR_COUNTERSIGN_STATE", "This signer's epoch is not stored yet: await signer.ready first.");
  }

  /** What a message is counted under: its topic, its recipient, the only peer; or nothing. */
  #counter({ topic, hasBody }: Front, { name, flags }: Recipient, { onePeer }: Target): string | undefined {
    if (topic !== undefined) return hasBody ? this.#topics.of(topic).name : undefined;
    // Requests and their answers go one by one: who misses one knows.
    if (this.pattern === "req" || this.pattern === "rep" || (flags & FLAGS.bound) !== 0) return undefined;
    if (name !== undefined) return name;
    return (onePeer ?? this.pattern === "pair") ? "" : undefined;
  }

  /** Where in a signature frame the payload begins, behind header and tag. */
  get #payloadAt(): number {
    return this.#headers.length + WIRE.tagBytes;
  }

  /** Room for header, tag and a payload of this many bytes. */
  #frame(length: number): Buffer {
    return Buffer.allocUnsafe(this.#payloadAt + length);
  }

  /** Writes header and tag into a frame that holds its payload, or has the body's frames behind it. */
  #seal(
    { header, front, recipient, count, counter }: Draft,
    frame: Buffer,
    body: readonly Buffer[],
  ): Buffer[] {
    const { routing, topic } = front;
    const { context, macKey } = recipient;
    const tagAt = this.#headers.length;
    this.#headers.write(frame, header);
    const rest = (header.flags & FLAGS.inline) !== 0 ? context : [...coveredDetached(body), ...context];
    macKey.seal(frame, tagAt, topic && this.#topics.of(topic).covered, rest);
    const alone = routing.length === 0 && body.length === 0;
    const signed = alone ? [frame] : [...routing, frame, ...body];
    if (this.pattern === "req") this.#requestTag = snapshot(frame.subarray(tagAt, this.#payloadAt));
    this.#last = { signed, count, counter };
    return signed;
  }
}

function epochStoreOf(state: ReplayState | undefined, signer: Signer): EpochStore | undefined {
  // A name that was made for this start does not start again.
  if (state?.nextEpoch === undefined || signer.identity.fresh) return undefined;
  const stream = { sender: signer.identity.name, channel: signer.channel, pattern: signer.pattern };
  return (atLeast) => (state.nextEpoch as NonNullable<typeof state.nextEpoch>)(stream, atLeast);
}
