// What the command line of the crash run says.

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { assertNoneLeft, take, wholeNumber } from "../command-line.js";

export const help = `npm run crash -- [WORD …] [--kills N] [--seed N]

A sender (DEALER), a broker that replays one message in five, and a receiver (ROUTER), each a process of its own over tcp,
admitting by challenge. One of them, chosen by chance, is killed by SIGKILL at a random moment under load and started again,
N times (default 200) for each kind of state. Exits 0 when nothing was delivered twice and nothing was lost but what was on
its way when something was killed, otherwise 1.

  memory, lmdb, redis   only this state of receiver and sender
  --kills N             at least 1
  --seed N              repeats the choices of an earlier run
  --help                this text

"redis" starts a redis-server of its own; without that program on this machine it says so and fails.`;

export const states = ["memory", "lmdb", "redis"] as const;
export type StateKind = (typeof states)[number];

export interface Arguments {
  readonly help: boolean;
  readonly states: readonly StateKind[];
  readonly kills: number;
  readonly seed: number;
}

/** Throws with a sentence for the user when a word or an option means nothing. */
export function parseArguments(argv: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      kills: { type: "string" },
      seed: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const words = new Set(positionals);
  const chosen = take(words, states);
  assertNoneLeft(words);
  return {
    help: values.help,
    states: chosen.length > 0 ? chosen : states,
    kills: wholeNumber("--kills", values.kills ?? "200", 1),
    seed: wholeNumber("--seed", values.seed ?? String(randomInt(2 ** 32)), 0),
  };
}
