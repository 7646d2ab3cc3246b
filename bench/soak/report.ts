// What the soak prints of each run: what the broker did, then every check with what it must be and what it was.

import { patternTitles } from "../cases.js";
import type { Outcome, RunOptions } from "./run.js";
import type { Check } from "./verdict.js";

const NAME = 52;
const FIGURE = 14;

const integer = (value: number) => Math.round(value).toLocaleString("en-US");

export function titleOf({ pattern, window }: Pick<RunOptions, "pattern" | "window">): string {
  return `${patternTitles[pattern]}, ${window === 0 ? "strict" : `window ${window}`}`;
}

export function runTable({ options, books, report, seconds }: Outcome, checks: readonly Check[]): string {
  const { messages } = options;
  const kinds = Object.keys(books.alterations).length;
  const share = (count: number) => `${((100 * count) / messages).toFixed(2)} %`;
  return [
    `${titleOf(options)}: ${integer(messages)} messages in ${seconds.toFixed(1)} s (${integer(messages / seconds)}/s)`,
    `  the broker replayed ${integer(books.replayed)} (${share(books.replayed)}), altered ${integer(books.altered)} ` +
      `(${share(books.altered)}, in ${kinds} ways), swapped ${integer(books.swapped)} (${share(books.swapped)})`,
    `  ${"".padEnd(NAME)}${"must be".padStart(FIGURE)}${"is".padStart(FIGURE)}`,
    ...checks.map(checkRow),
    ...report.told.map((fault) => `  ${fault}`),
  ].join("\n");
}

function checkRow({ name, expected, actual, ok }: Check): string {
  return `  ${name.padEnd(NAME)}${expected.padStart(FIGURE)}${actual.padStart(FIGURE)}${ok ? "" : "   WRONG"}`;
}
