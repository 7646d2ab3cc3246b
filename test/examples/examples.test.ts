// Every example is run as a reader would run it, as a process of its own, and prints what its text promises.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../../", import.meta.url));

/** What an example prints; rejects when it does not exit with 0. `npm test` compiles the examples first. */
async function printed(example: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, [`${folder}.build/examples/${example}.js`], {
    timeout: 25_000,
  });
  return stdout.trimEnd().split("\n");
}

test("request-reply: question and answer, with the name of who asked", async () => {
  expect(await printed("request-reply")).toEqual(["alice asked for 7 * 6: 42"]);
});

test("broadcast: topics arrive signed, and what was not subscribed to is no gap", async () => {
  expect(await printed("broadcast")).toEqual([
    "weather says, number 1: rome 21.5",
    "weather says, number 3: rome.airport 22.0",
    "delivered 2, missed 0",
  ]);
});

test("jupyter: the same in Jupyter's format, hardened", async () => {
  expect(await printed("jupyter/client")).toEqual([
    "In : let x = 20; x + 1",
    "Out: 21",
    "     ok, message 1 of this kernel to me",
    'In : print("twice " + x); x * 2',
    "iopub: twice 20",
    "Out: 40",
    "     ok, message 2 of this kernel to me",
    "In : nonsense(",
    "Err: Unexpected end of input",
    "     error, message 3 of this kernel to me",
    "heartbeat: true",
  ]);
});

test("kernel: code is run in another process, its output comes over iopub", async () => {
  expect(await printed("kernel/client")).toEqual([
    "In : let x = 20; x + 1",
    "Out[1]: 21",
    'In : print("twice " + x); x * 2',
    "Out[2]: 40",
    "In : nonsense(",
    "Error[3]: Unexpected end of input",
    "iopub: twice 20",
  ]);
});

test("migrate: the signed app prints what the plain one does", async () => {
  const before = await printed("migrate/before");
  expect(before).toEqual(["resize 7 bytes", "crop 7 bytes", "stop 7 bytes"]);
  expect(await printed("migrate/after")).toEqual(before);
});

test("migrate.diff is the difference between the two files", () => {
  const text = (name: string) => readFileSync(`${folder}examples/migrate/${name}`, "utf8");
  const hunk = text("migrate.diff")
    .split("\n")
    .slice(3)
    .filter((line) => line !== "");
  const side = (keep: "+" | "-") =>
    hunk.filter((line) => line[0] === " " || line[0] === keep).map((line) => line.slice(1));
  const head = (name: string, lines: number) => text(name).split("\n").slice(0, lines);
  const withoutBlank = (lines: string[]) => lines.filter((line) => line !== "");
  expect(withoutBlank(side("-"))).toEqual(withoutBlank(head("before.ts", 9)));
  expect(withoutBlank(side("+"))).toEqual(withoutBlank(head("after.ts", 10)));
  expect(text("before.ts").split("\n").slice(9)).toEqual(text("after.ts").split("\n").slice(10));
});

test("brokers: through a ROUTER/DEALER and an XSUB/XPUB broker without a key", async () => {
  expect(await printed("brokers")).toEqual([
    "worker answers me: job 1 done",
    "news publishes rome: carnival",
  ]);
});

test("rotate: keys change while messages flow, none is lost", async () => {
  expect(await printed("rotate")).toEqual([
    "number 1, current key: under the first key",
    "number 2, current key: still under the first key",
    "number 3, current key: under the second key",
    "number 4, current key: the first key is gone",
    "lost 0",
  ]);
});

test("report: an unsigned peer is served and marked, then refused", async () => {
  expect(await printed("report")).toEqual([
    "report: from a peer that does not sign (unsigned)",
    "report: from a peer that does (moved)",
    "report: the old peer got done, the other done",
    "report: 1 unsigned let through, 0 refused",
    "enforce: from a peer that does (moved)",
    "enforce: the old peer got nothing, the other done",
    "enforce: 0 unsigned let through, 1 refused",
  ]);
});

test("login: a password and a shared key at one server; a wrong password and a revoked user", async () => {
  expect(await printed("login")).toEqual([
    "one order, by alice (scram-sha-256) on alice-laptop",
    "to alice-laptop: taken",
    "one order, by billing (psk) on billing",
    "to billing: taken",
    "mallory is refused: bad-proof",
    "alice is revoked: 1 session",
  ]);
});
