// What an application hands to `send`, as bytes. zeromq.js coerces what is not bytes to a string; so do we, before
// signing, or the tag would stand over other bytes than those that travel.

import { Buffer } from "node:buffer";
import { misuse } from "../errors.js";

/** One frame as zeromq.js takes it: bytes, or what coerces to a string; `null` is an empty frame. */
export type FrameLike = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | string | number | null;

/** A message as zeromq.js takes it: one frame or several. */
export type MessageLike = FrameLike | readonly FrameLike[];

/** The frames of a message as buffers. Views share memory with what they were given. */
export function toFrames(message: MessageLike): Buffer[] {
  if (!Array.isArray(message)) return [toFrame(message as FrameLike)];
  const frames: Buffer[] = new Array(message.length);
  for (let i = 0; i < message.length; i++) frames[i] = toFrame(message[i]);
  return frames;
}

function toFrame(value: FrameLike | undefined): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === "string") return Buffer.from(value);
  if (value === null) return Buffer.alloc(0);
  if (value === undefined) {
    throw misuse(
      "ERR_COUNTERSIGN_MESSAGE",
      "A frame is undefined; send null or an empty Buffer for an empty frame.",
    );
  }
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return Buffer.from(value);
  return Buffer.from(String(value));
}

/** A private copy, so that a caller who reuses his buffer does not change what was signed. */
export function snapshot(frame: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(frame.length);
  copy.set(frame);
  return copy;
}
