// The signing pipeline: frames in, signed frames out, synchronous. Position, recipient, number, header, payload, tag
// (docs/wire.md, sections 3 to 7).

import { wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import { formatKeyId } from "../keys/key.js";
import { Keyring } from "../keys/keyring.js";
import { assertSender } from "../keys/names.js";
import type { ReplayState } from "../replay/state.js";
import { CONTROL_BYTES, type ControlBody, writeControl } from "../wire/control.js";
import { coveredParts, type Place } from "../wire/form.js";
import { type MessageLike, snapshot } from "../wire/frames.js";
import { FLAGS, type Header, headerLength, type Kind, writeHeader } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { type Pattern, publishes, sends } from "../wire/patterns.js";
import { batchWithinLimits, payloadLength, writeLengths, writePayload } from "../wire/payload.js";
import { signaturePosition } from "../wire/position.js";
import { type Identity, identity } from "./identity.js";
import { claimStream } from "./live-signers.js";
import { type EpochStore, Numbering } from "./numbering.js";
import { assertOptions, channelOf, hopsOf, limitsOf, patternOf, type SignerOptions } from "./options.js";
import { Ordinals, topicName } from "./ordinals.js";
import type { Origin } from "./origin.js";
import { assertOneBatch, type Parts, takeApart, unsendable } from "./parts.js";
import { type Recipient, Recipients } from "./recipients.js";

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

/** A message that has its numbers and waits for its payload and tag. */
interface Draft {
  readonly header: Header;
  readonly parts: Parts;
  readonly recipient: Recipient;
  readonly count: number;
  readonly counter: string | undefined;
}

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
    const clock = options.clock ?? wallClock;
    const keyring = Keyring.from(options.key);
    this.#recipients = new Recipients(keyring, this, clock);
    this.#numbering = new Numbering(clock, epochStoreOf(options.state, this));
    this.#ordinals = new Ordinals(limits.peers);
    const { keyId } = this.#recipients.find(null);
    this.#release = claimStream([this.identity.name, channel, pattern, formatKeyId(keyId)], this);
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
  sign(message: MessageLike, target: Target = {}): Buffer[] {
    const parts = takeApart(message, this.#place);
    const length = payloadLength(parts.body);
    const draft = this.#draft("data", parts, target, 1);
    if (this.pattern !== "xsub" && length > this.#place.limits.inline) return this.#sealDetached(draft);
    return this.#sealInline(draft, length, (frame, at) => writePayload(frame, at, parts.body));
  }

  /**
   * Signs up to 256 messages under one tag, to be taken whole or refused whole: same recipient or topic, no
   * delimiter, no answer to a REQ. Each message is given as for {@link sign}.
   */
  signBatch(messages: readonly MessageLike[], target: Target = {}): Buffer[] {
    const parts = messages.map((message) => takeApart(message, this.#place));
    assertOneBatch(parts);
    const bodies = parts.map(({ body }) => body);
    const length = bodies.reduce((sum, body) => sum + payloadLength(body), 4);
    if (!batchWithinLimits(length, this.#place.limits)) {
      const { bytes } = this.#place.limits;
      throw unsendable(
        `The batch of ${length} bytes is over the limit for one message (${bytes} bytes): make several of it.`,
      );
    }
    const draft = this.#draft("batch", parts[0] as Parts, target, messages.length);
    return this.#sealInline(draft, length, (frame, at) => writeBatch(frame, at, bodies));
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
    const recipient = this.#recipient(target);
    // Takes no number, but follows the clock: a step back begins an epoch, and that must be the one that is named.
    this.#takeNumbers(0);
    const header = { ...this.#header(kind, { delimited, topic }, recipient), ordinal: 0, sequence: 0 };
    const bytes = writeControl({ ...body, reached: this.reached });
    const draft = {
      header,
      parts: { routing, topic, delimited, body: [] },
      recipient,
      count: 0,
      counter: undefined,
    };
    const signed = this.#sealInline(draft, CONTROL_BYTES, (frame, at) => frame.set(bytes, at));
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

  #recipient({ to = this.#to }: Target): Recipient {
    if (to === undefined && (this.pattern === "router" || this.pattern === "rep")) {
      const why = `A ${this.pattern} addresses what it sends: name the recipient with "to".`;
      throw misuse("ERR_COUNTERSIGN_RECIPIENT", why);
    }
    return this.#recipients.find(to ?? null);
  }

  #draft(kind: "data" | "batch", parts: Parts, target: Target, count: number): Draft {
    this.#assertReady();
    const recipient = this.#recipient(target);
    if (kind === "batch" && (recipient.flags & FLAGS.bound) !== 0) {
      throw unsendable("A batch cannot answer a REQ.");
    }
    const counter = this.#counter(parts, recipient, target);
    const sequence = this.#takeNumbers(count);
    const ordinal = counter === undefined ? 0 : this.#ordinals.take(counter, this.epoch, count);
    const header = { ...this.#header(kind, parts, recipient), ordinal, sequence };
    return { header, parts, recipient, count, counter };
  }

  #header(
    kind: Kind,
    { delimited, topic }: Pick<Parts, "delimited" | "topic">,
    { flags, keyId }: Recipient,
  ): Omit<Header, "ordinal" | "sequence"> {
    const { epoch, sentAt } = this.#numbering;
    const place = (delimited ? FLAGS.delimited : 0) | (topic === undefined ? 0 : FLAGS.topic);
    const { pattern, identity } = this;
    return { kind, flags: flags | place, pattern, keyId, epoch, sentAt, sender: identity.name };
  }

  /** A clock that steps back may begin an epoch that must be stored first: under the old one nothing more is signed. */
  #takeNumbers(count: number): number {
    const first = this.#numbering.take(count);
    this.#assertReady();
    return first;
  }

  #assertReady(): void {
    if (this.#numbering.pending === undefined) return;
    throw misuse("ERR_COUNTERSIGN_STATE", "This signer's epoch is not stored yet: await signer.ready first.");
  }

  /** What a message is counted under: its topic, its recipient, the only peer; or nothing. */
  #counter({ topic, body }: Parts, { name, flags }: Recipient, { onePeer }: Target): string | undefined {
    if (topic !== undefined) return body.length > 0 ? topicName(topic) : undefined;
    // Requests and their answers go one by one: who misses one knows.
    if (this.pattern === "req" || this.pattern === "rep" || (flags & FLAGS.bound) !== 0) return undefined;
    if (name !== undefined) return name;
    return (onePeer ?? this.pattern === "pair") ? "" : undefined;
  }

  #sealInline(draft: Draft, length: number, write: (frame: Buffer, at: number) => void): Buffer[] {
    draft.header.flags |= FLAGS.inline;
    const tagEnd = headerLength(draft.header) + WIRE.tagBytes;
    const frame = Buffer.allocUnsafe(tagEnd + length);
    write(frame, tagEnd);
    return this.#seal([...draft.parts.routing, frame], frame, draft, [frame.subarray(tagEnd)]);
  }

  #sealDetached(draft: Draft): Buffer[] {
    const frame = Buffer.allocUnsafe(headerLength(draft.header) + WIRE.tagBytes);
    const body = draft.parts.body.map(snapshot);
    const lengths = Buffer.allocUnsafe(4 + 4 * body.length);
    writeLengths(lengths, 0, body);
    return this.#seal([...draft.parts.routing, frame, ...body], frame, draft, [lengths, ...body]);
  }

  /** Writes header and tag into the signature frame of `signed`. */
  #seal(signed: Buffer[], frame: Buffer, draft: Draft, payload: readonly Buffer[]): Buffer[] {
    const { header, parts, recipient, count, counter } = draft;
    const tagAt = headerLength(header);
    writeHeader(frame, header);
    const covered = coveredParts(frame.subarray(0, tagAt), parts.topic, payload, recipient.context);
    recipient.macKey.mac(covered, frame, tagAt);
    if (this.pattern === "req") this.#requestTag = snapshot(frame.subarray(tagAt, tagAt + WIRE.tagBytes));
    this.#last = { signed, count, counter };
    return signed;
  }
}

function epochStoreOf(state: ReplayState | undefined, signer: Signer): EpochStore | undefined {
  if (state?.nextEpoch === undefined) return undefined;
  const stream = { sender: signer.identity.name, channel: signer.channel, pattern: signer.pattern };
  return (atLeast) => (state.nextEpoch as NonNullable<typeof state.nextEpoch>)(stream, atLeast);
}

function writeBatch(frame: Buffer, at: number, bodies: readonly (readonly Buffer[])[]): void {
  let end = frame.writeUInt32BE(bodies.length, at);
  for (const body of bodies) end = writePayload(frame, end, body);
}
