// `npm run soak`: a million messages on each pattern, strict and with a window, through a broker that replays, alters
// and swaps. Exits 1 unless everything delivered was sent, once, in its place, and every refusal is accounted for.

import { randomBytes } from "node:crypto";
import { parseOrExit } from "./command-line.js";
import { makeProgress } from "./progress.js";
import { type Arguments, help, parseArguments } from "./soak/arguments.js";
import { runTable, titleOf } from "./soak/report.js";
import { runSoak } from "./soak/run.js";
import { replayWindow } from "./soak/traffic.js";
import { verdictOn } from "./soak/verdict.js";

async function soak({ patterns, orders, messages, seed }: Arguments): Promise<void> {
  const progress = makeProgress();
  console.log(`Seed ${seed}\n`);
  let wrong = 0;
  for (const pattern of patterns) {
    for (const order of orders) {
      const run = { pattern, window: order === "strict" ? 0 : replayWindow, seed, messages };
      const show = (text: string) => progress(`${titleOf(run)}: ${text}`);
      const outcome = await runSoak({ ...run, key: randomBytes(32), progress: show });
      const checks = verdictOn(outcome);
      progress.end();
      console.log(`${runTable(outcome, checks)}\n`);
      wrong += checks.filter(({ ok }) => !ok).length;
    }
  }
  console.log(wrong === 0 ? "Every figure is as it must be." : `${wrong} figures are not as they must be.`);
  if (wrong > 0) process.exitCode = 1;
}

const parsed = parseOrExit(parseArguments);
if (parsed.help) console.log(help);
else {
  await soak(parsed).catch((error: Error) => {
    console.error(`The soak failed. ${error.message}`);
    process.exitCode = 1;
  });
}
