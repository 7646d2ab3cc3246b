// A real cluster of three: all keys of a table lie together, and workers share it by either library.

import { execFileSync } from "node:child_process";
import { setTimeout as passed } from "node:timers/promises";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../../bench/ports.js";
import { type RedisClient, RedisState } from "../../../src/state/redis.js";
import { noRedis, RedisServer } from "./server.js";
import { message } from "./workers.js";

describe.skipIf(noRedis)("a cluster", () => {
  const nodes: RedisServer[] = [];
  const clients: { client: RedisClient; close(): unknown }[] = [];

  beforeAll(async () => {
    for (let at = 0; at < 3; at++) {
      // The port that nodes speak to each other on is 10,000 higher unless told: that may be none, or taken.
      nodes.push(
        await RedisServer.start("--cluster-enabled", "yes", "--cluster-port", String(await freePort())),
      );
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    execFileSync("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"], { stdio: "pipe" });
    for (const node of nodes) {
      while (!node.command("CLUSTER", "INFO").includes("cluster_state:ok")) await passed(50);
    }
    const ports = nodes.map(({ port }) => port);
    const ioredis = new Cluster(ports.map((port) => ({ host: "127.0.0.1", port })));
    const nodeRedis = createCluster({
      rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    });
    await nodeRedis.connect();
    clients.push(
      { client: ioredis, close: () => ioredis.quit() },
      { client: nodeRedis, close: () => nodeRedis.close() },
    );
  });
  afterAll(async () => {
    for (const { close } of clients) await close();
    for (const node of nodes) await node.stop();
  });

  test("holds the tables of many receivers, each on one node, shared by both libraries", async () => {
    const states = clients.map(({ client }) => new RedisState({ client, timeout: 5000 }));
    for (const receiver of ["workers", "a", "b", "c", "{d}", "é/{}"]) {
      const tables = states.map((state) => state.table(receiver, "", "push", { window: 64, limit: 10 }));
      for (const table of tables) await table.epochOf("nobody");
      const signed = Array.from({ length: 20 }, (_, at) => message(at + 1));
      const rulings = await Promise.all(signed.flatMap((claim) => tables.map((table) => table.admit(claim))));
      expect(rulings.filter((ruling) => ruling === "new")).toHaveLength(20);
      expect(rulings.filter((ruling) => ruling === "replayed")).toHaveLength(20);
      const nonces = await Promise.all(tables.map((table) => table.ask("bob")));
      expect(nonces[0]).toEqual(nonces[1]);
    }
    const stream = { sender: "alice", channel: "", pattern: "push" } as const;
    const epochs = await Promise.all(states.map((state) => state.nextEpoch(stream, 1)));
    expect(Math.abs((epochs[0] as number) - (epochs[1] as number))).toBeGreaterThan(1000);
    const used = nodes.map((node) => Number(node.command("DBSIZE")));
    expect(used.filter((keys) => keys > 0).length).toBeGreaterThan(1);
  });
});
