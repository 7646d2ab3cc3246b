// The payload: counts, lengths and frames, written and measured (docs/wire.md, section 6), with limits exactly at their edges.

import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../../src/wire/limits.js";
import {
  batchWithinLimits,
  lengthPrefixed,
  measureBatch,
  measureInline,
  measurePayload,
  onlyFrame,
  payloadLength,
  readBatch,
  readPayload,
  withinLimits,
  writeLengths,
  writePayload,
} from "../../src/wire/payload.js";
import { batchOf, payloadOf, u32 } from "./reference.js";

const FRAMES = ["a", "", "ccc"].map((text) => Buffer.from(text));
const limits = (some: Partial<Limits>): Limits => ({ ...DEFAULT_LIMITS, ...some });

describe("writing", () => {
  test("puts the count, the lengths, then the frames", () => {
    const target = Buffer.alloc(3 + payloadLength(FRAMES) + 2, 0xee);
    expect(writePayload(target, 3, FRAMES)).toBe(target.length - 2);
    const expected = "00000003" + "00000001" + "00000000" + "00000003" + "61" + "636363";
    expect(target.toString("hex")).toBe(`eeeeee${expected}eeee`);
    expect(payloadOf(...FRAMES).toString("hex")).toBe(expected);
  });

  test("counts and lengths alone are what a detached message adds to its frames", () => {
    const target = Buffer.alloc(16);
    expect(writeLengths(target, 0, FRAMES)).toBe(16);
    expect(target).toEqual(payloadOf(...FRAMES).subarray(0, 16));
  });

  test("no frames are four zero bytes", () => {
    expect(payloadLength([])).toBe(4);
    const target = Buffer.alloc(4, 0xee);
    writePayload(target, 0, []);
    expect(target).toEqual(u32(0));
  });

  test("a length stands before what is length-prefixed", () => {
    expect(lengthPrefixed(Buffer.from("abc"))).toEqual(Buffer.from("\0\0\0\x03abc"));
    expect(lengthPrefixed(Buffer.alloc(0))).toEqual(u32(0));
    expect(lengthPrefixed(Buffer.alloc(0x010203))).toHaveLength(4 + 0x010203);
    expect(lengthPrefixed(Buffer.alloc(0x010203)).subarray(0, 4)).toEqual(u32(0x010203));
  });
});

describe("reading", () => {
  test("gives the frames and where they end, at any place", () => {
    const region = Buffer.concat([Buffer.alloc(5), payloadOf(...FRAMES), Buffer.alloc(5)]);
    const frames = [Buffer.from("in front")];
    expect(readPayload(region, 5, frames)).toBe(region.length - 5);
    expect(frames).toEqual([Buffer.from("in front"), ...FRAMES]);
  });

  test("gives views, not copies", () => {
    const region = payloadOf("abc");
    const frames: Buffer[] = [];
    readPayload(region, 0, frames);
    expect(frames[0]?.buffer).toBe(region.buffer);
  });

  test("gives the only frame where there is one", () => {
    const region = Buffer.concat([Buffer.alloc(5), payloadOf("abc"), Buffer.alloc(5)]);
    expect(onlyFrame(region, 5)).toEqual(Buffer.from("abc"));
    expect(onlyFrame(region, 5)?.buffer).toBe(region.buffer);
    expect(onlyFrame(payloadOf(), 0)).toBeUndefined();
    expect(onlyFrame(payloadOf("a", "b"), 0)).toBeUndefined();
  });

  test("gives the bodies of a batch in order", () => {
    const bodies = [["a", "b"], [], ["", "c", ""]];
    expect(readBatch(batchOf(...bodies), 0, []).map((body) => body.map(String))).toEqual(bodies);
    const front = [Buffer.from("id")];
    expect(readBatch(batchOf(...bodies), 0, front).map((body) => body.map(String))).toEqual(
      bodies.map((body) => ["id", ...body]),
    );
  });
});

describe("limits of a message", () => {
  const sized = (...lengths: number[]) => lengths.map((length) => ({ length }));

  test("frames: the limit is within, one more is not", () => {
    expect(withinLimits(sized(0, 0, 0), limits({ frames: 3 }))).toBe(true);
    expect(withinLimits(sized(0, 0, 0), limits({ frames: 2 }))).toBe(false);
    expect(withinLimits([], limits({ frames: 0 }))).toBe(true);
  });

  test("bytes: the limit is within, one more is not, and they add up", () => {
    expect(withinLimits(sized(60, 40), limits({ bytes: 100 }))).toBe(true);
    expect(withinLimits(sized(60, 41), limits({ bytes: 100 }))).toBe(false);
    expect(withinLimits(sized(101), limits({ bytes: 100 }))).toBe(false);
  });
});

describe("measuring one inline payload", () => {
  const measure = (region: Buffer, some: Partial<Limits> = {}) => measureInline(region, 0, limits(some), 0);

  test.each([
    ["of no frames", payloadOf()],
    ["of one empty frame", payloadOf("")],
    ["of several frames", payloadOf("a", "", "ccc")],
  ])("a payload %s fills its region", (_, region) => {
    expect(measure(region)).toBeUndefined();
    expect(measurePayload(region, 0, DEFAULT_LIMITS, 0)).toBe(region.length);
  });

  test("it ends inside its region", () => {
    const region = payloadOf("abc", "de");
    for (let cut = 1; cut <= region.length; cut++) {
      expect(measurePayload(region.subarray(0, -cut), 0, DEFAULT_LIMITS, 0), `${cut} bytes less`).toBe(
        "malformed",
      );
    }
  });

  test("at an offset, it ends where the next begins", () => {
    const region = Buffer.concat([payloadOf("first"), payloadOf("second", "x")]);
    const middle = measurePayload(region, 0, DEFAULT_LIMITS, 0);
    expect(middle).toBe(payloadOf("first").length);
    expect(measurePayload(region, middle as number, DEFAULT_LIMITS, 0)).toBe(region.length);
  });

  test.each([
    ["an empty region", Buffer.alloc(0)],
    ["a region too short for the count", Buffer.alloc(3)],
    ["fewer lengths than counted", u32(2, 0)],
    ["a length cut in the middle", u32(1, 0).subarray(0, 7)],
    ["a byte less than the lengths say", payloadOf("abc").subarray(0, -1)],
    ["a byte more than the lengths say", Buffer.concat([payloadOf("abc"), Buffer.alloc(1)])],
    ["a byte behind no frames", Buffer.concat([payloadOf(), Buffer.alloc(1)])],
    ["a length one too small", Buffer.concat([u32(1, 2), Buffer.from("abc")])],
    ["a length one too large", Buffer.concat([u32(1, 4), Buffer.from("abc")])],
    ["a count one too small", Buffer.concat([u32(1, 1, 1), Buffer.from("ab")])],
  ])("attack 9: %s is malformed", (_, region) => {
    expect(measure(region)).toBe("malformed");
  });

  test("attack 9: lengths that add up past 2^32 do not wrap round", () => {
    const region = Buffer.concat([u32(2, 0xffffffff, 4), Buffer.from("abc")]);
    expect(measure(region)).toBe("too-large");
    expect(measure(region, { bytes: 2 ** 32 - 1 })).toBe("too-large");
    expect(measure(region, { bytes: 2 ** 33 })).toBe("malformed");
  });

  test("frames: the limit is within, one more is too large, before their lengths are looked for", () => {
    expect(measure(payloadOf("", "", ""), { frames: 3 })).toBeUndefined();
    expect(measure(payloadOf("", "", ""), { frames: 2 })).toBe("too-large");
    expect(measure(u32(0xffffffff))).toBe("too-large");
    expect(measure(u32(0xffffffff), { frames: 0xffffffff })).toBe("malformed");
    expect(measure(u32(65_537))).toBe("too-large");
    expect(measure(u32(65_536))).toBe("malformed");
  });

  test("bytes: the limit is within, one more is too large", () => {
    expect(measure(payloadOf("ab", "cd"), { bytes: 4 })).toBeUndefined();
    expect(measure(payloadOf("ab", "cd"), { bytes: 3 })).toBe("too-large");
  });

  test("fewest frames: that many will do, one less is malformed", () => {
    expect(measureInline(payloadOf(""), 0, DEFAULT_LIMITS, 1)).toBeUndefined();
    expect(measureInline(payloadOf(), 0, DEFAULT_LIMITS, 1)).toBe("malformed");
  });
});

describe("measuring a batch", () => {
  const measure = (region: Buffer, some: Partial<Limits> = {}) => measureBatch(region, 0, limits(some), 0);
  const bodies = (count: number) => Array.from({ length: count }, () => ["x"]);

  test.each([1, 2, 255, 256])("%i messages fill their region", (count) => {
    expect(measure(batchOf(...bodies(count)))).toBeUndefined();
  });

  test.each([257, 258, 65_536, 2 ** 31, 2 ** 32 - 1])(
    "attack 9: %i messages are too large, however few follow",
    (count) => {
      expect(measure(Buffer.concat([u32(count), payloadOf("x")]))).toBe("too-large");
      expect(measure(u32(count))).toBe("too-large");
    },
  );

  test.each([
    ["an empty region", Buffer.alloc(0)],
    ["a region too short for the count", Buffer.alloc(3)],
    ["no message", u32(0)],
    ["no message but bytes", batchOf(["x"]).fill(0, 0, 4)],
    ["fewer messages than counted", Buffer.concat([u32(2), payloadOf("x")])],
    ["more messages than counted", Buffer.concat([u32(1), payloadOf("x"), payloadOf("y")])],
    ["a byte behind the last", Buffer.concat([batchOf(["x"]), Buffer.alloc(1)])],
    ["a byte missing from the last", batchOf(["x"], ["y"]).subarray(0, -1)],
    ["a bad first message", Buffer.concat([u32(2, 9, 9), payloadOf("x")])],
    ["a bad last message", Buffer.concat([u32(2), payloadOf("x"), u32(1, 9)])],
  ])("attack 9: %s is malformed", (_, region) => {
    expect(measure(region)).toBe("malformed");
  });

  test("each message keeps the limits of one", () => {
    expect(measure(batchOf(["", ""], ["", ""]), { frames: 2 })).toBeUndefined();
    expect(measure(batchOf(["", ""], ["", "", ""]), { frames: 2 })).toBe("too-large");
    expect(measure(batchOf(["ab"], ["abc"]), { bytes: 3 })).toBeUndefined();
    expect(measure(batchOf(["ab"], ["abc"]), { bytes: 2 })).toBe("too-large");
  });

  test("all messages together take no more room than one may, counts and lengths included", () => {
    const some = { frames: 1, bytes: 8 };
    const most = 8 + 4 * (1 + 256 + 1);
    expect(batchWithinLimits(most, limits(some))).toBe(true);
    expect(batchWithinLimits(most + 1, limits(some))).toBe(false);
    const region = batchOf(...Array.from({ length: 130 }, () => ["abc"]));
    expect(region.length).toBeGreaterThan(most);
    expect(measure(region, some)).toBe("too-large");
    expect(measure(region, { frames: 130, bytes: 390 })).toBeUndefined();
  });

  test("fewest frames hold for every message of it", () => {
    expect(measureBatch(batchOf(["x"], ["y"]), 0, DEFAULT_LIMITS, 1)).toBeUndefined();
    expect(measureBatch(batchOf(["x"], [], ["y"]), 0, DEFAULT_LIMITS, 1)).toBe("malformed");
    expect(measureBatch(batchOf(["x"], ["y"], []), 0, DEFAULT_LIMITS, 1)).toBe("malformed");
  });
});
