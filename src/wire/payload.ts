// The payload: u32 n, n lengths, n frames, so that no byte can move across a frame boundary unnoticed
// (docs/wire.md, section 6). The same bytes are MACed whether the frames travel inline or detached.

import type { Reason } from "../reasons.js";
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
  let end = target.writeUInt32BE(frames.length, at);
  for (const frame of frames) end = target.writeUInt32BE(frame.length, end);
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
  prefixed.writeUInt32BE(bytes.length, 0);
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
  const count = region.readUInt32BE(at);
  if (count < fewest) return "malformed";
  if (count > limits.frames) return "too-large";
  const frames = at + U32 + U32 * count;
  if (frames > region.length) return "malformed";
  let bytes = 0;
  for (let i = 1; i <= count; i++) bytes += region.readUInt32BE(at + U32 * i);
  if (bytes > limits.bytes) return "too-large";
  return frames + bytes > region.length ? "malformed" : frames + bytes;
}

/** Checks that one payload fills the region exactly. */
export function measureInline(region: Buffer, limits: Limits, fewest: number): Reason | undefined {
  const end = measurePayload(region, 0, limits, fewest);
  if (typeof end === "string") return end;
  return end === region.length ? undefined : "malformed";
}

/** Checks that u32 m and m payloads fill the region exactly; together they keep within one message's limits. */
export function measureBatch(region: Buffer, limits: Limits, fewest: number): Reason | undefined {
  if (region.length < U32) return "malformed";
  const count = region.readUInt32BE(0);
  if (count > WIRE.batch) return "too-large";
  if (count === 0) return "malformed";
  if (!batchWithinLimits(region.length, limits)) return "too-large";
  let at: number = U32;
  for (let i = 0; i < count; i++) {
    const end = measurePayload(region, at, limits, fewest);
    if (typeof end === "string") return end;
    at = end;
  }
  return at === region.length ? undefined : "malformed";
}

/** The frames of a measured payload at `at`, as views, and where it ends. */
export function readPayload(region: Buffer, at: number): { frames: Buffer[]; end: number } {
  const count = region.readUInt32BE(at);
  const frames: Buffer[] = new Array(count);
  let end = at + U32 + U32 * count;
  for (let i = 0; i < count; i++) {
    const length = region.readUInt32BE(at + U32 + U32 * i);
    frames[i] = region.subarray(end, end + length);
    end += length;
  }
  return { frames, end };
}

/** The bodies of a measured batch. */
export function readBatch(region: Buffer): Buffer[][] {
  const bodies: Buffer[][] = new Array(region.readUInt32BE(0));
  let at: number = U32;
  for (let i = 0; i < bodies.length; i++) {
    const { frames, end } = readPayload(region, at);
    bodies[i] = frames;
    at = end;
  }
  return bodies;
}
