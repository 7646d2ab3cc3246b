// Redis's clock set back: a table's moments go on nevertheless, so whoever answers is admitted, and an answer from before
// what was forgotten is not.

import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type IoredisClient, RedisState } from "../../../src/state/redis.js";
import { LIBRARIES, noRedis } from "./server.js";
import { atEnd, aWhile, message, serverOf } from "./workers.js";

const HOUR = 3600 * 1_000_000;
const REACHED = { epoch: 10, sequence: 0, keyId: 7 };

/** A worker whose Redis reads a clock that the test sets: nobody may set the machine's. */
async function workerWithClock(limit: number) {
  const server = await serverOf();
  const connection = await LIBRARIES.ioredis(server.url);
  atEnd(connection.drop);
  const client = connection.client as IoredisClient;
  let offset = 0;
  const clocked: IoredisClient = {
    evalsha: async () => Promise.reject(new Error("NOSCRIPT")),
    eval: (script, ...rest) =>
      client.eval(script.replace("local clock = ", `local clock = ${offset} + `), ...rest),
  };
  const state = new RedisState({ client: clocked, timeout: 10_000 });
  const setClock = (micros: number) => {
    offset = micros;
  };
  const open = async () => {
    const table = state.table("workers", "jobs", "push", { window: 0, limit });
    await table.epochOf("nobody");
    return table;
  };
  return { setClock, open };
}

type Table = Awaited<ReturnType<Awaited<ReturnType<typeof workerWithClock>>["open"]>>;

/** Hears "alice", and then others that push her out. */
async function hearAndForget(table: Table) {
  expect(await table.begin("alice", REACHED)).toBe("begun");
  for (const number of [1, 2]) expect(await table.admit(message(number))).toBe("new");
  for (const stream of ["bob", "carol"]) {
    expect(await table.begin(stream, REACHED)).toBe("begun");
    expect(await table.admit(message(1, { stream }))).toBe("new");
  }
  expect(await table.epochOf("alice")).toBe(0);
}

describe.skipIf(noRedis)("a Redis whose clock is set back", () => {
  test("admits whoever answers what it asked", async () => {
    const { setClock, open } = await workerWithClock(10);
    setClock(HOUR);
    const table = await open();
    setClock(0);
    const nonce = (await table.ask("alice")) as Buffer;
    expect(await table.ask("alice")).toEqual(nonce);
    expect(await table.answered("alice", nonce, REACHED)).toBe("begun");
    expect(await table.admit(message(1))).toBe("new");
    expect(await table.begin("bob", REACHED, table.mark?.())).toBe("begun");
  });

  test.each([
    ["by an hour", HOUR, 0],
    ["by less than it was asked nothing for", 0, -200_000],
  ])("%s: takes no answer from before what it forgot", async (_, atFirst, later) => {
    const { setClock, open } = await workerWithClock(2);
    setClock(atFirst);
    const table = await open();
    if (later === 0) {
      setClock(later);
      await table.epochOf("nobody");
    }
    await passed(400);
    const mark = table.mark?.();
    setClock(later);
    await hearAndForget(table);
    expect(await table.begin("alice", REACHED, mark)).toBe("unasked");
    // Asked again, it is good.
    expect(await table.begin("alice", { ...REACHED, sequence: 2 }, table.mark?.())).toBe("begun");
  });

  test("keeps a nonce that is asked, and forgets it with the stream", async () => {
    const { setClock, open } = await workerWithClock(2);
    setClock(HOUR);
    const table = await open();
    const nonce = (await table.ask("alice")) as Buffer;
    setClock(0);
    await aWhile();
    await hearAndForget(table);
    expect(await table.answered("alice", nonce, REACHED)).toBe("unasked");
  });
});
