// Gap detection where a sender began again and its messages come out of order (docs/wire.md, section 10).

import { describe, expect, it } from "vitest";
import { GapTracker } from "../../src/replay/gaps.js";

const WINDOW = 8;

/** Lost messages after each claim `[epoch, ordinal, late]` of one counter. */
function lost(window: number, claims: readonly (readonly [number, number, boolean?])[]): number[] {
  const gaps = new GapTracker(1, window);
  return claims.map(([epoch, ordinal, late = false]) =>
    gaps.observe("topic", { epoch, ordinal, count: 1, late }),
  );
}

describe("a new epoch with a window", () => {
  it("may begin with a message that is late in its stream", () => {
    expect(
      lost(WINDOW, [
        [1, 9],
        [2, 1, true],
        [2, 2],
      ]),
    ).toEqual([0, 0, 0]);
  });

  it("may begin with a later message of the topic; the earlier one fills its place", () => {
    expect(
      lost(WINDOW, [
        [1, 9],
        [2, 2],
        [2, 1, true],
        [2, 12],
      ]),
    ).toEqual([0, 0, 0, 2]);
  });

  it("reports what precedes its first once that is out of reach", () => {
    expect(
      lost(WINDOW, [
        [1, 9],
        [2, 3],
        [2, 4],
        [2, 10],
        [2, 13],
      ]),
    ).toEqual([0, 0, 0, 2, 1]);
  });

  it("reports at once what the old epoch still missed", () => {
    expect(
      lost(WINDOW, [
        [1, 1],
        [1, 4],
        [2, 1],
      ]),
    ).toEqual([0, 0, 2]);
  });
});

describe("strict order", () => {
  it("reports n-1 at a new epoch and where counting began again", () => {
    expect(
      lost(0, [
        [1, 5],
        [2, 3],
        [2, 4],
        [2, 2],
        [2, 1],
      ]),
    ).toEqual([0, 2, 0, 1, 0]);
  });
});
