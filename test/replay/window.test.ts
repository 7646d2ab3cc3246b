// The replay window in one numbered table, to be checked by hand, and against a naive oracle that keeps a set.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplayWindow } from "../../src/replay/window.js";

/** What the window says of a number; what is new is marked as seen. */
function offer(window: ReplayWindow, number: number): string {
  const reason = window.check(number);
  if (reason === undefined) window.accept(number);
  return reason ?? "new";
}

const NEW = "new";
const SEEN = "replayed";
const LOW = "below-window";

test("a window of 64 that begins at 1", () => {
  const window = new ReplayWindow(64, 1);
  const rows: readonly [number, string][] = [
    [1, NEW], // 1
    [1, SEEN],
    [0, LOW],
    [2, NEW],
    [2, SEEN], // 5
    [1, SEEN],
    [9, NEW],
    [8, NEW],
    [8, SEEN],
    [3, NEW], // 10
    [9, SEEN],
    [64, NEW], // the window is 1 to 64
    [1, SEEN],
    [4, NEW],
    [65, NEW], // 15: 2 to 65
    [1, LOW],
    [2, SEEN],
    [5, NEW],
    [66, NEW], // 3 to 66
    [2, LOW], // 20
    [3, SEEN],
    [6, NEW],
    [128, NEW], // 65 to 128
    [64, LOW],
    [65, SEEN], // 25
    [67, NEW],
    [66, SEEN],
    [127, NEW],
    [128, SEEN],
    [129, NEW], // 30: 66 to 129
    [65, LOW],
    [66, SEEN],
    [68, NEW],
    [1000, NEW], // 937 to 1000
    [936, LOW], // 35
    [937, NEW],
    [999, NEW],
    [999, SEEN],
    [129, LOW],
    [1063, NEW], // 40: 1000 to 1063
    [999, LOW],
    [1000, SEEN],
    [1001, NEW],
    [2 ** 32, NEW],
    [2 ** 32 - 63, NEW], // 45
    [2 ** 32 - 64, LOW],
    [2 ** 32 + 1, NEW],
    [2 ** 32 - 63, LOW],
    [2 ** 53 - 1, NEW],
    [2 ** 53 - 1, SEEN], // 50
    [2 ** 53 - 64, NEW],
    [2 ** 53 - 64, SEEN],
    [2 ** 53 - 65, LOW],
    [2 ** 53 - 2, NEW],
    [2 ** 32 + 1, LOW], // 55
  ];
  rows.forEach(([number, expected], i) => {
    expect(offer(window, number), `row ${i + 1}: ${number}`).toBe(expected);
  });
});

describe("attack 19: the edges W-1, W, W+1 below the last number", () => {
  test.each([1, 2, 31, 32, 33, 63, 64, 65, 1000, 65_536])("of a window of %i", (size) => {
    const window = new ReplayWindow(size, 1);
    const last = 200_000;
    expect(offer(window, last)).toBe(NEW);
    expect(offer(window, last - size - 1)).toBe(LOW);
    expect(offer(window, last - size)).toBe(LOW);
    expect(offer(window, last - size + 1)).toBe(size === 1 ? SEEN : NEW);
    expect(offer(window, last - size + 1)).toBe(SEEN);
  });
});

describe("a window starts closed below the first number it is given", () => {
  test.each([1, 2, 32, 33, 100, 2 ** 53 - 100])("which is %i", (first) => {
    const window = new ReplayWindow(64, first);
    expect(offer(window, first)).toBe(NEW);
    expect(offer(window, first - 1)).toBe(LOW);
    expect(offer(window, first + 10)).toBe(NEW);
    expect(offer(window, first - 1)).toBe(LOW);
    expect(offer(window, first + 1)).toBe(NEW);
    expect(offer(window, first)).toBe(SEEN);
  });
});

test("asking changes nothing", () => {
  const window = new ReplayWindow(64, 1);
  window.accept(10);
  for (const number of [1, 10, 11, 1000]) window.check(number);
  expect(window.last).toBe(10);
  expect(offer(window, 1)).toBe(NEW);
  expect(offer(window, 11)).toBe(NEW);
});

test("a jump over the whole ring leaves nothing behind of what it held", () => {
  for (const size of [1, 31, 32, 33, 64, 65]) {
    const span = 32 * (Math.ceil(size / 32) + 1);
    for (const jump of [size, span - 1, span, span + 1, 2 * span, 10 * span + 5]) {
      const window = new ReplayWindow(size, 1);
      for (let number = 1; number <= size; number++) expect(offer(window, number)).toBe(NEW);
      expect(offer(window, size + jump)).toBe(NEW);
      for (let number = jump + 1; number < size + jump; number++) {
        expect(offer(window, number), `${number} after ${size + jump}`).toBe(number <= size ? SEEN : NEW);
      }
    }
  }
});

test("costs a bit a number, and one block more", () => {
  const before = process.memoryUsage().arrayBuffers;
  const windows = Array.from({ length: 100 }, () => new ReplayWindow(65_536, 1));
  const grown = process.memoryUsage().arrayBuffers - before;
  expect(windows).toHaveLength(100);
  expect(grown).toBeLessThan(100 * (65_536 / 8 + 4) + 100_000);
});

/** The definition: all numbers ever seen, and the bounds by arithmetic. */
class NaiveWindow {
  readonly #seen = new Set<number>();
  readonly #size: number;
  readonly #first: number;
  #last: number;

  constructor(size: number, first: number) {
    this.#size = size;
    this.#first = first;
    this.#last = first - 1;
  }

  offer(number: number): string {
    const inside = number > this.#last - this.#size || number > this.#last;
    if (number < this.#first || !inside) return LOW;
    if (this.#seen.has(number)) return SEEN;
    this.#seen.add(number);
    this.#last = Math.max(this.#last, number);
    return NEW;
  }
}

test("property: says the same as the naive oracle, for any size, start and order", () => {
  const steps = fc.array(
    fc.oneof(
      fc.integer({ min: -80, max: 80 }),
      fc.integer({ min: -300, max: 300 }),
      fc.integer({ min: 0, max: 100_000 }),
    ),
    { maxLength: 200 },
  );
  const first = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 2 ** 40, max: 2 ** 40 + 100 }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), first, steps, (size, start, moves) => {
      const window = new ReplayWindow(size, start);
      const oracle = new NaiveWindow(size, start);
      let near = start;
      for (const move of [0, ...moves]) {
        const number = Math.max(0, near + move);
        const said = offer(window, number);
        expect(said, `${number}, window ${size} from ${start}`).toBe(oracle.offer(number));
        if (said === NEW) near = Math.max(near, number);
      }
    }),
    { numRuns: 500 },
  );
});
