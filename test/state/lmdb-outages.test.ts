// The folder under a live process becomes another one: the disk is gone and comes back, a backup is put back, everything
// is removed. While the process lives it knows more than any file; after a kill, the file must know as much.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { message, proven } from "../../src/state/contract/scene.js";
import { Medium } from "../../src/state/lmdb/medium.js";
import { disown, thisOwner } from "../../src/state/lmdb/owner.js";
import { TableStore } from "../../src/state/lmdb/table-store.js";
import { LmdbState } from "../../src/state/lmdb.js";
import { folder, OPTIONS, outages, recovered, running, smallDisk, tableOf, until } from "./lmdb-scene.js";

const SENDER = { sender: "me", channel: "", pattern: "push" } as const;
/** Above what is reserved, so that it is written, and a folder that is another one is noticed. */
const FAR = 1_000_000;

/** The folder at `path` becomes the one at `other`, if there is one. */
function swap(path: string, other: string | undefined): void {
  renameSync(path, `${path}-before-${performance.now()}`);
  if (other !== undefined) renameSync(other, path);
}

describe("another folder comes in the place of the one that is used", () => {
  test("the one from before an outage: what was delivered in between is not delivered again", async () => {
    const path = folder();
    const state = await running(path);
    const [busy, idle] = [tableOf(state, "busy"), tableOf(state, "idle")];
    for (const table of [busy, idle]) expect(await table.admit(proven(1))).toBe("new");
    renameSync(path, `${path}-gone`);
    expect(await busy.admit(proven(FAR, { stream: "bob" }))).toBe("state-unavailable");
    await recovered(busy);
    for (const table of [busy, idle]) expect(await table.admit(proven(5000))).toBe("new");
    swap(path, `${path}-gone`);
    expect(await busy.admit(proven(FAR, { stream: "bob" }))).toBe("state-unavailable");
    // The table that nobody asks is written too.
    await recovered(busy, proven(2, { stream: "probe" }));
    await state.crash();
    const next = await running(path);
    for (const receiver of ["busy", "idle"]) {
      const table = tableOf(next, receiver);
      for (const number of [2, 1000, 5000]) expect(await table.admit(message(number))).toBe("not-live");
    }
  });

  test("an earlier run's: it is no other owner, and everything is written to it", async () => {
    const path = folder();
    const first = new LmdbState({ path });
    first.table("r", "shell", "dealer", OPTIONS).admit(proven(1));
    await first.close();
    cpSync(path, `${path}-backup`, { recursive: true });
    const state = await running(path);
    const table = tableOf(state);
    expect(await table.admit(proven(5000))).toBe("new");
    swap(path, `${path}-backup`);
    expect(await table.admit(proven(FAR, { stream: "bob" }))).toBe("state-unavailable");
    await recovered(table);
    expect(outages(state)).toHaveLength(1);
    await state.crash();
    const next = tableOf(await running(path));
    for (const number of [2, 1000, 5000]) expect(await next.admit(message(number))).toBe("not-live");
  });

  test("one in which another process has the receiver open: this one accepts nothing more", async () => {
    const path = folder();
    await (await running(path)).table("r", "shell", "dealer", OPTIONS).opened;
    const state = await running(`${path}-own`);
    const table = tableOf(state);
    expect(await table.admit(proven(1))).toBe("new");
    swap(`${path}-own`, path);
    expect(await table.admit(proven(5000))).toBe("state-unavailable");
    await until(() => outages(state).length >= 2);
    expect(await table.admit(proven(6000))).toBe("state-unavailable");
    expect(outages(state).at(-1)?.message).toMatch(/taken over by process/);
  });

  test("an empty one: senders' epochs are written to it, also where the process is killed", async () => {
    for (const end of ["close", "crash"] as const) {
      const path = folder();
      const state = await running(path);
      const epoch = await state.nextEpoch(SENDER, 1_000_000);
      const table = tableOf(state);
      await table.admit(proven(1));
      swap(path, undefined);
      expect(await table.admit(proven(FAR))).toBe("state-unavailable");
      await recovered(table);
      await state[end]();
      expect(await (await running(path)).nextEpoch(SENDER, 5)).toBeGreaterThan(epoch);
    }
  });

  test("an empty one, though nobody asks: it is opened again", async () => {
    const path = folder();
    const state = await running(path);
    const table = tableOf(state);
    await table.admit(proven(5000));
    swap(path, undefined);
    expect(await table.admit(proven(FAR))).toBe("state-unavailable");
    await until(() => existsSync(join(path, "data.mdb")));
    expect(await table.epochOf("alice")).toBe(10);
    await state.crash();
    expect(await tableOf(await running(path)).epochOf("alice")).toBe(10);
  });

  test("what this run never moved is known exactly after it too", async () => {
    const path = folder();
    const first = new LmdbState({ path });
    first.table("r", "shell", "dealer", OPTIONS).admit(proven(5));
    await first.close();
    const state = await running(path);
    const table = tableOf(state);
    await table.opened;
    swap(path, undefined);
    expect(await table.admit(proven(1, { stream: "bob" }))).toBe("state-unavailable");
    await recovered(table);
    await state.close();
    const next = tableOf(await running(path));
    expect(await next.admit(message(5))).toBe("replayed");
    expect(await next.admit(message(6))).toBe("new");
  });
});

describe("a disk that is not mounted", () => {
  const mounts: string[] = [];
  const mount = (from: string, to: string) => spawnSync("mount", ["--bind", from, to]);
  const unmount = (from: string) => spawnSync("umount", ["-l", from]);
  afterEach(() => {
    for (const path of mounts.splice(0).reverse()) unmount(path);
  });

  test.for([
    { at: "the mount point", of: (mounted: string) => mounted },
    { at: "a folder in it", of: (mounted: string) => join(mounted, "state") },
    { at: "one deeper", of: (mounted: string) => join(mounted, "a", "state") },
  ])("nothing is begun in its place: $at", async ({ of }, { skip }) => {
    const [disk, mounted] = [folder(), folder()];
    mkdirSync(mounted);
    skip(!smallDisk(disk, 8192), "nobody but root may mount a disk");
    mount(disk, mounted);
    mounts.push(disk, mounted);
    const state = await running(of(mounted));
    const table = tableOf(state);
    await table.admit(proven(5000));
    unmount(mounted);
    expect(await table.admit(proven(FAR))).toBe("state-unavailable");
    for (let i = 0; i < 4; i++) {
      await passed(500);
      expect(await table.admit(proven(FAR))).toBe("state-unavailable");
    }
    expect(readdirSync(mounted)).toEqual([]);
    await expect(state.nextEpoch(SENDER, 1)).rejects.toThrow(/not mounted|no such file/);
    mount(disk, mounted);
    await recovered(table);
    expect(await table.admit(message(5000))).toBe("replayed");
    expect(outages(state)).toHaveLength(1);
  });

  test("nor is what an earlier start left under the mount point taken for it", async ({ skip }) => {
    const [disk, mounted] = [folder(), folder()];
    await new LmdbState({ path: mounted }).close();
    skip(!smallDisk(disk, 8192), "nobody but root may mount a disk");
    mount(disk, mounted);
    mounts.push(disk, mounted);
    const state = await running(mounted);
    const table = tableOf(state);
    await table.admit(proven(5000));
    unmount(mounted);
    expect(await table.admit(proven(FAR))).toBe("state-unavailable");
    await passed(1500);
    expect(await table.admit(proven(FAR))).toBe("state-unavailable");
    await expect(state.nextEpoch(SENDER, 1)).rejects.toThrow(/not mounted/);
  });
});

describe("more streams than are written at once", () => {
  const NAME = ["r", "shell", "dealer"] as const;
  const STREAMS = Array.from({ length: 5000 }, (_, at) => `stream-${at}`);
  const begin = { now: 1000, limit: 10_000, window: 0 };
  const known = { since: 1000, forgot: false, size: STREAMS.length };

  function* rows(store: TableStore, last: number, exact: boolean) {
    const row = { epoch: 10, last, since: 1000, heardAt: 2000, keyId: 7 };
    for (const stream of STREAMS) yield { stream, row, exact, version: store.nextVersion() };
  }

  /** A store in which they have come to 5. */
  async function stored(path: string): Promise<void> {
    const [medium, owner] = [new Medium(path, () => {}), thisOwner()];
    const store = new TableStore(medium, NAME, owner, begin);
    store.save(rows(store, 5, true));
    store.end([], 0);
    disown(owner);
    await medium.end();
  }

  test("whoever dies while they are written again has forgotten everything, and nothing comes in", async () => {
    for (let parts = 0, isDone = false; !isDone; parts++) {
      const path = folder();
      await stored(path);
      const medium = new Medium(path, () => {});
      const owner = thisOwner();
      const store = new TableStore(medium, NAME, owner, begin);
      const rewriting = store.rewrite(rows(store, 5000, false), { ...known, latest: 3000 });
      for (let left = parts; left >= 0 && !isDone; left--) isDone = rewriting.next().done === true;
      disown(owner);
      const nextOwner = thisOwner();
      const next = new TableStore(medium, NAME, nextOwner, begin);
      const found = [...next.takeLoaded()];
      if (isDone) {
        expect(parts).toBe(4);
        expect(found).toHaveLength(STREAMS.length);
        expect(found.every(({ certain, row }) => !certain && row.last === 5000)).toBe(true);
      } else {
        expect(found).toEqual([]);
        expect([next.forgot, next.since]).toEqual([true, 3000]);
      }
      disown(nextOwner);
      await medium.end();
    }
  });

  test("nothing is accepted until they are written, and then everything is known", async () => {
    const path = folder();
    await stored(path);
    const state = new LmdbState({ path, onError: () => {} });
    const table = state.table(...NAME, OPTIONS);
    swap(path, undefined);
    expect(table.admit(proven(1, { stream: "bob" }))).toBe("state-unavailable");
    await until(() => existsSync(join(path, "data.mdb")));
    expect(table.admit(proven(6, { stream: "stream-1" }))).toBe("state-unavailable");
    await recovered(table, proven(6, { stream: "stream-1" }));
    for (const stream of STREAMS) expect(table.admit(message(5, { stream }))).toBe("replayed");
    await state.close();
    const next = new LmdbState({ path });
    const again = next.table(...NAME, OPTIONS);
    for (const stream of STREAMS) expect(again.admit(message(5, { stream }))).toBe("replayed");
    expect(again.admit(message(6, { stream: "stream-2" }))).toBe("new");
    await next.close();
  });

  test.each(["a key is revoked", "it is closed"])("%s while they are written again", async (what) => {
    const path = folder();
    await stored(path);
    const state = new LmdbState({ path, onError: () => {} });
    const table = state.table(...NAME, OPTIONS);
    swap(path, undefined);
    expect(table.admit(proven(1, { stream: "bob", keyId: 8 }))).toBe("state-unavailable");
    await until(() => existsSync(join(path, "data.mdb")));
    expect(table.admit(proven(6, { stream: "stream-1" }))).toBe("state-unavailable");
    if (what === "a key is revoked") table.forgetKey(7);
    await state.close();
    const next = new LmdbState({ path });
    const again = next.table(...NAME, OPTIONS);
    const expected = what === "a key is revoked" ? "not-live" : "replayed";
    for (const stream of STREAMS) expect(again.admit(message(5, { stream }))).toBe(expected);
    expect(again.size).toBe(what === "a key is revoked" ? 0 : STREAMS.length);
    await next.close();
  });
});
