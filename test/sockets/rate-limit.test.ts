// So many at once, and so many a second after that.

import { expect, test } from "vitest";
import { RateLimit } from "../../src/sockets/rate-limit.js";

function limited(perSecond: number, most: number) {
  const clock = { now: 1000 };
  const limit = new RateLimit(perSecond, most, () => clock.now);
  const taken = (times: number) => Array.from({ length: times }, () => limit.take()).filter(Boolean).length;
  return { clock, taken };
}

test("as many as there may be at once, and no more in the same moment", () => {
  const { taken } = limited(10, 3);
  expect(taken(5)).toBe(3);
  expect(taken(5)).toBe(0);
});

test("one more whenever its time has come, a little at a time or all at once", () => {
  const { clock, taken } = limited(8, 3);
  taken(3);
  clock.now += 124;
  expect(taken(1)).toBe(0);
  clock.now += 1;
  expect(taken(2)).toBe(1);
  for (const due of [0, 0, 0, 1]) {
    clock.now += 31.25;
    expect(taken(1)).toBe(due);
  }
  clock.now += 250;
  expect(taken(5)).toBe(2);
});

test("what was not taken is not saved beyond that", () => {
  const { clock, taken } = limited(10, 3);
  taken(1);
  clock.now += 3600_000;
  expect(taken(10)).toBe(3);
});

test("over time, as many a second as it says", () => {
  const { clock, taken } = limited(50, 1);
  let all = 0;
  for (; clock.now < 11_000; clock.now += 1) all += taken(3);
  expect(all).toBeGreaterThanOrEqual(500);
  expect(all).toBeLessThanOrEqual(502);
});

test("by the process's own clock, if none is given", () => {
  const limit = new RateLimit(1, 2);
  expect([limit.take(), limit.take(), limit.take()]).toEqual([true, true, false]);
});
