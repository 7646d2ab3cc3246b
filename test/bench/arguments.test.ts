// What the words of `npm run bench` choose, and what its command line says of words that mean nothing.

import { describe, expect, test } from "vitest";
import { help, parseArguments } from "../../bench/arguments.js";
import { casesOf, dimensions, takeChoice } from "../../bench/cases.js";
import { parseArguments as parseCharts } from "../../bench/charts/arguments.js";
import { sections } from "../../bench/sections.js";
import { variantNames } from "../../bench/variants/table.js";

const words = (...argv: string[]) => parseArguments(argv).sections.map(({ word }) => word);
const every = sections.map(({ word }) => word);

describe("sections", () => {
  test("all without words", () => {
    expect(words()).toEqual(every);
  });

  test("quick: those that can be", () => {
    expect(words("quick")).toEqual(["throughput", "latency", "micro", "states"]);
  });

  test.each(every)("%s alone by its word", (word) => {
    expect(words(word)).toEqual([word]);
    expect(parseArguments([word]).named).toBe(true);
  });

  test("several, in the order of the table", () => {
    expect(words("micro", "latency")).toEqual(["latency", "micro"]);
  });

  test("words of cases alone mean throughput, and narrow a section that is named", () => {
    expect(words("64", "pub-sub")).toEqual(["throughput"]);
    expect(words("inline")).toEqual(["throughput"]);
    const { sections, choice } = parseArguments(["latency", "ipc"]);
    expect([sections.map(({ word }) => word), choice]).toEqual([["latency"], { transport: ["ipc"] }]);
  });
});

describe("options", () => {
  test("rounds are seven, three when quick, or as told", () => {
    expect([[], ["quick"], ["quick", "--rounds", "5"]].map((argv) => parseArguments(argv).rounds)).toEqual([
      7, 3, 5,
    ]);
  });

  test.each(["0", "1.5", "many", ""])("rounds are not %j", (rounds) => {
    expect(() => parseArguments(["--rounds", rounds])).toThrow(/--rounds takes a whole number of at least 1/);
  });

  test("a file for the JSON", () => {
    expect(parseArguments(["--json", "results.json"]).json).toBe("results.json");
  });

  test.each([["unheard"], ["quick", "unheard"], ["64", "unheard"]])("%j means nothing", (...argv) => {
    expect(() => parseArguments(argv)).toThrow('"unheard" means nothing here; see --help');
  });

  test("an option that does not exist is refused", () => {
    expect(() => parseArguments(["--fast"])).toThrow(/--fast/);
  });

  test("help names every word", () => {
    expect(parseArguments(["--help"]).help).toBe(true);
    const all = [...every, ...variantNames, ...Object.values(dimensions).flatMap(Object.keys), "quick"];
    expect(all.filter((word) => !new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(help))).toEqual([]);
  });

  test("no word means two things", () => {
    const all = [...every, ...variantNames, ...Object.values(dimensions).flatMap(Object.keys), "quick"];
    expect(all.length).toBe(new Set(all).size);
  });
});

describe("variants", () => {
  test("all, and first the baseline", () => {
    expect(parseArguments([]).variants).toEqual(variantNames);
    expect(variantNames[0]).toBe("plain");
  });

  test("quick leaves out those that force a layout, unless they are named", () => {
    expect(parseArguments(["quick"]).variants).toEqual(["plain", "curve", "naive", "countersign", "batched"]);
    expect(parseArguments(["quick", "inline"]).variants).toEqual(["plain", "inline"]);
  });

  test("plain is measured with any", () => {
    expect(parseArguments(["curve"]).variants).toEqual(["plain", "curve"]);
    expect(parseArguments(["plain", "curve"]).variants).toEqual(["plain", "curve"]);
  });
});

describe("cases", () => {
  const cases = (...argv: string[]) => casesOf(takeChoice(new Set(argv)), false);
  const with_ = (dimension: keyof typeof dimensions, among = cases()) => [
    ...new Set(among.map((kind) => kind[dimension])),
  ];

  test("usual ones: 16 B to 1 MB, one and six frames, tcp and ipc, one and ten subscribers", () => {
    const all = cases();
    expect(with_("bytes")).toEqual([16, 64, 256, 1_024, 4_096, 16_384, 131_072, 1_048_576]);
    for (const dimension of ["frames", "transport", "subscribers", "sending", "pattern"] as const) {
      expect(with_(dimension, all)).toEqual(Object.values(dimensions[dimension]));
    }
    expect(new Set(all.map((kind) => JSON.stringify(kind))).size).toBe(all.length);
  });

  test("words narrow them", () => {
    expect(cases("64", "dealer-router", "tcp", "1-frame", "awaited")).toEqual([
      {
        pattern: "dealer-router",
        transport: "tcp",
        subscribers: 1,
        frames: 1,
        bytes: 64,
        sending: "awaited",
      },
    ]);
    expect(with_("bytes", cases("10-subscribers"))).toEqual([256]);
  });

  test("what is not usual is measured when words ask for it", () => {
    expect(cases("pub-sub", "ipc", "6-frames", "1k")).toEqual([
      { pattern: "pub-sub", transport: "ipc", subscribers: 1, frames: 6, bytes: 1_024, sending: "awaited" },
    ]);
  });

  test("nothing that is named is dropped for not being usual", () => {
    const chosen = cases(
      "windowed",
      "64",
      "256",
      "tcp",
      "pub-sub",
      "dealer-router",
      "1-subscriber",
      "1-frame",
    );
    expect(chosen.map(({ pattern, bytes }) => `${pattern} ${bytes}`)).toEqual([
      "dealer-router 64",
      "dealer-router 256",
      "pub-sub 64",
      "pub-sub 256",
    ]);
  });

  test("a ROUTER is one", () => {
    expect(() => parseArguments(["dealer-router", "10-subscribers"])).toThrow(/all of this; see --help/);
    expect(() => cases("dealer-router", "10-subscribers")).toThrow(
      /Nothing can be measured that is all of this/,
    );
  });
});

describe("bench:charts", () => {
  test("one file, and a folder", () => {
    expect(parseCharts(["a.json"])).toEqual({ help: false, file: "a.json", out: "docs/charts" });
    expect(parseCharts(["a.json", "--out", "b"]).out).toBe("b");
    expect(parseCharts(["--help"]).help).toBe(true);
  });

  test.each([[[]], [["a.json", "b.json"]]])("not %j", (argv) => {
    expect(() => parseCharts(argv)).toThrow(/One file is drawn, not \d; see --help/);
  });
});
