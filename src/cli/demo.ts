// countersign demo: the main job on real traffic, with an attacker's broker in between. Five processes over tcp; ends
// with 1 if anything genuine was lost or anything else got through.

import { defineCommand } from "./command.js";
import { Director } from "./demo/director.js";
import { actTable, findingLines, flowTable, Screen } from "./demo/show.js";
import { EXIT, type ExitCode, OperatorError } from "./failure.js";
import { paintFor } from "./terminal.js";

const FEWEST_CELLS = 6;
const MOST_CELLS = 1000;

export const command = defineCommand({
  name: "demo",
  purpose:
    "Runs a kernel and two clients in processes of their own, over tcp, through an attacker's broker that replays, " +
    "alters, reorders, cuts, reflects and crosses what it carries. Shows what is delivered and what is refused and why.",
  usage: ["demo [--plain] [--cells N] [--seed N] [--fast]"],
  options: {
    plain: {
      type: "boolean",
      help: "the control: the same on plain zeromq sockets; shows what gets through",
    },
    cells: { type: "string", value: "N", help: `code cells that the clients run, from ${FEWEST_CELLS} (14)` },
    seed: { type: "string", value: "N", help: "the order of the attacks (1)" },
    fast: { type: "boolean", help: "no pauses for the eye" },
  },
  notes: ["Exit code: 0 every promise was kept; 1 one was broken; 2 the demonstration could not run."],
  positionals: 0,
  async run({ plain = false, cells, seed, fast = false }) {
    const count = whole("cells", cells, 14, FEWEST_CELLS, MOST_CELLS);
    const random = generator(whole("seed", seed, 1, 0, 2 ** 31));
    return play({ signed: !plain, cells: count, pause: fast ? 0 : 120, random });
  },
});

async function play(options: ConstructorParameters<typeof Director>[0]): Promise<ExitCode> {
  const paint = paintFor(process.stdout);
  const screen = new Screen(paint);
  screen.say(paint.bold(options.signed ? "Signed by countersign" : "Plain zeromq, nothing signed"));
  screen.say("alice, bob  ⇄  the attacker's broker  ⇄  kernel     shell: ROUTER/DEALER   iopub: PUB/SUB\n");
  const director = new Director(options, screen);
  const found = await director.run().catch((error: Error) => {
    throw new OperatorError(`The demonstration could not run: ${error.message}`);
  });
  for (const table of [actTable(director.books, paint), flowTable(director.books, paint)]) {
    screen.say();
    for (const line of table) screen.say(line);
  }
  screen.say();
  for (const line of findingLines(found, paint)) screen.say(line);
  const broken = found.filter(({ held }) => !held);
  screen.say();
  screen.say(
    paint.bold(
      broken.length === 0
        ? "Every promise was kept."
        : `${broken.length} of ${found.length} promises were broken.`,
    ),
  );
  return broken.length === 0 ? EXIT.ok : EXIT.no;
}

function whole(name: string, given: string | undefined, usual: number, low: number, high: number): number {
  if (given === undefined) return usual;
  const value = Number(given);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new OperatorError(`--${name} takes a whole number from ${low} to ${high}; got "${given}".`);
  }
  return value;
}

/** A small generator of numbers from 0 to 1 (mulberry32): the same seed, the same play. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
