// The header of the signature frame: 40 bytes and the sender's name (docs/wire.md, section 3). Big-endian. Bytes to
// fields and back; no keys, no state.

import type { Reason } from "../reasons.js";
import { NOT_A_NUMBER, readU32, readU64, writeU32, writeU64 } from "./integers.js";
import { WIRE } from "./limits.js";
import { PATTERN_NAMES, PATTERNS, type Pattern } from "./patterns.js";
import { readName } from "./sender-names.js";

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
export function writeHeader(frame: Uint8Array, header: Header): void {
  const { kind, flags, pattern, keyId, ordinal, epoch, sequence, sentAt, sender } = header;
  frame[0] = MAGIC >> 8;
  frame[1] = MAGIC & 0xff;
  frame[2] = VERSION;
  frame[3] = KINDS[kind];
  frame[4] = flags;
  frame[5] = PATTERNS[pattern];
  frame[6] = 0;
  frame[7] = sender.length;
  writeU32(frame, 8, keyId);
  writeU64(frame, 16, epoch);
  writeChanging(frame, ordinal, sequence, sentAt);
  for (let i = 0; i < sender.length; i++) frame[WIRE.headerBytes + i] = sender.charCodeAt(i);
}

/** Writes what is another in each message. */
function writeChanging(frame: Uint8Array, ordinal: number, sequence: number, sentAt: number): void {
  writeU32(frame, 12, ordinal);
  writeU64(frame, 24, sequence);
  writeU64(frame, 32, sentAt);
}

/** The headers of one sender: what does not change from one to the next is written once. */
export class HeaderTemplate {
  readonly #bytes: Uint8Array;
  readonly #pattern: Pattern;
  readonly #sender: string;
  #kind: Kind = "data";
  #flags = 0;
  #keyId = 0;
  #epoch = 0;

  constructor(pattern: Pattern, sender: string) {
    this.#pattern = pattern;
    this.#sender = sender;
    this.#bytes = new Uint8Array(headerLength({ sender }));
    this.#rewrite();
  }

  /** Bytes of these headers. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Writes a header at the start of `frame`. */
  write(frame: Uint8Array, header: Omit<Header, "pattern" | "sender">): void {
    const { kind, flags, keyId, epoch } = header;
    if (kind !== this.#kind || flags !== this.#flags || keyId !== this.#keyId || epoch !== this.#epoch) {
      this.#kind = kind;
      this.#flags = flags;
      this.#keyId = keyId;
      this.#epoch = epoch;
      this.#rewrite();
    }
    frame.set(this.#bytes);
    writeChanging(frame, header.ordinal, header.sequence, header.sentAt);
  }

  #rewrite(): void {
    writeHeader(this.#bytes, {
      kind: this.#kind,
      flags: this.#flags,
      pattern: this.#pattern,
      keyId: this.#keyId,
      ordinal: 0,
      epoch: this.#epoch,
      sequence: 0,
      sentAt: 0,
      sender: this.#sender,
    });
  }
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
  const epoch = readU64(frame, 16);
  const sequence = readU64(frame, 24);
  const sentAt = readU64(frame, 32);
  if (epoch === NOT_A_NUMBER || sequence === NOT_A_NUMBER || sentAt === NOT_A_NUMBER) return "malformed";
  const sender = readName(frame, WIRE.headerBytes, nameLength);
  if (sender === undefined) return "malformed";
  return {
    kind,
    flags,
    pattern,
    keyId: readU32(frame, 8),
    ordinal: readU32(frame, 12),
    epoch,
    sequence,
    sentAt,
    sender,
  };
}
