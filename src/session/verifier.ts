// The verifying pipeline: received frames in, a verdict out, synchronous. Four questions, in this order; nothing is
// remembered of a message that failed one.

import type { Admission } from "../admission/admission.js";
import { admitByClock } from "../admission/clock.js";
import { type Clock, wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import type { Key } from "../keys/key.js";
import { Keyring } from "../keys/keyring.js";
import { randomName } from "../keys/names.js";
import type { Reason } from "../reasons.js";
import { MemoryState } from "../replay/state.js";
import type { Slot, StreamTable } from "../replay/stream-table.js";
import { type Form, messageCount, type Place, readBodies, readForm } from "../wire/form.js";
import { FLAGS, type Header, hasMagic, readHeader } from "../wire/header.js";
import { heardBy, type Pattern, receives } from "../wire/patterns.js";
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
  microsOf,
  patternOf,
  type VerifierOptions,
  windowOf,
} from "./options.js";
import { Origin } from "./origin.js";
import { Refusals, type Refused } from "./refusals.js";

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
  | ({ readonly ok: false } & Rejection);

const NONE: readonly Delivery[] = [];

/** Verifies messages for one receiver: one socket type on one channel. */
export class Verifier {
  /** The socket type that receives. */
  readonly pattern: Pattern;
  /** The channel everything must be signed for. */
  readonly channel: string;
  /** The name it is addressed by. */
  readonly identity: Identity;
  readonly #place: Place;
  readonly #report: boolean;
  readonly #clock: Clock;
  readonly #keyring: Keyring;
  readonly #authenticator: Authenticator;
  readonly #admit: Admission;
  /** Whether nobody can have heard what is addressed to my name: I made it, and for this verifier alone. */
  readonly #nameIsFresh: boolean;
  readonly #tables = new Map<Pattern, StreamTable>();
  readonly #gaps: GapWatch;
  readonly #refusals: Refusals;
  readonly #observer: Observer;
  #keys: readonly Key[];
  #revision: number;

  /** @throws CountersignError for options that cannot work */
  constructor(options: VerifierOptions) {
    assertOptions(options);
    this.#clock = options.clock ?? wallClock;
    const state = options.state ?? new MemoryState({ clock: this.#clock });
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
    this.#keyring = Keyring.from(options.key);
    this.#keys = this.#keyring.keys;
    this.#revision = this.#keyring.revision;
    this.#authenticator = new Authenticator(this.#keyring, this.identity, channel, this.#clock);
    this.#admit = admissionOf(options);
    const receiver = options.receiver ?? randomName();
    for (const heard of heardBy(pattern)) {
      this.#tables.set(heard, state.table(receiver, channel, heard, { window, limit: limits.streams }));
    }
    this.#gaps = new GapWatch({ pattern, channel, hops, window, limit: limits.peers });
    this.#refusals = new Refusals(pattern, channel, this.#clock);
    this.#observer = new Observer(options);
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
   */
  verify(received: readonly Uint8Array[], requestTag?: Uint8Array): Verdict {
    const frames = received.map(asBuffer);
    this.#followKeyring();

    // 1. Is it well formed?
    const form = readForm(frames, this.#place);
    if (form === "unsigned" && this.#report) return this.#passUnsigned(frames);
    if (typeof form === "string") return this.#refuse(form, { header: this.#claimedHeader(frames) });
    const { header } = form;

    // 2. Whose is it, and is it intact?
    const key = this.#authenticator.authenticate(form, requestTag);
    if (typeof key === "string") return this.#refuse(key, { header });
    if (this.#isMine(header)) return this.#refuse("reflected", { header, authentic: true });

    // 3. Is it live?
    const table = this.#tables.get(header.pattern) as StreamTable;
    const slot = table.find(header.sender);
    const since = table.sinceFor(slot);
    const dead = this.#checkLive(header, table, slot);
    if (dead === "not-live") return this.#refuse(dead, { header, authentic: true, since });
    if (dead !== undefined) return this.#refuse(dead, { header, authentic: true });

    // 4. Is it new?
    const numbers = { epoch: header.epoch, sequence: header.sequence, count: messageCount(form) };
    const seen = table.check(slot, numbers);
    if (seen !== undefined) return this.#refuse(seen, { header, authentic: true });

    // Verified: remember, then deliver.
    const late = table.isLate(slot, numbers);
    table.remember(header.sender, slot, numbers, key.id, this.#clock());
    return this.#deliver(form, key, late);
  }

  /** Counts a delivered message as refused after all: its body did not decode. Its number stays used. */
  withdraw(origin: Origin | undefined, reason: "undecodable" | "invalid"): Rejection {
    this.#observer.withdrawn(origin !== undefined);
    const rejection = this.#refusals.describe(reason, { authentic: origin !== undefined });
    if (origin === undefined) return this.#observer.rejected(rejection);
    const { sender, pattern, keyId, epoch, sequence, sentAt } = origin;
    return this.#observer.rejected({
      ...rejection,
      claimed: { sender, pattern, keyId, epoch, sequence, sentAt },
    });
  }

  /** Forgets the counts that show gaps: the subscription changed, and what comes next is a new baseline. */
  resetGaps(): void {
    this.#gaps.reset();
  }

  #isMine({ sender, pattern }: Header): boolean {
    return sender === this.identity.name && pattern === this.pattern;
  }

  #checkLive(header: Header, table: StreamTable, slot: Slot): Reason | undefined {
    // Whoever forgot a stream may have heard already what was addressed to his name.
    const addressedToFreshName = this.#nameIsFresh && !table.forgot && (header.flags & FLAGS.addressed) !== 0;
    return this.#admit({
      header,
      known: table.knows(slot, header.epoch),
      answersMe: addressedToFreshName || (header.flags & FLAGS.bound) !== 0,
      since: table.sinceFor(slot),
      now: this.#clock(),
    });
  }

  #deliver(form: Form, key: Key, late: boolean): Verdict {
    const gap = this.#gaps.observe(form, late);
    if (gap !== undefined) this.#observer.gap(gap);
    const { header } = form;
    const requestTag = header.pattern === "req" ? Buffer.from(form.tag) : undefined;
    const peer = { name: header.sender, key, requestTag };
    const deliveries = readBodies(form).map((body, offset): Delivery => {
      const origin = new Origin(header, this.channel, late, offset, peer);
      this.#observer.accepted(origin);
      return { frames: [...form.routing, ...body], origin };
    });
    const [first, ...rest] = deliveries as [Delivery, ...Delivery[]];
    return { ok: true, frames: first.frames, origin: first.origin, rest: rest.length === 0 ? NONE : rest };
  }

  /** A key that left the ring is revoked: what it vouched for last is forgotten, and memory begins now. */
  #followKeyring(): void {
    if (this.#keyring.revision === this.#revision) return;
    this.#revision = this.#keyring.revision;
    // Asked by key, not by id: keys derived from one master share an id.
    const removed = this.#keys.filter((key) => !this.#keyring.keys.some((held) => held.equals(key)));
    this.#keys = this.#keyring.keys;
    for (const { id } of removed) {
      for (const table of this.#tables.values()) table.forgetKey(id, this.#clock());
    }
  }

  #passUnsigned(frames: Buffer[]): Verdict {
    this.#observer.unsigned();
    return { ok: true, frames, origin: undefined, rest: NONE };
  }

  #refuse(reason: Reason, refused: Refused): Verdict {
    return { ok: false, ...this.#observer.rejected(this.#refusals.describe(reason, refused)) };
  }

  /** The header of a malformed message for the log, where it can be read. */
  #claimedHeader(frames: readonly Buffer[]): Header | undefined {
    const frame = frames[signaturePosition(this.pattern, false, this.#place.hops, frames).index];
    const header = hasMagic(frame) ? readHeader(frame) : undefined;
    return typeof header === "object" ? header : undefined;
  }
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

function admissionOf({ admit = "clock", skew = 0, maxAge }: VerifierOptions): Admission {
  if (admit !== "clock") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `admit must be "clock"; got ${String(admit)}.`);
  }
  return admitByClock({
    skew: microsOf("skew", skew),
    maxAge: maxAge === undefined ? undefined : microsOf("maxAge", maxAge),
  });
}
