// The verifying pipeline of one channel: received frames in, a verdict out. Four questions, in this order, of the bytes as
// they came; nothing is remembered of a message that failed one.

import { timingSafeEqual } from "node:crypto";
import type { Admission } from "../admission/admission.js";
import { admitByClock } from "../admission/clock.js";
import type { Micros } from "../clock.js";
import { CodecError } from "../codec/error.js";
import { formatKeyId } from "../keys/key.js";
import type { Reason } from "../reasons.js";
import { GapTracker } from "../replay/gaps.js";
import type { Eventual, Ruling } from "../replay/state.js";
import { Observer, type Rejection, type VerifierStats } from "../session/observer.js";
import { Refusals } from "../session/refusals.js";
import { topicName } from "../session/topics.js";
import type { Header as WireHeader } from "../wire/header.js";
import { EPOCH_AHEAD } from "../wire/limits.js";
import { parseDate } from "./date.js";
import { type Form, split } from "./frames.js";
import { areSigned, HARDENED_KEY, readStamp, type Stamp, withoutStamp } from "./hardened.js";
import type { Memory } from "./memory.js";
import type { Channel, Dict, HardenedOrigin, Header, ReceivedMessage, Role } from "./message.js";
import type { Settings } from "./options.js";
import { unpackDict } from "./packer.js";
import { isPlausible, patternOf } from "./place.js";

/** What is said of a message: it, or why it was refused. */
export type JupyterVerdict =
  | { readonly ok: true; readonly message: ReceivedMessage }
  | ({ readonly ok: false } & Rejection);

/** Counters of a channel. */
export interface ChannelStats extends VerifierStats {
  /** Of the accepted messages, those that were plain Jupyter: signed, but with no number, channel or recipient. */
  readonly plain: number;
}

/** Whose channel it is. */
export interface Place {
  readonly role: Role;
  readonly channel: Channel;
}

/** What is known of a message once its signature is. */
interface Opened {
  readonly form: Form;
  readonly header: Header;
  readonly metadata: Dict;
}

/** Verifies what comes in on one channel. */
export class Receiver {
  readonly #settings: Settings;
  readonly #memory: Memory;
  /** `undefined` where messages are verified off any channel: then all are plain. */
  readonly #place: Place | undefined;
  readonly #admit: Admission;
  readonly #gaps: GapTracker;
  readonly #observer: Observer;
  readonly #refusals: Refusals;
  readonly #expected: Buffer;
  readonly #keyIdText: string;
  #plain = 0;

  constructor(settings: Settings, memory: Memory, place: Place | undefined) {
    const { role, clock, skew, maxAge, limits, window, key } = settings;
    this.#settings = settings;
    this.#memory = memory;
    this.#place = place;
    this.#admit = admitByClock({ skew, maxAge });
    this.#gaps = new GapTracker(limits.peers, window);
    this.#observer = new Observer(settings, true);
    this.#refusals = new Refusals(patternOf(role ?? "client", place?.channel), place?.channel ?? "", clock);
    this.#keyIdText = formatKeyId(settings.keyId);
    this.#expected = Buffer.alloc(key?.signatureBytes ?? 0);
  }

  /** Counters since this channel was made. */
  get stats(): ChannelStats {
    const streams = this.#place === undefined ? 0 : this.#memory.streams(this.#place.channel).size;
    return { ...this.#observer.stats(streams), plain: this.#plain };
  }

  /** Verifies one message as ZeroMQ delivered it. Never throws on what came from outside. */
  examine(frames: readonly Buffer[]): Eventual<JupyterVerdict> {
    const { key } = this.#settings;

    // 1. Is it well formed?
    const form = split(frames, this.#expected.length, this.#settings.limits);
    if (typeof form === "string") return this.#refuse(form);

    // 2. Whose is it, and is it intact?
    const tag = key?.tag(form.parts);
    if (tag !== undefined && !this.#matches(form.signature, tag)) return this.#refuse("bad-signature");
    const opened = this.#open(form);
    if (opened === undefined) return this.#refuse("undecodable", { authentic: tag !== undefined });
    if (tag === undefined) return this.#deliverUnsigned(opened);
    const field = opened.metadata[HARDENED_KEY];
    if (field === undefined || this.#place === undefined || !this.#settings.harden) {
      return this.#examinePlain(opened, tag);
    }
    const stamp = readStamp(field);
    if (typeof stamp === "string") return this.#refuse(stamp, { authentic: true });
    return this.#examineHardened(opened, stamp, this.#place);
  }

  /** Questions 1 and 2 alone: what stands in a message. Counts, tells and remembers nothing. */
  peek(frames: readonly Buffer[]): ReceivedMessage | Reason {
    const { key, limits } = this.#settings;
    const form = split(frames, this.#expected.length, limits);
    if (typeof form === "string") return form;
    if (key !== undefined && !this.#matches(form.signature, key.tag(form.parts))) return "bad-signature";
    const opened = this.#open(form);
    return (opened && this.#read(opened, undefined)) ?? "undecodable";
  }

  /** The subscription changed: what was not asked for is not lost. */
  resetGaps(): void {
    this.#gaps.reset();
  }

  /** Lower-case hexadecimal, and nothing else, in constant time. */
  #matches(signature: Buffer, tag: Buffer): boolean {
    this.#expected.write(tag.toString("hex"), "latin1");
    return timingSafeEqual(this.#expected, signature);
  }

  /** Header and metadata, which the other questions are asked of. */
  #open(form: Form): Opened | undefined {
    try {
      const { packer } = this.#settings;
      const header = unpackDict(packer, form.parts[0]);
      if (typeof header.msg_id !== "string" || typeof header.msg_type !== "string") return undefined;
      return { form, header: header as Header, metadata: unpackDict(packer, form.parts[2]) };
    } catch (error) {
      return ifUndecodable(error);
    }
  }

  /** What plain Jupyter leaves open is closed as far as the signed bytes allow: its type, its date, its tag. */
  #examinePlain(opened: Opened, tag: Buffer): JupyterVerdict {
    const { clock, maxAge, skew } = this.#settings;
    const { header } = opened;
    const now = clock();
    const sentAt = parseDate(header.date);
    const claimed = this.#claimed(header.session, { epoch: 0, sequence: 0, ordinal: 0, sentAt: sentAt ?? 0 });
    const refuse = (reason: Reason, since?: Micros) =>
      this.#refuse(reason, { header: claimed, authentic: true, since });
    if (this.#isMine(header, tag, sentAt)) return refuse("reflected");
    if (this.#isDowngrade(header)) return refuse("not-hardened");
    if (this.#place && !isPlausible(header.msg_type, this.#place.role, this.#place.channel)) {
      return refuse("wrong-channel");
    }

    // The signature does not say where a part ends: parts cut elsewhere have the genuine tag, and must not use it up.
    const message = this.#read(opened, undefined, sentAt);
    if (message === undefined) return refuse("undecodable");

    // 3. Is it live?
    if (sentAt === undefined) return refuse("not-live");
    if (sentAt > now + EPOCH_AHEAD) return refuse("future-epoch");
    if (maxAge !== undefined && now - sentAt > maxAge) return refuse("too-old");
    // 3. Is that enough? 4. Is it new?
    const { received } = this.#memory;
    const ruling = received.admit(tag, sentAt, sentAt - skew);
    if (ruling !== "new") return refuse(ruling, ruling === "not-live" ? received.since : undefined);

    this.#plain++;
    this.#observer.accepted(this.#origin(claimed, false, false));
    return { ok: true, message };
  }

  #examineHardened(opened: Opened, stamp: Stamp, place: Place): Eventual<JupyterVerdict> {
    const { identity, clock, keyId } = this.#settings;
    const claimed = this.#claimed(stamp.sender, stamp);
    const reason = this.#misplaced(opened.form, stamp, place);
    if (reason !== undefined) return this.#refuse(reason, { header: claimed, authentic: true });

    // 3. Is it live? What it proves of that.
    const evidence = this.#admit({ header: claimed, answersMe: false, now: clock() });
    if (typeof evidence === "string") return this.#refuse(evidence, { header: claimed, authentic: true });

    // 3. Is that enough? 4. Is it new? Asked and remembered in one step, by whoever holds the memory.
    const ruling = this.#memory.streams(place.channel).admit({
      stream: stamp.sender,
      epoch: stamp.epoch,
      sequence: stamp.sequence,
      count: 1,
      keyId,
      signedAfter: evidence.signedAfter,
      toFreshName: evidence.freshNameCounts && this.#memory.nameIsFresh && stamp.to === identity.name,
      unproven: evidence.unproven,
    });
    if (typeof ruling === "string") return this.#conclude(opened, stamp, claimed, place, ruling);
    return ruling.then((later) => this.#conclude(opened, stamp, claimed, place, later));
  }

  /** Why a hardened message does not belong here, or is not what was signed. */
  #misplaced({ identities, buffers }: Form, stamp: Stamp, { role, channel }: Place): Reason | undefined {
    const { name, alias } = this.#settings.identity;
    if (stamp.from === role) return stamp.sender === name ? "reflected" : "wrong-pattern";
    if (stamp.channel !== channel) return "wrong-channel";
    if (stamp.to !== undefined && stamp.to !== name && stamp.to !== alias) return "wrong-recipient";
    if (stamp.to === undefined && role === "client" && channel !== "iopub") return "not-addressed";
    if (stamp.topic !== undefined && !isTopic(identities, stamp.topic)) return "wrong-topic";
    // A DEALER has no return addresses: nobody signed what stands there.
    if (stamp.topic === undefined && role === "client" && identities.length > 0) return "malformed";
    return areSigned(buffers, stamp.buffers) ? undefined : "bad-buffers";
  }

  /** A ruling that is neither "new" nor "late" is why the message is refused. */
  #conclude(
    opened: Opened,
    stamp: Stamp,
    claimed: WireHeader,
    { channel }: Place,
    ruling: Ruling,
  ): JupyterVerdict {
    const { header } = opened;
    if (ruling !== "new" && ruling !== "late") {
      const since = ruling === "not-live" ? this.#memory.streams(channel).sinceOf(stamp.sender) : undefined;
      return this.#refuse(ruling, { header: claimed, authentic: true, since });
    }
    this.#memory.hardened.learn(stamp.sender);
    this.#memory.hardened.learn(header.session);
    this.#observeGap(stamp, claimed, ruling === "late");
    const origin = this.#origin(claimed, stamp.to !== undefined, ruling === "late");
    const message = this.#read(opened, origin, stamp.sentAt);
    if (message === undefined) return this.#refuse("undecodable", { header: claimed, authentic: true });
    this.#observer.accepted(origin);
    return { ok: true, message };
  }

  #observeGap(
    { epoch, ordinal, to, topic }: Stamp,
    { sender, pattern, sequence }: WireHeader,
    late: boolean,
  ): void {
    if (ordinal === 0) return;
    const counted = topic === undefined ? (to === undefined ? "" : "to me") : topicName(Buffer.from(topic));
    const lost = this.#gaps.observe(`${sender} ${counted}`, { epoch, ordinal, count: 1, late });
    if (lost === 0) return;
    const gap = { sender, channel: this.#place!.channel, pattern, lost, epoch, sequence };
    this.#observer.gap(topic === undefined ? gap : { ...gap, topic: Buffer.from(topic) });
  }

  /** By its tag alone: some kernels put their client's session into the headers of what they answer. */
  #isMine(header: Header, tag: Buffer, sentAt: Micros | undefined): boolean {
    const { sent } = this.#memory;
    if (sent.has(tag)) return true;
    // What was sent and forgotten is not younger than that.
    return header.session === this.#settings.identity.name && sentAt !== undefined && sentAt <= sent.since;
  }

  /** Plain, though its sender hardens, or though nothing else is taken: never let through for want of the rest. */
  #isDowngrade({ session }: Header): boolean {
    const { harden, require } = this.#settings;
    if (require === "hardened") return true;
    if (!harden || this.#place === undefined) return false;
    // A client hears its kernel alone, whoever else holds the key.
    if (require === "best" && this.#place.role === "client" && this.#memory.hardened.any) return true;
    return this.#memory.hardened.has(session);
  }

  #deliverUnsigned(opened: Opened): JupyterVerdict {
    const message = this.#read(opened, undefined, parseDate(opened.header.date));
    if (message === undefined) return this.#refuse("undecodable");
    this.#observer.unsigned();
    return { ok: true, message };
  }

  /** The message for the application; `undefined` where the rest of it does not unpack. */
  #read(
    { form, header, metadata }: Opened,
    origin: HardenedOrigin | undefined,
    sentAt = parseDate(header.date),
  ): ReceivedMessage | undefined {
    const { packer } = this.#settings;
    const { parts, buffers, identities } = form;
    try {
      const message: ReceivedMessage = {
        header,
        parent_header: unpackDict(packer, parts[1]),
        metadata: origin === undefined ? metadata : withoutStamp(metadata),
        content: unpackDict(packer, parts[3]),
        buffers,
        identities,
        origin,
        unsignedBuffers: origin === undefined && buffers.length > 0,
        sentAt,
      };
      return message;
    } catch (error) {
      return ifUndecodable(error);
    }
  }

  /** What a message claims to be, as Countersign's own header would say it: for counters, callbacks and the log. */
  #claimed(
    sender: unknown,
    { epoch, sequence, ordinal, sentAt }: Pick<Stamp, "epoch" | "sequence" | "ordinal" | "sentAt">,
  ): WireHeader {
    const from = this.#settings.role === "kernel" ? "client" : "kernel";
    return {
      kind: "data",
      flags: 0,
      pattern: patternOf(from, this.#place?.channel),
      keyId: this.#settings.keyId,
      ordinal,
      epoch,
      sequence,
      sentAt,
      sender: typeof sender === "string" ? sender.slice(0, LONGEST_SHOWN) : "",
    };
  }

  #origin(claimed: WireHeader, addressed: boolean, late: boolean): HardenedOrigin {
    const { sender, pattern, epoch, sequence, sentAt } = claimed;
    const channel = this.#place?.channel ?? "";
    return { sender, channel, pattern, keyId: this.#keyIdText, epoch, sequence, sentAt, addressed, late };
  }

  #refuse(reason: Reason, refused: Parameters<Refusals["describe"]>[1] = {}): { ok: false } & Rejection {
    return { ok: false, ...this.#observer.rejected(this.#refusals.describe(reason, refused)) };
  }
}

/** Most characters of a plain message's session that a log shows. */
const LONGEST_SHOWN = 128;

function isTopic(identities: readonly Buffer[], topic: string): boolean {
  return identities.length === 1 && Buffer.from(topic).equals(identities[0] as Buffer);
}

function ifUndecodable(error: unknown): undefined {
  if (!(error instanceof CodecError)) throw error;
}
