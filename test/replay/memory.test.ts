// Whose memory it is: who shares a table and who does not.

import { expect, test } from "vitest";
import { MemoryState } from "../../src/replay/memory.js";
import type { Claim } from "../../src/replay/state.js";

/** A message that proves as much as it must. */
const claim = (stream: string): Claim => ({
  stream,
  epoch: 1,
  sequence: 1,
  count: 1,
  keyId: 1,
  signedAfter: Infinity,
  toFreshName: false,
  unproven: "not-live",
});

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
