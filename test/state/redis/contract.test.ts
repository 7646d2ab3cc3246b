// Redis keeps the contract that every memory keeps, whichever client it is reached by.

import { afterAll, beforeAll, describe, test } from "vitest";
import type { ReplayState } from "../../../src/replay/state.js";
import { stateContract } from "../../../src/state/contract.js";
import { RedisState } from "../../../src/state/redis.js";
import { type Connection, LIBRARIES, noRedis, RedisServer } from "./server.js";

describe.skipIf(noRedis).each(Object.entries(LIBRARIES))("redis by %s", (_, connect) => {
  let server: RedisServer;
  const connections = new Map<ReplayState, Connection>();
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  const checks = stateContract({
    async open() {
      const connection = await connect(server.url);
      const state = new RedisState({ client: connection.client, timeout: 10_000 });
      connections.set(state, connection);
      return state;
    },
    close: (state) => connections.get(state)?.close(),
    crash: (state) => connections.get(state)?.drop(),
    wipe: () => void server.command("FLUSHALL"),
    survives: true,
    sharesStreams: true,
    sharesEpochs: true,
    followsClock: false,
  });
  for (const { name, run } of checks) test(name, run);
});
