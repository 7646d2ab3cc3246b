// When Redis fails: away, slow, flushed, restarted with old data, failed over, or its memory taken. It fails closed, says
// so once, recovers by itself and lets no recording in (ATTACKS rows 18 and 28).

import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Streams, Verdict, Verifier } from "../../../src/core.js";
import { type IoredisClient, RedisState } from "../../../src/state/redis.js";
import { LIBRARIES, noRedis, type RedisServer } from "./server.js";
import {
  atEnd,
  aWhile,
  message,
  serverOf,
  signerOf,
  until,
  verifierAt,
  type Worker,
  workerOf,
} from "./workers.js";

const KEYS = "countersign:{workers/jobs/push}";
const libraries = Object.keys(LIBRARIES) as (keyof typeof LIBRARIES)[];
const NO_EVIDENCE = { signedAfter: -Infinity };

/** Delivers numbers of "alice", each with evidence of its own; returns the claims. */
async function deliver(table: Streams, ...numbers: readonly number[]) {
  await aWhile();
  const claims = numbers.map((number) => message(number));
  for (const claim of claims) expect(await table.admit(claim)).toBe("new");
  await aWhile();
  return claims;
}

async function expectRefused(table: Streams, claims: Awaited<ReturnType<typeof deliver>>) {
  for (const claim of claims) expect(await table.admit(claim)).toBe("not-live");
}

describe.skipIf(noRedis)("what Redis has lost", () => {
  test.each(libraries)(
    "flushed: recordings are refused, what is signed later passes (%s)",
    async (library) => {
      const server = await serverOf();
      const worker = await workerOf(server, { library });
      const verifier = verifierAt(worker);
      const signer = signerOf();
      const recorded = [signer.sign("one"), signer.sign("two")];
      for (const frames of recorded) expect(await verifier.verifyAsync(frames)).toMatchObject({ ok: true });
      server.command("FLUSHALL");
      for (const frames of recorded) {
        expect(await verifier.verifyAsync(frames)).toMatchObject({ ok: false, reason: "not-live" });
      }
      await aWhile();
      expect(await verifier.verifyAsync(signer.sign("three"))).toMatchObject({ ok: true });
      expect(worker.told).toEqual([
        `Redis restarted, failed over or lost "${KEYS}:streams": whoever was heard before needs evidence again.`,
      ]);
    },
  );

  test("flushed: a name made before is no evidence any more", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server);
    const toName = { ...NO_EVIDENCE, toFreshName: true };
    expect(await table.admit(message(1, toName))).toBe("new");
    server.command("FLUSHALL");
    expect(await table.admit(message(1, toName))).toBe("not-live");
    // Whoever starts now has a new name, and nobody can have heard it.
    const later = await workerOf(server);
    expect(await later.table.admit(message(1, { ...toName, stream: "bob" }))).toBe("new");
  });

  test.each(["streams", "heard"])("of one key (%s), as an eviction takes it", async (part) => {
    const server = await serverOf();
    const { table } = await workerOf(server, { window: 64 });
    const claims = await deliver(table, 1, 2);
    server.command("DEL", `${KEYS}:${part}`);
    await expectRefused(table, claims);
    await deliver(table, 3);
  });

  test("of the nonces: senders are asked anew", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server);
    const nonce = (await table.ask("alice")) as Buffer;
    const claims = await deliver(table, 1);
    server.command("DEL", `${KEYS}:asked`);
    const reached = { epoch: 11, sequence: 0, keyId: 7 };
    expect(await table.answered("alice", nonce, reached)).toBe("unasked");
    const again = (await table.ask("alice")) as Buffer;
    expect(await table.answered("alice", again, reached)).toBe("begun");
    expect(await table.admit(claims[0] as (typeof claims)[0])).toBe("stale-epoch");
  });

  test.each([
    ["an old dump", [], "SAVE"],
    ["a log that is written every second", ["--appendonly", "yes", "--appendfsync", "everysec"], "PING"],
    ["a log that is always written", ["--appendonly", "yes", "--appendfsync", "always"], "PING"],
  ])("killed, and started again on %s", async (_, options, command) => {
    const server = await serverOf(...options);
    const one = await workerOf(server);
    const other = await workerOf(server, { library: "node-redis" });
    const before = await deliver(one.table, 1, 2);
    server.command(command);
    const after = await deliver(other.table, 3, 4);
    await server.kill();
    await server.start();
    for (const { table } of [one, other]) {
      await until(async () => (await table.epochOf("nobody")) === 0 && (await isBack(table)));
      await expectRefused(table, [...before, ...after]);
    }
    await deliver(other.table, 5);
    expect(await one.table.admit(message(5))).toBe("replayed");
    for (const { told } of [one, other])
      expect(told.filter((text) => /restarted/.test(text))).toHaveLength(1);
  });

  /** A primary and its replica. */
  async function replicated(...options: readonly string[]) {
    // A copy is sent at once, where others would wait for more replicas.
    const atOnce = ["--repl-diskless-sync-delay", "0"];
    const primary = await serverOf(...atOnce, ...options);
    const replica = await serverOf(...atOnce, "--replicaof", "127.0.0.1", String(primary.port));
    await until(() => isLinked(replica));
    return { primary, replica };
  }

  /** A worker whose client can be led from one server to the other, as by a name whose address changes. */
  async function ledWorker(first: RedisServer, second: RedisServer) {
    const clients = new Map<RedisServer, IoredisClient>();
    for (const server of [first, second]) {
      const connection = await LIBRARIES.ioredis(server.url);
      atEnd(connection.drop);
      clients.set(server, connection.client as IoredisClient);
    }
    let client = clients.get(first) as IoredisClient;
    const led: IoredisClient = {
      evalsha: (...args) => client.evalsha(...args),
      eval: (...args) => client.eval(...args),
    };
    const state = new RedisState({ client: led, timeout: 10_000, onError: () => {} });
    const table = state.table("workers", "jobs", "push", { window: 0, limit: 1000 });
    await table.epochOf("nobody");
    const leadTo = (server: RedisServer) => {
      client = clients.get(server) as IoredisClient;
    };
    return { table, leadTo };
  }

  const isLinked = (replica: RedisServer) =>
    replica.command("INFO", "replication").includes("master_link_status:up");
  const hasHeard = (server: RedisServer) => server.command("HEXISTS", `${KEYS}:streams`, ":alice") === "1";

  test("failed over to a replica that lags behind", async () => {
    const { primary, replica } = await replicated();
    const { table } = await workerOf(primary);
    const before = await deliver(table, 1, 2);
    await until(() => hasHeard(replica));
    replica.signal("SIGSTOP");
    const after = await deliver(table, 3, 4);
    await primary.kill();
    replica.signal("SIGCONT");
    replica.command("REPLICAOF", "NO", "ONE");
    const moved = await workerOf(replica);
    await expectRefused(moved.table, [...before, ...after]);
    await deliver(moved.table, 5);
  });

  test("failed over to a replica that lags behind, and back to the same process", async () => {
    const { primary, replica } = await replicated();
    const { table, told } = await workerOf(primary);
    const before = await deliver(table, 1, 2);
    await until(() => hasHeard(replica));
    replica.command("REPLICAOF", "NO", "ONE");
    const after = await deliver(table, 3, 4);
    primary.command("REPLICAOF", "127.0.0.1", String(replica.port));
    await until(() => isLinked(primary));
    primary.command("REPLICAOF", "NO", "ONE");
    await expectRefused(table, [...before, ...after]);
    await deliver(table, 5);
    expect(told).toHaveLength(1);
  });

  test("is not found again by a worker that was led away and back", async () => {
    const { primary, replica } = await replicated();
    const led = await ledWorker(primary, replica);
    const before = await deliver(led.table, 1, 2);
    await until(() => hasHeard(replica));
    replica.command("REPLICAOF", "NO", "ONE");
    led.leadTo(replica);
    await led.table.epochOf("nobody");
    const meanwhile = await deliver(led.table, 3, 4);
    led.leadTo(primary);
    await expectRefused(led.table, [...before, ...meanwhile]);
    await deliver(led.table, 5);
    // Led on, it stays with what is new there.
    led.leadTo(replica);
    await expectRefused(led.table, meanwhile);
    await deliver(led.table, 6);
  });

  test("proves nothing to a worker that is led to a table that others use", async () => {
    const [near, far] = [await serverOf(), await serverOf()];
    const led = await ledWorker(near, far);
    const other = await workerOf(far, { limit: 1 });
    await aWhile();
    const mark = led.table.mark?.();
    await aWhile();
    const claims = await deliver(other.table, 1, 2);
    await other.table.admit(message(1, { stream: "bob" }));
    led.leadTo(far);
    expect(await led.table.begin("alice", { epoch: 10, sequence: 0, keyId: 7 }, mark)).toBe("unasked");
    await expectRefused(led.table, claims);
    expect(await led.table.begin("alice", { epoch: 10, sequence: 2, keyId: 7 }, led.table.mark?.())).toBe(
      "begun",
    );
  });

  test("nothing, in a server that has freed its backlog: it is taken for lost, and goes on", async () => {
    const { primary, replica } = await replicated("--repl-backlog-ttl", "1");
    const { table, told } = await workerOf(primary);
    const before = await deliver(table, 1, 2);
    const history = () => /master_replid:(\w+)/.exec(primary.command("INFO", "replication"))?.[1];
    const first = history();
    await replica.kill();
    await until(() => history() !== first);
    await expectRefused(table, before);
    await deliver(table, 3);
    expect(told).toHaveLength(1);
  });

  test("cannot be known by a user that may not ask INFO: nothing passes, and the refusal names it", async () => {
    const server = await serverOf();
    server.command("ACL", "SETUSER", "default", "-info");
    const { table, told } = await workerOf(server);
    expect(await table.admit(message(1))).toBe("state-unavailable");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/its user must be allowed INFO/);
    server.command("ACL", "SETUSER", "default", "+info");
    await until(() => isBack(table));
    await deliver(table, 2);
  });
});

/** Whether it answers again: what cannot be asked is "state-unavailable". */
async function isBack(table: Streams): Promise<boolean> {
  return (await table.admit(message(1, { ...NO_EVIDENCE, stream: "nobody" }))) === "not-live";
}

describe.skipIf(noRedis)("a Redis that is away", () => {
  test.each(libraries)("fails closed, is told once, and recovers by itself (%s)", async (library) => {
    const server = await serverOf();
    const worker = await workerOf(server, { library, timeout: 300 });
    const verifier = verifierAt(worker);
    const signer = signerOf();
    expect(await verifier.verifyAsync(signer.sign("heard"))).toMatchObject({ ok: true });
    await server.kill();
    const during = Array.from({ length: 20 }, (_, at) => signer.sign(`lost ${at}`));
    const started = performance.now();
    const verdicts = await Promise.all(during.map((frames) => verifier.verifyAsync(frames)));
    expect(performance.now() - started).toBeLessThan(3000);
    for (const verdict of verdicts) expect(verdict).toMatchObject({ reason: "state-unavailable" });
    expect(await worker.table.ask("alice")).toBeUndefined();
    expect(await worker.table.begin("alice", { epoch: 1, sequence: 0, keyId: 7 })).toBe("state-unavailable");
    expect(worker.told).toHaveLength(1);
    expect(worker.told[0]).toMatch(
      /^Redis fails at ".+:streams" \(.+\): messages are refused as state-unavailable/,
    );
    await server.start();
    await until(() => isBack(worker.table));
    for (const frames of during) {
      expect(await verifier.verifyAsync(frames)).toMatchObject({ reason: "not-live" });
    }
    await aWhile();
    expect(await verifier.verifyAsync(signer.sign("heard again"))).toMatchObject({ ok: true });
    expect(worker.told).toHaveLength(2);
  });

  test.each(libraries)("or stands still: what is answered late is not delivered (%s)", async (library) => {
    const server = await serverOf();
    const worker = await workerOf(server, { library, timeout: 200 });
    await deliver(worker.table, 1);
    server.signal("SIGSTOP");
    const late = message(2);
    expect(await worker.table.admit(late)).toBe("state-unavailable");
    expect(await worker.table.admit(message(3))).toBe("state-unavailable");
    await passed(300);
    server.signal("SIGCONT");
    await until(() => isBack(worker.table));
    // What nobody waited for any more did not happen: it is no replay of anything.
    expect(await worker.table.admit(late)).toBe("new");
    expect(worker.told.filter((text) => /^Redis fails/.test(text))).toHaveLength(1);
  });

  test("for a moment only: what waits is ruled on", async () => {
    const server = await serverOf();
    const worker = await workerOf(server, { timeout: 5000 });
    await deliver(worker.table, 1);
    server.command("CLIENT", "PAUSE", "300", "ALL");
    const rulings = await Promise.all([2, 3, 3, 4].map((number) => worker.table.admit(message(number))));
    expect(rulings).toEqual(["new", "new", "replayed", "new"]);
    expect(worker.told).toEqual([]);
  });

  test("forgets a key before it rules on anything else", async () => {
    const server = await serverOf();
    const worker = await workerOf(server, { timeout: 200 });
    const claims = await deliver(worker.table, 1);
    server.signal("SIGSTOP");
    await worker.table.forgetKey(7);
    expect(await worker.table.admit(message(2, NO_EVIDENCE))).toBe("state-unavailable");
    server.signal("SIGCONT");
    await until(async () => (await worker.table.admit(message(2, NO_EVIDENCE))) === "not-live");
    await expectRefused(worker.table, claims);
    await deliver(worker.table, 2);
  });

  test.each(libraries)("with connections that break: nothing is delivered twice (%s)", async (library) => {
    const server = await serverOf();
    const workers: Worker[] = [];
    for (let at = 0; at < 2; at++)
      workers.push(await workerOf(server, { library, window: 1024, timeout: 500 }));
    const verifiers = workers.map((worker) => verifierAt(worker, 1024));
    const signer = signerOf();
    const delivered = new Map<string, number>();
    const take = (verdict: Verdict) => {
      if (!verdict.ok) return;
      const body = String(verdict.frames[0]);
      delivered.set(body, (delivered.get(body) ?? 0) + 1);
    };
    for (let round = 0; round < 6; round++) {
      const messages = Array.from({ length: 100 }, (_, at) => signer.sign(`${round}.${at}`));
      const rulings = messages.flatMap((frames) => verifiers.map((verifier) => verifier.verifyAsync(frames)));
      await undefined;
      server.command("CLIENT", "KILL", "TYPE", "normal");
      for (const verdict of await Promise.all(rulings)) take(verdict);
      for (const { table } of workers) await until(() => isBack(table));
      // And once more: of what was refused, nobody knows whether it was remembered.
      const verifier = verifiers[round % 2] as Verifier;
      for (const verdict of await Promise.all(messages.map((frames) => verifier.verifyAsync(frames)))) {
        take(verdict);
      }
    }
    expect([...delivered.values()].every((times) => times === 1)).toBe(true);
    expect(delivered.size).toBeGreaterThan(0);
  });

  test("is waited for by senders that start before it", async () => {
    const server = await serverOf();
    const worker = await workerOf(server, { timeout: 200 });
    await server.kill();
    const asked = worker.state.nextEpoch({ sender: "alice", channel: "", pattern: "push" }, 1000);
    await passed(1000);
    expect(worker.told).toHaveLength(1);
    expect(worker.told[0]).toMatch(/senders wait for their epoch/);
    await server.start();
    expect(await asked).toBe(1000);
  });
});

describe.skipIf(noRedis)("evidence that is good at the moment it is asked", () => {
  /** A worker whose calls are held back when told. */
  async function slowWorker(server: RedisServer) {
    const connection = await LIBRARIES.ioredis(server.url);
    atEnd(() => connection.drop());
    const client = connection.client as IoredisClient;
    let gate = Promise.resolve();
    const held: IoredisClient = {
      evalsha: (...args) => gate.then(() => client.evalsha(...args)),
      eval: (...args) => client.eval(...args),
    };
    const state = new RedisState({ client: held, timeout: 10_000 });
    const table = state.table("workers", "jobs", "push", { window: 0, limit: 1000 });
    await table.epochOf("nobody");
    const hold = () => {
      let release = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    };
    return { table, hold };
  }

  test.each([
    [
      "a live sender",
      (table: Streams) => table.begin("alice", { epoch: 10, sequence: 4, keyId: 7 }),
      "unasked",
    ],
    ["an answer", (table: Streams) => table.admit(message(4, { signedAfter: Infinity })), "not-live"],
  ])("is too little once something was forgotten: %s", async (_, ask, refusal) => {
    const server = await serverOf();
    const slow = await slowWorker(server);
    const { table } = await workerOf(server);
    const release = slow.hold();
    const answer = ask(slow.table);
    await passed(50);
    await deliver(table, 5, 6);
    await table.forgetKey(7);
    release();
    expect(await answer).toBe(refusal);
    // Asked again, it is good.
    expect(["begun", "new"]).toContain(await ask(slow.table));
  });
});

describe.skipIf(noRedis)("what is kept in Redis", () => {
  const sizeOf = (server: RedisServer, part: string) => Number(server.command("ZCARD", `${KEYS}:${part}`));

  test("is bounded, in streams and in nonces", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server, { limit: 8, window: 1000 });
    for (let i = 0; i < 50; i++) expect(await table.admit(message(1, { stream: `crowd-${i}` }))).toBe("new");
    expect(table.size).toBe(8);
    expect(sizeOf(server, "heard")).toBe(9);
    const fields = server.command("HKEYS", `${KEYS}:streams`).split("\n");
    expect(fields.filter((field) => field.startsWith(":"))).toHaveLength(8);
    expect(fields.filter((field) => field.startsWith("#"))).toHaveLength(8);
  });

  test("shrinks where the limit is lowered", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server);
    for (let i = 0; i < 250; i++) await table.admit(message(1, { stream: `crowd-${i}` }));
    const smaller = await workerOf(server, { limit: 10 });
    for (let i = 0; i < 3; i++) await smaller.table.admit(message(1, { stream: `late-${i}` }));
    expect(smaller.table.size).toBe(10);
  });

  test("is forgotten with its key at once, however much of it there is, and removed in steps", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server, { window: 64, limit: 2000 });
    const streams = Array.from({ length: 1000 }, (_, at) => `crowd-${at}`);
    const claimsOf = (claimed: object) => streams.map((stream) => message(1, { stream, ...claimed }));
    const admitted = await Promise.all(claimsOf({}).map((claim) => table.admit(claim)));
    expect(admitted.every((ruling) => ruling === "new")).toBe(true);
    await deliver(table, 1);
    expect(await table.admit(message(1, { stream: "bob", keyId: 8 }))).toBe("new");
    await table.forgetKey(7);
    await table.forgetKey(9);
    // Redis serves others meanwhile: most of it is still there.
    expect(sizeOf(server, "heard")).toBeGreaterThan(800);
    expect(await table.admit(message(2, { ...NO_EVIDENCE, stream: "bob", keyId: 8 }))).toBe("new");
    expect(await table.admit(message(1, { ...NO_EVIDENCE, stream: "eve", toFreshName: true }))).toBe(
      "not-live",
    );
    // What the key moves afterwards is nothing that a thief did before.
    await deliver(table, 2);
    const again = claimsOf({ ...NO_EVIDENCE, sequence: 2 }).reverse();
    const rulings = await Promise.all(again.map((claim) => table.admit(claim)));
    expect(rulings.every((ruling) => ruling === "not-live")).toBe(true);
    await until(async () => (await table.epochOf("nobody")) === 0 && sizeOf(server, "heard") === 3);
    expect(server.command("HEXISTS", `${KEYS}:streams`, "revoked")).toBe("0");
    const fields = server.command("HKEYS", `${KEYS}:streams`).split("\n");
    expect(fields.filter((field) => /^[:#]/.test(field)).sort()).toEqual([
      "#0:alice",
      "#0:bob",
      ":alice",
      ":bob",
    ]);
    expect(await table.admit(message(3, NO_EVIDENCE))).toBe("new");
  });

  test("is removed in steps also where nobody is heard of it again", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server);
    const crowd = Array.from({ length: 300 }, (_, at) => message(1, { stream: `crowd-${at}` }));
    await Promise.all(crowd.map((claim) => table.admit(claim)));
    await table.forgetKey(7);
    expect(sizeOf(server, "heard")).toBeGreaterThan(100);
    await until(async () => (await table.epochOf("nobody")) === 0 && sizeOf(server, "heard") === 1);
    expect(server.command("HEXISTS", `${KEYS}:streams`, "revoked")).toBe("0");
  });

  test("expires: who was not heard needs evidence of later", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server, { idle: 400 });
    const claims = await deliver(table, 1, 2);
    const bob = message(1, { stream: "bob" });
    for (let i = 0; i < 6; i++) {
      await table.admit({ ...bob, sequence: i + 1 });
      await passed(100);
    }
    expect(table.size).toBe(1);
    await expectRefused(table, claims);
    await deliver(table, 3);
  });

  test("goes when nobody uses it, and is born again closed", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server, { idle: 200 });
    const claims = await deliver(table, 1, 2);
    await until(() => server.command("DBSIZE") === "0");
    await expectRefused(table, claims);
    await deliver(table, 3);
  });
});
