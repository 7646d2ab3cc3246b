// What one receiver remembers of every stream (docs/wire.md, section 8): the answers of question 4, and that
// forgetting raises `since` by exactly as much as was forgotten.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Numbers } from "../../src/replay/state.js";
import { StreamTable, UNKNOWN } from "../../src/replay/stream-table.js";

const BIRTH = 1000;
const KEY = 7;

const one = (epoch: number, sequence: number): Numbers => ({ epoch, sequence, count: 1 });

/** Asks, and remembers what is new, as a verifier does. */
function offer(table: StreamTable, stream: string, numbers: Numbers, now = BIRTH, keyId = KEY): string {
  const slot = table.find(stream);
  const reason = table.check(slot, numbers);
  if (reason === undefined) table.remember(stream, slot, numbers, keyId, now);
  return reason ?? "new";
}

const strictTable = (limit = 100) => new StreamTable(BIRTH, limit, 0);
const windowTable = (window = 64, limit = 100) => new StreamTable(BIRTH, limit, window);

describe("in strict order", () => {
  test("numbers are new while they rise, replayed at the last one and below it", () => {
    const table = strictTable();
    expect(offer(table, "a", one(5, 3))).toBe("new");
    expect(offer(table, "a", one(5, 3))).toBe("replayed");
    expect(offer(table, "a", one(5, 2))).toBe("replayed");
    expect(offer(table, "a", one(5, 4))).toBe("new");
    expect(offer(table, "a", one(5, 100))).toBe("new");
    expect(offer(table, "a", one(5, 99))).toBe("replayed");
  });

  test("streams do not touch each other", () => {
    const table = strictTable();
    expect(offer(table, "a", one(5, 10))).toBe("new");
    expect(offer(table, "b", one(4, 1))).toBe("new");
    expect(offer(table, "a", one(5, 11))).toBe("new");
    expect(offer(table, "b", one(4, 1))).toBe("replayed");
  });

  test("a higher epoch begins again, a lower one is stale whatever its number", () => {
    const table = strictTable();
    expect(offer(table, "a", one(5, 10))).toBe("new");
    expect(offer(table, "a", one(6, 1))).toBe("new");
    expect(offer(table, "a", one(5, 11))).toBe("stale-epoch");
    expect(offer(table, "a", one(5, 2 ** 53 - 1))).toBe("stale-epoch");
    expect(offer(table, "a", one(6, 1))).toBe("replayed");
    expect(offer(table, "a", one(6, 2))).toBe("new");
  });

  test("the last number of a batch counts, and its first must be new", () => {
    const table = strictTable();
    expect(offer(table, "a", { epoch: 5, sequence: 3, count: 4 })).toBe("new");
    expect(offer(table, "a", one(5, 6))).toBe("replayed");
    expect(offer(table, "a", { epoch: 5, sequence: 6, count: 9 })).toBe("replayed");
    expect(offer(table, "a", one(5, 7))).toBe("new");
  });

  test("the highest number is the last", () => {
    const table = strictTable();
    expect(offer(table, "a", one(5, 2 ** 53 - 1))).toBe("new");
    expect(offer(table, "a", one(5, 2 ** 53 - 1))).toBe("replayed");
    expect(offer(table, "a", one(6, 1))).toBe("new");
  });

  test("nothing is late", () => {
    const table = strictTable();
    expect(table.isLate(UNKNOWN, one(5, 1))).toBe(false);
    offer(table, "a", one(5, 10));
    expect(table.isLate(table.find("a"), one(5, 11))).toBe(false);
    expect(table.isLate(table.find("a"), one(6, 1))).toBe(false);
  });
});

describe("with a window", () => {
  test("numbers come in any order inside it, once", () => {
    const table = windowTable(4);
    expect(offer(table, "a", one(5, 10))).toBe("new");
    expect(offer(table, "a", one(5, 13))).toBe("new");
    expect(offer(table, "a", one(5, 11))).toBe("new");
    expect(offer(table, "a", one(5, 11))).toBe("replayed");
    expect(offer(table, "a", one(5, 15))).toBe("new");
    expect(offer(table, "a", one(5, 12))).toBe("new");
    expect(offer(table, "a", one(5, 11))).toBe("below-window");
    expect(offer(table, "a", one(5, 14))).toBe("new");
  });

  test("it starts closed below the first number of every epoch", () => {
    const table = windowTable();
    expect(offer(table, "a", one(5, 10))).toBe("new");
    expect(offer(table, "a", one(5, 9))).toBe("below-window");
    expect(offer(table, "a", one(6, 3))).toBe("new");
    expect(offer(table, "a", one(6, 2))).toBe("below-window");
    expect(offer(table, "a", one(5, 11))).toBe("stale-epoch");
  });

  test("a number below the last one is late, in its own epoch alone", () => {
    const table = windowTable();
    offer(table, "a", one(5, 10));
    offer(table, "a", one(5, 20));
    const slot = table.find("a");
    expect(table.isLate(slot, one(5, 19))).toBe(true);
    expect(table.isLate(slot, one(5, 21))).toBe(false);
    expect(table.isLate(slot, one(6, 1))).toBe(false);
    expect(table.isLate(UNKNOWN, one(5, 1))).toBe(false);
  });

  test("a late number does not lower the last one", () => {
    const table = windowTable();
    offer(table, "a", one(5, 10));
    offer(table, "a", one(5, 20));
    offer(table, "a", one(5, 15));
    expect(table.isLate(table.find("a"), one(5, 19))).toBe(true);
  });

  test("a batch is refused whole when one of its numbers was seen", () => {
    const table = windowTable();
    offer(table, "a", one(5, 10));
    offer(table, "a", one(5, 15));
    expect(offer(table, "a", { epoch: 5, sequence: 13, count: 3 })).toBe("replayed");
    expect(offer(table, "a", { epoch: 5, sequence: 13, count: 2 })).toBe("new");
    expect(offer(table, "a", one(5, 14))).toBe("replayed");
    expect(offer(table, "a", one(5, 12))).toBe("new");
    expect(offer(table, "a", { epoch: 5, sequence: 9, count: 3 })).toBe("below-window");
    expect(offer(table, "a", one(5, 11))).toBe("new");
  });

  test("a batch may be larger than the window", () => {
    const table = windowTable(2);
    expect(offer(table, "a", { epoch: 5, sequence: 1, count: 256 })).toBe("new");
    expect(offer(table, "a", one(5, 255))).toBe("replayed");
    expect(offer(table, "a", one(5, 254))).toBe("below-window");
    expect(offer(table, "a", one(5, 257))).toBe("new");
  });

  test("streams have windows of their own", () => {
    const table = windowTable();
    offer(table, "a", one(5, 1));
    offer(table, "b", one(5, 1));
    offer(table, "a", one(5, 3));
    expect(offer(table, "b", one(5, 3))).toBe("new");
    expect(offer(table, "b", one(5, 2))).toBe("new");
    expect(offer(table, "a", one(5, 2))).toBe("new");
  });
});

test("what is known is an epoch that was heard, or one before it", () => {
  const table = strictTable();
  expect(table.find("a")).toBe(UNKNOWN);
  expect(table.knows(UNKNOWN, one(0, 1))).toBe(false);
  offer(table, "a", one(5, 1));
  const slot = table.find("a");
  expect(table.knows(slot, one(4, 1))).toBe(true);
  expect(table.knows(slot, one(5, 1))).toBe(true);
  expect(table.knows(slot, one(6, 1))).toBe(false);
});

test("asking changes nothing", () => {
  for (const table of [strictTable(), windowTable()]) {
    offer(table, "a", one(5, 10));
    const slot = table.find("a");
    table.find("b");
    for (const numbers of [one(5, 11), one(6, 1), one(5, 10), one(4, 1)]) {
      table.check(slot, numbers);
      table.check(UNKNOWN, numbers);
      table.isLate(slot, numbers);
    }
    table.sinceFor(slot);
    expect(table.size).toBe(1);
    expect(offer(table, "a", one(5, 11))).toBe("new");
    expect(table).toMatchObject({ since: BIRTH, forgot: false });
  }
});

describe("attack 18: eviction", () => {
  test("forgets the least recently heard stream", () => {
    const table = strictTable(3);
    for (const [stream, now] of [
      ["a", 2000],
      ["b", 3000],
      ["c", 4000],
    ] as const)
      offer(table, stream, one(5, 1), now);
    offer(table, "a", one(5, 2), 5000);
    expect(table.forgot).toBe(false);
    offer(table, "d", one(5, 1), 6000);
    expect(["a", "b", "c", "d"].filter((stream) => table.find(stream) === UNKNOWN)).toEqual(["b"]);
    expect(table.size).toBe(3);
    expect(table.forgot).toBe(true);
  });

  test("raises since, for unknown streams, to when the forgotten one was last heard", () => {
    const table = strictTable(2);
    offer(table, "a", one(5, 1), 2000);
    offer(table, "b", one(5, 1), 3000);
    offer(table, "a", one(5, 2), 4000);
    expect(table.sinceFor(UNKNOWN)).toBe(BIRTH);
    offer(table, "c", one(5, 1), 5000);
    expect(table.since).toBe(3000);
    expect(table.sinceFor(UNKNOWN)).toBe(3000);
    offer(table, "d", one(5, 1), 6000);
    expect(table.since).toBe(4000);
  });

  test("does not raise it for those that are still known", () => {
    const table = strictTable(2);
    offer(table, "a", one(5, 1), 2000);
    offer(table, "b", one(5, 1), 3000);
    offer(table, "c", one(5, 1), 4000);
    expect(table.sinceFor(table.find("b"))).toBe(BIRTH);
    expect(table.sinceFor(table.find("c"))).toBe(2000);
  });

  test("what was refused last is not heard", () => {
    const table = strictTable(2);
    offer(table, "a", one(5, 1), 2000);
    offer(table, "b", one(5, 1), 3000);
    expect(offer(table, "a", one(5, 1), 4000)).toBe("replayed");
    offer(table, "c", one(5, 1), 5000);
    expect(table.find("a")).toBe(UNKNOWN);
    expect(table.since).toBe(2000);
  });

  test("a clock that steps back lowers nothing", () => {
    const table = strictTable(2);
    offer(table, "a", one(5, 1), 9000);
    offer(table, "b", one(5, 1), 2000);
    offer(table, "c", one(5, 1), 2000);
    expect(table.since).toBe(9000);
    offer(table, "d", one(5, 1), 2000);
    expect(table.since).toBe(9000);
  });

  test("a stream that comes in after the clock stepped back counts as heard no earlier than those before it", () => {
    const table = strictTable(2);
    offer(table, "a", one(5, 1), 9000);
    offer(table, "b", one(5, 1), 2000);
    offer(table, "a", one(5, 2), 2000);
    offer(table, "c", one(5, 1), 2000);
    expect(table.find("b")).toBe(UNKNOWN);
    expect(table.since).toBe(9000);
  });

  test("a clock that is behind the table's birth does not lower since", () => {
    const table = strictTable(1);
    offer(table, "a", one(5, 1), 10);
    offer(table, "b", one(5, 1), 10);
    expect(table.since).toBe(BIRTH);
    expect(table.forgot).toBe(true);
  });

  test("of one place keeps the newest stream", () => {
    const table = strictTable(1);
    for (let i = 1; i <= 20; i++) {
      expect(offer(table, `s${i}`, one(5, 1), BIRTH + i)).toBe("new");
      expect(offer(table, `s${i}`, one(5, 1), BIRTH + i)).toBe("replayed");
    }
    expect(table).toMatchObject({ size: 1, since: BIRTH + 19 });
  });
});

describe("places", () => {
  test.each([0, 64])("are added as streams come, past every doubling (window %i)", (window) => {
    const table = new StreamTable(BIRTH, 1000, window);
    for (let i = 0; i < 300; i++) expect(offer(table, `s${i}`, one(5 + i, 1 + i), BIRTH + i)).toBe("new");
    expect(table.size).toBe(300);
    for (let i = 0; i < 300; i++) {
      expect(offer(table, `s${i}`, one(5 + i, 1 + i))).toBe("replayed");
      expect(offer(table, `s${i}`, one(4 + i, 500))).toBe("stale-epoch");
      expect(offer(table, `s${i}`, one(5 + i, 2 + i))).toBe("new");
    }
  });

  test("the order of hearing outlives the doubling", () => {
    const table = strictTable(17);
    for (let i = 0; i < 17; i++) offer(table, `s${i}`, one(5, 1), 2000 + i);
    offer(table, "s0", one(5, 2), 3000);
    offer(table, "x", one(5, 1), 3001);
    expect(table.find("s1")).toBe(UNKNOWN);
    expect(table.find("s0")).not.toBe(UNKNOWN);
    expect(table.since).toBe(2001);
  });

  test.each([0, 64])("are used again with nothing left of who had them (window %i)", (window) => {
    const table = new StreamTable(BIRTH, 2, window);
    offer(table, "a", one(9, 100), 2000);
    offer(table, "b", one(9, 100), 2001);
    const place = table.find("a");
    offer(table, "c", one(3, 1), 2002);
    expect(table.find("c")).toBe(place);
    expect(offer(table, "c", one(3, 1))).toBe("replayed");
    expect(offer(table, "c", one(3, 2))).toBe("new");
    expect(table.knows(place, one(4, 1))).toBe(false);
  });
});

describe("a key that is forgotten", () => {
  test("takes the streams with it that it moved last, and since is now", () => {
    const table = strictTable();
    offer(table, "a", one(5, 1), 2000, 1);
    offer(table, "b", one(5, 1), 2001, 2);
    offer(table, "c", one(5, 1), 2002, 1);
    offer(table, "c", one(5, 2), 2003, 2);
    table.forgetKey(1, 5000);
    expect(["a", "b", "c"].filter((stream) => table.find(stream) === UNKNOWN)).toEqual(["a"]);
    expect(table).toMatchObject({ size: 2, since: 5000, forgot: true });
    expect(table.sinceFor(table.find("b"))).toBe(BIRTH);
  });

  test("raises since by the newest hearing where the clock stepped back", () => {
    const table = strictTable();
    offer(table, "a", one(5, 1), 9000, 1);
    offer(table, "b", one(5, 1), 9000, 2);
    table.forgetKey(1, 3000);
    expect(table.since).toBe(9000);
    table.forgetKey(2, 3000);
    expect(table.since).toBe(9000);
  });

  test("that moved nothing forgets nothing", () => {
    const table = strictTable();
    offer(table, "a", one(5, 1), 2000, 1);
    table.forgetKey(2, 5000);
    expect(table).toMatchObject({ size: 1, forgot: false });
    expect(offer(table, "a", one(5, 1))).toBe("replayed");
  });

  test("leaves its places free, and the order of hearing whole", () => {
    const table = strictTable(4);
    for (const [i, stream] of ["a", "b", "c", "d"].entries())
      offer(table, stream, one(5, 1), 2000 + i, i % 2);
    table.forgetKey(0, 3000);
    expect(table.size).toBe(2);
    for (const [i, stream] of ["e", "f"].entries()) offer(table, stream, one(5, 1), 4000 + i);
    offer(table, "g", one(5, 1), 5000);
    expect(table.find("b")).toBe(UNKNOWN);
    expect(["d", "e", "f", "g"].map((stream) => offer(table, stream, one(5, 1)))).toEqual(
      new Array(4).fill("replayed"),
    );
  });

  test("may take every stream", () => {
    const table = windowTable();
    for (let i = 0; i < 20; i++) offer(table, `s${i}`, one(5, 1), 2000);
    table.forgetKey(KEY, 3000);
    expect(table.size).toBe(0);
    expect(offer(table, "s3", one(5, 1), 3001)).toBe("new");
    expect(offer(table, "s3", one(5, 1), 3001)).toBe("replayed");
    expect(table.size).toBe(1);
  });
});

/** The definition: whole histories, searched. */
class NaiveTable {
  readonly streams = new Map<
    string,
    { epoch: number; seen: Set<number>; first: number; since: number; heardAt: number; keyId: number }
  >();
  since = BIRTH;
  readonly #limit: number;
  readonly #window: number;

  constructor(limit: number, window: number) {
    this.#limit = limit;
    this.#window = window;
  }

  #judge(stream: string, { epoch, sequence, count }: Numbers): string {
    const known = this.streams.get(stream);
    if (known === undefined || epoch > known.epoch) return "new";
    if (epoch < known.epoch) return "stale-epoch";
    const last = Math.max(...known.seen);
    for (let number = sequence; number < sequence + count; number++) {
      if (this.#window === 0 && number <= last) return "replayed";
      if (number > last) continue;
      if (number < known.first || number <= last - this.#window) return "below-window";
      if (known.seen.has(number)) return "replayed";
    }
    return "new";
  }

  offer(stream: string, numbers: Numbers, now: number, keyId: number): string {
    const said = this.#judge(stream, numbers);
    if (said !== "new") return said;
    const heard = [...this.streams.values()].map(({ heardAt }) => heardAt);
    const clock = Math.max(now, this.streams.size === 0 ? this.since : 0, ...heard);
    let known = this.streams.get(stream);
    if (known === undefined) {
      if (this.streams.size === this.#limit) this.#evict();
      known = { epoch: -1, seen: new Set(), first: 0, since: this.since, heardAt: 0, keyId };
    }
    if (numbers.epoch > known.epoch)
      Object.assign(known, { epoch: numbers.epoch, seen: new Set(), first: numbers.sequence });
    for (let i = 0; i < numbers.count; i++) known.seen.add(numbers.sequence + i);
    Object.assign(known, { heardAt: clock, keyId });
    this.streams.delete(stream);
    this.streams.set(stream, known); // a Map keeps the order of hearing
    return said;
  }

  #evict(): void {
    const [[stream, { heardAt }]] = this.streams as unknown as [[string, { heardAt: number }]];
    this.streams.delete(stream);
    this.since = Math.max(this.since, heardAt);
  }

  forgetKey(keyId: number, now: number): void {
    const heard = [...this.streams.values()].map(({ heardAt }) => heardAt);
    this.since = Math.max(this.since, now, ...heard);
    for (const [stream, known] of this.streams) if (known.keyId === keyId) this.streams.delete(stream);
  }
}

test("property: remembers and forgets exactly what the naive table does", () => {
  const step = fc.record({
    stream: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    epoch: fc.integer({ min: 1, max: 3 }),
    sequence: fc.integer({ min: 1, max: 30 }),
    count: fc.constantFrom(1, 1, 1, 2, 5),
    passed: fc.integer({ min: -50, max: 100 }),
    keyId: fc.integer({ min: 1, max: 3 }),
    forget: fc.constantFrom(false, false, false, false, false, false, false, true),
  });
  const limits = fc.constantFrom(1, 2, 3, 4, 100);
  fc.assert(
    fc.property(
      limits,
      fc.constantFrom(0, 1, 3, 10),
      fc.array(step, { maxLength: 120 }),
      (limit, window, steps) => {
        const table = new StreamTable(BIRTH, limit, window);
        const naive = new NaiveTable(limit, window);
        let now = BIRTH;
        for (const { stream, epoch, sequence, count, passed, keyId, forget } of steps) {
          now += passed;
          const numbers = { epoch, sequence, count };
          if (forget) {
            table.forgetKey(keyId, now);
            naive.forgetKey(keyId, now);
          } else {
            expect(offer(table, stream, numbers, now, keyId)).toBe(naive.offer(stream, numbers, now, keyId));
          }
          expect(table.size).toBe(naive.streams.size);
          expect(table.since).toBe(naive.since);
          for (const [name, known] of naive.streams) {
            const slot = table.find(name);
            expect(table.sinceFor(slot)).toBe(known.since);
            expect(table.knows(slot, one(known.epoch, 1))).toBe(true);
            expect(table.knows(slot, one(known.epoch + 1, 1))).toBe(false);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe.each([
  ["in strict order", () => strictTable()],
  ["with a window", () => windowTable()],
])("a stream that begins where its sender has arrived, %s", (_, make) => {
  const at = (epoch: number, sequence: number) => ({ epoch, sequence, keyId: KEY });

  test("takes what is signed from then on", () => {
    const table = make();
    expect(table.begin("a", at(5, 10), BIRTH)).toBe("begun");
    expect([table.size, table.epochOf("a"), table.epochOf("b")]).toEqual([1, 5, 0]);
    for (const sequence of [1, 9, 10])
      expect(offer(table, "a", one(5, sequence))).toMatch(/replayed|below-window/);
    expect(offer(table, "a", one(5, 11))).toBe("new");
    expect(offer(table, "a", one(5, 11))).toBe("replayed");
  });

  test("begins at number 1 where nothing was said yet", () => {
    const table = make();
    table.begin("a", at(5, 0), BIRTH);
    expect(offer(table, "a", one(5, 1))).toBe("new");
  });

  test("is not moved while its epoch is known, neither down nor up", () => {
    const table = make();
    offer(table, "a", one(5, 20));
    for (const sequence of [0, 10, 90]) expect(table.begin("a", at(5, sequence), BIRTH)).toBe("begun");
    expect(offer(table, "a", one(5, 20))).toBe("replayed");
    expect(offer(table, "a", one(5, 21))).toBe("new");
  });

  test("begins a later epoch, and no earlier one", () => {
    const table = make();
    offer(table, "a", one(5, 20));
    expect(table.begin("a", at(4, 90), BIRTH)).toBe("stale-epoch");
    expect(table.begin("a", at(6, 3), BIRTH)).toBe("begun");
    expect(table.epochOf("a")).toBe(6);
    expect(offer(table, "a", one(5, 21))).toBe("stale-epoch");
    expect(offer(table, "a", one(6, 3))).toMatch(/replayed|below-window/);
    expect(offer(table, "a", one(6, 4))).toBe("new");
  });

  test("counts as heard, under the key that vouched for it", () => {
    const table = make();
    table.begin("a", at(5, 0), BIRTH + 50);
    table.forgetKey(KEY, BIRTH);
    expect([table.size, table.since]).toEqual([0, BIRTH + 50]);
  });

  test("the highest number may have been reached", () => {
    const table = make();
    table.begin("a", at(5, 2 ** 53 - 1), BIRTH);
    expect(offer(table, "a", one(5, 2 ** 53 - 1))).toMatch(/replayed|below-window/);
    expect(offer(table, "a", one(6, 1))).toBe("new");
  });
});

describe.each([
  ["in strict order", () => strictTable()],
  ["with a window", () => windowTable()],
])("after a run that ended without saying how far it came, %s", (_, make) => {
  const row = { epoch: 5, last: 100, since: BIRTH, heardAt: BIRTH + 10, keyId: KEY };
  const claim = (sequence: number, more: object = {}) => ({
    stream: "a",
    ...one(5, sequence),
    keyId: KEY,
    signedAfter: -Infinity,
    toFreshName: false,
    unproven: "not-live" as const,
    ...more,
  });
  const doubtful = () => {
    const table = make();
    table.load("a", row, false);
    return table;
  };

  test("what may have been delivered needs evidence, what lies above does not", () => {
    const table = doubtful();
    expect(table.row(table.find("a"))).toEqual(row);
    for (const sequence of [1, 60, 100]) expect(table.admit(claim(sequence), BIRTH)).toBe("not-live");
    expect(table.admit(claim(101), BIRTH)).toBe("new");
    // From then on nothing is in doubt, and nothing below comes in, with evidence or without.
    for (const sequence of [1, 100, 101]) {
      expect(table.admit(claim(sequence, { signedAfter: Infinity }), BIRTH)).toMatch(/replayed|below-window/);
    }
    expect(table.admit(claim(102), BIRTH)).toBe("new");
  });

  test("with evidence the epoch begins again there", () => {
    const table = doubtful();
    expect(table.admit(claim(60, { signedAfter: row.since + 1 }), BIRTH)).toBe("new");
    expect(table.admit(claim(60), BIRTH)).toBe("replayed");
    expect(table.admit(claim(59), BIRTH)).toMatch(/replayed|below-window/);
    expect(table.admit(claim(61), BIRTH)).toBe("new");
    expect(table.admit(claim(101), BIRTH)).toBe("new");
  });

  test("an answer to a nonce says where to go on, below what may have been delivered too", () => {
    const table = doubtful();
    expect(table.begin("a", { epoch: 5, sequence: 60, keyId: KEY }, BIRTH)).toBe("begun");
    expect(table.admit(claim(60), BIRTH)).toMatch(/replayed|below-window/);
    expect(table.admit(claim(61), BIRTH)).toBe("new");
    expect(table.begin("a", { epoch: 5, sequence: 0, keyId: KEY }, BIRTH)).toBe("begun");
    expect(table.admit(claim(61), BIRTH)).toBe("replayed");
  });

  test("an earlier epoch is stale, a later one needs evidence as ever", () => {
    const table = doubtful();
    expect(table.admit(claim(1, { epoch: 4 }), BIRTH)).toBe("stale-epoch");
    expect(table.admit(claim(1, { epoch: 6 }), BIRTH)).toBe("not-live");
    expect(table.admit(claim(1, { epoch: 6, signedAfter: Infinity }), BIRTH)).toBe("new");
    expect(table.epochOf("a")).toBe(6);
  });

  test("a run that did say has left no doubt", () => {
    const table = make();
    table.load("a", row, true);
    for (const sequence of [1, 100])
      expect(table.admit(claim(sequence), BIRTH)).toMatch(/replayed|below-window/);
    expect(table.admit(claim(101), BIRTH)).toBe("new");
  });

  test("a stream of which nothing was delivered is in doubt too, if its epoch was begun", () => {
    const table = make();
    table.load("a", { ...row, last: 0 }, false);
    expect(table.begin("a", { epoch: 5, sequence: 7, keyId: KEY }, BIRTH)).toBe("begun");
    expect(table.admit(claim(7), BIRTH)).toMatch(/replayed|below-window/);
    expect(table.admit(claim(8), BIRTH)).toBe("new");
  });

  test("rows come back in the order in which they were heard, and are forgotten in it", () => {
    const table = new StreamTable(BIRTH, 2, 0);
    table.load("a", { ...row, heardAt: BIRTH + 1 }, false);
    table.load("b", { ...row, heardAt: BIRTH + 2 }, false);
    offer(table, "c", one(1, 1), BIRTH + 3);
    expect([table.find("a"), table.since]).toEqual([UNKNOWN, BIRTH + 1]);
    expect(table.find("b")).not.toBe(UNKNOWN);
  });
});

test("whoever asks is told of each stream that is forgotten, by eviction and by revocation", () => {
  const table = strictTable(2);
  const forgotten: string[] = [];
  table.onForgotten = (stream) => forgotten.push(stream);
  for (const name of ["a", "b", "c"]) offer(table, name, one(5, 1), BIRTH, name === "b" ? 8 : KEY);
  expect(forgotten).toEqual(["a"]);
  table.forgetKey(8, BIRTH);
  expect(forgotten).toEqual(["a", "b"]);
});
describe("for a memory that writes down what it remembers first", () => {
  const claim = (sequence: number, signedAfter = Infinity) => ({
    ...one(5, sequence),
    stream: "a",
    keyId: KEY,
    signedAfter,
    toFreshName: false,
    unproven: "not-live" as const,
  });

  test("judging says what admitting would, and remembers nothing", () => {
    const table = windowTable();
    expect(table.judge(UNKNOWN, claim(3, BIRTH))).toBe("not-live");
    expect(table.judge(UNKNOWN, claim(3))).toBe("new");
    expect(table.size).toBe(0);
    expect(table.admit(claim(3), BIRTH)).toBe("new");
    expect(table.admit(claim(9), BIRTH)).toBe("new");
    expect(table.judge(table.find("a"), claim(4))).toBe("late");
    expect(table.judge(table.find("a"), claim(4))).toBe("late");
    expect(table.judge(table.find("a"), claim(9))).toBe("replayed");
  });

  test("the oldest is the one that goes next", () => {
    const table = strictTable(2);
    expect(table.oldest).toBeUndefined();
    for (const stream of ["a", "b", "a"]) offer(table, stream, one(5, table.size * 10 + 1));
    expect(table.oldest).toBe("b");
    offer(table, "c", one(5, 1));
    expect([...table.streams()].sort()).toEqual(["a", "c"]);
    expect(table.oldest).toBe("a");
  });

  test("when a stream was heard last does not go back with the clock", () => {
    const table = strictTable();
    expect(table.lastHeard).toBe(BIRTH);
    offer(table, "a", one(5, 1), BIRTH + 50);
    offer(table, "b", one(5, 1), BIRTH + 20);
    expect(table.lastHeard).toBe(BIRTH + 50);
  });
});
