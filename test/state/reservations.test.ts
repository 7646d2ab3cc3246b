// How far each stream may go without a write: by its rate, and never back.

import { expect, test, vi } from "vitest";
import { Reservations } from "../../src/state/lmdb/reservations.js";

const at = (last: number, epoch = 10, keyId = 7) => ({ epoch, last, keyId });

function begun(last: number): Reservations {
  const slots = new Reservations(100);
  slots.begin(0, at(last), slots.next(-1, at(last)), 1, true);
  return slots;
}

test("a stream that begins has room for 64 more", () => {
  const slots = begun(5);
  expect(slots.covers(0, at(69))).toBe(true);
  expect(slots.covers(0, at(70))).toBe(false);
});

test("another epoch or key, and a stream that is not known, are not covered", () => {
  const slots = begun(5);
  expect(slots.covers(0, at(6, 11))).toBe(false);
  expect(slots.covers(0, at(6, 10, 8))).toBe(false);
  expect(slots.covers(-1, at(6))).toBe(false);
});

test("more is asked for when half is used, and once", () => {
  const slots = begun(0);
  expect(slots.runsLow(0, 31)).toBe(false);
  expect(slots.runsLow(0, 32)).toBe(true);
  slots.wait(0);
  expect(slots.runsLow(0, 40)).toBe(false);
  slots.settle(0, 40, 104, 2);
  expect(slots.covers(0, at(104))).toBe(true);
  expect(slots.runsLow(0, 71)).toBe(false);
  expect(slots.runsLow(0, 72)).toBe(true);
});

test("what could not be written in good time is written when the rest is used up", () => {
  const slots = begun(0);
  slots.wait(0);
  slots.giveUp(0);
  expect(slots.runsLow(0, 64)).toBe(false);
  expect(slots.covers(0, at(65))).toBe(false);
});

test("a stream gets as much as comes in 100 ms, and never less than it has", () => {
  const clock = vi.spyOn(performance, "now");
  try {
    clock.mockReturnValue(0);
    const slots = begun(0);
    clock.mockReturnValue(10);
    const fast = slots.next(0, at(50));
    expect(fast).toBe(50 + 500);
    slots.begin(0, at(50), fast, 2, true);
    // It has become slow: what it may use already must not be taken back, for it does while this is being written.
    clock.mockReturnValue(10_010);
    expect(slots.next(0, at(300))).toBe(fast);
    expect(slots.next(0, at(540))).toBe(540 + 64);
    expect(slots.next(0, at(1, 11))).toBe(65);
  } finally {
    clock.mockRestore();
  }
});

test("a reservation is bounded, and so are numbers", () => {
  const slots = begun(0);
  expect(slots.next(0, at(2 ** 40)) - 2 ** 40).toBe(2 ** 20);
  expect(slots.next(0, at(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
});
