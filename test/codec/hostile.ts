// Bodies that no honest sender makes, for both codecs, and how a codec takes them.

import { type Codec, CodecError } from "../../src/codec/index.js";

/** The one body frame of an encoded value, as it would arrive. */
export function bodyOf<In>(codec: Codec<unknown, In>, value: In): Buffer {
  const [frame, ...more] = codec.encode(value);
  if (frame === undefined || more.length > 0) throw new Error(`${codec.name} made not one frame`);
  return Buffer.from(frame);
}

/** The error that decoding throws. Anything else, a value or another error, fails the test. */
export function refusalOf(codec: Codec<unknown, never>, ...frames: Buffer[]): CodecError {
  try {
    codec.decode(frames);
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
  throw new Error(`${codec.name} decoded ${frames.map((frame) => frame.toString("hex").slice(0, 80))}`);
}

/** Bytes from a readable notation: hex in which spaces and everything in parentheses are ignored. */
export function hex(notation: string): Buffer {
  return Buffer.from(notation.replace(/\([^)]*\)|\s/g, ""), "hex");
}
