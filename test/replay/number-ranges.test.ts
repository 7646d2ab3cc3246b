// Ranges of numbers, against a plain set.

import fc from "fast-check";
import { expect, test } from "vitest";
import { NumberRanges } from "../../src/replay/number-ranges.js";

test("a leap of four thousand million numbers costs one range", () => {
  const ranges = new NumberRanges();
  ranges.append(5, 2 ** 32);
  expect(ranges.size).toBe(2 ** 32 - 5);
  expect(ranges.deleteBelow(2 ** 32 - 1)).toBe(2 ** 32 - 6);
  expect(ranges.clear()).toBe(1);
  expect(ranges.size).toBe(0);
});

test("property: holds what a set holds", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("append" as const), skip: fc.nat(3), length: fc.nat(5) }),
    fc.record({ do: fc.constant("delete" as const), number: fc.nat(40) }),
    fc.record({ do: fc.constant("below" as const), limit: fc.nat(40) }),
    fc.record({ do: fc.constant("clear" as const) }),
  );
  const play = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const ranges = new NumberRanges();
    const set = new Set<number>();
    let top = 0;
    for (const some of steps) {
      if (some.do === "append") {
        const from = top + some.skip;
        top = from + some.length;
        ranges.append(from, top);
        for (let number = from; number < top; number++) set.add(number);
      } else if (some.do === "delete") {
        ranges.delete(some.number);
        set.delete(some.number);
      } else if (some.do === "below") {
        const below = [...set].filter((number) => number < some.limit);
        for (const number of below) set.delete(number);
        expect(ranges.deleteBelow(some.limit)).toBe(below.length);
      } else {
        expect(ranges.clear()).toBe(set.size);
        set.clear();
      }
      expect(ranges.size).toBe(set.size);
    }
  });
  fc.assert(play, { numRuns: 300 });
});

test("what was taken out costs nothing any more, nor does what was never there", () => {
  const ranges = new NumberRanges();
  let held = 0;
  // With leftovers, each look at the size would take longer than the one before: hours in all.
  for (let number = 0; number < 200_000; number++) {
    ranges.append(number, number);
    ranges.append(number, number + 1);
    if (number % 2 === 0) ranges.delete(number);
    else ranges.deleteBelow(number + 1);
    held += ranges.size;
  }
  expect(held).toBe(0);
});
