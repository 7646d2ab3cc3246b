// Durations, moments and ages.

import { describe, expect, test } from "vitest";
import {
  formatAge,
  formatDate,
  formatMicros,
  formatSpan,
  parseDuration,
  parseMoment,
} from "../../src/cli/time.js";

const NOW = Date.UTC(2026, 0, 1);

test.each([
  ["0", 0],
  ["250ms", 250],
  ["90s", 90_000],
  ["30m", 1_800_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  ["2w", 1_209_600_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
])("%s is %i ms", (text, milliseconds) => {
  expect(parseDuration(text, "--overlap")).toBe(milliseconds);
});

test.each([[""], ["1"], ["h"], ["-1h"], ["1 h"], ["1y"], ["1e3s"], ["1h,5m"], ["Infinity"]])(
  "%j is no duration",
  (text) => {
    expect(() => parseDuration(text, "--overlap")).toThrow(
      `--overlap: "${text}" is no duration; write 30m, 24h, 7d`,
    );
  },
);

test("a century is the longest", () => {
  expect(() => parseDuration("36501d", "--overlap")).toThrow("longer than 100 years");
  expect(() => parseDuration(`${"9".repeat(400)}s`, "--overlap")).toThrow("longer than 100 years");
});

describe("moments", () => {
  test.each([
    ["2030-01-31", Date.UTC(2030, 0, 31)],
    ["2030-01-31T08:00Z", Date.UTC(2030, 0, 31, 8)],
    ["2030-01-31T08:00:30Z", Date.UTC(2030, 0, 31, 8, 0, 30)],
    ["2030-01-31T23:30-02:00", Date.UTC(2030, 1, 1, 1, 30)],
    ["2030-02-01T00:30+02:00", Date.UTC(2030, 0, 31, 22, 30)],
    ["2028-02-29", Date.UTC(2028, 1, 29)],
    ["2h", NOW + 7_200_000],
    ["+2h", NOW + 7_200_000],
  ])("%s", (text, milliseconds) => {
    expect(parseMoment(text, "--not-before", NOW)).toBe(milliseconds);
  });

  test.each([
    ["2030-02-30"],
    ["2030-13-01"],
    ["2030-01-31T08:00"],
    ["2030-01-31 08:00Z"],
    ["2030-01-31T25:00Z"],
    ["31.1.2030"],
    ["now"],
    [""],
    ["40000d"],
  ])("%j is none", (text) => {
    expect(() => parseMoment(text, "--not-before", NOW)).toThrow(`--not-before: "${text}" is no moment`);
  });
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [59_999, "1 min"],
  [61_000, "1 min 1 s"],
  [3_600_000, "1 h"],
  [3_601_000, "1 h"],
  [90_061_000, "1 d 1 h"],
  [400 * 86_400_000, "1 y 34 d"],
])("%i ms is a span of %s", (milliseconds, text) => {
  expect(formatSpan(milliseconds)).toBe(text);
});

test("ages, before and ahead of now", () => {
  expect(formatAge(NOW - 5000, NOW)).toBe("5 s ago");
  expect(formatAge(NOW + 5000, NOW)).toBe("in 5 s");
});

test("dates, to the second and to the microsecond, up to the last number on the wire", () => {
  expect(formatDate(NOW)).toBe("2026-01-01 00:00:00 UTC");
  expect(formatMicros(NOW * 1000 + 1)).toBe("2026-01-01 00:00:00.000001 UTC");
  expect(formatMicros(Number.MAX_SAFE_INTEGER)).toBe("2255-06-05 23:47:34.740991 UTC");
});
