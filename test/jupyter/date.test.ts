// Dates in every form that peers send.

import { formatDate, parseDate } from "countersign/jupyter";
import { describe, expect, it } from "vitest";

const NOON = Date.UTC(2026, 0, 31, 12) * 1000;

describe("dates", () => {
  it.each([
    ["2026-01-31T12:00:00.123456Z", NOON + 123_456],
    ["2026-01-31T12:00:00Z", NOON],
    ["2026-01-31T12:00:00.5Z", NOON + 500_000],
    ["2026-01-31T12:00:00.123Z", NOON + 123_000],
    ["2026-01-31T12:00:00.123456789Z", NOON + 123_456],
    ["2026-01-31T14:00:00.123456+02:00", NOON + 123_456],
    ["2026-01-31T06:30:00.123456-0530", NOON + 123_456],
    ["1969-12-31T23:59:59.999999Z", -1],
  ])("%s", (text, micros) => {
    expect(parseDate(text)).toBe(micros);
  });

  it("without a zone are local", () => {
    expect(parseDate("2026-01-31T12:00:00.000007")).toBe(new Date(2026, 0, 31, 12).getTime() * 1000 + 7);
  });

  it.each(["", "yesterday", "2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00.Z", 7, null, {}])(
    "%j is none",
    (text) => {
      expect(parseDate(text)).toBeUndefined();
    },
  );

  it("are written with microseconds, and read back", () => {
    expect(formatDate(NOON + 123_456)).toBe("2026-01-31T12:00:00.123456Z");
    expect(formatDate(NOON)).toBe("2026-01-31T12:00:00.000000Z");
    for (const micros of [0, 1, 999, 1000, NOON + 999_999, -1]) {
      expect(parseDate(formatDate(micros))).toBe(micros);
    }
  });
});
