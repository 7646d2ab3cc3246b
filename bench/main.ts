// `npm run bench`: every figure of the README but those of `npm run soak` comes from here. A section's table is printed,
// and the JSON written, as soon as it is measured: what fails later loses nothing.

import { writeFileSync } from "node:fs";
import { type Arguments, help, parseArguments } from "./arguments.js";
import { parseOrExit } from "./command-line.js";
import { machine, machineLine } from "./machine.js";
import { makeProgress } from "./progress.js";
import { Missing, type Run } from "./section.js";
import { available } from "./variants/table.js";

async function run({ sections, named, json, ...chosen }: Arguments): Promise<void> {
  const results: Record<string, unknown> = { machine: machine(), rounds: chosen.rounds, quick: chosen.quick };
  const progress = makeProgress();
  const { names, leftOut } = available(chosen.variants);
  console.log([machineLine(machine()), ...leftOut].join("\n"));
  const told: Run = { ...chosen, variants: names, progress };
  for (const { word, measure, table } of sections) {
    try {
      const result = await measure(told);
      progress.end();
      console.log(`\n${table(result)}`);
      results[word] = result;
    } catch (error) {
      progress.end();
      if (named || !(error instanceof Missing))
        throw new Error(`"${word}" failed. ${(error as Error).message}`);
      console.log(`\n"${word}" is left out: ${error.message}`);
    }
    if (json) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  }
}

const parsed = parseOrExit(parseArguments);
if (parsed.help) console.log(help);
else {
  await run(parsed).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
