// The wall clock: two processes of one machine must read the same time, or the first message to a receiver that has
// just begun would look older than it.

import { expect, it, onTestFinished } from "vitest";
import { wallClock } from "../src/clock.js";

/** Milliseconds that a thread is put aside. */
const PAUSE = 20;

/** How far the clock is from the high-resolution timer, which does not step: the least of many readings. */
function distance(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 1000; i++) least = Math.min(least, wallClock() - performance.now() * 1000);
  return least;
}

it("reads whole microseconds that do not go back", () => {
  let last = 0;
  for (let i = 0; i < 10_000; i++) {
    const now = wallClock();
    expect(Number.isInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

it("agrees with the system's clock to the millisecond", () => {
  const before = Date.now();
  const now = wallClock();
  expect(now).toBeGreaterThanOrEqual(before * 1000);
  expect(now).toBeLessThan((Date.now() + 1) * 1000);
});

it("is not set back by a pause in the middle of a reading", () => {
  const real = Date.now;
  onTestFinished(() => {
    Date.now = real;
  });
  const before = distance();
  Date.now = () => {
    const now = real();
    Date.now = real;
    // The thread is put aside right after it has read the milliseconds.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    return now;
  };
  const reading = wallClock();
  expect(reading).toBeLessThan((Date.now() + 1) * 1000);
  // By the pause, it would be; the system may slew its clock by less meanwhile.
  expect(distance()).toBeGreaterThan(before - (PAUSE * 1000) / 2);
});
