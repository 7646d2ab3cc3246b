// The table of sections, and what is printed of their results.

import { describe, expect, test } from "vitest";
import { parts, type Shares } from "../../bench/profiler.js";
import { sections } from "../../bench/sections.js";
import { latencyTables } from "../../bench/tables/latency.js";
import { microTables } from "../../bench/tables/micro.js";
import { profileTables } from "../../bench/tables/profile.js";
import { statesTable } from "../../bench/tables/states.js";
import { range, table } from "../../bench/tables/table.js";
import { throughputTables } from "../../bench/tables/throughput.js";
import { available, suits } from "../../bench/variants/table.js";

const one = (median: number) => ({ median, min: median, max: median });
const summary = { median: 0.5, min: 0.25, max: 0.75 };

describe("sections", () => {
  test("have words of their own that can be JSON keys, and a line of help", () => {
    expect(new Set(sections.map(({ word }) => word)).size).toBe(sections.length);
    for (const { word, help } of sections) {
      expect(word).toMatch(/^[a-z]+$/);
      expect(help).toMatch(/^.{10,100}$/);
      expect(["machine", "rounds", "quick"]).not.toContain(word);
    }
  });
});

describe("tables", () => {
  test("are aligned", () => {
    const lines = table(
      "label",
      ["a", "a longer one"],
      [
        ["x", ["1,000,000", "2"]],
        ["a long label", ["3", "4"]],
      ],
    ).split("\n");
    expect(lines).toEqual([
      "label                  a   a longer one",
      "---------------------------------------",
      "x              1,000,000              2",
      "a long label           3              4",
    ]);
  });

  test("show the median and the range, unless they are one", () => {
    expect([range(summary), range(one(1)), range(summary, 0)]).toEqual([
      "0.50 (0.25–0.75)",
      "1.00",
      "1 (0–1)",
    ]);
  });

  test("of profiles: a row for each part, a column for each side, and their sums", () => {
    const shares = (micros: number) => Object.fromEntries(parts.map((part) => [part, micros])) as Shares;
    const profile = { variant: "plain", bytes: 64, sender: shares(1), receiver: shares(2) } as const;
    const lines = profileTables([profile]).split("\n");
    expect(lines).toHaveLength(2 + parts.length + 1);
    expect(lines[0]).toMatch(/^64 B, µs a message +plain zeromq.js: sender +receiver$/);
    expect(lines[2]).toMatch(/^zeromq.js and libzmq +1\.00 +2\.00$/);
    expect(lines.at(-1)).toMatch(new RegExp(`^together +${parts.length}\\.00 +${2 * parts.length}\\.00$`));
  });

  test("of throughput: one for each way of meeting and sending", () => {
    const common = {
      pattern: "pub-sub",
      transport: "tcp",
      frames: 1,
      bytes: 256,
      rates: [],
      ratios: [],
    } as const;
    const result = {
      ...common,
      subscribers: 10,
      sending: "awaited",
      rate: one(1_234),
      ratio: summary,
    } as const;
    const text = throughputTables([
      { ...result, variant: "plain" },
      { ...result, variant: "countersign" },
      { ...result, variant: "batched", sending: "windowed" },
    ]);
    expect(text).toContain("PUB → SUB × 10, tcp, each send awaited");
    expect(text).toContain("PUB → SUB × 10, tcp, sends in a window");
    expect(text).toMatch(/256 B in 1 frame +1,234 +1,234\n +0\.50 \(0\.25–0\.75\)/);
  });

  test("of latency: p50 and p99 with their ratios", () => {
    const times = { p50: one(101), p99: one(202), p50Ratio: summary, p99Ratio: one(1) };
    const text = latencyTables([
      { transport: "ipc", bytes: 64, variant: "curve", trips: 1, p50s: [], p99s: [], ...times },
    ]);
    expect(text).toMatch(/round trip, ipc/);
    expect(text).toMatch(/64 B, p50 +101 µs\n +0\.50 \(0\.25–0\.75\)\n64 B, p99 +202 µs/);
  });

  test("of micro: one for each size", () => {
    const text = microTables(
      [64, 1_024].map((bytes) => ({ bytes, action: "sign", micros: one(2), ratio: summary })),
    );
    expect(text).toMatch(/^64 B, no socket[\s\S]+\n\n1 KB, no socket/);
  });

  test("of states: what was left out is said", () => {
    const cost = { micros: one(5), ratio: one(1), first: one(80) };
    const text = statesTable({
      ways: [{ admit: "clock", state: "memory", detail: "strict order", ...cost }],
      leftOut: ["Redis is left out."],
    });
    expect(text).toMatch(/clock, memory +strict order +5\.0 +1\.00 +80\nRedis is left out\.$/);
  });
});

describe("variants", () => {
  test("batched is measured only where there is something to batch", () => {
    expect([suits("batched", "awaited"), suits("batched", "windowed"), suits("plain", "awaited")]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test("what cannot be measured is left out with a sentence, and nothing else is", () => {
    const { names, leftOut } = available(["plain", "countersign", "batched"]);
    expect(names.slice(0, 2)).toEqual(["plain", "countersign"]);
    expect(names.length + leftOut.length).toBe(3);
    for (const sentence of leftOut) expect(sentence).toMatch(/^"batched" is left out: .+\.$/);
  });
});
