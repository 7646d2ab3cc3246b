// Epoch, sequence number and signing time (docs/wire.md, section 8.1): clocks that step, and numbers that run out.

import { describe, expect, test } from "vitest";
import { wallClock } from "../../src/clock.js";
import { EPOCHS_AHEAD, MemoryState, type ReplayState } from "../../src/core.js";
import { Numbering } from "../../src/session/numbering.js";
import { WIRE } from "../../src/wire/limits.js";
import { SECOND, signerOf, testClock } from "./parties.js";

const HIGHEST = Number.MAX_SAFE_INTEGER;

describe("numbers", () => {
  test("rise from 1, by as many as are taken", () => {
    const numbering = new Numbering(testClock());
    expect([1, 1, 3, 1].map((count) => numbering.take(count))).toEqual([1, 2, 3, 6]);
  });

  test("that are given back are taken again", () => {
    const numbering = new Numbering(testClock());
    numbering.take(1);
    numbering.take(5);
    numbering.giveBack(5);
    expect(numbering.take(1)).toBe(2);
  });

  test("resume where they are told to", () => {
    const numbering = new Numbering(testClock());
    numbering.resume(77, 9);
    expect([numbering.take(1), numbering.epoch]).toEqual([10, 77]);
  });
});

describe("attack 25: numbers at their maximum", () => {
  test("the last one is taken, then a new epoch begins by itself", () => {
    const numbering = new Numbering(testClock());
    const first = numbering.epoch;
    numbering.resume(first, HIGHEST - 1);
    expect([numbering.take(1), numbering.epoch]).toEqual([HIGHEST, first]);
    expect(numbering.take(1)).toBe(1);
    expect(numbering.epoch).toBeGreaterThan(first);
  });

  test("a batch that does not fit goes into the new epoch whole", () => {
    for (const [left, count] of [
      [3, 3],
      [2, 3],
      [0, 256],
      [255, 256],
    ] as const) {
      const numbering = new Numbering(testClock());
      const { epoch } = numbering;
      numbering.resume(epoch, HIGHEST - left);
      const taken = numbering.take(count);
      if (count <= left) expect([taken, numbering.epoch]).toEqual([HIGHEST - left + 1, epoch]);
      else expect([taken, numbering.epoch > epoch]).toEqual([1, true]);
      expect(taken + count - 1).toBeLessThanOrEqual(HIGHEST);
    }
  });
});

describe("the epoch", () => {
  test("is the time of the start", () => {
    const clock = testClock();
    expect(new Numbering(clock).epoch).toBe(clock.now);
  });

  test("is higher at every start, within a microsecond and with a clock set back", () => {
    const clock = testClock();
    const epochs = [
      new Numbering(() => clock.now),
      new Numbering(() => clock.now),
      new Numbering(() => 5),
    ].map(({ epoch }) => epoch);
    expect(epochs).toEqual([epochs[0], (epochs[0] as number) + 1, (epochs[0] as number) + 2]);
  });

  test("lasts while the clock steps back by up to 100 ms", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    const { epoch } = numbering;
    numbering.take(1);
    clock.now -= 100_000;
    expect([numbering.take(1), numbering.epoch]).toEqual([2, epoch]);
    clock.now -= 1;
    expect(numbering.take(1)).toBe(1);
    expect(numbering.epoch).toBe(epoch + 1);
  });

  test("that began at a clock set back tells the new time", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    numbering.take(1);
    clock.now -= 5 * SECOND;
    numbering.take(1);
    expect(numbering.sentAt).toBe(clock.now);
    clock.now += 1;
    expect(numbering.take(1)).toBe(2);
    expect(numbering.sentAt).toBe(clock.now);
  });
});

describe("an epoch above one that was heard of", () => {
  const HOUR_AND_MORE = 2 ** 32;

  test("begins anew with number 1, at a distance by chance", () => {
    const clock = testClock();
    const heard = clock.now + 3600 * SECOND;
    const starts = Array.from({ length: 20 }, () => {
      const numbering = new Numbering(clock);
      numbering.take(5);
      numbering.startAbove(heard);
      expect(numbering.reached).toBe(0);
      expect(numbering.take(1)).toBe(1);
      return numbering.epoch;
    });
    for (const epoch of starts) {
      expect(epoch).toBeGreaterThan(heard);
      expect(epoch).toBeLessThanOrEqual(heard + HOUR_AND_MORE);
    }
    expect(new Set(starts).size).toBe(20);
  });

  test("is the clock's time where that is later", () => {
    const clock = testClock();
    const numbering = new Numbering(clock);
    numbering.startAbove(5);
    expect(numbering.epoch).toBe(clock.now);
  });

  test("does not lead other senders of the process along, and is never undone", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    numbering.startAbove(clock.now + 1e12);
    const above = numbering.epoch;
    expect(new Numbering(() => clock.now).epoch).toBeLessThan(clock.now + SECOND);
    clock.now -= 5 * SECOND;
    expect(numbering.take(1)).toBe(1);
    expect(numbering.epoch).toBeGreaterThan(above);
  });

  test("leaves room for later starts above the highest that a sender believes", () => {
    const numbering = new Numbering(testClock());
    numbering.startAbove(WIRE.highestKnown);
    expect(numbering.epoch).toBeGreaterThan(WIRE.highestKnown);
    expect(HIGHEST - numbering.epoch).toBeGreaterThan(2 ** 39);
  });
});

describe("epochs that are stored", () => {
  test.each([Number.NaN, -1, 0, 1.5, 2 ** 53, "5", null, undefined])(
    "%s is none: nobody signs under it",
    async (given) => {
      const message = /^signing\.state gave .* for an epoch/;
      expect(() => new Numbering(testClock(), () => given as number)).toThrow(message);
      const later = new Numbering(testClock(), async () => given as number);
      await expect(later.pending).rejects.toThrow(message);
      expect(later.pending).toBeDefined();
    },
  );

  /** A store that remembers what it was asked for, and answers as if an earlier start had gone as far as `last`. */
  function storeFrom(last: number) {
    const asked: number[] = [];
    const store = (atLeast: number) => {
      asked.push(atLeast);
      last = Math.max(atLeast, last + 1);
      const given = last;
      last += EPOCHS_AHEAD;
      return given;
    };
    return { asked, store };
  }

  test("never go back, whatever the clock says", () => {
    const clock = testClock();
    const { store } = storeFrom(clock.now + SECOND);
    const first = new Numbering(() => clock.now, store);
    expect(first.pending).toBeUndefined();
    expect(first.epoch).toBe(clock.now + SECOND + 1);
    const second = new Numbering(() => clock.now - 3600 * SECOND, store);
    expect(second.epoch).toBeGreaterThan(first.epoch + EPOCHS_AHEAD);
  });

  test("are the clock's time where that is later", () => {
    const clock = testClock();
    const { asked, store } = storeFrom(5);
    const numbering = new Numbering(() => clock.now, store);
    expect([numbering.epoch, asked]).toEqual([clock.now, [clock.now]]);
  });

  test("may be begun ahead without asking, one by one, and no further than was stored", () => {
    const clock = testClock();
    const { asked, store } = storeFrom(clock.now + SECOND);
    const numbering = new Numbering(() => clock.now, store);
    const first = numbering.epoch;
    numbering.take(1);
    for (let i = 1; i < EPOCHS_AHEAD; i++) {
      clock.now -= SECOND;
      expect(numbering.take(1)).toBe(1);
      expect(numbering.epoch).toBe(first + i);
    }
    expect(asked).toHaveLength(1);
    clock.now -= SECOND;
    numbering.take(1);
    expect(asked).toHaveLength(2);
    // What was stored may have been used up by nobody but this sender: the next is above all of it.
    expect(numbering.epoch).toBeGreaterThan(first + EPOCHS_AHEAD);
  });

  test("above one that was heard of: within what is stored, or stored before it is used", () => {
    const clock = testClock();
    const { asked, store } = storeFrom(clock.now + SECOND);
    const numbering = new Numbering(() => clock.now, store);
    numbering.startAbove(clock.now + 3600 * SECOND);
    expect(asked).toHaveLength(2);
    expect(asked[1]).toBeGreaterThan(clock.now + 3600 * SECOND);
    expect(numbering.epoch).toBe(asked[1]);
  });

  test("that come later are waited for, and the numbers with them", async () => {
    const clock = testClock();
    let give: (epoch: number) => void = () => {};
    const store = () => new Promise<number>((resolve) => (give = resolve));
    const numbering = new Numbering(() => clock.now, store);
    const { pending } = numbering;
    expect(pending).toBeInstanceOf(Promise);
    give(clock.now + 7);
    await pending;
    expect([numbering.pending, numbering.epoch]).toEqual([undefined, clock.now + 7]);
    numbering.startAbove(clock.now + SECOND);
    expect([numbering.epoch, numbering.reached]).toEqual([clock.now + 7, 0]);
    give(clock.now + 2 * SECOND);
    await numbering.pending;
    expect(numbering.epoch).toBe(clock.now + 2 * SECOND);
  });

  test("that cannot be stored are told to whoever waits", async () => {
    const failure = new Error("the disk is full");
    const numbering = new Numbering(testClock(), () => Promise.reject(failure));
    await expect(numbering.pending).rejects.toBe(failure);
  });

  /** A state elsewhere, for epochs alone. */
  const elsewhere = (nextEpoch: NonNullable<ReplayState["nextEpoch"]>): ReplayState => {
    const memory = new MemoryState();
    return { asynchronous: true, table: (...place) => memory.table(...place), nextEpoch };
  };
  const NOT_YET = expect.objectContaining({ code: "ERR_COUNTERSIGN_STATE" });

  test("a signer waits for its epoch, and signs nothing before", async () => {
    const clock = testClock();
    const asked: unknown[] = [];
    const signer = signerOf({
      pattern: "dealer",
      channel: "shell",
      clock,
      state: elsewhere(async (stream, atLeast) => {
        asked.push(stream);
        return atLeast + 9;
      }),
    });
    const body = { answer: Buffer.alloc(16), ask: Buffer.alloc(16), known: 0 };
    expect(() => signer.sign("a")).toThrow(NOT_YET);
    expect(() => signer.signBatch(["a"])).toThrow(NOT_YET);
    expect(() => signer.signControl("hello", body, [], {})).toThrow(NOT_YET);
    await signer.ready;
    expect(signer.ready).toBeUndefined();
    expect(asked).toEqual([{ sender: "alice", channel: "shell", pattern: "dealer" }]);
    signer.sign("a");
    expect(signer.reached).toBe(1);
  });

  test("a signer whose clock steps back once too often signs no number a second time", async () => {
    const clock = testClock();
    const signer = signerOf({
      pattern: "dealer",
      clock: () => clock.now,
      state: elsewhere(async (_, atLeast) => atLeast),
    });
    await signer.ready;
    const body = { answer: Buffer.alloc(16), ask: Buffer.alloc(16), known: 0 };
    const signed = new Set<string>();
    const sign = () => {
      signer.sign("a");
      const name = `${signer.epoch} ${signer.reached}`;
      expect(signed).not.toContain(name);
      signed.add(name);
    };
    sign();
    for (let i = 1; i < EPOCHS_AHEAD; i++) {
      clock.now -= SECOND;
      sign();
    }
    clock.now -= SECOND;
    expect(() => signer.sign("a")).toThrow(NOT_YET);
    await signer.ready;
    sign();
    for (let i = 1; i < EPOCHS_AHEAD; i++) {
      clock.now -= SECOND;
      sign();
    }
    clock.now -= SECOND;
    expect(() => signer.signControl("hello", body, [], {})).toThrow(NOT_YET);
    await signer.ready;
    sign();
  });
});

describe("the signing time", () => {
  test("follows the clock and never decreases within an epoch", () => {
    const clock = testClock();
    const numbering = new Numbering(() => clock.now);
    const start = clock.now;
    expect(numbering.sentAt).toBe(start);
    const sentAt = [10, -50, -50, 200, 0].map((step) => {
      clock.now += step;
      numbering.take(1);
      return numbering.sentAt - start;
    });
    expect(sentAt).toEqual([10, 10, 10, 110, 110]);
  });
});

describe("the system's wall clock", () => {
  test("is in whole microseconds since 1970, in the same millisecond as the system's", () => {
    for (let i = 0; i < 1000; i++) {
      const before = Date.now();
      const now = wallClock();
      expect(Number.isInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(before * 1000);
      expect(now).toBeLessThan((Date.now() + 1) * 1000);
    }
  });
});
