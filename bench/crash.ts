// `npm run crash`: sender, broker and receiver are killed at random moments under load, with each kind of state. Exits 1 if
// anything was delivered twice, or lost for another reason than a kill.

import { parseOrExit } from "./command-line.js";
import { type Arguments, help, parseArguments, type StateKind } from "./crash/arguments.js";
import type { Books } from "./crash/books.js";
import { runCrash } from "./crash/run.js";
import { makeProgress } from "./progress.js";

const ROWS: readonly [title: string, figure: (books: Books) => string][] = [
  ["kills (sender, broker, receiver)", ({ kills }) => Object.values(kills).join(", ")],
  ["messages sent", ({ sent }) => String(sent)],
  ["delivered", ({ delivered }) => String(delivered)],
  ["delivered twice", ({ twice }) => String(twice)],
  ["delivered, never sent", ({ invented }) => String(invented)],
  ["lost on their way at a kill", ({ lostToKills }) => String(lostToKills)],
  ["lost for another reason", ({ lostOtherwise }) => String(lostOtherwise)],
  ["numbers skipped", ({ skipped }) => String(skipped)],
];

function tableOf(results: readonly [StateKind, Books][]): string {
  const lines = [["", ...results.map(([state]) => state)]];
  for (const [title, figure] of ROWS) lines.push([title, ...results.map(([, books]) => figure(books))]);
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
    )
    .join("\n");
}

async function crash({ states, kills, seed }: Arguments): Promise<void> {
  const progress = makeProgress();
  console.log(`Seed ${seed}\n`);
  const results: [StateKind, Books][] = [];
  for (const state of states) {
    const show = (text: string) => progress(`${state}: ${text}`);
    results.push([state, await runCrash({ state, kills, seed, progress: show })]);
  }
  progress.end();
  console.log(tableOf(results));
  const kept = results.every(
    ([, { twice, invented, lostOtherwise }]) => twice + invented + lostOtherwise === 0,
  );
  console.log(kept ? "\nNothing twice, and nothing lost but to a kill." : "\nA promise was broken.");
  if (!kept) process.exitCode = 1;
}

const parsed = parseOrExit(parseArguments);
if (parsed.help) console.log(help);
else {
  await crash(parsed).catch((error: Error) => {
    console.error(`The crash run failed. ${error.message}`);
    process.exitCode = 1;
  });
}
