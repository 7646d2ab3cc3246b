// `npm run bench`: every figure of the README but those of `npm run soak` comes from here.

import { writeFileSync } from "node:fs";
import { type Arguments, help, parseArguments } from "./arguments.js";
import { parseOrExit } from "./command-line.js";
import { measureEngines } from "./engines.js";
import { jupyterTable, measureJupyter } from "./jupyter.js";
import { measureMemory } from "./memory.js";
import { measureMicro } from "./micro.js";
import { makeProgress } from "./progress.js";
import { measureReady } from "./ready.js";
import {
  enginesTable,
  machine,
  machineLine,
  memoryTable,
  microTable,
  readyTable,
  throughputTables,
  workersTable,
} from "./report.js";
import { measureThroughput } from "./throughput.js";
import { measureWorkers } from "./workers.js";

/** Long enough that starting and stopping do not show. */
const SECONDS = 0.6;

async function run(chosen: Arguments): Promise<void> {
  const { cases, variants, rounds, micro, engines, memory, json } = chosen;
  const ranOn = machine();
  const progress = makeProgress();
  const throughput = await measureThroughput({ cases, variants, rounds, seconds: SECONDS, progress });
  const small = micro ? measureMicro({ rounds, progress }) : [];
  const macs = engines ? measureEngines({ rounds, progress }) : undefined;
  const crowds = memory ? await measureMemory() : [];
  const workers = chosen.workers ? await measureWorkers(progress) : [];
  const ready = chosen.ready ? await measureReady(progress) : undefined;
  const jupyter = chosen.jupyter ? measureJupyter({ rounds, progress }) : [];
  progress.end();

  console.log(machineLine(ranOn));
  if (throughput.length > 0) console.log(`\n${throughputTables(throughput)}`);
  if (small.length > 0) console.log(`\n${microTable(small)}`);
  if (macs) console.log(`\n${enginesTable(macs)}`);
  if (crowds.length > 0) console.log(`\n${memoryTable(crowds)}`);
  if (workers.length > 0) console.log(`\n${workersTable(workers)}`);
  if (ready) console.log(`\n${readyTable(ready)}`);
  if (jupyter.length > 0) console.log(`\n${jupyterTable(jupyter)}`);
  const results = {
    machine: ranOn,
    rounds,
    seconds: SECONDS,
    throughput,
    micro: small,
    engines: macs,
    memory: crowds,
    workers,
    ready,
    jupyter,
  };
  if (json) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
}

const parsed = parseOrExit(parseArguments);
if (parsed.help) console.log(help);
else {
  await run(parsed).catch((error: Error) => {
    console.error(`The benchmark failed. ${error.message}`);
    process.exitCode = 1;
  });
}
