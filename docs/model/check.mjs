// `npm run model`: runs every model in this folder through spin, exhaustively, and every seeded fault, which spin has
// to find. Needs spin and a C compiler; no dependencies. What the models say is in README.md.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const SAFETY = "safety";
const LIVENESS = "liveness";
/** Megabytes that one search may take, and steps that it may go deep. Either limit reached is an error. */
const MEMORY = 2000;
const DEPTH = 100_000;

const safety = (...defines) => ({ property: SAFETY, defines });
const liveness = (...defines) => ({ property: LIVENESS, defines });

/** Each model: the searches that have to find nothing, and the faults with the search that has to find each. */
const MODELS = {
  sequence: {
    searches: [safety(), safety("WINDOW=2"), liveness(), liveness("WINDOW=2")],
    faults: {
      NUMBER_NOT_ABOVE: safety(),
      EPOCH_AT_LEAST: safety(),
      STALE_EPOCH: safety(),
      EPOCH_REPEATED: safety(),
      NO_EVIDENCE: safety(),
      REMEMBER_FIRST: safety(),
      WINDOW_OFF_BY_ONE: safety("WINDOW=2"),
      WINDOW_STARTS_OPEN: safety("WINDOW=2"),
      LAST_KEPT: liveness(),
    },
  },
  memory: {
    searches: [safety(), safety("SKEW=1"), liveness(), liveness("SKEW=1")],
    faults: {
      EVICTION_KEEPS_SINCE: safety(),
      SINCE_ROUNDED_DOWN: safety(),
      HEARD_AT_ROUNDED_DOWN: safety(),
      AT_SINCE: safety(),
      SKEW_FORGOTTEN: safety("SKEW=1"),
      CLOCK_BEYOND_SKEW: safety(),
      REVOCATION_KEEPS_SINCE: safety(),
      REVOCATION_KEEPS_STREAM: liveness(),
    },
  },
  durable: {
    searches: [safety(), safety("CHALLENGE"), liveness(), liveness("CHALLENGE")],
    faults: {
      DELIVERED_BEFORE_WRITTEN: safety(),
      RESERVATION_TRUSTED: safety(),
      CLEAN_MARK_KEPT: safety(),
      HEARD_AT_FROM_STORE: safety(),
      SINCE_NOT_STORED: safety(),
      WIPED_STORE_IS_OLD: safety(),
      ANSWER_LOWERS: safety("CHALLENGE"),
      NONCE_SURVIVES_EVICTION: safety("CHALLENGE"),
      CLEAN_STOP_FORGETS_LOOSE: liveness(),
    },
  },
  challenge: {
    searches: [safety(), safety("ONE_WAY"), liveness()],
    faults: {
      DATA_BEGINS: safety("ONE_WAY"),
      ANSWER_NOT_CHECKED: safety("ONE_WAY"),
      ANSWER_LOWERS: safety("ONE_WAY"),
      S_READ_EARLY: safety("ONE_WAY"),
      NONCE_NOT_SINGLE_USE: safety("ONE_WAY"),
      NONCE_SURVIVES_EVICTION: safety("ONE_WAY"),
      NONCE_SURVIVES_CRASH: safety("ONE_WAY"),
      SIGNS_UNADMITTED: safety("ONE_WAY"),
      NO_RETRY: liveness(),
      NONCE_REPLACED: liveness(),
    },
  },
  sync: {
    searches: [safety(), liveness()],
    faults: {
      DATA_BEGINS: safety(),
      NONCE_NOT_CHECKED: safety(),
      SYNC_LOWERS: safety(),
      STALE_SYNC: safety(),
      S_READ_EARLY: safety(),
      NONCE_SURVIVES_EVICTION: safety(),
      NO_RETRY: liveness(),
      FIRST_SYNC_CLOSES: liveness(),
    },
  },
  epochs: {
    searches: [safety(), safety("STORE"), liveness(), liveness("STORE")],
    faults: {
      KNOWN_PLUS_ONE: safety(),
      STORED_LATE: safety("STORE"),
      RAISED_ABOVE_ITSELF: liveness(),
      STAYS_BELOW: liveness(),
    },
  },
};

const HELP = `Checks the protocol models with spin: every one exhaustively, and every seeded fault.

  node docs/model/check.mjs [name …]    names: ${Object.keys(MODELS).join(", ")}

  --help    this text

Exit status: 0 all held and every fault was caught, 1 not so or a search was cut short, 2 no spin or no C compiler.`;

/** The exit status of this run, where it is not 0. */
class Stop extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const ended = new AbortController();

function run(command, parameters, cwd) {
  return new Promise((resolve) => {
    execFile(
      command,
      parameters,
      { cwd, maxBuffer: 1 << 26, signal: ended.signal },
      (error, stdout, stderr) => {
        resolve({ failed: error !== null, output: `${stdout}${stderr}` });
      },
    );
  });
}

function works(command, parameter) {
  try {
    execFileSync(command, [parameter], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function findTools() {
  if (!works("spin", "-V")) throw new Stop("model: spin is not installed; `npm run peers` installs it", 2);
  const compiler = [process.env.CC, "cc", "gcc", "clang"].find((name) => name && works(name, "--version"));
  if (compiler === undefined) throw new Stop("model: no C compiler (cc, gcc or clang) was found", 2);
  return compiler;
}

const sourceOf = (model) => fileURLToPath(new URL(`${model}.pml`, import.meta.url));

/** A fault that stands in a model and not in the table would never be tried. */
function demandEveryFault(model) {
  const written = new Set(readFileSync(sourceOf(model), "utf8").match(/(?<=\bFAULT_)[A-Z_]+/g));
  const listed = new Set(Object.keys(MODELS[model].faults));
  const odd = [...new Set([...written, ...listed])].filter(
    (fault) => !written.has(fault) || !listed.has(fault),
  );
  if (odd.length > 0)
    throw new Stop(`model: ${model}.pml and its list of faults differ: ${odd.join(", ")}`, 1);
}

/** The searches of these models, in the order of the table. */
function plan(names) {
  return names.flatMap((model) => [
    ...MODELS[model].searches.map((search) => ({ model, ...search })),
    ...Object.entries(MODELS[model].faults).map(([fault, search]) => ({ model, fault, ...search })),
  ]);
}

/** One search: spin makes a verifier in C, which is compiled and run in a folder of its own. */
async function search(job, compiler, folder) {
  const { model, property, defines, fault } = job;
  const begun = performance.now();
  const all = [
    ...defines,
    ...(fault ? [`FAULT_${fault}`] : []),
    ...(property === LIVENESS ? ["LIVENESS"] : []),
  ];
  const steps = [
    ["spin", [...all.map((define) => `-D${define}`), "-a", sourceOf(model)]],
    // The compiler's time counts too: a fault is found after few states.
    [
      compiler,
      [
        fault ? "-O0" : "-O1",
        "-w",
        `-DMEMLIM=${MEMORY}`,
        property === LIVENESS ? "-DNFAIR=3" : "-DSAFETY",
        "-o",
        "pan",
        "pan.c",
      ],
    ],
  ];
  for (const [command, parameters] of steps) {
    const { failed, output } = await run(command, parameters, folder);
    if (failed) throw new Stop(`model: ${command} failed on ${model}.pml (${all.join(" ")}):\n${output}`, 1);
  }
  // Liveness: acceptance cycles under weak fairness. A search that reaches its depth is an error, not a smaller search.
  const options = [`-m${DEPTH}`, "-b", ...(property === LIVENESS ? ["-a", "-f"] : [])];
  const { output } = await run("./pan", options, folder);
  return { ...job, ...judge(output, fault), seconds: (performance.now() - begun) / 1000 };
}

/** What spin's report says of a search. */
function judge(output, fault) {
  const states = Number(/([\d.e+]+) states, stored/.exec(output)?.[1] ?? Number.NaN);
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? Number.NaN);
  const found = /^pan:\d+: (.*?) \(at depth \d+\)/m.exec(output)?.[1] ?? "";
  const complete =
    errors === 0 && !/Search not completed|max search depth too small|MEMLIM|out of memory/.test(output);
  if (/depth limit|search depth/.test(found) || (errors !== 1 && !complete)) {
    const limit = /MEMLIM|out of memory/.test(output) ? `${MEMORY} MB of memory` : `${DEPTH} steps of depth`;
    return { ok: false, states, verdict: `NOT EXHAUSTIVE: ${limit} reached` };
  }
  if (fault) {
    const kind = /acceptance cycle/.test(found) ? "never delivered" : "assertion";
    return errors === 1
      ? { ok: true, states, verdict: `caught (${kind})` }
      : { ok: false, states, verdict: "NOT CAUGHT" };
  }
  return errors === 0
    ? { ok: true, states, verdict: "holds" }
    : { ok: false, states, verdict: `FAILS: ${found}` };
}

function row({ model, property, defines, fault, states, seconds, verdict }) {
  const variant = [...defines, ...(fault ? [`FAULT_${fault}`] : [])].join(" ");
  const counted = states.toLocaleString("en-GB").padStart(11);
  return `${model.padEnd(10)} ${property.padEnd(9)} ${variant.padEnd(42)} ${counted} ${seconds.toFixed(1).padStart(6)}  ${verdict}`;
}

/** Runs the jobs, as many at once as there are processors, and prints them in order. */
async function searchAll(jobs, compiler, folder) {
  const waiting = jobs.map((job, index) => ({ job, index }));
  const results = [];
  let printed = 0;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const own = mkdtempSync(join(folder, "search-"));
      results[next.index] = await search(next.job, compiler, own);
      rmSync(own, { recursive: true });
      for (; results[printed] !== undefined; printed++) console.log(row(results[printed]));
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work));
  return results;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean" } },
  });
  if (values.help) return console.log(HELP);
  const unknown = positionals.find((name) => !Object.hasOwn(MODELS, name));
  if (unknown !== undefined) throw new Stop(`model: there is no model "${unknown}"\n\n${HELP}`, 1);
  const names = positionals.length > 0 ? positionals : Object.keys(MODELS);
  names.forEach(demandEveryFault);
  const compiler = findTools();
  const begun = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "countersign-model-"));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  process.once("exit", () => {
    ended.abort();
    rmSync(folder, { recursive: true, force: true });
  });
  console.log(
    `${"model".padEnd(10)} ${"property".padEnd(9)} ${"variant or fault".padEnd(42)} ${"states".padStart(11)} seconds  verdict`,
  );
  const results = await searchAll(plan(names), compiler, folder);
  const bad = results.filter(({ ok }) => !ok).length;
  const faults = results.filter(({ fault }) => fault).length;
  const seconds = ((performance.now() - begun) / 1000).toFixed(0);
  const sum = `${results.length - faults} searches without a fault, ${faults} with one, in ${seconds} s`;
  if (bad > 0) throw new Stop(`model: ${bad} of ${results.length} did not go as they must (${sum})`, 1);
  console.log(`model: all as it must be: ${sum}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Stop) && !String(error?.code).startsWith("ERR_PARSE_ARGS")) throw error;
  console.error(error.message);
  process.exit(error.status ?? 1);
}
