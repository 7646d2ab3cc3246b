// The header of the signature frame: 40 bytes and the sender's name (docs/wire.md, section 3). Big-endian. Bytes to
// fields and back; no keys, no state.

import type { Reason } from "../reasons.js";
import { WIRE } from "./limits.js";
import { PATTERN_NAMES, PATTERNS, type Pattern } from "./patterns.js";

/** The first two bytes: C1 occurs neither in UTF-8 nor in msgpack. */
const MAGIC = 0xc153;
/** The only version this file speaks. */
export const VERSION = 1;

/** What a signed message is for. 3 and up are control kinds: they belong to no stream, and their number is 0. */
export const KINDS = {
  data: 1,
  batch: 2,
  hello: 3,
  challenge: 4,
  echo: 5,
  sync: 6,
  refused: 7,
  handshake: 8,
} as const;
/** A kind by name. */
export type Kind = keyof typeof KINDS;
/** Names by number, from 1. */
export const KIND_NAMES: readonly (Kind | undefined)[] = [undefined, ...(Object.keys(KINDS) as Kind[])];

/** Flag bits of byte 4. */
export const FLAGS = {
  /** The payload stands in the signature frame, behind the tag. */
  inline: 0x01,
  /** An empty delimiter frame stood before the signature when it was made. */
  delimited: 0x02,
  /** The topic frame before the signature is covered by the tag. */
  topic: 0x04,
  /** The tag of the request is part of the context. */
  bound: 0x08,
  /** The recipient's name is part of the context. */
  addressed: 0x10,
  /** Signed with a key derived from the recipient's key. */
  recipientKey: 0x20,
  /** The body is encrypted (sessions only). */
  sealed: 0x40,
} as const;
const KNOWN_FLAGS = Object.values(FLAGS).reduce((all, bit) => all | bit, 0);

/** The fields of a header. Times in microseconds, `keyId` as an unsigned 32-bit number. */
export interface Header {
  kind: Kind;
  flags: number;
  pattern: Pattern;
  keyId: number;
  /** The n-th message to this peer or topic in this epoch; 0 makes no claim. */
  ordinal: number;
  epoch: number;
  sequence: number;
  sentAt: number;
  sender: string;
}

/** Bytes of the header of a sender with this name. */
export function headerLength(header: Pick<Header, "sender">): number {
  return WIRE.headerBytes + header.sender.length;
}

/** Does this frame claim to be a signature frame? */
export function hasMagic(frame: Buffer | undefined): frame is Buffer {
  return frame !== undefined && frame.length >= 2 && frame[0] === MAGIC >> 8 && frame[1] === (MAGIC & 0xff);
}

/** Writes `header` at the start of `frame`, which has room for {@link headerLength} bytes. */
export function writeHeader(frame: Buffer, header: Header): void {
  frame.writeUInt16BE(MAGIC, 0);
  frame[2] = VERSION;
  frame[3] = KINDS[header.kind];
  frame[4] = header.flags;
  frame[5] = PATTERNS[header.pattern];
  frame[6] = 0;
  frame[7] = header.sender.length;
  frame.writeUInt32BE(header.keyId, 8);
  frame.writeUInt32BE(header.ordinal, 12);
  writeNumber(frame, 16, header.epoch);
  writeNumber(frame, 24, header.sequence);
  writeNumber(frame, 32, header.sentAt);
  frame.write(header.sender, WIRE.headerBytes, "latin1");
}

/**
 * Reads and checks the header of a frame that {@link hasMagic}: version, kind, flags, reserved byte, lengths and
 * every field's range. Whether the fields fit the socket is not asked here.
 */
export function readHeader(frame: Buffer): Header | Reason {
  if (frame.length < 3) return "malformed";
  if (frame[2] !== VERSION) return "unsupported-version";
  if (frame.length < WIRE.headerBytes) return "malformed";
  const kind = KIND_NAMES[frame[3] as number];
  const flags = frame[4] as number;
  const pattern = PATTERN_NAMES[frame[5] as number];
  const nameLength = frame[7] as number;
  if (kind === undefined || pattern === undefined) return "malformed";
  if ((flags & ~KNOWN_FLAGS) !== 0 || frame[6] !== 0) return "malformed";
  if (nameLength < 1 || nameLength > WIRE.senderBytes) return "malformed";
  if (frame.length < WIRE.headerBytes + nameLength) return "malformed";
  const epoch = readNumber(frame, 16);
  const sequence = readNumber(frame, 24);
  const sentAt = readNumber(frame, 32);
  if (epoch === NOT_A_NUMBER || sequence === NOT_A_NUMBER || sentAt === NOT_A_NUMBER) return "malformed";
  if (!isName(frame, WIRE.headerBytes, nameLength)) return "malformed";
  return {
    kind,
    flags,
    pattern,
    keyId: frame.readUInt32BE(8),
    ordinal: frame.readUInt32BE(12),
    epoch,
    sequence,
    sentAt,
    sender: frame.toString("latin1", WIRE.headerBytes, WIRE.headerBytes + nameLength),
  };
}

/** Visible ASCII, 0x21 to 0x7E, and no instance (`~`) of nobody: what a sender's name is made of. */
function isName(frame: Buffer, start: number, length: number): boolean {
  if (frame[start] === 0x7e) return false;
  for (let at = start; at < start + length; at++) {
    const byte = frame[at] as number;
    if (byte < 0x21 || byte > 0x7e) return false;
  }
  return true;
}

const NOT_A_NUMBER = -1;
const TWO_32 = 2 ** 32;

/** An unsigned 64-bit number, or {@link NOT_A_NUMBER} above 2^53 - 1. No BigInt: this runs for every message. */
function readNumber(frame: Buffer, at: number): number {
  const high = frame.readUInt32BE(at);
  return high > 0x1fffff ? NOT_A_NUMBER : high * TWO_32 + frame.readUInt32BE(at + 4);
}

function writeNumber(frame: Buffer, at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  frame.writeUInt32BE(high, at);
  frame.writeUInt32BE(value - high * TWO_32, at + 4);
}
