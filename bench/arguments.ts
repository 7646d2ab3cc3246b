// What the command line of the benchmark says: words that choose what is measured, and three options.

import { parseArgs } from "node:util";
import {
  type Case,
  type FrameCount,
  frameCounts,
  type Pattern,
  patterns,
  type Size,
  sizes,
} from "./cases.js";
import { assertNoneLeft, take, wholeNumber } from "./command-line.js";
import { type VariantName, variantNames } from "./variants/table.js";

export const help = `npm run bench -- [WORD …] [--rounds N] [--json FILE]

Without words everything but "memory" and "engines" is measured, which takes about seven minutes. Words choose:

  quick                          two sizes in one frame, three rounds: under a minute
  ${patterns.join(", ")}         only these socket patterns
  ${Object.keys(sizes).join(", ")}              only these body sizes (bytes in all frames together)
  ${Object.keys(frameCounts).join(", ")}              only these frame counts
  ${variantNames.join(", ")}
                                 only these variants (plain is always measured: it is the baseline)
  micro                          sign and verify without a socket, beside a bare createHmac
  engines                        one MAC in each way that there is, by length, and where one overtakes another
  memory                         a verifier with 1, 1,000 and 1,000,000 senders (1 GB, two or three minutes)

  workers                        two and four workers that share a stream in Redis, behind a broker (needs redis-server)
  jupyter                        Jupyter messages, plain and hardened, beside @nteract/messaging and jupyter_client
  ready                          how soon a subscriber that joins late is ready, and what it was spared

  --rounds N    rounds a case (default 7, quick 3)
  --json FILE   every measurement, also as JSON
  --help        this text

Every variant has a sending and a receiving process, connected over tcp on this machine. Rates are counted at the
receiver, from the first message to the last; ratios are to plain zeromq.js in the same round; figures are medians,
with the lowest and the highest in parentheses.`;

export interface Arguments {
  readonly help: boolean;
  readonly cases: readonly Case[];
  readonly variants: readonly VariantName[];
  readonly rounds: number;
  readonly micro: boolean;
  readonly engines: boolean;
  readonly memory: boolean;
  readonly workers: boolean;
  readonly ready: boolean;
  readonly jupyter: boolean;
  readonly json: string | undefined;
}

const sizeNames = Object.keys(sizes) as Size[];
const frameNames = Object.keys(frameCounts) as FrameCount[];

/** Throws with a sentence for the user when a word or an option means nothing. */
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
  const words = new Set(positionals);
  const quick = words.delete("quick");
  const micro = words.delete("micro");
  const engines = words.delete("engines");
  const memory = words.delete("memory");
  const workers = words.delete("workers");
  const ready = words.delete("ready");
  const jupyter = words.delete("jupyter");
  const before = words.size;
  const choice: Choice = {
    patterns: choose(words, patterns),
    sizes: choose(words, sizeNames, quick ? ["64", "16k"] : sizeNames),
    frames: choose(words, frameNames, quick ? ["1-frame"] : frameNames),
    variants: choose(words, variantNames),
  };
  assertNoneLeft(words);

  const sockets = before > 0 || quick || !(micro || engines || memory || workers || ready || jupyter);
  return {
    help: values.help,
    cases: sockets ? casesOf(choice) : [],
    variants: variantNames.filter((name) => name === "plain" || choice.variants.includes(name)),
    rounds: wholeNumber("--rounds", values.rounds ?? (quick ? "3" : "7"), 1),
    micro: micro || quick || positionals.length === 0,
    engines,
    memory,
    workers,
    ready,
    jupyter,
    json: values.json,
  };
}

interface Choice {
  readonly patterns: readonly Pattern[];
  readonly sizes: readonly Size[];
  readonly frames: readonly FrameCount[];
  readonly variants: readonly VariantName[];
}

/** Takes out of `words` those of one kind. None of them means all, or what is usual. */
function choose<T extends string>(words: Set<string>, all: readonly T[], usual = all): readonly T[] {
  const chosen = take(words, all);
  return chosen.length > 0 ? chosen : usual;
}

function casesOf(choice: Choice): Case[] {
  return choice.patterns.flatMap((pattern) =>
    choice.frames.flatMap((frame) =>
      choice.sizes.map((size) => ({ pattern, bytes: sizes[size], frames: frameCounts[frame] })),
    ),
  );
}
