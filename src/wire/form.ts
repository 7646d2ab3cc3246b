// Question 1: is it well formed? Position, header, flags against the socket that received the message, layout and
// limits, all before any cryptography and without touching a key or a state (docs/wire.md, sections 3 to 7).

import type { Reason } from "../reasons.js";
import { CONTROL_BYTES, readControl } from "./control.js";
import { FLAGS, type Header, hasMagic, headerLength, type Kind, readHeader } from "./header.js";
import { type Limits, WIRE } from "./limits.js";
import { greets, hears, type Pattern, subscribes } from "./patterns.js";
import {
  lengthPrefixed,
  measureBatch,
  measureInline,
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
  /** The signature frame's first bytes, as the tag covers them. */
  readonly headerBytes: Buffer;
  readonly tag: Buffer;
  /** The frames in front of the signature: ids and delimiter, or the topic. */
  readonly routing: readonly Buffer[];
  /** Set where the tag covers the topic. */
  readonly topic: Buffer | undefined;
  /** The payload's bytes in the order in which the tag covers them. */
  readonly payload: readonly Buffer[];
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
  const has = (flag: number) => (header.flags & flag) !== 0;
  if (!takesKind(header.kind, receiver)) return "unsupported";
  if (!hears(receiver, header.pattern)) return "wrong-pattern";
  if (has(FLAGS.sealed)) return "unsupported";
  if (has(FLAGS.topic) !== subscribes(receiver)) return "malformed";
  if (has(FLAGS.delimited) !== position.delimited) return "wrong-envelope";
  if (has(FLAGS.recipientKey) && !has(FLAGS.addressed)) return "malformed";
  if (isControl(header) !== (header.sequence === 0)) return "malformed";
  if (isControl(header) && (!has(FLAGS.inline) || header.ordinal !== 0)) return "malformed";
  if (header.kind === "batch" && (!has(FLAGS.inline) || has(FLAGS.delimited) || has(FLAGS.bound)))
    return "malformed";
  return checkDirection(header, receiver);
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
function checkDirection(header: Header, receiver: Pattern): Reason | undefined {
  const fromServer = header.pattern === "router" || header.pattern === "rep";
  const addressed = (header.flags & FLAGS.addressed) !== 0;
  const bound = (header.flags & FLAGS.bound) !== 0;
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
  const inline = (header.flags & FLAGS.inline) !== 0;
  if (inline ? frames.length !== index + 1 : frame.length !== tagEnd) return "malformed";
  const topic = (header.flags & FLAGS.topic) !== 0 ? (frames[index - 1] as Buffer) : undefined;
  const fewest = mayBeEmpty(header, receiver) ? 0 : 1;
  const payload = inline
    ? measured(frame.subarray(tagEnd), header, limits, fewest)
    : detached(frames, index + 1, limits, fewest);
  if (typeof payload === "string") return payload;
  return {
    header,
    headerBytes: frame.subarray(0, tagAt),
    tag: frame.subarray(tagAt, tagEnd),
    routing: frames.slice(0, index),
    topic,
    payload,
  };
}

/** Only a message that has a topic or a delimiter may have no body: ZeroMQ knows no message without frames. */
function mayBeEmpty({ flags }: Header, receiver: Pattern): boolean {
  if ((flags & FLAGS.topic) !== 0) return true;
  return (flags & FLAGS.delimited) !== 0 && receiver !== "rep" && receiver !== "req";
}

function measured(
  region: Buffer,
  header: Header,
  limits: Limits,
  fewest: number,
): readonly Buffer[] | Reason {
  if (isControl(header))
    return region.length === CONTROL_BYTES && readControl(region) ? [region] : "malformed";
  const batch = header.kind === "batch";
  const misfit = batch ? measureBatch(region, limits, fewest) : measureInline(region, limits, fewest);
  if (misfit !== undefined) return misfit;
  // Subtracted, not added: above 2^53 a sum would be rounded back into range.
  if (batch && header.sequence > WIRE.maxNumber - (region.readUInt32BE(0) - 1)) return "malformed";
  return [region];
}

function detached(
  frames: readonly Buffer[],
  first: number,
  limits: Limits,
  fewest: number,
): readonly Buffer[] | Reason {
  const body = frames.slice(first);
  if (body.length < fewest) return "malformed";
  if (!withinLimits(body, limits)) return "too-large";
  const lengths = Buffer.allocUnsafe(4 + 4 * body.length);
  writeLengths(lengths, 0, body);
  return [lengths, ...body];
}

/** How many messages a form holds: 1, or the number in its batch. */
export function messageCount(form: Form): number {
  return form.header.kind === "batch" ? (form.payload[0] as Buffer).readUInt32BE(0) : 1;
}

/** The bodies of a form that has been verified: one, or all of a batch. Inline ones are views, not copies. */
export function readBodies(form: Form): Buffer[][] {
  const first = form.payload[0] as Buffer;
  if (form.header.kind === "batch") return readBatch(first);
  if ((form.header.flags & FLAGS.inline) !== 0) return [readPayload(first, 0).frames];
  return [form.payload.slice(1)];
}

/** What the tag covers, in order: header, topic, payload, context (docs/wire.md, section 7). */
export function coveredParts(
  headerBytes: Buffer,
  topic: Buffer | undefined,
  payload: readonly Buffer[],
  context: readonly Buffer[],
): Buffer[] {
  const covered = topic === undefined ? [] : [lengthPrefixed(topic)];
  return [headerBytes, ...covered, ...payload, ...context];
}

/** The frames as the application gave them, of a message that this process signed itself with the signature at `index`. */
export function unsign(frames: readonly Buffer[], index: number): Buffer[] {
  const frame = frames[index] as Buffer;
  const tagEnd = WIRE.headerBytes + (frame[7] as number) + WIRE.tagBytes;
  const body =
    ((frame[4] as number) & FLAGS.inline) !== 0
      ? readPayload(frame.subarray(tagEnd), 0).frames
      : frames.slice(index + 1);
  return [...frames.slice(0, index), ...body];
}
