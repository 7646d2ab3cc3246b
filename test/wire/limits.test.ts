// The bounds that wire version 1 fixes and the defaults that the documentation states.

import { expect, test } from "vitest";
import { CLOCK_STEP, DEFAULT_LIMITS, EPOCH_AHEAD, WIRE } from "../../src/wire/limits.js";

test("what the format fixes", () => {
  expect(WIRE).toEqual({
    headerBytes: 40,
    tagBytes: 32,
    senderBytes: 64,
    channelBytes: 255,
    maxNumber: 2 ** 53 - 1,
    highestKnown: 2 ** 53 - 1 - 2 ** 40,
    maxLength: 2 ** 32 - 1,
    batch: 256,
    window: 65_536,
    nonceBytes: 16,
  });
});

test("what an application may change, as it is by default", () => {
  expect(DEFAULT_LIMITS).toEqual({
    frames: 65_536,
    bytes: 1024 ** 3,
    inline: 32 * 1024,
    streams: 1024 ** 2,
    peers: 65_536,
    queueBytes: 64 * 1024 ** 2,
  });
});

test("an epoch may lie 24 hours ahead, a clock may step back by 100 ms", () => {
  expect(EPOCH_AHEAD).toBe(86_400_000_000);
  expect(CLOCK_STEP).toBe(100_000);
});
