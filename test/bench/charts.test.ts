// The pictures: well-formed XML with a title and a description, and the figures of the JSON in them, in both themes.

import { describe, expect, test } from "vitest";
import { pictures, type Results } from "../../bench/charts/pictures.js";
import { around, doublings, throughTicks } from "../../bench/charts/scale.js";
import { element, text } from "../../bench/charts/svg.js";
import type { Latency } from "../../bench/latency.js";
import type { Throughput } from "../../bench/throughput.js";
import type { VariantName } from "../../bench/variants/table.js";

const summary = (median: number) => ({ median, min: median * 0.9, max: median * 1.1 });

function bar(
  variant: VariantName,
  bytes: Throughput["bytes"],
  ratio: number,
  more: Partial<Throughput> = {},
): Throughput {
  return {
    pattern: "dealer-router",
    transport: "tcp",
    subscribers: 1,
    frames: 1,
    bytes,
    sending: variant === "batched" ? "windowed" : "awaited",
    variant,
    rates: [],
    ratios: [],
    rate: summary(100_000 * ratio),
    ratio: summary(ratio),
    ...more,
  };
}

function dot(variant: VariantName, bytes: number, p50: number, p99: number): Latency {
  const [ratio, times] = [summary(1), { p50: summary(p50), p99: summary(p99) }];
  return {
    transport: "tcp",
    bytes,
    variant,
    trips: 1,
    p50s: [],
    p99s: [],
    ...times,
    p50Ratio: ratio,
    p99Ratio: ratio,
  };
}

const results: Results = {
  machine: { processor: "A <fast> & quiet one", cores: 2, node: "v20", libzmq: "4", date: "", load: 0.1 },
  throughput: [
    bar("plain", 64, 1),
    bar("curve", 64, 0.89),
    bar("naive", 64, 0.43),
    bar("countersign", 64, 0.93),
    bar("batched", 64, 8.7),
    bar("inline", 64, 0.77),
    bar("countersign", 16_384, 0.61),
    bar("countersign", 64, 1.57, { frames: 6 }),
    bar("countersign", 64, 0.22, { transport: "ipc" }),
    bar("countersign", 64, 0.33, { sending: "windowed" }),
  ],
  latency: [
    dot("plain", 64, 91, 187),
    dot("countersign", 64, 102, 211),
    dot("countersign", 16_384, 133, 307),
  ],
};

/** Throws unless every element that is opened is closed, in order, and attributes and text are as XML has them. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/gy;
  const between = /(?:[^<&]|&(?:amp|lt|gt|quot);)*/gy;
  let at = 0;
  while (at < xml.length) {
    between.lastIndex = at;
    at += between.exec(xml)![0].length;
    if (at === xml.length) break;
    tag.lastIndex = at;
    const found = tag.exec(xml);
    if (found === null) throw new Error(`no tag at ${xml.slice(at, at + 40)}`);
    const [whole, closing, name, , empty] = found;
    if (closing && open.pop() !== name) throw new Error(`</${name}> closes something else`);
    if (!closing && !empty) open.push(name!);
    at += whole.length;
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)}> stays open`);
}

describe("pictures", () => {
  const drawn = pictures(results);

  test("are four", () => {
    expect([...drawn.keys()].sort()).toEqual([
      "latency-dark.svg",
      "latency-light.svg",
      "throughput-dark.svg",
      "throughput-light.svg",
    ]);
  });

  test.each([...drawn.keys()])("%s is well-formed, titled and described", (name) => {
    const svg = drawn.get(name)!;
    assertWellFormed(svg);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="800"/);
    expect(svg).toContain('role="img" aria-labelledby="title desc"');
    expect(svg).toMatch(/<title id="title">.+<\/title>/);
    expect(svg).toMatch(/<desc id="desc">.+<\/desc>/);
    expect(svg).toContain("A &lt;fast&gt; &amp; quiet one");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test.each(["light", "dark"])("throughput, %s, shows what a deployment would get", (theme) => {
    const svg = drawn.get(`throughput-${theme}.svg`)!;
    for (const shown of [
      "64 B, CURVE: 0.89 (0.80–0.98) of plain",
      "64 B, createHmac by hand: 0.43 (0.39–0.47) of plain",
      "64 B, Countersign: 0.93 (0.84–1.02) of plain",
      "64 B, Countersign, batched: 8.70 (7.83–9.57) of plain",
      "16 KB, Countersign: 0.61 (0.55–0.67) of plain",
      "64 B, Countersign: 1.57 (1.41–1.73) of plain",
      ">0.93</text>",
      ">8.7</text>",
      ">six frames</text>",
    ]) {
      expect(svg).toContain(shown);
    }
    // Forced layouts, other transports, and what was driven otherwise.
    for (const other of ["0.77", "0.22", "0.33"]) expect(svg).not.toContain(other);
  });

  test.each(["light", "dark"])("latency, %s, shows both percentiles", (theme) => {
    const svg = drawn.get(`latency-${theme}.svg`)!;
    expect(svg).toContain("64 B, Countersign: p50 102 µs, p99 211 µs");
    for (const figure of [91, 187, 102, 211, 133, 307]) expect(svg).toContain(`>${figure}</text>`);
  });

  test("differ between themes in colors alone", () => {
    const without = (name: string) => drawn.get(name)!.replaceAll(/#[0-9a-f]{6}/g, "");
    expect(without("throughput-dark.svg")).toBe(without("throughput-light.svg"));
    expect(drawn.get("throughput-dark.svg")).not.toBe(drawn.get("throughput-light.svg"));
  });

  test("are left out where nothing was measured", () => {
    const { machine, latency = [] } = results;
    expect([...pictures({ machine, latency }).keys()]).toEqual(["latency-light.svg", "latency-dark.svg"]);
    expect(pictures({ machine }).size).toBe(0);
  });
});

describe("scales", () => {
  test("twice stands as far above as half stands below", () => {
    const scale = throughTicks(doublings([0.3, 5]), 100, 0);
    expect(scale.ticks).toEqual([0.25, 0.5, 1, 2, 4, 8]);
    expect([0.25, 1, 8].map((value) => Math.round(scale(value)))).toEqual([100, 60, 0]);
    expect(scale(1) - scale(2)).toBeCloseTo(scale(0.5) - scale(1));
  });

  test("hold all values, with a few round numbers", () => {
    for (const values of [
      [91, 187],
      [3, 4],
      [10, 90_000],
      [0.2, 0.4],
    ]) {
      const scale = around(values, 0, 100);
      expect(scale.ticks.length).toBeLessThanOrEqual(5);
      for (const value of [...values, ...scale.ticks]) {
        expect(scale(value)).toBeGreaterThanOrEqual(0);
        expect(scale(value)).toBeLessThanOrEqual(100);
      }
    }
  });
});

test("text and attributes are escaped", () => {
  expect(text('<b> & "c"', { x: 1.23456 })).toBe('<text x="1.23">&lt;b&gt; &amp; &quot;c&quot;</text>');
  expect(element("a", { href: '"<&>', gone: undefined })).toBe('<a href="&quot;&lt;&amp;&gt;"/>');
});
