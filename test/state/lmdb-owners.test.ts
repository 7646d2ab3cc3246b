// Who has a receiver's streams open: a state that is closed has not, even where that could not be written down, nor has one
// whose thread has ended.

import { once } from "node:events";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as passed } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { message, proven } from "../../src/state/contract/scene.js";
import { LmdbState } from "../../src/state/lmdb.js";
import { folder, OPTIONS, running, tableOf } from "./lmdb-scene.js";

const open = (state: LmdbState) => state.table("r", "shell", "dealer", OPTIONS);

/** A worker thread that has the streams open and has delivered number 5. */
const PROGRAM = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.module).then(({ LmdbState }) => {
    const state = new LmdbState({ path: workerData.path });
    const table = state.table("r", "shell", "dealer", { window: 0, limit: 10000 });
    parentPort.postMessage(table.admit(workerData.claim));
    parentPort.on("message", () => {});
  });
`;

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
});

async function working(path: string): Promise<Worker> {
  const module = pathToFileURL("dist/state/lmdb.js").href;
  const worker = new Worker(PROGRAM, { eval: true, workerData: { path, module, claim: proven(5) } });
  workers.push(worker);
  expect(await once(worker, "message")).toEqual(["new"]);
  return worker;
}

/** The folder is away, and none can be made in its place. */
function takeAway(path: string): void {
  renameSync(path, `${path}-gone`);
  writeFileSync(path, "");
}

function putBack(path: string): void {
  rmSync(path);
  renameSync(`${path}-gone`, path);
}

test("closed during an outage, it can be opened again by the same process", async () => {
  const path = folder();
  const first = new LmdbState({ path, onError: () => {} });
  expect(open(first).admit(proven(5))).toBe("new");
  takeAway(path);
  expect(open(first).admit(proven(5000))).toBe("state-unavailable");
  await first.close();
  putBack(path);
  const second = new LmdbState({ path });
  // It could not say how far it came.
  expect(open(second).admit(message(6))).toBe("not-live");
  expect(open(second).admit(message(70))).toBe("new");
  await second.close();
});

test("closed when the folder is back, it says how far it came, though it was not to be tried again yet", async () => {
  const path = folder();
  const first = new LmdbState({ path, onError: () => {} });
  expect(open(first).admit(proven(5))).toBe("new");
  takeAway(path);
  expect(open(first).admit(proven(5000))).toBe("state-unavailable");
  // LMDB closes its files on another thread, and is not opened meanwhile.
  await passed(100);
  putBack(path);
  await first.close();
  const second = new LmdbState({ path });
  expect(open(second).admit(message(5))).toBe("replayed");
  expect(open(second).admit(message(6))).toBe("new");
  await second.close();
});

test("not closed, it cannot, and the error says who has it", async () => {
  const path = folder();
  const [first, second] = [new LmdbState({ path }), new LmdbState({ path })];
  open(first);
  expect(() => open(second)).toThrow(/another LmdbState of this process, which is not closed, has open/);
  await first.close();
  open(second);
  await second.close();
});

test("a worker's is free when it is terminated, for its own process and for others", async () => {
  for (const next of ["own", "other"]) {
    const path = folder();
    const worker = await working(path);
    const state = new LmdbState({ path });
    expect(() => open(state)).toThrow(/another thread of this process, which is running, has opened/);
    const other = await running(path);
    await expect(tableOf(other).opened).rejects.toThrow(
      new RegExp(`process ${process.pid}, which is running`),
    );
    await worker.terminate();
    const table = next === "own" ? open(state) : tableOf(await running(path));
    expect(await table.admit(message(6))).toBe("not-live");
    expect(await table.admit(message(70))).toBe("new");
    await state.close();
  }
});
