// Whose memory it is: who shares a table and who does not.

import { describe, expect, test } from "vitest";
import { MemoryState } from "../../src/replay/memory.js";
import type { Claim } from "../../src/replay/state.js";

/** A message that proves as much as it must. */
const claim = (stream: string, more: Partial<Claim> = {}): Claim => ({
  stream,
  epoch: 1,
  sequence: 1,
  count: 1,
  keyId: 1,
  signedAfter: Infinity,
  toFreshName: false,
  unproven: "not-live",
  ...more,
});
/** One that proves nothing: its stream must be known. */
const bare = (stream: string, sequence: number, epoch = 1) =>
  claim(stream, { epoch, sequence, signedAfter: -Infinity });

const STRICT = { window: 0, limit: 10 };
const state = () => new MemoryState({ clock: () => 5000 });

test("a table begins to remember when it is made, however old the state is", () => {
  let now = 5000;
  const memory = new MemoryState({ clock: () => now });
  now = 9000;
  expect(memory.table("r", "shell", "dealer", STRICT).sinceOf("a")).toBe(9000);
});

test("the system's clock tells when, if none is given", () => {
  const before = Date.now() * 1000;
  const since = new MemoryState().table("r", "", "push", STRICT).sinceOf("a");
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThan((Date.now() + 1) * 1000);
});

test("the same receiver, channel and pattern share a table", () => {
  const memory = state();
  expect(memory.table("r", "shell", "dealer", STRICT)).toBe(memory.table("r", "shell", "dealer", STRICT));
});

test("another receiver, channel or pattern has another, however the names run together", () => {
  const memory = state();
  const tables = [
    memory.table("r", "shell", "dealer", STRICT),
    memory.table("q", "shell", "dealer", STRICT),
    memory.table("r", "control", "dealer", STRICT),
    memory.table("r", "shell", "router", STRICT),
    memory.table("rs", "hell", "dealer", STRICT),
    memory.table('r","shell', "dealer", "dealer", STRICT),
    memory.table("r", 'shell","dealer', "dealer", STRICT),
  ];
  expect(new Set(tables).size).toBe(tables.length);
});

test("a table has the bounds that its receiver asks for", () => {
  let now = 5000;
  const table = new MemoryState({ clock: () => now }).table("r", "", "push", { window: 0, limit: 1 });
  for (now of [6000, 7000]) expect(table.admit(claim(`at ${now}`))).toBe("new");
  expect(table.size).toBe(1);
  expect(table.sinceOf("at 6000")).toBe(6000);
});

test("with the widest window 32,768 streams are remembered, which is 256 MiB, whatever the limit", () => {
  let now = 5000;
  const table = new MemoryState({ clock: () => now }).table("r", "", "push", {
    window: 65_536,
    limit: 2 ** 20,
  });
  for (let i = 0; i < 32_770; i++) {
    now = 6000 + i;
    table.admit(claim(`s${i}`));
  }
  expect(table.size).toBe(32_768);
  expect(table.sinceOf("nobody")).toBe(6001);
});

test("in strict order there is no window to pay for", () => {
  const table = state().table("r", "", "push", { window: 0, limit: 40_000 });
  for (let i = 0; i < 40_000; i++) table.admit(claim(`s${i}`));
  expect(table.size).toBe(40_000);
  expect(table.sinceOf("nobody")).toBe(5000);
});

test("receivers that share a table must have the same window", () => {
  const memory = state();
  memory.table("workers", "", "push", STRICT);
  expect(() => memory.table("workers", "", "push", { window: 64, limit: 10 })).toThrow(
    expect.objectContaining({
      code: "ERR_COUNTERSIGN_OPTIONS",
      message: expect.stringMatching(/same window; "workers" has 0 and 64/),
    }),
  );
  expect(memory.table("workers", "other", "push", { window: 64, limit: 10 })).toBeDefined();
});

describe("admission by challenge", () => {
  const reached = (sequence: number, epoch = 1) => ({ epoch, sequence, keyId: 1 });
  const table = (limit = 10, window = 0) => state().table("r", "", "dealer", { window, limit });

  test.each([0, 64])(
    "a stream begins where its sender has arrived, by his answer alone (window %i)",
    (window) => {
      const streams = table(10, window);
      expect(streams.admit(bare("a", 6))).toBe("not-live");
      const nonce = streams.ask("a");
      expect(streams.ask("a")).toEqual(nonce);
      expect(streams.answered("a", Buffer.alloc(16), reached(5))).toBe("unasked");
      expect(streams.answered("b", nonce, reached(5))).toBe("unasked");
      expect(streams.answered("a", nonce, reached(5))).toBe("begun");
      expect(streams.answered("a", nonce, reached(0))).toBe("unasked");
      const below = window === 0 ? "replayed" : "below-window";
      expect([5, 1].map((sequence) => streams.admit(bare("a", sequence)))).toEqual([below, below]);
      expect(streams.admit(bare("a", 6))).toBe("new");
      expect(streams.admit(bare("a", 6))).toBe("replayed");
      expect(streams.epochOf("a")).toBe(1);
      expect(streams.epochOf("b")).toBe(0);
    },
  );

  test("an answer takes nothing back, and skips nothing that may still come", () => {
    const streams = table();
    streams.begin("a", reached(0, 7));
    for (const sequence of [1, 2]) streams.admit(bare("a", sequence, 7));
    expect(streams.answered("a", streams.ask("a"), reached(0, 7))).toBe("begun");
    expect(streams.admit(bare("a", 2, 7))).toBe("replayed");
    expect(streams.answered("a", streams.ask("a"), reached(9, 7))).toBe("begun");
    expect(streams.admit(bare("a", 3, 7))).toBe("new");
    expect(streams.answered("a", streams.ask("a"), reached(0, 6))).toBe("stale-epoch");
    expect(streams.begin("a", reached(0, 6))).toBe("stale-epoch");
    expect(streams.epochOf("a")).toBe(7);
    expect(streams.answered("a", streams.ask("a"), reached(3, 8))).toBe("begun");
    expect(streams.admit(bare("a", 4, 7))).toBe("stale-epoch");
    expect(streams.admit(bare("a", 3, 8))).toBe("replayed");
    expect(streams.admit(bare("a", 4, 8))).toBe("new");
  });

  test("an answer that was held back until its stream was forgotten lets nothing in (attack 18)", () => {
    const streams = table(1);
    streams.begin("a", reached(0));
    const nonce = streams.ask("a");
    expect(streams.admit(bare("a", 1))).toBe("new");
    streams.begin("b", reached(0));
    expect(streams.answered("a", nonce, reached(0))).toBe("unasked");
    expect(streams.admit(bare("a", 1))).toBe("not-live");
  });

  test("nor one that was held back until a key was revoked (attack 37)", () => {
    const streams = table();
    streams.begin("a", reached(0));
    const nonce = streams.ask("a");
    expect(streams.admit(bare("a", 1))).toBe("new");
    streams.forgetKey(1);
    expect(streams.answered("a", nonce, reached(0))).toBe("unasked");
    expect(streams.admit(bare("a", 1))).toBe("not-live");
  });

  test("a nonce does not fall with another stream", () => {
    const streams = table(2);
    streams.begin("a", reached(0));
    const nonce = streams.ask("c");
    for (const name of ["b", "d", "e"]) streams.begin(name, reached(0));
    expect(streams.answered("c", nonce, reached(0))).toBe("begun");
  });
});
