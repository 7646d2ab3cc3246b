// Gaps in ordinals (docs/wire.md, section 10): what is reported, when, and that it adds up to what was lost.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GapTracker, type OrdinalClaim } from "../../src/replay/gaps.js";

const claim = (ordinal: number, some: Partial<OrdinalClaim> = {}): OrdinalClaim => ({
  epoch: 1,
  ordinal,
  count: 1,
  late: false,
  ...some,
});

/** What is reported for each claim in turn. */
function reports(window: number, claims: readonly (number | OrdinalClaim)[]): number[] {
  const gaps = new GapTracker(100, window);
  return claims.map((some) => gaps.observe("peer", typeof some === "number" ? claim(some) : some));
}
const late = (ordinal: number, some: Partial<OrdinalClaim> = {}) => claim(ordinal, { late: true, ...some });

describe("in strict order", () => {
  test.each<[string, (number | OrdinalClaim)[], number[]]>([
    ["nothing is missing", [1, 2, 3], [0, 0, 0]],
    ["the first heard is the baseline, whatever its number", [1000, 1001], [0, 0]],
    ["one is missing, then more", [1, 3, 6, 7], [0, 1, 2, 0]],
    ["counting begins again at 1", [1, 2, 3, 1, 2], [0, 0, 0, 0, 0]],
    ["counting begins again and its first ones are lost", [1, 2, 5, 3, 4], [0, 0, 2, 2, 0]],
    ["the same ordinal again is a new count whose earlier ones are lost", [4, 4], [0, 3]],
    ["a new epoch begins at 1", [7, claim(1, { epoch: 2 })], [0, 0]],
    ["a new epoch whose first ones are lost", [7, claim(4, { epoch: 2 }), claim(6, { epoch: 2 })], [0, 3, 1]],
    ["a new epoch that counts higher at once", [7, claim(9, { epoch: 2 })], [0, 8]],
    ["batches count for as many messages", [claim(1, { count: 10 }), claim(11, { count: 5 }), 16], [0, 0, 0]],
    ["a lost batch, seen at the next", [claim(1, { count: 10 }), claim(21, { count: 5 }), 26], [0, 10, 0]],
    ["the highest ordinal", [1, 2 ** 32 - 1], [0, 2 ** 32 - 3]],
  ])("%s", (_, claims, lost) => {
    expect(reports(0, claims)).toEqual(lost);
  });
});

describe("with a window of 4", () => {
  test.each<[string, (number | OrdinalClaim)[], number[]]>([
    ["a missing number is reported when it is out of reach", [1, 3, 4, 5, 6, 7], [0, 0, 0, 0, 1, 0]],
    ["a late one fills its gap", [1, 3, late(2), 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0]],
    ["of two missing one comes", [1, 4, late(3), 5, 6, 7, 8], [0, 0, 0, 0, 1, 0, 0]],
    ["far ahead: what is out of reach at once is reported at once", [1, 100], [0, 95]],
    ["and what is in reach is reported later", [1, 100, 101, 102, 103, 104], [0, 95, 1, 1, 1, 0]],
    [
      "a late batch fills what it holds",
      [1, 5, late(2, { count: 3 }), 6, 7, 8, 9, 10],
      [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    ["counting begins again: what was missing is lost", [1, 3, 1, 2], [0, 0, 1, 0]],
    [
      "a new epoch: what was missing is lost, its own first ones may still come",
      [1, 3, claim(3, { epoch: 2 }), late(1, { epoch: 2 })],
      [0, 0, 1, 0],
    ],
    [
      "a new epoch whose first ones never come",
      [1, claim(3, { epoch: 2 }), ...[4, 5, 6, 7].map((n) => claim(n, { epoch: 2 }))],
      [0, 0, 0, 1, 1, 0],
    ],
    ["late in its stream but the latest here", [1, late(2), 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0]],
    ["the first heard is the baseline, late or not", [late(9), 10, late(8)], [0, 0, 0]],
  ])("%s", (_, claims, lost) => {
    expect(reports(4, claims)).toEqual(lost);
  });
});

test("counters do not touch each other", () => {
  const gaps = new GapTracker(100, 0);
  expect(gaps.observe("a", claim(1))).toBe(0);
  expect(gaps.observe("b", claim(5))).toBe(0);
  expect(gaps.observe("a", claim(3))).toBe(1);
  expect(gaps.observe("b", claim(6))).toBe(0);
});

test("a reset makes the next claim of each a baseline", () => {
  const gaps = new GapTracker(100, 4);
  gaps.observe("a", claim(1));
  gaps.observe("a", claim(3));
  gaps.reset();
  expect(gaps.observe("a", claim(50))).toBe(0);
  expect(gaps.observe("a", claim(60))).toBe(6);
});

describe("bounded memory", () => {
  test("forgets the count begun first, whose next claim is a baseline", () => {
    const gaps = new GapTracker(2, 0);
    gaps.observe("a", claim(1));
    gaps.observe("b", claim(1));
    gaps.observe("a", claim(2));
    gaps.observe("c", claim(1));
    expect(gaps.observe("b", claim(3))).toBe(1);
    expect(gaps.observe("c", claim(3))).toBe(1);
    expect(gaps.observe("a", claim(9))).toBe(0);
  });

  test("of one count", () => {
    const gaps = new GapTracker(1, 0);
    expect(gaps.observe("a", claim(1))).toBe(0);
    expect(gaps.observe("a", claim(3))).toBe(1);
    expect(gaps.observe("b", claim(5))).toBe(0);
    expect(gaps.observe("a", claim(9))).toBe(0);
  });

  test("of what every other message dropped makes, the count begun first is forgotten first", () => {
    const gaps = new GapTracker(10, 100, 10);
    for (let ordinal = 1; ordinal <= 21; ordinal += 2) gaps.observe("a", claim(ordinal));
    gaps.observe("b", claim(1));
    expect(gaps.observe("b", claim(3))).toBe(0);
    expect(gaps.observe("a", claim(200))).toBe(0);
    expect(gaps.observe("b", claim(200))).toBe(98);
  });

  test("makes room for others once what was missing is told, has come, or is forgotten", () => {
    const gaps = new GapTracker(2, 4, 3);
    const miss = (counter: string, epoch = 1) => {
      return [1, 3].map((ordinal) => gaps.observe(counter, claim(ordinal, { epoch })));
    };
    for (let n = 0; n < 20; n++) miss(`${n}`);
    miss("kept");
    for (let epoch = 1; epoch < 20; epoch++) {
      miss("filled", epoch);
      gaps.observe("filled", late(2, { epoch }));
    }
    expect(gaps.observe("kept", claim(10))).toBe(4);
    gaps.reset();
    expect([...miss("a"), gaps.observe("a", claim(10))]).toEqual([0, 0, 4]);
  });

  test("does bounded work however far a number jumps", () => {
    const gaps = new GapTracker(10, 65_536);
    expect(gaps.observe("a", claim(1))).toBe(0);
    expect(gaps.observe("a", claim(2 ** 32 - 1))).toBe(2 ** 32 - 65_538);
    expect(gaps.observe("a", claim(2 ** 32 - 65_000, { late: true }))).toBe(0);
  });
});

/** Numbers that arrive of 1…count: some lost, and each at most `window` places later than it was sent. */
const arrivals = fc
  .record({
    window: fc.constantFrom(0, 1, 4, 20),
    fates: fc.array(fc.record({ lost: fc.boolean(), delay: fc.integer({ min: 0, max: 30 }) }), {
      maxLength: 150,
    }),
  })
  .map(({ window, fates }) => {
    const sent = fates.map(({ lost, delay }, i) => ({
      ordinal: i + 1,
      lost,
      at: i + (window === 0 ? 0 : delay),
    }));
    const arriving = sent.filter(({ lost }) => !lost).sort((a, b) => a.at - b.at);
    return { window, ordinals: arriving.map(({ ordinal }) => ordinal) };
  });

test("property: what is reported adds up to what is out of reach and never came", () => {
  fc.assert(
    fc.property(arrivals, ({ window, ordinals }) => {
      const gaps = new GapTracker(10, window);
      const came = new Set<number>();
      let highest = 0;
      let reported = 0;
      for (const ordinal of ordinals) {
        // The replay window stands in front: what lies below it is refused and never counted.
        if (highest > 0 && ordinal <= highest - Math.max(window, 1)) continue;
        reported += gaps.observe("peer", claim(ordinal, { late: ordinal < highest }));
        came.add(ordinal);
        highest = Math.max(highest, ordinal);
        const baseline = came.values().next().value as number;
        let missing = 0;
        for (let n = baseline; n <= highest - window; n++) if (!came.has(n)) missing++;
        expect(reported, `window ${window}, ${[...came]}`).toBe(missing);
      }
    }),
    { numRuns: 500 },
  );
});
