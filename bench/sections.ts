// What `npm run bench` measures, in this order. A new section is a row here, with its measurement and its table in files
// of their own.

import { measureEngines } from "./engines.js";
import { measureHandshake } from "./handshake.js";
import { jupyterTable, measureJupyter } from "./jupyter.js";
import { kernelTable, measureKernel } from "./kernel.js";
import { measureLatency } from "./latency.js";
import { measureMemory } from "./memory.js";
import { measureMicro } from "./micro.js";
import { measureProfile } from "./profile.js";
import { measureReady } from "./ready.js";
import type { Section } from "./section.js";
import { measureStates } from "./states.js";
import { enginesTable } from "./tables/engines.js";
import { handshakeTable } from "./tables/handshake.js";
import { latencyTables } from "./tables/latency.js";
import { memoryTable } from "./tables/memory.js";
import { microTables } from "./tables/micro.js";
import { profileTables } from "./tables/profile.js";
import { readyTable } from "./tables/ready.js";
import { statesTable } from "./tables/states.js";
import { throughputTables } from "./tables/throughput.js";
import { workersTable } from "./tables/workers.js";
import { measureThroughput } from "./throughput.js";
import { measureWorkers } from "./workers.js";

/** A row whose table takes what its measurement gives. */
const row = <Result>(section: Section<Result>): Section<unknown> => section;

export const sections: readonly Section<unknown>[] = [
  row({
    word: "throughput",
    help: "messages a second between processes",
    quick: true,
    measure: measureThroughput,
    table: throughputTables,
  }),
  row({
    word: "latency",
    help: "round trips DEALER → ROUTER → DEALER, one at a time: p50 and p99",
    quick: true,
    measure: measureLatency,
    table: latencyTables,
  }),
  row({
    word: "micro",
    help: "sign and verify without a socket, beside a bare createHmac of the same bytes",
    quick: true,
    measure: measureMicro,
    table: microTables,
  }),
  row({
    word: "profile",
    help: "where each microsecond of a message goes, on both sides",
    quick: false,
    measure: measureProfile,
    table: profileTables,
  }),
  row({
    word: "states",
    help: "verify under each admission policy and with each memory (Redis if redis-server is there)",
    quick: true,
    measure: measureStates,
    table: statesTable,
  }),
  row({
    word: "engines",
    help: "one MAC in each way that there is, by length, and where one overtakes another",
    quick: false,
    measure: measureEngines,
    table: enginesTable,
  }),
  row({
    word: "memory",
    help: "a verifier with 1, 1,000 and 1,000,000 senders (1 GB, two or three minutes)",
    quick: false,
    measure: measureMemory,
    table: memoryTable,
  }),
  row({
    word: "workers",
    help: "two and four workers that share a stream in Redis, behind a broker (needs redis-server)",
    quick: false,
    measure: measureWorkers,
    table: workersTable,
  }),
  row({
    word: "jupyter",
    help: "Jupyter messages, plain and hardened, beside @nteract/messaging and jupyter_client",
    quick: false,
    measure: measureJupyter,
    table: jupyterTable,
  }),
  row({
    word: "kernel",
    help: "empty executions: our kernel and client, ipykernel and jupyter_client",
    quick: false,
    measure: measureKernel,
    table: kernelTable,
  }),
  row({
    word: "ready",
    help: "how soon a subscriber that joins late is ready, and what it was spared",
    quick: false,
    measure: measureReady,
    table: readyTable,
  }),
  row({
    word: "handshake",
    help: "handshakes a second at the server, new keys under load, a login storm",
    quick: false,
    measure: measureHandshake,
    table: handshakeTable,
  }),
];
