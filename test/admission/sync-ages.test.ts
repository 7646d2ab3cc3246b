// How old a published message can be, without clocks (docs/wire.md, section 8.7).

import { expect, test } from "vitest";
import { SyncAges } from "../../src/admission/sync-ages.js";

const SECOND = 1_000_000;

function ages(limit = 10) {
  const clock = { now: 100 * SECOND };
  const marks = new SyncAges(limit, () => clock.now);
  const header = (sequence: number, epoch = 5, sender = "alice") => ({
    kind: "data" as const,
    flags: 0,
    pattern: "pub" as const,
    keyId: 1,
    ordinal: 0,
    epoch,
    sequence,
    sentAt: 1,
    sender,
  });
  /** An answer to a nonce that was made so many seconds ago. */
  const note = (reached: number, secondsAgo: number, epoch = 5, sender = "alice") =>
    marks.note(header(0, epoch, sender), reached, clock.now - secondsAgo * SECOND);
  const ageOf = (sequence: number, epoch = 5, sender = "alice") =>
    marks.ageOf(header(sequence, epoch, sender)) / SECOND;
  return { clock, marks, header, note, ageOf };
}

test("nothing is known of whoever never answered", () => {
  const { ageOf, note } = ages();
  note(5, 1);
  expect(ageOf(6, 5, "bob")).toBe(Infinity);
});

test("what lies above the number reached is younger than the nonce, and ages with it", () => {
  const { ageOf, note, clock } = ages();
  note(5, 2);
  expect([ageOf(5), ageOf(6), ageOf(1000)]).toEqual([Infinity, 2, 2]);
  clock.now += 3 * SECOND;
  expect(ageOf(6)).toBe(5);
});

test("of several answers the latest that still bounds the message counts", () => {
  const { ageOf, note } = ages();
  note(5, 30);
  note(8, 20);
  note(8, 10);
  expect([5, 6, 8, 9].map((sequence) => ageOf(sequence))).toEqual([Infinity, 30, 30, 10]);
});

test("answers that come in another order than they were asked for do no harm", () => {
  const { ageOf, note } = ages();
  note(8, 10);
  note(5, 30);
  expect([6, 9].map((sequence) => ageOf(sequence))).toEqual([30, 10]);
});

test("a later epoch lies above every number of an earlier one", () => {
  const { ageOf, note } = ages();
  note(5, 30, 5);
  note(2, 10, 6);
  expect([ageOf(1, 6), ageOf(3, 6), ageOf(9, 5), ageOf(1, 7), ageOf(9, 4)]).toEqual([
    30,
    10,
    30,
    10,
    Infinity,
  ]);
});

test("the eight latest answers of a stream are remembered", () => {
  const { ageOf, note } = ages();
  for (let i = 0; i < 9; i++) note(i, 100 - i);
  expect([ageOf(1), ageOf(2)]).toEqual([Infinity, 99]);
});

test("of more streams than the limit, the one that answered longest ago is forgotten", () => {
  const { ageOf, note } = ages(2);
  note(0, 1, 5, "a");
  note(0, 1, 5, "b");
  note(0, 1, 5, "a");
  note(0, 1, 5, "c");
  expect([ageOf(1, 5, "a"), ageOf(1, 5, "b"), ageOf(1, 5, "c")]).toEqual([1, Infinity, 1]);
});

test("streams of one name on two socket types are two", () => {
  const { marks, header, note } = ages();
  note(0, 1);
  expect(marks.ageOf({ ...header(1), pattern: "xpub" })).toBe(Infinity);
});

test("by a clock that never steps, if none is given", () => {
  const marks = new SyncAges(1);
  const before = performance.now() * 1000;
  expect(marks.now).toBeGreaterThanOrEqual(before);
  expect(marks.now).toBeLessThan(before + 60 * SECOND);
});
