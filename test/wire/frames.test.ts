// What an application hands to `send`, as bytes, in the way of zeromq.js.

import { describe, expect, test } from "vitest";
import { type FrameLike, type MessageLike, snapshot, toFrames } from "../../src/wire/frames.js";

const bytes = (...values: readonly number[]) => Buffer.from(values);

describe("one frame", () => {
  const view = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
  test.each<[string, FrameLike, Buffer]>([
    ["a Buffer", bytes(1, 2), bytes(1, 2)],
    ["an empty Buffer", bytes(), bytes()],
    ["a string, as UTF-8", "é€", bytes(0xc3, 0xa9, 0xe2, 0x82, 0xac)],
    ["an empty string", "", bytes()],
    ["null, as an empty frame", null, bytes()],
    ["a view into a larger array", view, bytes(1, 2, 3)],
    ["a DataView", new DataView(view.buffer, 1, 2), bytes(1, 2)],
    ["a view of wider elements, byte for byte", new Uint16Array([0x0201]), bytes(1, 2)],
    ["an ArrayBuffer", new Uint8Array([4, 5]).buffer, bytes(4, 5)],
    ["a SharedArrayBuffer", new SharedArrayBuffer(2), bytes(0, 0)],
    ["a number, as text", 42, Buffer.from("42")],
  ])("%s", (_, value, expected) => {
    expect(toFrames(value)).toEqual([expected]);
    expect(toFrames([value])).toEqual([expected]);
  });

  test("what else there is becomes the text that zeromq.js would send", () => {
    const message = [true, {}, 7n] as unknown as MessageLike;
    expect(toFrames(message).map(String)).toEqual(["true", "[object Object]", "7"]);
  });

  test("a Buffer is taken as it is, a view shares its memory", () => {
    const buffer = bytes(1);
    expect(toFrames(buffer)[0]).toBe(buffer);
    const array = new Uint8Array([1]);
    const [frame] = toFrames(array);
    array[0] = 2;
    expect(frame).toEqual(bytes(2));
  });
});

describe("several frames", () => {
  test("keep their order", () => {
    expect(toFrames(["a", null, bytes(7)])).toEqual([Buffer.from("a"), bytes(), bytes(7)]);
  });

  test("may be none", () => {
    expect(toFrames([])).toEqual([]);
  });
});

test("undefined is a mistake, in front, between and alone, and so is a hole", () => {
  const sparse: FrameLike[] = ["a", "b"];
  delete sparse[0];
  const wrong = [undefined, [undefined], ["a", undefined, "b"], sparse] as unknown as MessageLike[];
  for (const message of wrong) {
    expect(() => toFrames(message)).toThrow(
      expect.objectContaining({
        code: "ERR_COUNTERSIGN_MESSAGE",
        message: expect.stringContaining("send null or an empty Buffer"),
      }),
    );
  }
});

test("a snapshot has its own memory", () => {
  const frame = Buffer.from("before");
  const copy = snapshot(frame);
  frame.write("after!");
  expect(copy.toString()).toBe("before");
  expect(snapshot(Buffer.alloc(0))).toEqual(Buffer.alloc(0));
});
