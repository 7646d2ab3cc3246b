// What the command line of the benchmark says: words that choose what is measured, and three options.

import { parseArgs } from "node:util";
import { type Choice, casesOf, dimensions, takeChoice } from "./cases.js";
import { assertNoneLeft, take, wholeNumber } from "./command-line.js";
import type { Section } from "./section.js";
import { sections } from "./sections.js";
import { usualVariants, type VariantName, variantNames } from "./variants/table.js";

const words = (...columns: (readonly string[])[]) => columns.map((column) => column.join(", ")).join(", ");
const { pattern, transport, subscribers, bytes, frames, sending } = dimensions;
const keys = (dimension: object) => Object.keys(dimension);

export const help = `npm run bench -- [WORD …] [--rounds N] [--json FILE]

Without words everything is measured, which takes about half an hour. "quick" is a little of the first four sections,
in under a minute. Words choose sections:

${sections.map(({ word, help }) => `  ${word.padEnd(12)}${help}`).join("\n")}

and what is measured between sockets (alone they mean "throughput"); a kind that no word is of is as usual:

  ${words(keys(pattern), keys(transport), keys(subscribers))}
  ${words(keys(frames), keys(sending))}
  ${words(keys(bytes))}   bytes in all frames together
  ${words(variantNames)}
              the ways of protecting messages; plain is always measured: it is the baseline

  --rounds N    rounds a case (default 7, quick 3)
  --json FILE   every measurement, also as JSON; "npm run bench:charts -- FILE" draws it
  --help        this text

Every party is a process of its own on this machine. Rates are counted at the receivers, from the first message to the
last; ratios are to plain zeromq.js in the same round; figures are medians, with the lowest and the highest in
parentheses. "awaited" awaits each send before the next; "windowed" has up to 512 under way, plain sockets as many as
zeromq.js lets them: only then is there anything to batch.`;

export interface Arguments {
  readonly help: boolean;
  readonly sections: readonly Section<unknown>[];
  /** Whether the sections were chosen by their words: then one that cannot be measured is a failure. */
  readonly named: boolean;
  readonly quick: boolean;
  readonly choice: Choice;
  readonly variants: readonly VariantName[];
  readonly rounds: number;
  readonly json: string | undefined;
}

const sectionWords = sections.map(({ word }) => word);

/** Throws with a sentence for the user when a word or an option means nothing, or words contradict each other. */
export function parseArguments(argv: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      rounds: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const left = new Set(positionals);
  const quick = left.delete("quick");
  const named = take(left, sectionWords);
  const before = left.size;
  const choice = takeChoice(left);
  const variants = take(left, variantNames);
  assertNoneLeft(left);
  const chosen = sectionsOf(named, before > 0, quick);
  if (chosen.some(({ word }) => word === "throughput")) casesOf(choice, quick);
  return {
    help: values.help,
    sections: chosen,
    named: named.length > 0,
    quick,
    choice,
    variants: variants.length === 0 ? usualVariants(quick) : [...new Set(["plain" as const, ...variants])],
    rounds: wholeNumber("--rounds", values.rounds ?? (quick ? "3" : "7"), 1),
    json: values.json,
  };
}

function sectionsOf(named: readonly string[], narrowed: boolean, quick: boolean) {
  if (named.length > 0) return sections.filter(({ word }) => named.includes(word));
  if (narrowed) return sections.filter(({ word }) => word === "throughput");
  return sections.filter((section) => section.quick || !quick);
}
