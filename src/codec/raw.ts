// The default codec: the body as the frames that were signed, nothing added and nothing read into them.

import type { Codec } from "./codec.js";

/** Frames in, frames out: the value of a message is the array of its body frames. */
export const raw: Codec<Buffer[], readonly Uint8Array[]> = {
  name: "raw",
  encode(frames) {
    if (!Array.isArray(frames)) throw new TypeError("raw carries an array of frames");
    frames.forEach((frame, index) => {
      if (!(frame instanceof Uint8Array)) throw new TypeError(`raw: frame ${index} is not a Uint8Array`);
    });
    return [...frames];
  },
  decode: (frames) => [...frames],
};
