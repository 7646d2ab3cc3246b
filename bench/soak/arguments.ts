// What the command line of the soak says.

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type Pattern, patterns } from "../cases.js";
import { assertNoneLeft, take, wholeNumber } from "../command-line.js";
import { fewestMessages } from "./attacker.js";

export const help = `npm run soak -- [WORD …] [--messages N] [--seed N]

Sends N messages (default 1,000,000) through a hostile broker, in three processes over tcp, four times: DEALER → ROUTER
and PUB → SUB, each in strict order and with a window. The broker replays 1 %, alters 1 % and swaps 1 % of them.
Exits 0 when the receiver's account fits the broker's books in every figure and memory stayed flat, otherwise 1.

  ${patterns.join(", ")}   only this pattern
  strict, window           only this order
  --messages N             at least ${fewestMessages}; memory is judged from 1,000,000
  --seed N                 repeats the traffic and the attacks of an earlier run
  --help                   this text`;

const orders = ["strict", "window"] as const;
export type Order = (typeof orders)[number];

export interface Arguments {
  readonly help: boolean;
  readonly patterns: readonly Pattern[];
  readonly orders: readonly Order[];
  readonly messages: number;
  readonly seed: number;
}

/** Throws with a sentence for the user when a word or an option means nothing. */
export function parseArguments(argv: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      messages: { type: "string" },
      seed: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const words = new Set(positionals);
  const chosen = { patterns: take(words, patterns), orders: take(words, orders) };
  assertNoneLeft(words);
  return {
    help: values.help,
    patterns: chosen.patterns.length > 0 ? chosen.patterns : patterns,
    orders: chosen.orders.length > 0 ? chosen.orders : orders,
    messages: wholeNumber("--messages", values.messages ?? "1000000", fewestMessages),
    seed: wholeNumber("--seed", values.seed ?? String(randomInt(2 ** 32)), 0),
  };
}
