// The hardened part of a message: what Countersign's own signature frame would say, inside the metadata that Jupyter's
// signature covers (docs/jupyter.md, section 3). To fields and back; no keys, no state.

import { hash } from "node:crypto";
import type { Micros } from "../clock.js";
import type { Reason } from "../reasons.js";
import { WIRE } from "../wire/limits.js";
import type { Channel, Dict, Role } from "./message.js";

/** Where it stands in the metadata. Peers that do not know it ignore it. */
export const HARDENED_KEY = "countersign:hardened";

/** The version that this file speaks. */
const VERSION = 1;

/** What a hardened message says of itself. Times in microseconds since the Unix epoch. */
export interface Stamp {
  /** The sender's name: with channel and direction, the stream. */
  readonly sender: string;
  readonly channel: Channel;
  /** Which way it goes: what comes from a client goes to a kernel. */
  readonly from: Role;
  /** Whom it is addressed to; nobody in particular if left out. */
  readonly to: string | undefined;
  /** The topic in front of the delimiter (iopub only). */
  readonly topic: string | undefined;
  readonly epoch: number;
  readonly sequence: number;
  /** The n-th message to this recipient or topic in this epoch; 0 makes no claim. */
  readonly ordinal: number;
  readonly sentAt: Micros;
  /** SHA-256 of each buffer, in hexadecimal. */
  readonly buffers: readonly string[];
}

/** The field as it stands in the metadata. */
export function writeStamp(stamp: Stamp): Dict {
  const { sender, channel, from, to, topic, epoch, sequence, ordinal, sentAt, buffers } = stamp;
  return { v: VERSION, sender, channel, from, to, topic, epoch, sequence, ordinal, sent: sentAt, buffers };
}

/** The same as JSON text. Names are visible ASCII, but may hold a quotation mark or a backslash; topics hold anything. */
export function writeStampText(stamp: Stamp): string {
  const { sender, channel, from, to, topic, epoch, sequence, ordinal, sentAt, buffers } = stamp;
  const recipient = to === undefined ? "" : `"to":${JSON.stringify(to)},`;
  const envelope = topic === undefined ? "" : `"topic":${JSON.stringify(topic)},`;
  const digests = buffers.length === 0 ? "" : `"${buffers.join('","')}"`;
  return (
    `{"v":${VERSION},"sender":${JSON.stringify(sender)},"channel":"${channel}","from":"${from}",${recipient}${envelope}` +
    `"epoch":${decimal(epoch)},"sequence":${sequence},"ordinal":${ordinal},"sent":${decimal(sentAt)},"buffers":[${digests}]}`
  );
}

/** Nine digits fit into a small integer, and those are turned into text several times faster than doubles (measured). */
const NINE_DIGITS = 1e9;

function decimal(number: number): string {
  const high = Math.floor(number / NINE_DIGITS);
  return high === 0 ? String(number) : `${high}${String(number - high * NINE_DIGITS).padStart(9, "0")}`;
}

const FIELDS = "v sender channel from to topic epoch sequence ordinal sent buffers".split(" ");
const NUMBERS = ["epoch", "sequence", "ordinal", "sent"] as const;
const SENDER = /^[\x21-\x7d][\x21-\x7e]{0,63}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Reads a field that came from outside: every value in its range, and nothing that has no meaning. */
export function readStamp(field: unknown): Stamp | Extract<Reason, "malformed" | "unsupported-version"> {
  if (typeof field !== "object" || field === null || Array.isArray(field)) return "malformed";
  const given = field as Readonly<Record<string, unknown>>;
  const version = narrowed(given.v);
  if (version !== VERSION) return isNumber(version, 1) ? "unsupported-version" : "malformed";
  for (const name in given) if (!FIELDS.includes(name)) return "malformed";
  const { sender, channel, from, to, topic, buffers } = given;
  const [epoch, sequence, ordinal, sent] = NUMBERS.map((name) => narrowed(given[name]));
  const isSound =
    isName(sender) &&
    isChannel(channel) &&
    (from === "kernel" || from === "client") &&
    (to === undefined || isName(to)) &&
    (topic === undefined || typeof topic === "string") &&
    (topic !== undefined) === (channel === "iopub") &&
    isNumber(epoch, 1) &&
    isNumber(sequence, 1) &&
    isNumber(ordinal, 0) &&
    isNumber(sent, 0) &&
    isDigests(buffers);
  if (!isSound) return "malformed";
  return { sender, channel, from, to, topic, epoch, sequence, ordinal, sentAt: sent, buffers };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && SENDER.test(value);
}

function isChannel(value: unknown): value is Channel {
  return value === "shell" || value === "control" || value === "stdin" || value === "iopub";
}

/** MessagePack's 64-bit integers come as bigints; those that are too large stay so as numbers. */
function narrowed(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

function isNumber(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= WIRE.maxNumber;
}

function isDigests(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((digest) => typeof digest === "string" && DIGEST.test(digest));
}

/** Metadata as the application knows it. */
export function withoutStamp({ [HARDENED_KEY]: _, ...metadata }: Dict): Dict {
  return metadata;
}

/** The digests of buffers, as they are signed. */
export function digestsOf(buffers: readonly Uint8Array[]): string[] {
  return buffers.map((buffer) => hash("sha256", buffer, "hex"));
}

/** Are these the buffers that were signed? Their number is asked before anything is hashed. */
export function areSigned(buffers: readonly Uint8Array[], digests: readonly string[]): boolean {
  return (
    buffers.length === digests.length &&
    buffers.every((buffer, i) => hash("sha256", buffer, "hex") === digests[i])
  );
}
