// The payload: u32 n, n lengths, n frames, so that no byte can move across a frame boundary unnoticed
// (docs/wire.md, section 6). The same bytes are MACed whether the frames travel inline or detached.

import type { Reason } from "../reasons.js";
import { readU32, writeU32 } from "./integers.js";
import { type Limits, WIRE } from "./limits.js";

const U32 = 4;

/** Bytes of the payload of these frames. */
export function payloadLength(frames: readonly Uint8Array[]): number {
  let length = U32 + U32 * frames.length;
  for (const frame of frames) length += frame.length;
  return length;
}

/** Writes u32 n and the n lengths at `at`; returns where the frames begin. */
export function writeLengths(target: Buffer, at: number, frames: readonly Uint8Array[]): number {
  let end = writeU32(target, at, frames.length);
  for (const frame of frames) end = writeU32(target, end, frame.length);
  return end;
}

/** Writes a whole payload at `at`; returns where it ends. */
export function writePayload(target: Buffer, at: number, frames: readonly Uint8Array[]): number {
  let end = writeLengths(target, at, frames);
  for (const frame of frames) {
    target.set(frame, end);
    end += frame.length;
  }
  return end;
}

/** u32 length, then the bytes: how topics, names and tags enter the MAC. */
export function lengthPrefixed(bytes: Uint8Array): Buffer {
  const prefixed = Buffer.allocUnsafe(U32 + bytes.length);
  writeU32(prefixed, 0, bytes.length);
  prefixed.set(bytes, U32);
  return prefixed;
}

/** Are these frames within the limits? Shared by both directions. */
export function withinLimits(frames: readonly { readonly length: number }[], limits: Limits): boolean {
  if (frames.length > limits.frames) return false;
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes <= limits.bytes;
}

/** May a batch of this many bytes, counts and lengths included, stand where one message may? Shared by both directions. */
export function batchWithinLimits(length: number, limits: Limits): boolean {
  return length <= limits.bytes + U32 * (limits.frames + WIRE.batch + 1);
}

/**
 * Checks one inline payload at `at` without allocating: it has `fewest` frames or more, and its count and lengths are
 * within the limits and inside the region. Returns where it ends, or why not.
 */
export function measurePayload(region: Buffer, at: number, limits: Limits, fewest: number): number | Reason {
  if (at + U32 > region.length) return "malformed";
  const count = readU32(region, at);
  if (count < fewest) return "malformed";
  if (count > limits.frames) return "too-large";
  const frames = at + U32 + U32 * count;
  if (frames > region.length) return "malformed";
  let bytes = 0;
  for (let i = 1; i <= count; i++) bytes += readU32(region, at + U32 * i);
  if (bytes > limits.bytes) return "too-large";
  return frames + bytes > region.length ? "malformed" : frames + bytes;
}

/** Checks that one payload fills the region from `at` exactly. */
export function measureInline(
  region: Buffer,
  at: number,
  limits: Limits,
  fewest: number,
): Reason | undefined {
  const end = measurePayload(region, at, limits, fewest);
  if (typeof end === "string") return end;
  return end === region.length ? undefined : "malformed";
}

/** Checks that u32 m and m payloads fill the region from `start` exactly; together they keep within one message's limits. */
export function measureBatch(
  region: Buffer,
  start: number,
  limits: Limits,
  fewest: number,
): Reason | undefined {
  if (region.length < start + U32) return "malformed";
  const count = readU32(region, start);
  if (count > WIRE.batch) return "too-large";
  if (count === 0) return "malformed";
  if (!batchWithinLimits(region.length - start, limits)) return "too-large";
  let at = start + U32;
  for (let i = 0; i < count; i++) {
    const end = measurePayload(region, at, limits, fewest);
    if (typeof end === "string") return end;
    at = end;
  }
  return at === region.length ? undefined : "malformed";
}

/** Appends the frames of a measured payload at `at` to `frames`, as views; returns where it ends. */
export function readPayload(region: Buffer, at: number, frames: Buffer[]): number {
  const count = readU32(region, at);
  let end = at + U32 + U32 * count;
  for (let i = 1; i <= count; i++) {
    const start = end;
    end += readU32(region, at + U32 * i);
    frames.push(region.subarray(start, end));
  }
  return end;
}

/** The only frame of a measured payload at `at`, as a view; `undefined` where it has none, or more. */
export function onlyFrame(region: Buffer, at: number): Buffer | undefined {
  if (readU32(region, at) !== 1) return undefined;
  const start = at + 2 * U32;
  return region.subarray(start, start + readU32(region, at + U32));
}

/** The bodies of a measured batch at `at`, each behind a copy of `front`. */
export function readBatch(region: Buffer, at: number, front: readonly Buffer[]): Buffer[][] {
  const messages: Buffer[][] = new Array(readU32(region, at));
  let end = at + U32;
  for (let i = 0; i < messages.length; i++) {
    const message = [...front];
    end = readPayload(region, end, message);
    messages[i] = message;
  }
  return messages;
}
