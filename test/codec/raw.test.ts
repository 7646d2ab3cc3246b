// The raw codec: frames in, frames out.

import { expect, test } from "vitest";
import { raw } from "../../src/codec/index.js";

test("frames pass as they are, in both directions, none and empty ones included", () => {
  for (const frames of [[], [Buffer.alloc(0)], [Buffer.from("a"), Buffer.alloc(0), Buffer.alloc(1000, 1)]]) {
    const sent = raw.encode(frames);
    expect(sent).toHaveLength(frames.length);
    sent.forEach((frame, index) => {
      expect(frame).toBe(frames[index]);
    });
    expect(raw.decode(frames)).toStrictEqual(frames);
  }
});

test("the array is a new one: what happens to it afterwards does not matter", () => {
  const frames = [Buffer.from("a")];
  const sent = raw.encode(frames);
  const received = raw.decode(frames);
  frames.pop();
  expect([sent, received]).toStrictEqual([[Buffer.from("a")], [Buffer.from("a")]]);
});

test("what is no array of bytes is a TypeError", () => {
  expect(() => raw.encode("a" as never)).toThrow(/^raw carries an array of frames$/);
  expect(() => raw.encode(Buffer.from("a") as never)).toThrow(/^raw carries an array of frames$/);
  expect(() => raw.encode([Buffer.from("a"), "b"] as never)).toThrow(/^raw: frame 1 is not a Uint8Array$/);
});
