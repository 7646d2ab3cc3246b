// Epochs of senders in Redis: one that is none is never handed to a sender, and whoever runs it is told why.

import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type IoredisClient, RedisState } from "../../../src/state/redis.js";
import { LIBRARIES, noRedis, type RedisServer } from "./server.js";
import { atEnd, serverOf, until } from "./workers.js";

const STREAM = { sender: "alice", channel: "jobs", pattern: "push" } as const;
const KEY = "countersign:{alice/jobs/push}:epoch";
const LAST = 2 ** 53 - 1;

/** A state of its own, and what it told. */
async function stateOf(server: RedisServer) {
  const { client, drop } = await LIBRARIES.ioredis(server.url);
  atEnd(drop);
  const told: string[] = [];
  const state = new RedisState({ client, onError: ({ message }) => told.push(message) });
  return { client, state, told };
}

describe.skipIf(noRedis)("the epoch of a sender", () => {
  test("is waited for where the client queues what it is asked, for a transaction", async () => {
    const { client, state, told } = await stateOf(await serverOf());
    const transaction = client as unknown as { multi(how: object): Promise<void>; exec(): Promise<void> };
    await transaction.multi({ pipeline: false });
    const asked = state.nextEpoch(STREAM, 1000);
    await until(() => told.length > 0);
    expect(told[0]).toMatch(
      /^Redis fails at ".+:epoch" \(it answers "QUEUED" where a script was run\): senders wait/,
    );
    await transaction.exec();
    expect(await asked).toBeGreaterThanOrEqual(1000);
  });

  test("is waited for where the client hands over no answers, as one in a legacy mode", async () => {
    const { client } = await stateOf(await serverOf());
    const told: string[] = [];
    let answers = false;
    const given = client as IoredisClient;
    const legacy: IoredisClient = {
      evalsha: async (...args) => {
        const answer = await given.evalsha(...args);
        return answers ? answer : undefined;
      },
      eval: (...args) => given.eval(...args).then((answer) => (answers ? answer : undefined)),
    };
    const state = new RedisState({ client: legacy, onError: ({ message }) => told.push(message) });
    const asked = state.nextEpoch(STREAM, 1000);
    await until(() => told.length > 0);
    answers = true;
    expect(await asked).toBeGreaterThan(1000);
  });

  test.each([String(LAST), "9007199254740992", "nan", "1e3", "text"])(
    "is none above %s, and it is told what to do",
    async (stored) => {
      const server = await serverOf();
      const { state, told } = await stateOf(server);
      server.command("SET", KEY, stored);
      const asked = state.nextEpoch(STREAM, 1000);
      await until(() => told.length > 0);
      expect(told[0]).toContain(
        `"${KEY}" holds "${stored}", above which there is no epoch: give the sender another`,
      );
      expect(server.command("GET", KEY)).toBe(stored);
      server.command("DEL", KEY);
      expect(await asked).toBe(1000);
    },
  );

  test("is told of once while others are given theirs", async () => {
    const server = await serverOf();
    const { state, told } = await stateOf(server);
    server.command("RPUSH", KEY, "no epoch");
    const asked = state.nextEpoch(STREAM, 1000);
    for (let round = 0; round < 8; round++) {
      await state.nextEpoch({ ...STREAM, sender: `sender-${round}` }, 1000);
      await passed(150);
    }
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`Redis fails at "${KEY}" (WRONGTYPE`);
    server.command("DEL", KEY);
    expect(await asked).toBe(1000);
  });

  test("may be the last one there is", async () => {
    const server = await serverOf();
    const { state } = await stateOf(server);
    expect(await state.nextEpoch(STREAM, LAST - 2)).toBe(LAST - 2);
    expect(server.command("GET", KEY)).toBe(String(LAST));
  });
});
