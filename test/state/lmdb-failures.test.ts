// ATTACKS 62 and 63: the medium is cut, filled with noise, taken away, read-only or full; two processes want the same
// receiver. Real files and real processes: whatever happens, no replay is accepted, nobody dies of it, it is told once and
// clearly, and it goes on by itself when the medium does.

import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { wallClock } from "../../src/clock.js";
import { message, proven } from "../../src/state/contract/scene.js";
import { isAlive, thisOwner } from "../../src/state/lmdb/owner.js";
import { lmdbPackage } from "../../src/state/lmdb/package.js";
import { readRecord, type StoredTable, tableKey, writeRecord } from "../../src/state/lmdb/records.js";
import { LmdbState } from "../../src/state/lmdb.js";
import {
  folder,
  isRoot,
  OPTIONS,
  outages,
  recovered,
  remotes,
  running,
  scratch,
  smallDisk,
  tableOf,
} from "./lmdb-scene.js";
import { RemoteState } from "./remote.js";

const PAGE = 4096;

const SENDER = { sender: "me", channel: "", pattern: "push" } as const;
const STREAMS = Array.from({ length: 300 }, (_, at) => `stream-${at}`);

/** A store in which 300 streams have come to 5, as a crash of a process would leave it or a clean end. */
async function stored(path: string): Promise<void> {
  const state = new LmdbState({ path });
  const table = state.table("r", "shell", "dealer", OPTIONS);
  for (const stream of STREAMS) table.admit(proven(5, { stream }));
  state.nextEpoch({ sender: "me", channel: "", pattern: "push" }, 1);
  await state.close();
}

describe("a file that is not what was written", () => {
  const path = folder();
  let whole: Buffer;
  let victim: RemoteState;

  beforeAll(async () => {
    await stored(path);
    whole = readFileSync(join(path, "data.mdb"));
  });

  /** Opens a copy with these bytes. What can be opened must remember everything. */
  async function opensRightOrNotAtAll(bytes: Buffer): Promise<"opened" | "refused"> {
    const copy = folder();
    mkdirSync(copy);
    writeFileSync(join(copy, "data.mdb"), bytes);
    victim ??= await RemoteState.open({ path: folder() }, wallClock);
    remotes.add(victim);
    try {
      await victim.ask("open", [{ path: copy }]);
      const args = ["r", "shell", "dealer", OPTIONS] as const;
      await victim.ask("table", args);
      const name = JSON.stringify(args.slice(0, 3));
      for (const stream of STREAMS) {
        expect(await victim.ask("admit", [proven(5, { stream })], name)).toBe("replayed");
      }
      return "opened";
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_COUNTERSIGN_STATE" });
      expect((error as Error).message).toContain(copy);
      expect((error as Error).message).toMatch(/move the folder away/);
      return "refused";
    }
  }

  afterEach(() => {
    remotes.delete(victim);
  });
  afterAll(() => victim.crash());

  test("whole, it opens", async () => {
    expect(await opensRightOrNotAtAll(whole)).toBe("opened");
  });

  test("cut anywhere, it is refused", async () => {
    for (const size of [1, 100, PAGE - 1, PAGE, PAGE + 100, 2 * PAGE - 1, 2 * PAGE]) {
      expect(await opensRightOrNotAtAll(whole.subarray(0, size))).toBe("refused");
    }
    for (let part = 1; part < 10; part++) {
      await opensRightOrNotAtAll(whole.subarray(0, Math.floor((whole.length * part) / 10)));
    }
  });

  test("noise in its meta pages, its data, or all of it is refused", async () => {
    for (const [from, to] of [
      [0, PAGE],
      [PAGE, 2 * PAGE],
      [0, 2 * PAGE],
      [2 * PAGE, whole.length],
      [0, whole.length],
    ] as const) {
      const noisy = Buffer.from(whole);
      randomBytes(to - from).copy(noisy, from);
      expect(await opensRightOrNotAtAll(noisy)).toBe("refused");
    }
  });

  test("noise in any one page is refused, or is in a page that nobody uses", {
    timeout: 120_000,
  }, async () => {
    let refused = 0;
    for (let page = 2; page < whole.length / PAGE; page++) {
      const noisy = Buffer.from(whole);
      randomBytes(PAGE).copy(noisy, page * PAGE);
      if ((await opensRightOrNotAtAll(noisy)) === "refused") refused++;
    }
    expect(refused).toBeGreaterThan(5);
  });

  test("a few bytes changed anywhere are noticed, or do not matter", { timeout: 120_000 }, async () => {
    for (let round = 0; round < 100; round++) {
      const noisy = Buffer.from(whole);
      const at = Math.floor(Math.random() * (whole.length - 8));
      randomBytes(1 + (round % 8)).copy(noisy, at);
      await opensRightOrNotAtAll(noisy);
    }
  });

  test("another program's file is refused", async () => {
    expect(await opensRightOrNotAtAll(Buffer.from("this is no database\n".repeat(1000)))).toBe("refused");
  });
});

describe("while a process uses it", () => {
  const failures: Record<string, (path: string) => void> = {
    "data.mdb is cut to nothing": (path) => truncateSync(join(path, "data.mdb"), 0),
    "data.mdb is cut to a few bytes": (path) => truncateSync(join(path, "data.mdb"), 100),
    "data.mdb is cut in the middle": (path) => truncateSync(join(path, "data.mdb"), 3 * PAGE),
    "its meta pages are filled with noise": (path) => {
      const data = readFileSync(join(path, "data.mdb"));
      randomBytes(2 * PAGE).copy(data);
      writeFileSync(join(path, "data.mdb"), data, { flag: "r+" });
    },
    "the folder is moved away": (path) => renameSync(path, `${path}-away`),
    "the folder is deleted": (path) => rmSync(path, { recursive: true }),
    "data.mdb is deleted": (path) => rmSync(join(path, "data.mdb")),
    "lock.mdb is deleted": (path) => rmSync(join(path, "lock.mdb")),
  };

  test.each(Object.entries(failures))("%s", async (_, fail) => {
    const path = folder();
    const state = await running(path);
    const table = tableOf(state);
    for (const stream of STREAMS.slice(0, 50)) await table.admit(proven(5, { stream }));
    fail(path);
    // A new stream cannot be written down, so it is not taken; once more, and it has still been told once.
    for (let i = 0; i < 3; i++)
      expect(await table.admit(proven(1, { stream: "late" }))).toBe("state-unavailable");
    expect(await table.admit(message(5, { stream: "stream-1" }))).not.toBe("new");
    expect(outages(state)).toHaveLength(1);
    expect(outages(state)[0]?.message).toContain(path);

    if (isDamaged(path)) {
      // Damaged: it stays so until the operator does what the error says.
      await passed(700);
      expect(await table.admit(proven(1, { stream: "late" }))).toBe("state-unavailable");
      renameSync(path, `${path}-away`);
    }
    await recovered(table);
    expect(outages(state)).toHaveLength(1);
    for (const stream of STREAMS.slice(0, 50)) {
      expect(await table.admit(proven(5, { stream }))).toBe("replayed");
    }
    expect(await table.admit(proven(1, { stream: "late" }))).toBe("new");
    expect(await table.admit(message(6, { stream: "stream-1" }))).toBe("new");

    // And what it had remembered is on the disk again.
    await state.crash();
    const next = tableOf(await running(path));
    for (const stream of STREAMS.slice(0, 50)) {
      expect(await next.admit(message(5, { stream }))).toBe("not-live");
    }
    expect(await next.epochOf("stream-1")).toBe(10);
  });

  /** Are there files that are neither whole nor missing? */
  function isDamaged(path: string): boolean {
    const [data, lock] = [join(path, "data.mdb"), join(path, "lock.mdb")];
    return existsSync(data) && statSync(data).size > 0 && existsSync(lock);
  }

  test("an epoch is given by nobody while it fails, and never twice after", async () => {
    const path = folder();
    const state = await running(path);
    const stream = { sender: "me", channel: "", pattern: "push" } as const;
    const first = await state.nextEpoch(stream, 1000);
    rmSync(path, { recursive: true });
    await expect(state.nextEpoch(stream, 1)).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_STATE" });
    await passed(700);
    expect(await state.nextEpoch(stream, 1)).toBeGreaterThan(first + 999);
  });

  test("a key that is revoked while it fails is forgotten on the disk before anything else is taken", async () => {
    const path = folder();
    const state = await running(path);
    const table = tableOf(state);
    await table.admit(proven(5, { keyId: 8 }));
    rmSync(join(path, "lock.mdb"));
    await table.forgetKey(8);
    await recovered(table);
    await state.crash();
    const next = tableOf(await running(path));
    expect(await next.epochOf("alice")).toBe(0);
  });
});

describe("a folder that cannot be written", () => {
  test("is refused at opening, with what to do", async () => {
    const path = folder();
    await stored(path);
    chmodSync(path, 0o500);
    chmodSync(scratch, 0o755);
    // Loads everything first: the one whom root becomes, for root may write anywhere, might not be let into that folder.
    const process = await running(folder());
    const options = { path, ...(isRoot ? { uid: 65_534 } : {}) };
    await expect(process.ask("open", [options])).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_STATE",
      message: expect.stringContaining(path),
    });
    chmodSync(path, 0o700);
  });

  test("nor can a file in place of one", () => {
    const path = folder();
    writeFileSync(path, "");
    expect(() => new LmdbState({ path })).toThrow(expect.objectContaining({ code: "ERR_COUNTERSIGN_STATE" }));
  });
});

describe("a disk that is full", () => {
  const disk = join(scratch, "disk");
  afterAll(() => {
    spawnSync("umount", ["-l", disk]);
  });

  test("refuses what it cannot write, and goes on when there is room", { timeout: 180_000 }, async ({
    skip,
  }) => {
    skip(!smallDisk(disk, 400), "nobody but root may make a small disk");
    const path = join(disk, "state");
    const state = await running(path);
    const table = tableOf(state);
    const taken: string[] = [];
    for (let i = 0; i < 5000; i++) {
      const stream = `stream-${i}`;
      const ruling = await table.admit(proven(1, { stream }));
      if (ruling === "state-unavailable") break;
      expect(ruling).toBe("new");
      taken.push(stream);
    }
    expect(taken.length).toBeGreaterThan(100);
    expect(taken.length).toBeLessThan(5000);
    await passed(700);
    for (const stream of taken.slice(-20)) expect(await table.admit(message(1, { stream }))).not.toBe("new");
    expect(outages(state)).toHaveLength(1);
    expect(outages(state)[0]?.message).toMatch(/has room/);

    execFileSync("mount", ["-o", "remount,size=8192k", disk]);
    await recovered(table);
    for (const stream of taken) expect(await table.admit(proven(1, { stream }))).toBe("replayed");
    expect(await table.admit(proven(1, { stream: "another" }))).toBe("new");
    await state.crash();
    const next = tableOf(await running(path));
    for (const stream of taken) expect(await next.admit(message(1, { stream }))).toBe("not-live");
  });
});

describe("two processes", () => {
  test("the second one of a receiver is told who has it; when the first is dead, it gets it", async () => {
    const path = folder();
    const first = await running(path);
    await tableOf(first).admit(proven(5));
    const second = await running(path);
    const refusal = await tableOf(second).opened.catch((error: Error) => error);
    expect(refusal).toMatchObject({ code: "ERR_COUNTERSIGN_STATE" });
    expect((refusal as Error).message).toContain(`process ${first.pid}`);
    expect((refusal as Error).message).toMatch(/`receiver` of its own.*Redis/);
    await second.table("another", "shell", "dealer", OPTIONS).opened;
    await first.crash();
    const third = tableOf(await running(path));
    await third.opened;
    expect(await third.admit(message(5))).toBe("not-live");
  });

  test("a process that ends by itself leaves nothing in doubt, closed or not", async () => {
    const path = folder();
    const first = await running(path);
    await tableOf(first).admit(proven(5));
    await first.exit();
    const next = tableOf(await running(path));
    expect(await next.admit(message(5))).toBe("replayed");
    expect(await next.admit(message(6))).toBe("new");
  });

  test("one that was taken for dead accepts nothing more", async () => {
    const path = folder();
    const first = await running(path);
    await tableOf(first).admit(proven(5));
    lookDead(path);
    const second = tableOf(await running(path));
    expect(await second.admit(proven(6))).toBe("new");
    expect(await tableOf(first).admit(proven(1, { stream: "bob" }))).toBe("state-unavailable");
    expect(await tableOf(first).admit(message(6))).toBe("state-unavailable");
    expect(outages(first)).toHaveLength(1);
    expect(outages(first)[0]?.message).toMatch(/taken over by process/);
  });

  test("two that sign with one name are told of each other", async () => {
    const path = folder();
    const stream = { sender: "me", channel: "", pattern: "push" } as const;
    const [first, second] = [await running(path), await running(path)];
    const epoch = await first.nextEpoch(stream, 1000);
    expect(await second.nextEpoch(stream, 1000)).toBeGreaterThan(epoch);
    await second.nextEpoch(stream, 1000);
    expect(first.warnings).toEqual([]);
    expect(second.warnings).toEqual([
      { code: "COUNTERSIGN_TWIN", message: expect.stringContaining(`Process ${first.pid} is running`) },
    ]);
  });

  test("a number that was given to another process, or a start of the machine before, is no owner alive", () => {
    const me = thisOwner();
    expect(isAlive(me)).toBe(true);
    expect(isAlive({ ...me, pid: 2 ** 22 + 1 })).toBe(false);
    if (process.platform !== "linux") return;
    expect(isAlive({ ...me, started: "1" })).toBe(false);
    expect(isAlive({ ...me, boot: "another" })).toBe(false);
  });

  /** As if the owner were of an earlier process with the same number. */
  function lookDead(path: string): void {
    const database = lmdbPackage().open({
      path,
      encoding: "binary",
      keyEncoding: "binary",
      useVersions: true,
      maxDbs: 1,
      overlappingSync: false,
    });
    const key = tableKey(["r", "shell", "dealer"]);
    const stored = readRecord<StoredTable>(database.getBinary(key) as Buffer);
    const dead = { ...stored, owner: stored.owner && { ...stored.owner, started: "1", boot: "another" } };
    database.transactionSync(() => {
      void database.put(key, writeRecord(key, dead), 1_000_000);
    });
  }
});

test("after close nothing is accepted", async () => {
  const state = new LmdbState({ path: folder() });
  const table = state.table("r", "shell", "dealer", OPTIONS);
  expect(table.admit(proven(1))).toBe("new");
  await state.close();
  await state.close();
  expect(table.admit(proven(2))).toBe("state-unavailable");
  expect(table.ask("alice")).toBeUndefined();
  expect(table.begin("alice", { epoch: 11, sequence: 1, keyId: 7 })).toBe("state-unavailable");
});

test("onError is told instead of the process", async () => {
  const path = folder();
  const told: string[] = [];
  const state = new LmdbState({ path, onError: ({ code }) => told.push(code) });
  const table = state.table("r", "shell", "dealer", OPTIONS);
  rmSync(path, { recursive: true });
  for (let i = 0; i < 3; i++) expect(table.admit(proven(1))).toBe("state-unavailable");
  expect(told).toEqual(["ERR_COUNTERSIGN_STATE"]);
  await state.close();
});

test("an epoch that no message could carry is not given, and the error says what to do", async () => {
  const path = folder();
  const state = new LmdbState({ path });
  const last = Number.MAX_SAFE_INTEGER - 1500;
  expect(state.nextEpoch(SENDER, last)).toBe(last);
  for (let i = 0; i < 2; i++) {
    expect(() => state.nextEpoch(SENDER, 1)).toThrow(
      expect.objectContaining({
        code: "ERR_COUNTERSIGN_STATE",
        message: expect.stringMatching(/no epoch left.*give the sender a name/),
      }),
    );
  }
  // It is not the medium that fails.
  expect(state.nextEpoch({ ...SENDER, sender: "another" }, 5)).toBe(5);
  await state.close();
});

test("without the package lmdb it says what to install", () => {
  const alone = join(scratch, "alone");
  cpSync("dist", alone, { recursive: true });
  writeFileSync(join(alone, "package.json"), '{"type":"module"}');
  const url = pathToFileURL(join(alone, "state/lmdb.js"));
  const program = `import(${JSON.stringify(url)}).then(({ LmdbState }) => {
    try { new LmdbState({ path: "x" }) } catch ({ code, message }) { console.log(code, message) }
  })`;
  const { stdout } = spawnSync(process.execPath, ["-e", program], { cwd: alone, encoding: "utf8" });
  expect(stdout).toMatch(/^ERR_COUNTERSIGN_STATE .*npm install lmdb/);
});
