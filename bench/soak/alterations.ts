// How the broker alters a message, and the one reason for which a receiver must refuse the result (docs/wire.md).
// Every row works on the frames as they travel: routing, signature frame, body frames.

import type { Reason } from "countersign/core";
import type { Pattern } from "../cases.js";
import { topics } from "./traffic.js";

export interface Alteration {
  readonly name: string;
  /** `signature` is the index of the signature frame. Frames are copied where they change. */
  apply(frames: readonly Buffer[], signature: number): Buffer[];
  readonly reason: Reason | { readonly inline: Reason; readonly detached: Reason };
}

// Where the fields of the signature frame stand.
const MAGIC = 0;
const VERSION = 2;
const KIND = 3;
const FLAGS = 4;
const PATTERN = 5;
const RESERVED = 6;
const NAME_LENGTH = 7;
const KEY_ID = 8;
const SEQUENCE = 24;
const SENT_AT = 32;
const NAME = 40;

export const isInline = (signatureFrame: Buffer) => (signatureFrame[FLAGS]! & 1) !== 0;
export const sequenceOf = (signatureFrame: Buffer) => Number(signatureFrame.readBigUInt64BE(SEQUENCE));

function change(frames: readonly Buffer[], index: number, at: number, xor: number): Buffer[] {
  const copy = Buffer.from(frames[index]!);
  copy[at]! ^= xor;
  return frames.with(index, copy);
}

const header = (name: string, at: number, xor: number, reason: Reason): Alteration => ({
  name,
  apply: (frames, signature) => change(frames, signature, at, xor),
  reason,
});

/** Inline, the whole payload is one frame; detached, a frame boundary is told by the tag alone. */
const layout = { inline: "malformed", detached: "bad-signature" } as const;
const last = (frames: readonly Buffer[]) => frames.at(-1)!;

const onEveryPattern: readonly Alteration[] = [
  header("magic", MAGIC, 1, "unsigned"),
  header("version", VERSION, 2, "unsupported-version"),
  header("kind", KIND, 1, "malformed"),
  header("unknown flag", FLAGS, 0x80, "malformed"),
  header("sealed flag", FLAGS, 0x40, "unsupported"),
  header("reserved byte", RESERVED, 1, "malformed"),
  header("key id", KEY_ID, 1, "unknown-key"),
  header("sequence number", SEQUENCE + 5, 1, "bad-signature"),
  header("sequence number above 2^53", SEQUENCE, 0x80, "malformed"),
  header("sent at", SENT_AT + 7, 1, "bad-signature"),
  header("sender's name", NAME, 1, "bad-signature"),
  {
    name: "tag",
    apply: (frames, at) => change(frames, at, NAME + frames[at]![NAME_LENGTH]! + 5, 1),
    reason: "bad-signature",
  },
  {
    name: "body",
    apply: (frames) => change(frames, frames.length - 1, last(frames).length - 1, 1),
    reason: "bad-signature",
  },
  { name: "body cut", apply: (frames) => frames.with(-1, last(frames).subarray(0, -1)), reason: layout },
  { name: "frame added", apply: (frames) => [...frames, Buffer.from("unsigned")], reason: layout },
  {
    name: "frame split",
    apply: (frames) => [...frames.slice(0, -1), last(frames).subarray(0, -1), last(frames).subarray(-1)],
    reason: layout,
  },
  { name: "signature stripped", apply: (frames, at) => frames.toSpliced(at, 1), reason: "unsigned" },
];

const another = (topic: Buffer) => topics.find((each) => !each.equals(topic))!;

export const alterations: Record<Pattern, readonly Alteration[]> = {
  "dealer-router": [
    ...onEveryPattern,
    header("pattern", PATTERN, 5, "wrong-pattern"),
    {
      name: "delimiter added",
      apply: (frames, at) => frames.toSpliced(at, 0, Buffer.alloc(0)),
      reason: "wrong-envelope",
    },
  ],
  "pub-sub": [
    ...onEveryPattern,
    header("pattern", PATTERN, 1, "wrong-pattern"),
    { name: "topic", apply: (frames) => frames.with(0, another(frames[0]!)), reason: "bad-signature" },
  ],
};
