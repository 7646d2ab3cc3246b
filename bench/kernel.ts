// `npm run bench -- kernel`: empty executions, one after another, from the request to both its reply and the kernel's word that
// it is idle: our client with our kernel (hardened), our client with ipykernel, jupyter_client with that same ipykernel. They
// take turns, and another one begins each round.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installKernelSpec, type KernelClient, type StartedKernel, startKernel } from "countersign/jupyter";
import { JupyterClient } from "./kernel/jupyter-client.js";
import { Missing, type Run } from "./section.js";
import { percentile, ratios, type Summary, summarize } from "./statistics.js";

/** One client with one kernel. */
export interface KernelResult {
  readonly pair: string;
  /** Executions a second. */
  readonly rate: Summary;
  /** Milliseconds an execution. */
  readonly p50: Summary;
  readonly p99: Summary;
  /** Its rate beside the last pair's in the same round. */
  readonly ratio: Summary;
}

const PYTHON = "/usr/bin/python3";
const NAME = "countersign-bench";
const WARM_UP = 1;
const FEWEST_ROUNDS = 9;

type Way = readonly [pair: string, execute: (count: number) => Promise<number[]>];

/** Measures all three. */
export async function measureKernel({ rounds, quick, progress }: Run): Promise<KernelResult[]> {
  assertJupyter();
  const home = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  const env = { ...process.env, JUPYTER_PATH: join(home, "share", "jupyter"), IPYTHONDIR: home };
  const program = fileURLToPath(new URL("./kernel/kernel.js", import.meta.url));
  const argv = [process.execPath, program, "{connection_file}"];
  installKernelSpec(NAME, { argv, display_name: NAME, language: "none" }, { prefix: home });
  const started: StartedKernel[] = [];
  const start = async (name: string) => {
    const kernel = await startKernel(name, { env, connection: { path: join(home, `${name}.json`) } });
    started.push(kernel);
    return kernel;
  };
  let python: JupyterClient | undefined;
  try {
    const [ours, theirs] = [await start(NAME), await start("python3")];
    const jupyterClient = new JupyterClient(PYTHON, theirs.connectionFile);
    python = jupyterClient;
    await jupyterClient.ready();
    const ways: Way[] = [
      ["our client, our kernel", (count) => executeAll(ours.client, count)],
      ["our client, ipykernel", (count) => executeAll(theirs.client, count)],
      ["jupyter_client, ipykernel", (count) => jupyterClient.execute(count)],
    ];
    return await measureWays(ways, Math.max(rounds, FEWEST_ROUNDS), quick ? 50 : 200, progress);
  } finally {
    python?.close();
    for (const kernel of started) await kernel.shutdown();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function measureWays(ways: Way[], rounds: number, count: number, progress: Run["progress"]) {
  const measured = ways.map(() => [] as { rate: number; p50: number; p99: number }[]);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const at = (((round + turn) % ways.length) + ways.length) % ways.length;
      const [pair, execute] = ways[at] as Way;
      progress(`kernel: ${pair}, round ${round + 1} of ${rounds}`);
      const times = await execute(count);
      const total = times.reduce((sum, time) => sum + time, 0);
      const row = { rate: (1000 * count) / total, p50: percentile(times, 50), p99: percentile(times, 99) };
      if (round >= 0) measured[at]?.push(row);
    }
  }
  const reference = (measured.at(-1) ?? []).map(({ rate }) => rate);
  return ways.map(([pair], i): KernelResult => {
    const rows = measured[i] ?? [];
    return {
      pair,
      rate: summarize(rows.map(({ rate }) => rate)),
      p50: summarize(rows.map(({ p50 }) => p50)),
      p99: summarize(rows.map(({ p99 }) => p99)),
      ratio: summarize(
        ratios(
          rows.map(({ rate }) => rate),
          reference,
        ),
      ),
    };
  });
}

async function executeAll(client: KernelClient, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    await client.execute("", { storeHistory: false }).reply;
    times.push(performance.now() - began);
  }
  return times;
}

function assertJupyter(): void {
  try {
    if (existsSync(PYTHON))
      execFileSync(PYTHON, ["-c", "import ipykernel, jupyter_client"], { stdio: "ignore" });
    else throw new Error("no Python");
  } catch {
    throw new Missing("ipykernel and jupyter_client are not installed (npm run peers).");
  }
}

/** What was measured, as a table. */
export function kernelTable(results: readonly KernelResult[]): string {
  const head = "empty execute                executions/s   p50 ms   p99 ms   rate beside the last line's";
  const rows = results.map(
    ({ pair, rate, p50, p99, ratio }) =>
      `${pair.padEnd(29)}${rate.median.toFixed(0).padStart(12)}${p50.median.toFixed(2).padStart(9)}` +
      `${p99.median.toFixed(2).padStart(9)}${ratio.median.toFixed(2).padStart(9)}`,
  );
  return [head, ...rows].join("\n");
}
