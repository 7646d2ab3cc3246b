// docs/wire.md says what the sources do: its tables, its reasons and its worked example.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { REASONS } from "../../src/reasons.js";
import { REFUSED } from "../../src/wire/form.js";
import { FLAGS, KINDS } from "../../src/wire/header.js";
import { DEFAULT_LIMITS, EPOCH_AHEAD, WIRE } from "../../src/wire/limits.js";
import { hears, PATTERNS, type Pattern, receives } from "../../src/wire/patterns.js";
import type { DerivationFile, VectorFile } from "../vectors/format.js";

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
const text = read("../../docs/wire.md");

/** The text from one heading to the next of the same rank. */
function section(heading: string): string {
  const rank = heading.slice(0, heading.indexOf(" ") + 1);
  const start = text.indexOf(`\n${heading}`);
  if (start < 0) throw new Error(`docs/wire.md has no "${heading}"`);
  const end = text.indexOf(`\n${rank}`, start + 1);
  return text.slice(start, end < 0 ? undefined : end);
}

/** The cells of every table row in a section. */
function rows(heading: string): string[][] {
  return section(heading)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .slice(2, -2)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
}

const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

describe("docs/wire.md", () => {
  it("has the flags of section 3", () => {
    const flags = rows("## 3.")
      .filter(([bit, name]) => bit?.startsWith("0x") && name?.startsWith("`"))
      .map(([bit, name]) => [camel((name as string).replaceAll("`", "")), Number(bit)]);
    expect(Object.fromEntries(flags)).toEqual(FLAGS);
  });

  it("has the kinds and the answer of section 9", () => {
    const kinds = rows("## 9.").filter(([number]) => /^\d$/.test(number as string));
    expect(Object.fromEntries(kinds.map(([number, name]) => [name, Number(number)]))).toEqual(KINDS);
    const spaced = REFUSED.toString("hex").toUpperCase().match(/../g)?.join(" ");
    expect(section("## 9.")).toContain(`\n${spaced}\n`);
  });

  it("has the socket types of section 5, and who hears whom", () => {
    const [names, , numbers, ...rest] = rows("## 5.") as [string[], string[], string[], ...string[][]];
    const numbered = names.map((name, i) => [name.toLowerCase(), Number(numbers[i])]);
    expect(Object.fromEntries(numbered)).toEqual(PATTERNS);
    const told = new Set(
      rest.flatMap(([to, from]) =>
        to?.split(", ").flatMap((receiver) => from?.split(", ").map((sender) => `${receiver} ← ${sender}`)),
      ),
    );
    told.delete("receiver ← hears");
    told.delete("--- ← ---");
    const all = Object.keys(PATTERNS) as Pattern[];
    const real = all
      .filter(receives)
      .flatMap((to) => all.filter((from) => hears(to, from)).map((from) => `${to} ← ${from}`.toUpperCase()));
    expect([...told].sort()).toEqual(real.sort());
  });

  it("has the bounds of section 11", () => {
    const bounds = section("## 11.");
    expect(bounds).toContain(`1 to ${WIRE.senderBytes} bytes`);
    expect(bounds).toContain(`0 to ${WIRE.channelBytes} bytes`);
    expect(bounds).toContain(`1 to ${WIRE.batch} |`);
    expect(bounds).toContain(`0 to ${WIRE.window.toLocaleString("en-US")}`);
    expect(bounds).toContain(`| ${DEFAULT_LIMITS.frames.toLocaleString("en-US")} |`);
    expect(bounds).toContain(`| 2^${Math.log2(DEFAULT_LIMITS.bytes)} |`);
    expect(bounds).toContain(`| 2^${Math.log2(DEFAULT_LIMITS.streams)} |`);
    expect(bounds).toContain(`${WIRE.tagBytes} bytes exactly`);
    expect(section("### 8.2")).toContain(EPOCH_AHEAD.toLocaleString("en-US"));
  });

  it("names every reason that a verifier gives, in section 12 or where that points", () => {
    const steps = section("## 12.") + section("### 8.2") + section("### 8.3") + section("### 12.1");
    const behindTheVerifier = ["undecodable", "invalid"];
    // Jupyter's messages have a page of their own.
    const jupyter = ["wrong-channel", "wrong-recipient", "wrong-topic", "bad-buffers", "not-hardened"];
    const page = readFileSync(new URL("../../docs/jupyter.md", import.meta.url), "utf8");
    for (const reason of jupyter) expect(page).toContain(`\`${reason}\``);
    const elsewhere = [...behindTheVerifier, ...jupyter];
    for (const reason of Object.keys(REASONS).filter((reason) => !elsewhere.includes(reason))) {
      expect(steps).toContain(`\`${reason}\``);
    }
  });
});

describe("the worked example of section 13", () => {
  const [derivations = "", frame = ""] = section("## 13.")
    .split("```")
    .filter((_, i) => i % 2 === 1);

  it("derives the keys of the vectors", () => {
    const file = JSON.parse(read("../vectors/derivations.json")) as DerivationFile;
    const step = file.derivations.find(({ name }) => name === "plain");
    const values = [...derivations.matchAll(/= ([0-9a-f]{8}|[0-9a-f]{64})\n/g)].map(([, value]) => value);
    expect(values).toEqual([step?.prk, step?.keyId, step?.senderKey, step?.channelKey]);
  });

  it("is the frame of the vectors", () => {
    const { vectors } = JSON.parse(read("../vectors/pairs.json")) as VectorFile;
    const vector = vectors.find(({ name }) => section("## 13.").includes(`\`${name}\``));
    const hex = frame
      .split("\n")
      .map((line) => line.split("   ")[0]?.replaceAll(" ", ""))
      .join("");
    expect(vector?.messages[0]?.frames[1]).toBe(hex);
  });
});
