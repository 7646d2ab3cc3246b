// What lists of measurements are summed up to, by hand-made lists.

import { describe, expect, test } from "vitest";
import { rotated } from "../../bench/rotation.js";
import { percentile, ratios, summarize } from "../../bench/statistics.js";

describe("summarize", () => {
  test.each([
    [[7], { median: 7, min: 7, max: 7 }],
    [[3, 1], { median: 2, min: 1, max: 3 }],
    [[10, 9, 100], { median: 10, min: 9, max: 100 }],
    [[4, 1, 3, 2], { median: 2.5, min: 1, max: 4 }],
  ])("%j is %j", (values, summary) => {
    expect(summarize(values)).toEqual(summary);
  });

  test("leaves the list as it was", () => {
    const values = [3, 1, 2];
    summarize(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

  test.each([
    [hundred, 50, 50],
    [hundred, 99, 99],
    [hundred, 100, 100],
    [hundred, 0, 1],
    [[5], 99, 5],
    [[2, 1, 3], 50, 2],
  ])("of a list, the smallest that so many per cent do not exceed (%#)", (values, percent, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });
});

test("ratios are to the baseline of the same round", () => {
  expect(ratios([10, 30, 60], [10, 10, 20])).toEqual([1, 3, 3]);
});

test("turns rotate, so that nobody always comes first", () => {
  expect([0, 1, 2, 3].map((by) => rotated(["a", "b", "c"], by).join(""))).toEqual([
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
});
