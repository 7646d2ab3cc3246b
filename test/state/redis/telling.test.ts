// What is told of a Redis that fails one table, or some of its callers: once, with the key that it is about.

import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type IoredisClient, RedisState } from "../../../src/state/redis.js";
import { LIBRARIES, noRedis } from "./server.js";
import { atEnd, message, serverOf, until, workerOf } from "./workers.js";

const STRICT = { window: 0, limit: 1000 };

describe.skipIf(noRedis)("an outage is told once", () => {
  test("of the table that is failed, while others are served", async () => {
    const server = await serverOf();
    const { state, table, told } = await workerOf(server);
    server.command("SET", "countersign:{others/jobs/push}:streams", "no table");
    const others = state.table("others", "jobs", "push", STRICT);
    await until(() => told.length > 0);
    for (let number = 1; number <= 8; number++) {
      expect(await table.admit(message(number))).toBe("new");
      await passed(150);
    }
    expect(await others.admit(message(1))).toBe("state-unavailable");
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^Redis fails at "countersign:\{others\/jobs\/push\}:streams" \(WRONGTYPE/);
    server.command("DEL", "countersign:{others/jobs/push}:streams");
    await until(async () => (await others.admit(message(1))) === "new");
  });

  test("and not at every answer that comes too late for some who wait", async () => {
    const server = await serverOf();
    const connection = await LIBRARIES.ioredis(server.url);
    atEnd(connection.drop);
    const client = connection.client as IoredisClient;
    let delay = 0;
    const slow: IoredisClient = {
      evalsha: (...args) => client.evalsha(...args).finally(() => passed(delay)),
      eval: (...args) => client.eval(...args),
    };
    const told: string[] = [];
    const state = new RedisState({
      client: slow,
      timeout: 800,
      onError: ({ message }) => told.push(message),
    });
    const table = state.table("workers", "jobs", "push", STRICT);
    await table.epochOf("nobody");
    // Each answer comes in time for who was asked for, and too late for who had to wait for the answer before.
    delay = 600;
    const rulings: unknown[] = [];
    for (let at = 0; at < 200; at++) {
      rulings.push(table.admit(message(at + 1)));
      await passed(25);
    }
    expect(await Promise.all(rulings)).toContain("state-unavailable");
    expect(told.length).toBeLessThanOrEqual(4);
    // It recovered: what fails then is told again.
    delay = 0;
    await until(async () => (await table.admit(message(1000))) !== "state-unavailable");
    await table.epochOf("nobody");
    const before = told.length;
    await server.kill();
    expect(await table.admit(message(1001))).toBe("state-unavailable");
    expect(told).toHaveLength(before + 1);
  });
});
