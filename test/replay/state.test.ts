// Whose memory it is: who shares a table and who does not.

import { expect, test } from "vitest";
import { MemoryState } from "../../src/replay/state.js";

const STRICT = { window: 0, limit: 10 };
const state = () => new MemoryState({ clock: () => 5000 });

test("a table begins to remember when it is made, however old the state is", () => {
  let now = 5000;
  const memory = new MemoryState({ clock: () => now });
  now = 9000;
  expect(memory.table("r", "shell", "dealer", STRICT).since).toBe(9000);
});

test("the system's clock tells when, if none is given", () => {
  const before = Date.now() * 1000;
  const { since } = new MemoryState().table("r", "", "push", STRICT);
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
  const table = state().table("r", "", "push", { window: 0, limit: 1 });
  table.remember("a", table.find("a"), { epoch: 1, sequence: 1, count: 1 }, 1, 6000);
  table.remember("b", table.find("b"), { epoch: 1, sequence: 1, count: 1 }, 1, 7000);
  expect(table).toMatchObject({ size: 1, since: 6000 });
});

test("with the widest window 32,768 streams are remembered, which is 256 MiB, whatever the limit", () => {
  const table = state().table("r", "", "push", { window: 65_536, limit: 2 ** 20 });
  for (let i = 0; i < 32_770; i++) {
    table.remember(`s${i}`, -1, { epoch: 1, sequence: 1, count: 1 }, 1, 6000 + i);
  }
  expect(table).toMatchObject({ size: 32_768, since: 6001 });
});

test("in strict order there is no window to pay for", () => {
  const table = state().table("r", "", "push", { window: 0, limit: 40_000 });
  for (let i = 0; i < 40_000; i++) {
    table.remember(`s${i}`, -1, { epoch: 1, sequence: 1, count: 1 }, 1, 6000);
  }
  expect(table).toMatchObject({ size: 40_000, forgot: false });
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
