// Epoch, sequence number and signing time (docs/wire.md, section 8.1): clocks that step, and numbers that run out.

import { describe, expect, test } from "vitest";
import { wallClock } from "../../src/clock.js";
import { Numbering } from "../../src/session/numbering.js";
import { SECOND, testClock } from "./parties.js";

const HIGHEST = Number.MAX_SAFE_INTEGER;

describe("numbers", () => {
  test("rise from 1, by as many as are taken", () => {
    const numbering = new Numbering(testClock());
    expect([1, 1, 3, 1].map((count) => numbering.take(count))).toEqual([1, 2, 3, 6]);
  });

  test("that are given back are taken again", () => {
    const numbering = new Numbering(testClock());
    numbering.take(1);
    numbering.take(5);
    numbering.giveBack(5);
    expect(numbering.take(1)).toBe(2);
  });

  test("resume where they are told to", () => {
    const numbering = new Numbering(testClock());
    numbering.resume(77, 9);
    expect([numbering.take(1), numbering.epoch]).toEqual([10, 77]);
  });
});

describe("attack 25: numbers at their maximum", () => {
  test("the last one is taken, then a new epoch begins by itself", () => {
    const numbering = new Numbering(testClock());
    const first = numbering.epoch;
    numbering.resume(first, HIGHEST - 1);
    expect([numbering.take(1), numbering.epoch]).toEqual([HIGHEST, first]);
    expect(numbering.take(1)).toBe(1);
    expect(numbering.epoch).toBeGreaterThan(first);
  });

  test("a batch that does not fit goes into the new epoch whole", () => {
    for (const [left, count] of [
      [3, 3],
      [2, 3],
      [0, 256],
      [255, 256],
    ] as const) {
      const numbering = new Numbering(testClock());
      const { epoch } = numbering;
      numbering.resume(epoch, HIGHEST - left);
      const taken = numbering.take(count);
      if (count <= left) expect([taken, numbering.epoch]).toEqual([HIGHEST - left + 1, epoch]);
      else expect([taken, numbering.epoch > epoch]).toEqual([1, true]);
      expect(taken + count - 1).toBeLessThanOrEqual(HIGHEST);
    }
  });
});

describe("the epoch", () => {
  test("is the time of the start", () => {
    const clock = testClock();
    expect(new Numbering(clock).epoch).toBe(clock.now);
  });

  test("is higher at every start, within a microsecond and with a clock set back", () => {
    const clock = testClock();
    const epochs = [
      new Numbering(() => clock.now),
      new Numbering(() => clock.now),
      new Numbering(() => 5),
    ].map(({ epoch }) => epoch);
    expect(epochs).toEqual([epochs[0], (epochs[0] as number) + 1, (epochs[0] as number) + 2]);
  });

  test("lasts while the clock steps back by up to 100 ms", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    const { epoch } = numbering;
    numbering.take(1);
    clock.now -= 100_000;
    expect([numbering.take(1), numbering.epoch]).toEqual([2, epoch]);
    clock.now -= 1;
    expect(numbering.take(1)).toBe(1);
    expect(numbering.epoch).toBe(epoch + 1);
  });

  test("that began at a clock set back tells the new time", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    numbering.take(1);
    clock.now -= 5 * SECOND;
    numbering.take(1);
    expect(numbering.sentAt).toBe(clock.now);
    clock.now += 1;
    expect(numbering.take(1)).toBe(2);
    expect(numbering.sentAt).toBe(clock.now);
  });
});

describe("the signing time", () => {
  test("follows the clock and never decreases within an epoch", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    const start = clock.now;
    expect(numbering.sentAt).toBe(start);
    const sentAt = [10, -50, -50, 200, 0].map((step) => {
      clock.now += step;
      numbering.take(1);
      return numbering.sentAt - start;
    });
    expect(sentAt).toEqual([10, 10, 10, 110, 110]);
  });
});

describe("the system's wall clock", () => {
  test("is in whole microseconds since 1970, in the same millisecond as the system's", () => {
    for (let i = 0; i < 1000; i++) {
      const before = Date.now();
      const now = wallClock();
      expect(Number.isInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(before * 1000);
      expect(now).toBeLessThan((Date.now() + 1) * 1000);
    }
  });
});
