// The verifying pipeline: received frames in, a verdict out. Four questions, in this order; nothing is remembered of a
// message that failed one.

import { Buffer } from "node:buffer";
import type { Admission } from "../admission/admission.js";
import { type AgeOf, admitByChallenge } from "../admission/challenge.js";
import { admitByClock } from "../admission/clock.js";
import { admitBySession } from "../admission/session.js";
import { SyncAges } from "../admission/sync-ages.js";
import { type Clock, type Micros, wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import type { Key, KeySession } from "../keys/key.js";
import { type KeyBook, keyBookOf } from "../keys/keyring.js";
import type { Reason } from "../reasons.js";
import type { Answered, Claim, Eventual, Ruling, Streams } from "../replay/state.js";
import type { ControlBody } from "../wire/control.js";
import {
  controlBody,
  type Form,
  isControl,
  messageCount,
  type Place,
  readForm,
  readMessages,
} from "../wire/form.js";
import { FLAGS, type Header, hasMagic, type Kind, readHeader } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { greets, heardBy, type Pattern, receives, subscribes } from "../wire/patterns.js";
import { signaturePosition } from "../wire/position.js";
import { Authenticator } from "./authenticator.js";
import { GapWatch } from "./gap-watch.js";
import { type Identity, identity, takeFreshness } from "./identity.js";
import { Observer, type Rejection, type VerifierStats } from "./observer.js";
import {
  assertOptions,
  channelOf,
  hopsOf,
  limitsOf,
  memoryOf,
  microsOf,
  patternOf,
  type VerifierOptions,
  windowOf,
} from "./options.js";
import { Origin, type Peer } from "./origin.js";
import { Refusals, type Refused } from "./refusals.js";
import { Topics } from "./topics.js";

/** One delivered message: its frames as the sender gave them, and where it comes from. */
export interface Delivery {
  /** The frames as the application gets them: routing or topic, then the body. */
  readonly frames: Buffer[];
  /** The verified origin. */
  readonly origin: Origin;
}

/** What a verifier says of a message. */
export type Verdict =
  | {
      readonly ok: true;
      readonly frames: Buffer[];
      /** `undefined` only for an unsigned message under `policy: "report"`. */
      readonly origin: Origin | undefined;
      /** The other messages of a batch, in order; empty for a single message. */
      readonly rest: readonly Delivery[];
    }
  | ({
      readonly ok: false;
      /** Who signed it, and how to reach him, where evidence is missing: he can be asked for it. */
      readonly stranger?: Stranger;
    } & Rejection);

/** Whoever signed a message that does not lead to its application (yet), and the frames that lead back to him. */
export interface Stranger {
  /** Who it was; verified. */
  readonly origin: Origin;
  /** The frames in front of the signature. */
  readonly routing: readonly Buffer[];
}

/** A message between the two ends themselves: neither delivered nor refused. It is intact, and from this sender. */
export interface Control extends Stranger {
  /** Nothing for the application. */
  readonly ok: false;
  /** Nor a refusal. */
  readonly reason: "control";
  /** What it is for: "hello", "challenge", "echo" or "sync". */
  readonly kind: Kind;
  /** What it asks and answers. */
  readonly body: ControlBody;
}

/** Where a session's stream begins: below every epoch that a clock gives. */
const FIRST_EPOCH = 1;

/** One moment, as each memory knows it. */
export type Marks = ReadonlyMap<Streams, number>;

/** Is it a message between the two ends themselves? */
export function isControlMessage(examined: Verdict | Control): examined is Control {
  return !examined.ok && examined.reason === "control";
}

const NONE: readonly Delivery[] = [];

/** Verifies messages for one receiver: one socket type on one channel. */
export class Verifier {
  /** The socket type that receives. */
  readonly pattern: Pattern;
  /** The channel everything must be signed for. */
  readonly channel: string;
  /** The name it is addressed by. */
  readonly identity: Identity;
  /** What publishers' answers say of the age of their messages: what `maxAge` goes by on a SUB under challenge. */
  readonly ages: SyncAges;
  readonly #place: Place;
  readonly #report: boolean;
  readonly #clock: Clock;
  readonly #keyring: KeyBook;
  readonly #authenticator: Authenticator;
  readonly #admit: Admission;
  /** Whether nobody can have heard what is addressed to my name: I made it, and for this verifier alone. */
  readonly #nameIsFresh: boolean;
  readonly #tables = new Map<Pattern, Streams>();
  readonly #asynchronous: boolean;
  readonly #byClock: boolean;
  readonly #gaps: GapWatch;
  readonly #refusals: Refusals;
  readonly #observer: Observer;
  #keys: readonly Key[];
  #revision: number;
  #latestPeer: Peer | undefined;

  /** @throws CountersignError for options that cannot work */
  constructor(options: VerifierOptions) {
    assertOptions(options);
    this.#clock = options.clock ?? wallClock;
    const { state, receiver } = memoryOf(options, this.#clock);
    this.pattern = patternOf(options);
    if (!receives(this.pattern)) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `A ${this.pattern} receives nothing that could be verified.`);
    }
    this.channel = channelOf(options);
    this.identity = identity(options.sender);
    this.#nameIsFresh = takeFreshness(this.identity);
    const { pattern, channel } = this;
    const [limits, hops, window] = [limitsOf(options), hopsOf(options), windowOf(options)];
    this.#place = { pattern, hops, limits };
    this.#report = policyOf(options) === "report";
    this.#keyring = keyBookOf(options.key);
    this.#keys = this.#keyring.keys;
    this.#revision = this.#keyring.revision;
    const topics = new Topics();
    this.#authenticator = new Authenticator(this.#keyring, this.identity, channel, topics, limits.streams);
    this.ages = new SyncAges(limits.peers);
    const ageOf = subscribes(pattern) ? (header: Header) => this.ages.ageOf(header) : undefined;
    this.#admit = this.#keyring.pairwise ? admitBySession(maxAgeOf(options)) : admissionOf(options, ageOf);
    this.#asynchronous = state.asynchronous;
    this.#byClock = options.admit !== "challenge" && !this.#keyring.pairwise;
    for (const heard of heardBy(pattern)) {
      this.#tables.set(heard, state.table(receiver, channel, heard, { window, limit: limits.streams }));
    }
    this.#forgetRevoked();
    this.#gaps = new GapWatch({ pattern, channel, hops, window, topics, limit: limits.peers });
    this.#refusals = new Refusals(pattern, channel, this.#clock);
    this.#observer = new Observer(options, this.#byClock);
  }

  /** Counters since this verifier was made. */
  get stats(): VerifierStats {
    let streams = 0;
    for (const table of this.#tables.values()) streams += table.size;
    return this.#observer.stats(streams);
  }

  /**
   * Verifies one message as ZeroMQ delivered it. Never throws on what came from outside.
   *
   * @param received    the frames: a ROUTER's with ids, a SUB's with the topic
   * @param requestTag  REQ only: the tag of the request that waits for this reply ({@link Signer.requestTag})
   * @throws CountersignError when the state is not in this process: use {@link verifyAsync} then
   */
  verify(received: readonly Uint8Array[], requestTag?: Uint8Array): Verdict {
    if (this.#asynchronous) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", "This verifier's state answers later: use verifyAsync.");
    }
    return this.#verdictOf(this.examine(received, requestTag) as Verdict | Control);
  }

  /**
   * The same with any state. Messages may be given one after another without waiting: they are ruled on in the order of
   * the calls.
   */
  async verifyAsync(received: readonly Uint8Array[], requestTag?: Uint8Array): Promise<Verdict> {
    return this.#verdictOf(await this.examine(received, requestTag));
  }

  /** Who takes no part in greetings has no use for a control message. */
  #verdictOf(examined: Verdict | Control): Verdict {
    if (!isControlMessage(examined)) return examined;
    return { ok: false, ...this.refuseControl("unsupported", examined.origin) };
  }

  /**
   * As {@link verifyAsync}, at once where the state allows it, and control messages are told apart: {@link Handshake}
   * knows what they lead to.
   */
  examine(received: readonly Uint8Array[], requestTag?: Uint8Array): Eventual<Verdict | Control> {
    const frames = asBuffers(received);
    this.#followKeyring();
    const now = this.#clock();

    // 1. Is it well formed?
    const form = readForm(frames, this.#place);
    if (form === "unsigned" && this.#report) return this.#passUnsigned(frames);
    if (typeof form === "string") return this.#refuse(form, { header: this.#claimedHeader(frames) });
    const { header } = form;

    // 2. Whose is it, and is it intact?
    const key = this.#authenticator.authenticate(form, requestTag, now);
    if (typeof key === "string") return this.#refuse(key, { header });
    if (this.#isMine(header)) return this.#refuse("reflected", { header, authentic: true });
    if (isControl(header)) return this.#control(form, key);

    const { session } = key;
    if (session !== undefined && session.sender !== header.sender) {
      return this.#refuse("key-out-of-scope", { header, authentic: true });
    }

    // 3. Is it live? What it proves of that.
    const answersMe = (header.flags & FLAGS.bound) !== 0;
    const evidence = this.#admit({ header, answersMe, now });
    if (typeof evidence === "string") return this.#refuse(evidence, { header, authentic: true });

    // 3. Is that enough? 4. Is it new? Asked and remembered in one step, by whoever holds the memory.
    const streams = this.#streams(header.pattern);
    const stream = session?.stream ?? header.sender;
    const claim = {
      stream,
      epoch: header.epoch,
      sequence: header.sequence,
      count: messageCount(form),
      keyId: key.id,
      // Under a session's keys everything is live, as long as nothing that came under them was forgotten.
      signedAfter: session !== undefined && streams.epochOf(stream) !== 0 ? Infinity : evidence.signedAfter,
      toFreshName: evidence.freshNameCounts && this.#nameIsFresh && (header.flags & FLAGS.addressed) !== 0,
      unproven: evidence.unproven,
      now,
    };
    const ruling = streams.admit(claim);
    if (typeof ruling === "string") return this.#conclude(form, key, claim, ruling);
    return ruling.then((late) => this.#conclude(form, key, claim, late));
  }

  /** A ruling that is neither "new" nor "late" is why the message is refused. */
  #conclude(form: Form, key: Key, claim: Claim, ruling: Ruling): Verdict {
    if (ruling === "new" || ruling === "late") return this.#deliver(form, key, ruling === "late");
    const { header } = form;
    const since =
      ruling === "not-live" && this.#byClock
        ? this.#streams(header.pattern).sinceOf(claim.stream)
        : undefined;
    const origin = new Origin(header, this.channel, false, 0, this.#peerOf(form, key));
    const stranger = { origin, routing: form.routing };
    return { ...this.#refuse(ruling, { header, authentic: true, since }), stranger };
  }

  /** Of no stream, and so of no memory: whoever understands it decides what it leads to. */
  #control(form: Form, key: Key): Control {
    const { header } = form;
    return {
      ok: false,
      reason: "control",
      kind: header.kind,
      body: controlBody(form),
      origin: new Origin(header, this.channel, false, 0, this.#peerOf(form, key)),
      routing: form.routing,
    };
  }

  /** A session stands: what comes under its keys from a socket of this type is one stream, and begins now. */
  beginSession({ session, id: keyId }: Key, pattern: Pattern): void {
    const stream = (session as KeySession).stream;
    void this.#streams(pattern).begin(stream, { epoch: FIRST_EPOCH, sequence: 0, keyId });
  }

  /** Messages handed on so far. */
  get accepted(): number {
    return this.#observer.messages;
  }

  /** The nonce that this sender must answer to be admitted; the same until it is answered. */
  ask({ sender, pattern }: Origin): Eventual<Buffer | undefined> {
    return this.#streams(pattern).ask(sender);
  }

  /**
   * Begins the stream of a control message's sender where it has arrived, if it answers the nonce that this verifier
   * asked, or another one of this receiver's, made at `asked`.
   */
  begin(
    { origin, body: { answer, reached: sequence } }: Pick<Control, "origin" | "body">,
    asked: Marks | undefined,
  ): Eventual<Answered> {
    const reached = { epoch: origin.epoch, sequence, keyId: Origin.peerOf(origin).key.id };
    const streams = this.#streams(origin.pattern);
    if (asked === undefined) return streams.answered(origin.sender, answer, reached);
    return streams.begin(origin.sender, reached, asked.get(streams));
  }

  /** This moment, for a nonce that any sender may answer: one that was heard since and is forgotten no longer may. */
  mark(): Marks {
    const marks = new Map<Streams, number>();
    for (const streams of this.#tables.values()) {
      if (streams.mark !== undefined) marks.set(streams, streams.mark());
    }
    return marks;
  }

  /** The highest epoch that is remembered of this sender's stream; 0 for none. */
  epochOf({ sender, pattern }: Origin): Eventual<number> {
    return this.#streams(pattern).epochOf(sender);
  }

  /** Counts and tells a control message that answers nothing, or comes from an earlier run. */
  refuseControl(reason: Reason, origin: Origin): Rejection {
    return this.#observer.rejected(this.#refusals.ofOrigin(reason, origin));
  }

  /** Counts and tells a message that is not signed, and that this receiver can do nothing with. */
  refuseUnsigned(reason: Reason): Rejection {
    return this.#observer.rejected(this.#refusals.describe(reason));
  }

  /** Tells that another end has forgotten this sender, or has heard a later process of its name. */
  tell({ forgotten, twin }: { forgotten?: number; twin?: number }, { sender: peer }: Origin): void {
    const { channel } = this;
    if (forgotten !== undefined) this.#observer.forgotten({ peer, channel, lost: forgotten });
    if (twin !== undefined) this.#observer.twin({ sender: this.identity.name, channel, peer, epoch: twin });
  }

  #streams(pattern: Pattern): Streams {
    return this.#tables.get(pattern) as Streams;
  }

  /** Counts a delivered message as refused after all: its body did not decode. Its number stays used. */
  withdraw(origin: Origin | undefined, reason: "undecodable" | "invalid" | "revoked-key"): Rejection {
    this.#observer.withdrawn(origin !== undefined);
    const rejection = origin ? this.#refusals.ofOrigin(reason, origin) : this.#refusals.describe(reason);
    return this.#observer.rejected(rejection);
  }

  /** Forgets the counts that show gaps: the subscription changed, and what comes next is a new baseline. */
  resetGaps(): void {
    this.#gaps.reset();
  }

  #isMine({ sender, pattern }: Header): boolean {
    return sender === this.identity.name && pattern === this.pattern;
  }

  #deliver(form: Form, key: Key, late: boolean): Verdict {
    const gap = this.#gaps.observe(form, late);
    if (gap !== undefined) this.#observer.gap(gap);
    const { header } = form;
    if (key.session !== undefined) this.#keyring.used?.(key);
    const peer = this.#peerOf(form, key);
    const messages = readMessages(form);
    const first = messages[0] as Buffer[];
    const origin = new Origin(header, this.channel, late, 0, peer);
    this.#observer.accepted(origin);
    if (messages.length === 1) return { ok: true, frames: first, origin, rest: NONE };
    const rest = messages.slice(1).map((frames, i): Delivery => {
      const another = new Origin(header, this.channel, late, i + 1, peer);
      this.#observer.accepted(another);
      return { frames, origin: another };
    });
    return { ok: true, frames: first, origin, rest };
  }

  #peerOf({ header, frame, tagAt }: Form, key: Key): Peer {
    const { sender: name, pattern } = header;
    if (pattern === "req") {
      return { name, key, requestTag: Buffer.from(frame.subarray(tagAt, tagAt + WIRE.tagBytes)) };
    }
    const latest = this.#latestPeer;
    if (latest?.name === name && latest.key === key) return latest;
    this.#latestPeer = { name, key, requestTag: undefined };
    return this.#latestPeer;
  }

  /** A key that left the ring is revoked: what it vouched for last is forgotten, and memory begins now. */
  #followKeyring(): void {
    if (this.#keyring.revision === this.#revision) return;
    this.#revision = this.#keyring.revision;
    // Asked by key, not by id: keys derived from one master share an id.
    const removed = this.#keys.filter((key) => !this.#keyring.keys.some((held) => held.equals(key)));
    this.#keys = this.#keyring.keys;
    for (const { id } of removed) {
      for (const streams of this.#tables.values()) void streams.forgetKey(id);
    }
  }

  /** The same of a key that left it while nobody was running: a memory that outlives the process does not know. */
  #forgetRevoked(): void {
    const held = new Set(this.#keys.map(({ id }) => id));
    for (const streams of this.#tables.values()) {
      for (const id of streams.keyIds?.() ?? []) if (!held.has(id)) void streams.forgetKey(id);
    }
  }

  #passUnsigned(frames: readonly Buffer[]): Verdict {
    this.#observer.unsigned();
    return { ok: true, frames: [...frames], origin: undefined, rest: NONE };
  }

  #refuse(reason: Reason, refused: Refused): { ok: false } & Rejection {
    return { ok: false, ...this.#observer.rejected(this.#refusals.describe(reason, refused)) };
  }

  /** The header of a malformed message for the log, where it can be read. */
  #claimedHeader(frames: readonly Buffer[]): Header | undefined {
    const frame = frames[signaturePosition(this.pattern, false, this.#place.hops, frames).index];
    const header = hasMagic(frame) ? readHeader(frame) : undefined;
    return typeof header === "object" ? header : undefined;
  }
}

/** zeromq.js gives buffers: then these are they. */
function asBuffers(received: readonly Uint8Array[]): readonly Buffer[] {
  for (let i = 0; i < received.length; i++) if (!Buffer.isBuffer(received[i])) return received.map(asBuffer);
  return received as readonly Buffer[];
}

function asBuffer(frame: Uint8Array): Buffer {
  return Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
}

function policyOf({ policy = "enforce" }: VerifierOptions): "enforce" | "report" {
  if (policy !== "enforce" && policy !== "report") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `policy must be "enforce" or "report"; got ${String(policy)}.`);
  }
  return policy;
}

function maxAgeOf({ maxAge }: VerifierOptions): Micros | undefined {
  return maxAge === undefined ? undefined : microsOf("maxAge", maxAge);
}

function admissionOf(options: VerifierOptions, ageOf: AgeOf | undefined): Admission {
  const { admit = "clock", skew = 0 } = options;
  const maxAge = maxAgeOf(options);
  if (admit === "clock") return admitByClock({ skew: microsOf("skew", skew), maxAge });
  if (admit !== "challenge") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `admit must be "clock" or "challenge"; got ${String(admit)}.`);
  }
  if (greets(options.pattern) || subscribes(options.pattern)) return admitByChallenge(maxAge, ageOf);
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    `A ${options.pattern} cannot ask whoever speaks to it: admit "challenge" is for ROUTER, DEALER, REQ, REP, PAIR, SUB ` +
      'and XSUB. Use "clock".',
  );
}
