// Vectors of genuine messages that were changed on the way: bits, frames, boundaries, topics, delimiters
// (docs/wire.md, section 7).

import type { Pattern } from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";
import type { Vector } from "./format.js";
import { arrive, delivered, receiver, refused, Sender, vector } from "./lab.js";

type Edit = (frames: Buffer[]) => Buffer[];

/** A message that is changed, and then comes as it was: a refusal must have left nothing behind. */
function tampered(
  name: string,
  [from, to]: readonly [Pattern, Pattern],
  message: readonly string[],
  layout: "inline" | "detached",
  edit: Edit,
  reason: Reason = "bad-signature",
): Vector {
  const me = receiver(to, "kernel");
  const inline = layout === "inline" ? 2 ** 20 : 0;
  const sent = new Sender({ pattern: from, name: "alice", inline }).sign(message);
  const frames = arrive(from, to, sent.frames).map((frame) => Buffer.from(frame));
  return vector(`${name}-${layout}`, me, [refused(edit(frames), reason), delivered(sent, me)]);
}

const PUSH_PULL = ["push", "pull"] as const;
const PUB_SUB = ["pub", "sub"] as const;
const DEALER_ROUTER = ["dealer", "router"] as const;

/** Flips bits of one byte of one frame; from the end where `at` is negative. */
const flip =
  (frame: number, at: number, mask = 1): Edit =>
  (frames) => {
    const bytes = frames[frame] as Buffer;
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] as number) ^ mask;
    return frames;
  };

/** Where the fields of alice's signature frame stand. */
const FIELD = {
  keyId: 8,
  ordinal: 12,
  epoch: 16,
  sequence: 24,
  sentAt: 32,
  name: 40,
  tag: 45,
  behindTag: 77,
};

function bit(name: string, edit: Edit, reason?: Reason): Vector {
  return tampered(`${name}-flipped`, PUSH_PULL, ["hello"], "inline", edit, reason);
}

export function bits(): Vector[] {
  return [
    bit("key-id", flip(0, FIELD.keyId), "unknown-key"),
    bit("ordinal", flip(0, FIELD.ordinal + 3)),
    bit("epoch", flip(0, FIELD.epoch + 7)),
    bit("sequence", flip(0, FIELD.sequence + 7, 2)),
    bit("sent-at", flip(0, FIELD.sentAt + 7)),
    bit("sender", flip(0, FIELD.name, 2)),
    bit("first-bit-of-tag", flip(0, FIELD.tag, 0x80)),
    bit("last-bit-of-tag", flip(0, FIELD.behindTag - 1)),
    bit("body", flip(0, -1)),
    bit("addressed-flag", flip(0, 4, 0x10)),
    bit("kind", flip(0, 3, 3), "malformed"),
    tampered("body-flipped", PUSH_PULL, ["hello"], "detached", flip(1, 0)),
    tampered("topic-flipped", PUB_SUB, ["weather", "rain"], "detached", flip(0, 0)),
    tampered("topic-flipped", PUB_SUB, ["weather", "rain"], "inline", flip(0, 0)),
  ];
}

const MESSAGE = ["one", "two", "three"];

function framesEdited(name: string, edit: Edit): Vector {
  return tampered(name, PUSH_PULL, MESSAGE, "detached", edit);
}

export function frames(): Vector[] {
  const extra = Buffer.from("extra");
  const empty = Buffer.alloc(0);
  return [
    framesEdited("last-frame-removed", (all) => all.slice(0, -1)),
    tampered("all-frames-removed", PUSH_PULL, MESSAGE, "detached", (all) => all.slice(0, 1), "malformed"),
    framesEdited("frame-appended", (all) => [...all, extra]),
    framesEdited("empty-frame-appended", (all) => [...all, empty]),
    framesEdited("empty-frame-in-the-middle", ([first, ...rest]) => [first as Buffer, empty, ...rest]),
    framesEdited("frames-swapped", ([first, a, b, ...rest]) => [first, b, a, ...rest] as Buffer[]),
    framesEdited("frames-merged", ([first, a, b, ...rest]) => [
      first as Buffer,
      Buffer.concat([a as Buffer, b as Buffer]),
      ...rest,
    ]),
    framesEdited("frame-split", ([first, a, ...rest]) => [
      first as Buffer,
      (a as Buffer).subarray(0, 1),
      (a as Buffer).subarray(1),
      ...rest,
    ]),
    framesEdited("byte-moved-across-a-boundary", ([first, a, b, ...rest]) => [
      first as Buffer,
      (a as Buffer).subarray(0, -1),
      Buffer.concat([(a as Buffer).subarray(-1), b as Buffer]),
      ...rest,
    ]),
    tampered("frame-appended", PUSH_PULL, MESSAGE, "inline", (all) => [...all, extra], "malformed"),
    tampered("empty-frame-appended", PUSH_PULL, MESSAGE, "inline", (all) => [...all, empty], "malformed"),
    tampered("frame-put-in-front", PUSH_PULL, MESSAGE, "inline", (all) => [extra, ...all], "unsigned"),
    tampered("cut", PUSH_PULL, MESSAGE, "inline", ([all]) => [(all as Buffer).subarray(0, -1)], "malformed"),
    tampered(
      "byte-appended",
      PUSH_PULL,
      MESSAGE,
      "inline",
      ([all]) => [Buffer.concat([all as Buffer, Buffer.from([0])])],
      "malformed",
    ),
    tampered("boundary-moved", PUSH_PULL, MESSAGE, "inline", moveInlineBoundary),
  ];
}

/** Takes a byte from the first frame's length and gives it to the second's. */
function moveInlineBoundary([frame]: Buffer[]): Buffer[] {
  const bytes = frame as Buffer;
  const lengths = FIELD.behindTag + 4;
  bytes.writeUInt32BE(bytes.readUInt32BE(lengths) - 1, lengths);
  bytes.writeUInt32BE(bytes.readUInt32BE(lengths + 4) + 1, lengths + 4);
  return [bytes];
}

export function envelopes(): Vector[] {
  const empty = Buffer.alloc(0);
  const addDelimiter: Edit = ([id, ...rest]) => [id as Buffer, empty, ...rest];
  const dropDelimiter: Edit = ([id, , ...rest]) => [id as Buffer, ...rest];
  const toBody: Edit = ([topic, signature, ...body]) => [empty, signature, topic, ...body] as Buffer[];
  return [
    tampered("delimiter-added", DEALER_ROUTER, ["hello"], "detached", addDelimiter, "wrong-envelope"),
    tampered("delimiter-added", DEALER_ROUTER, ["hello"], "inline", addDelimiter, "wrong-envelope"),
    tampered("delimiter-removed", DEALER_ROUTER, ["", "hello"], "inline", dropDelimiter, "wrong-envelope"),
    tampered(
      "id-put-in-front",
      DEALER_ROUTER,
      ["hello"],
      "inline",
      (all) => [Buffer.from("id"), ...all],
      "unsigned",
    ),
    tampered("topic-removed", PUB_SUB, ["weather", "rain"], "inline", ([, ...rest]) => rest, "unsigned"),
    tampered("topic-made-body", PUB_SUB, ["weather", "rain"], "detached", toBody),
    tampered("topic-of-a-prefix", PUB_SUB, ["weather", "rain"], "inline", ([topic, ...rest]) => [
      (topic as Buffer).subarray(0, 4),
      ...rest,
    ]),
    tampered("stripped", PUSH_PULL, ["hello"], "detached", ([, ...body]) => body, "unsigned"),
  ];
}

/** A batch comes whole or not at all. */
export function batches(): Vector[] {
  const me = receiver("pull", "kernel");
  const edited = (name: string, edit: (region: Buffer) => Buffer, reason: Reason = "bad-signature") => {
    const sent = new Sender({ pattern: "push", name: "alice" }).signBatch([["one"], ["two"], ["three"]]);
    const frame = sent.frames[0] as Buffer;
    const front = frame.subarray(0, FIELD.behindTag);
    const changed = Buffer.concat([front, edit(Buffer.from(frame.subarray(FIELD.behindTag)))]);
    return vector(`batch-${name}`, me, [refused([changed], reason), delivered(sent, me)]);
  };
  const first = 4 + 4 + 4 + 3;
  return [
    edited("cut-to-its-first-message", (region) => {
      region.writeUInt32BE(1, 0);
      return region.subarray(0, first);
    }),
    edited("without-its-first-message", (region) => {
      region.writeUInt32BE(2, 0);
      return Buffer.concat([region.subarray(0, 4), region.subarray(first)]);
    }),
    edited("cut-between-its-messages", (region) => region.subarray(0, first), "malformed"),
    asOneMessage(),
  ];
}

/** The first message of a batch, its payload cut out and passed off as a message of its own. */
function asOneMessage(): Vector {
  const me = receiver("pull", "kernel");
  const sent = new Sender({ pattern: "push", name: "alice" }).signBatch([["one"], ["two"]]);
  const frame = Buffer.from(sent.frames[0] as Buffer);
  frame[3] = 1;
  const front = frame.subarray(0, FIELD.behindTag);
  const payload = frame.subarray(FIELD.behindTag + 4, FIELD.behindTag + 4 + 11);
  const alone = Buffer.concat([front, payload]);
  return vector("batch-message-passed-off-as-one", me, [
    refused([alone], "bad-signature"),
    delivered(sent, me),
  ]);
}
