// `npm run bench -- workers`: two and four workers behind one broker that share a stream in Redis, beside the same workers with
// a memory each. Of the shared ones every message is delivered once, though the broker repeats one in ten to another.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Child, start } from "./child.js";
import { freePort } from "./ports.js";
import { startRedis } from "./redis-server.js";
import type { Run } from "./section.js";
import type { WorkersHandlers } from "./workers/crowd.js";

export interface WorkersResult {
  readonly workers: number;
  readonly messages: number;
  /** Delivered by anyone, counted once each. */
  readonly delivered: number;
  /** Deliveries beyond the first of a message. */
  readonly twice: number;
  /** Refused as replayed. */
  readonly refused: number;
  /** Messages a second with the shared state, and with a memory each and no replays. */
  readonly shared: number;
  readonly memory: number;
}

const MESSAGES = 100_000;

export async function measureWorkers({ progress }: Run, messages = MESSAGES): Promise<WorkersResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-workers-"));
  const port = await freePort();
  const redis = await startRedis(port, folder);
  try {
    const results: WorkersResult[] = [];
    for (const workers of [2, 4]) {
      progress(`workers: ${workers} with a memory each`);
      const apart = await run(workers, messages, undefined);
      progress(`workers: ${workers} with one Redis`);
      const together = await run(workers, messages, port);
      const { delivered, twice, refused } = together;
      results.push({
        workers,
        messages,
        delivered,
        twice,
        refused,
        shared: together.rate,
        memory: apart.rate,
      });
    }
    return results;
  } finally {
    redis.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(workers: number, messages: number, redis: number | undefined) {
  const started: Child<WorkersHandlers>[] = [];
  const open = (title: string) => {
    const child = start<WorkersHandlers>(new URL("./workers/crowd.js", import.meta.url), title);
    started.push(child);
    return child;
  };
  try {
    const key = randomBytes(32);
    const { front, back } = await open("broker").ask("broker", { replays: redis !== undefined });
    const crowd = Array.from({ length: workers }, (_, i) => open(`worker ${i + 1}`));
    for (const [i, worker] of crowd.entries()) {
      const shared = redis === undefined ? {} : { redis };
      await worker.ask("work", { key, back, name: `worker~${i + 1}`, messages, ...shared });
    }
    // A worker's connection is in place when the broker spreads to it.
    await pause(500);
    const began = performance.now();
    const sending = open("sender").ask("send", { key, front, messages });
    const seconds = await untilQuiet(crowd, messages, began);
    await sending;
    const accounts = await Promise.all(crowd.map((worker) => worker.ask("account")));
    const heard = new Uint8Array(messages);
    let twice = 0;
    for (const account of accounts) {
      twice += account.twice;
      for (let i = 0; i < messages; i++) {
        if (account.heard[i] !== 1) continue;
        if (heard[i] === 1) twice++;
        heard[i] = 1;
      }
    }
    const delivered = heard.reduce((sum, one) => sum + one, 0);
    const refused = accounts.reduce((sum, { replayed }) => sum + replayed, 0);
    return { delivered, twice, refused, rate: messages / seconds };
  } finally {
    for (const child of started) child.stop();
  }
}

/** The seconds until everything has arrived, or nothing more does. */
async function untilQuiet(
  crowd: readonly Child<WorkersHandlers>[],
  messages: number,
  began: number,
): Promise<number> {
  let [count, since] = [0, performance.now()];
  while (count < messages && performance.now() - since < 5000) {
    const counts = await Promise.all(crowd.map((worker) => worker.ask("count")));
    const sum = counts.reduce((total, one) => total + one, 0);
    if (sum > count) [count, since] = [sum, performance.now()];
    await pause(5);
  }
  return (since - began) / 1000;
}
