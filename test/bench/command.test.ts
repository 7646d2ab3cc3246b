// The bench as its users run it: exit codes, one sentence for what means nothing, the JSON file, and pictures from it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const built = (path: string) => fileURLToPath(new URL(`../../.build/bench/${path}`, import.meta.url));
const [bench, charts] = [built("main.js"), built("charts/main.js")];
if (!existsSync(charts)) throw new Error(`${charts} does not exist: npm run build:tools`);

const folder = mkdtempSync(join(tmpdir(), "countersign-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

const ONE_SENTENCE = /^[^\n]+\n$/;

describe("npm run bench", () => {
  test("--help exits 0", () => {
    expect(run(bench, "--help")).toMatchObject({ status: 0, stderr: "" });
  });

  test.each([["unheard"], ["--rounds", "0"], ["dealer-router", "10-subscribers"]])(
    "%s exits 2",
    (...args) => {
      const { status, stdout, stderr } = run(bench, ...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(ONE_SENTENCE);
    },
  );

  test("measures messages of every variant that there is, round trips and single calls, and writes them down", () => {
    const file = join(folder, "results.json");
    const args = ["quick", "throughput", "latency", "micro", "states", "16", "--rounds", "1", "--json", file];
    const { status, stdout, stderr } = run(bench, ...args, "tcp", "dealer-router", "windowed");
    expect(status, stderr).toBe(0);
    const results = JSON.parse(readFileSync(file, "utf8"));
    const variants = ["plain", "curve", "naive", "countersign"];
    for (const section of ["throughput", "latency"]) {
      expect(results[section].map(({ variant }: { variant: string }) => variant).slice(0, 4)).toEqual(
        variants,
      );
    }
    expect(results.throughput[0]).toMatchObject({ bytes: 16, sending: "windowed", ratio: { median: 1 } });
    expect(results.latency[0]).toMatchObject({ bytes: 16, transport: "tcp", p50Ratio: { median: 1 } });
    expect(results.latency[0].p99.median).toBeGreaterThanOrEqual(results.latency[0].p50.median);
    expect(results.micro[0]).toMatchObject({ bytes: 64, action: "bare createHmac", ratio: { median: 1 } });
    expect(results.states.ways[0]).toMatchObject({ admit: "clock", state: "memory", ratio: { median: 1 } });
    expect(results.machine.node).toBe(process.version);
    expect(stdout).toContain("DEALER → ROUTER, tcp, sends in a window");
  });
});

describe("npm run bench:charts", () => {
  test("draws what was measured", () => {
    const out = join(folder, "charts");
    expect(run(charts, join(folder, "results.json"), "--out", out)).toMatchObject({ status: 0, stderr: "" });
    expect(readdirSync(out)).toEqual(["latency-dark.svg", "latency-light.svg"].concat(batchedPictures()));
  });

  test.each([[[]], [["one", "two"]], [["--unheard"]]])("%j exits 2", (args) => {
    const { status, stderr } = run(charts, ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(ONE_SENTENCE);
  });

  test.each([
    ["no file", undefined],
    ["no JSON", "{"],
    ["nothing to draw", '{"machine":{"load":0}}'],
  ])("%s: exits 1 with a sentence", (name, content) => {
    const file = join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    const { status, stderr } = run(charts, file);
    expect(status).toBe(1);
    expect(stderr).toMatch(ONE_SENTENCE);
  });
});

/** Of sends in a window the picture shows batches alone, where this version has them. */
function batchedPictures(): string[] {
  const { throughput } = JSON.parse(readFileSync(join(folder, "results.json"), "utf8"));
  const batched = throughput.some(({ variant }: { variant: string }) => variant === "batched");
  return batched ? ["throughput-dark.svg", "throughput-light.svg"] : [];
}
