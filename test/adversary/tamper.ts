// What an attacker does to the frames of one message: pure functions, which leave the recorded ones as they are.

import type { Frames } from "./zmtp.js";

/** Where the fields of the signature frame stand (version 1 of the wire). */
export const FIELD = {
  version: 2,
  kind: 3,
  flags: 4,
  pattern: 5,
  reserved: 6,
  nameLength: 7,
  keyId: 8,
  ordinal: 12,
  epoch: 16,
  sequence: 24,
  sentAt: 32,
  name: 40,
} as const;
export const TAG_BYTES = 32;

export const FLAG = { inline: 1, delimited: 2, topic: 4, bound: 8, addressed: 16, recipientKey: 32 } as const;

export function tagStart(signature: Buffer): number {
  return FIELD.name + signature.readUInt8(FIELD.nameLength);
}

export function payloadStart(signature: Buffer): number {
  return tagStart(signature) + TAG_BYTES;
}

export function isInline(signature: Buffer): boolean {
  return (signature.readUInt8(FIELD.flags) & FLAG.inline) !== 0;
}

/** Replaces, adds or removes whole frames: like `toSpliced`. */
export function spliced(frames: Frames, start: number, remove: number, ...added: Buffer[]): Buffer[] {
  const copy = [...frames];
  copy.splice(start, remove, ...added);
  return copy;
}

/** The same message with one frame passed through `edit`, which gets a copy. */
export function edited(frames: Frames, index: number, edit: (frame: Buffer) => Buffer | undefined): Buffer[] {
  const copy = Buffer.from(frames[index] as Buffer);
  return spliced(frames, index, 1, edit(copy) ?? copy);
}

export function flipped(frames: Frames, index: number, bit: number): Buffer[] {
  return edited(frames, index, (frame) => {
    const at = bit >> 3;
    frame.writeUInt8(frame.readUInt8(at) ^ (1 << (bit & 7)), at);
    return frame;
  });
}

export function bits(frame: Buffer): number[] {
  return Array.from({ length: frame.length * 8 }, (_, bit) => bit);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** Overwrites bytes at an offset. */
export function overwritten(frame: Buffer, at: number, bytes: Uint8Array): Buffer {
  const copy = Buffer.from(frame);
  copy.set(bytes, at);
  return copy;
}

/** A payload as it stands inline: u32 n, n lengths, n frames. */
export function payloadOf(frames: Frames): Buffer {
  return Buffer.concat([u32(frames.length), ...frames.map(({ length }) => u32(length)), ...frames]);
}
