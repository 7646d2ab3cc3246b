// Question 1: is it well formed? Position, header, flags against the socket that received the message, layout and
// limits, all before any cryptography and without touching a key or a state (docs/wire.md, sections 3 to 7).

import type { Reason } from "../reasons.js";
import { type ControlBody, readControl } from "./control.js";
import { FLAGS, type Header, hasMagic, headerLength, type Kind, readHeader } from "./header.js";
import { readU32 } from "./integers.js";
import { type Limits, WIRE } from "./limits.js";
import { greets, hears, type Pattern, subscribes } from "./patterns.js";
import {
  measureBatch,
  measureInline,
  onlyFrame,
  readBatch,
  readPayload,
  withinLimits,
  writeLengths,
} from "./payload.js";
import { type Position, signaturePosition } from "./position.js";

/** The place where a message was received, as far as its form depends on it. */
export interface Place {
  readonly pattern: Pattern;
  readonly hops: number;
  readonly limits: Limits;
}

/** A message that is well formed; nothing in it has been verified. */
export interface Form {
  readonly header: Header;
  /** The signature frame: header, tag, and the payload of an inline message. */
  readonly frame: Buffer;
  /** Where in it the header ends and the tag begins. */
  readonly tagAt: number;
  /** The frames in front of the signature: ids and delimiter, or the topic. */
  readonly routing: readonly Buffer[];
  /** Set where the tag covers the topic. */
  readonly topic: Buffer | undefined;
  /** The payload of a detached message as the tag covers it: count and lengths, then the frames. Empty where it is inline. */
  readonly detached: readonly Buffer[];
}

/** The fixed, unsigned answer of a REP to a request that it refused (docs/wire.md, section 9). */
export const REFUSED = Buffer.from([0xc1, 0x53, 1, 7, 0, 4, 0, 0]);

/** Reads a received message as far as that needs no key, or says why it is refused. */
export function readForm(frames: readonly Buffer[], place: Place): Form | Reason {
  const position = signaturePosition(place.pattern, false, place.hops, frames);
  const frame = frames[position.index];
  if (!hasMagic(frame)) return "unsigned";
  if (place.pattern === "req" && frame.equals(REFUSED)) return "refused";
  const header = readHeader(frame);
  if (typeof header === "string") return header;
  const misfit = checkFlags(header, place.pattern, position);
  if (misfit !== undefined) return misfit;
  return readLayout(frames, position.index, header, place.limits, place.pattern);
}

/** Do the header's fields fit each other, and the socket that received it? */
function checkFlags(header: Header, receiver: Pattern, position: Position): Reason | undefined {
  const { flags, kind } = header;
  if (!takesKind(kind, receiver)) return "unsupported";
  if (!hears(receiver, header.pattern)) return "wrong-pattern";
  if (has(flags, FLAGS.sealed)) return "unsupported";
  if (has(flags, FLAGS.topic) !== subscribes(receiver)) return "malformed";
  if (has(flags, FLAGS.delimited) !== position.delimited) return "wrong-envelope";
  if (has(flags, FLAGS.recipientKey) && !has(flags, FLAGS.addressed)) return "malformed";
  if (isControl(header) !== (header.sequence === 0)) return "malformed";
  if (isControl(header) && (!has(flags, FLAGS.inline) || header.ordinal !== 0)) return "malformed";
  if (kind === "batch" && (!has(flags, FLAGS.inline) || has(flags, FLAGS.delimited | FLAGS.bound)))
    return "malformed";
  return checkDirection(header, receiver);
}

/** Is one of these flags set? */
function has(flags: number, these: number): boolean {
  return (flags & these) !== 0;
}

/** What this receiver can do something with: a subscriber is synchronised, two-way sockets greet each other. */
function takesKind(kind: Kind, receiver: Pattern): boolean {
  if (kind === "data" || kind === "batch") return true;
  return kind === "sync" ? subscribes(receiver) : GREETING.includes(kind) && greets(receiver);
}

const GREETING: readonly Kind[] = ["hello", "challenge", "echo"];

/** Whether a message is between the two ends themselves: of no stream, never delivered. */
export function isControl({ kind }: Header): boolean {
  return kind !== "data" && kind !== "batch";
}

/** A ROUTER or REP names whom it speaks to, and tells a REQ which request it answers. */
function checkDirection({ pattern, flags }: Header, receiver: Pattern): Reason | undefined {
  const fromServer = pattern === "router" || pattern === "rep";
  const addressed = has(flags, FLAGS.addressed);
  const bound = has(flags, FLAGS.bound);
  if (bound && (!fromServer || !addressed)) return "malformed";
  if (bound && receiver !== "req") return "unsupported";
  if (fromServer && receiver !== "router" && !addressed) return "not-addressed";
  if (receiver === "req" && !bound) return "not-bound";
  return undefined;
}

function readLayout(
  frames: readonly Buffer[],
  index: number,
  header: Header,
  limits: Limits,
  receiver: Pattern,
): Form | Reason {
  const frame = frames[index] as Buffer;
  const tagAt = headerLength(header);
  const tagEnd = tagAt + WIRE.tagBytes;
  if (frame.length < tagEnd) return "malformed";
  const inline = has(header.flags, FLAGS.inline);
  if (inline ? frames.length !== index + 1 : frame.length !== tagEnd) return "malformed";
  const fewest = mayBeEmpty(header, receiver) ? 0 : 1;
  const detached = inline
    ? (misfitInline(frame, tagEnd, header, limits, fewest) ?? NOTHING)
    : readDetached(frames, index + 1, limits, fewest);
  if (typeof detached === "string") return detached;
  const topic = has(header.flags, FLAGS.topic) ? frames[index - 1] : undefined;
  return {
    header,
    frame,
    tagAt,
    routing: frontOf(frames, index),
    topic,
    detached,
  };
}

/** The frames before the signature. A literal, and below another: slices and spreads take a tenth of a small message's time. */
function frontOf(frames: readonly Buffer[], count: number): readonly Buffer[] {
  if (count === 0) return NOTHING;
  return count === 1 ? [frames[0] as Buffer] : frames.slice(0, count);
}

function behind(routing: readonly Buffer[], only: Buffer): Buffer[] {
  if (routing.length === 0) return [only];
  return routing.length === 1 ? [routing[0] as Buffer, only] : [...routing, only];
}

const NOTHING: readonly Buffer[] = Object.freeze([]);

/** Only a message that has a topic or a delimiter may have no body: ZeroMQ knows no message without frames. */
function mayBeEmpty({ flags }: Header, receiver: Pattern): boolean {
  if (has(flags, FLAGS.topic)) return true;
  return has(flags, FLAGS.delimited) && receiver !== "rep" && receiver !== "req";
}

/** Why what stands in a signature frame from `at` is no payload; `undefined` where it is one. */
function misfitInline(
  frame: Buffer,
  at: number,
  header: Header,
  limits: Limits,
  fewest: number,
): Reason | undefined {
  if (isControl(header)) return readControl(frame.subarray(at)) === undefined ? "malformed" : undefined;
  if (header.kind !== "batch") return measureInline(frame, at, limits, fewest);
  const misfit = measureBatch(frame, at, limits, fewest);
  if (misfit !== undefined) return misfit;
  // Subtracted, not added: above 2^53 a sum would be rounded back into range.
  return header.sequence > WIRE.maxNumber - (readU32(frame, at) - 1) ? "malformed" : undefined;
}

function readDetached(
  frames: readonly Buffer[],
  first: number,
  limits: Limits,
  fewest: number,
): readonly Buffer[] | Reason {
  const body = frames.slice(first);
  if (body.length < fewest) return "malformed";
  if (!withinLimits(body, limits)) return "too-large";
  return coveredDetached(body);
}

/** What the tag of a detached message covers behind its signature frame: count and lengths, then the frames. */
export function coveredDetached(body: readonly Buffer[]): Buffer[] {
  const lengths = Buffer.allocUnsafe(4 + 4 * body.length);
  writeLengths(lengths, 0, body);
  return [lengths, ...body];
}

/** How many messages a form holds: 1, or the number in its batch. */
export function messageCount({ header, frame, tagAt }: Form): number {
  return header.kind === "batch" ? readU32(frame, tagAt + WIRE.tagBytes) : 1;
}

/** The body of a control message. */
export function controlBody({ frame, tagAt }: Form): ControlBody {
  return readControl(frame.subarray(tagAt + WIRE.tagBytes)) as ControlBody;
}

/**
 * The messages of a form that has been verified, as their applications get them: routing or topic, then the body. One, or
 * all of a batch. Inline bodies are views, not copies.
 */
export function readMessages({ header, frame, tagAt, routing, detached }: Form): Buffer[][] {
  const payload = tagAt + WIRE.tagBytes;
  if (!has(header.flags, FLAGS.inline)) return [[...routing, ...detached.slice(1)]];
  if (header.kind === "batch") return readBatch(frame, payload, routing);
  const only = onlyFrame(frame, payload);
  if (only !== undefined) return [behind(routing, only)];
  const message = [...routing];
  readPayload(frame, payload, message);
  return [message];
}
