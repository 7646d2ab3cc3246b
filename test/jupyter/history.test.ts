// The memory of tags against a simple model: a sorted list that forgets what is oldest by date.

import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ENTRY_BYTES, TagHistory } from "../../src/jupyter/history.js";

const tagOf = (n: number) => createHash("md5").update(String(n)).digest();

describe("TagHistory", () => {
  it("says what a sorted list would say, for 50,000 random questions", () => {
    const capacity = 37;
    const history = new TagHistory(0, capacity * ENTRY_BYTES);
    const model: { n: number; date: number }[] = [];
    let since = 0;
    let state = 7;
    const below = (bound: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % bound;
    };
    for (let i = 0; i < 50_000; i++) {
      const n = below(400);
      const date = Math.max(0, i - below(60)) * 1000 + (i % 1000) + 1;
      const known = model.some((each) => each.n === n);
      const expected = known ? "replayed" : date > since ? "new" : "not-live";
      expect(history.admit(tagOf(n), date, date)).toBe(expected);
      if (expected === "new") {
        model.push({ n, date });
        model.sort((a, b) => a.date - b.date);
        while (model.length > capacity) since = Math.max(since, model.shift()!.date);
      }
      expect(history.since).toBe(since);
      expect(history.size).toBeLessThanOrEqual(capacity);
    }
  });

  it("takes the bytes it was given and no more, whatever comes", () => {
    const history = new TagHistory(0, 1000 * ENTRY_BYTES);
    for (let i = 1; i <= 20_000; i++) history.admit(randomBytes(64), i, i);
    expect(history.size).toBe(1000);
    expect(history.since).toBe(19_000);
  });

  it("refuses what was forgotten, and everything dated before it", () => {
    const history = new TagHistory(0, 2 * ENTRY_BYTES);
    for (const date of [10, 20, 30, 40]) expect(history.admit(tagOf(date), date, date)).toBe("new");
    expect(history.admit(tagOf(10), 10, 10)).toBe("not-live");
    expect(history.admit(tagOf(20), 20, 20)).toBe("not-live");
    expect(history.admit(tagOf(15), 15, 15)).toBe("not-live");
    expect(history.admit(tagOf(30), 30, 30)).toBe("replayed");
    expect(history.admit(tagOf(35), 35, 35)).toBe("new");
  });

  it("forgets by date, not by arrival: what comes late does not push out what is younger", () => {
    const history = new TagHistory(0, 2 * ENTRY_BYTES);
    history.admit(tagOf(1), 100, 100);
    history.admit(tagOf(2), 50, 50);
    history.admit(tagOf(3), 75, 75);
    expect(history.admit(tagOf(1), 100, 100)).toBe("replayed");
    expect(history.admit(tagOf(3), 75, 75)).toBe("replayed");
    expect(history.admit(tagOf(2), 50, 50)).toBe("not-live");
  });
});
