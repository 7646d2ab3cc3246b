// Connections that break when a batch was carried out and its answer is on the way: a client that sends it again gets the
// answer that it would have had.

import { createServer, connect as dial, type Socket } from "node:net";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { RedisState } from "../../../src/state/redis.js";
import { noRedis, type RedisServer } from "./server.js";
import { atEnd, aWhile, message, serverOf, signerOf, until, verifierAt, workerOf } from "./workers.js";

/** A way to a server that breaks when told, at the next answer. */
async function brittleWayTo(server: RedisServer) {
  const sockets = new Set<Socket>();
  let breaks = false;
  const proxy = createServer((near) => {
    const far = dial(server.port, "127.0.0.1");
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) sockets.add(socket.on("error", end).on("close", end));
    near.pipe(far);
    far.on("data", (answer) => {
      if (!breaks) return near.write(answer);
      breaks = false;
      return end();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const { port } = proxy.address() as { port: number };
  return {
    port,
    breakAtNextAnswer() {
      breaks = true;
    },
  };
}

/** A worker whose client sends again what was not answered, as ioredis does unless told not to. */
async function resendingWorker(server: RedisServer, window: number) {
  const way = await brittleWayTo(server);
  const client = new Redis(way.port, { retryStrategy: () => 20 });
  client.on("error", () => {});
  atEnd(() => client.disconnect());
  const told: string[] = [];
  const onError = ({ message }: Error) => told.push(message);
  const state = new RedisState({ client, onError, timeout: 10_000 });
  const table = state.table("workers", "jobs", "push", { window, limit: 1000 });
  await table.epochOf("nobody");
  return { way, state, table, told };
}

describe.skipIf(noRedis)("a connection that breaks before the answer", () => {
  test.each([0, 1024])("costs no message and delivers none twice (window %i)", async (window) => {
    const server = await serverOf();
    const worker = await resendingWorker(server, window);
    const verifier = verifierAt(worker, window);
    const signer = signerOf();
    await aWhile();
    for (let round = 0; round < 10; round++) {
      const messages = Array.from({ length: 3 }, () => signer.sign(`round ${round}`));
      worker.way.breakAtNextAnswer();
      for (const frames of messages) expect(await verifier.verifyAsync(frames)).toMatchObject({ ok: true });
      for (const frames of messages) {
        expect(await verifier.verifyAsync(frames)).toMatchObject({ reason: "replayed" });
      }
    }
    expect(worker.told).toEqual([]);
  });

  test("is no reason to ask a sender twice, or to begin it anew", async () => {
    const { way, table, told } = await resendingWorker(await serverOf(), 0);
    const nonce = (await table.ask("alice")) as Buffer;
    way.breakAtNextAnswer();
    expect(await table.answered("alice", nonce, { epoch: 10, sequence: 4, keyId: 7 })).toBe("begun");
    expect(told).toEqual([]);
  });

  test("leaves nothing behind but the last batch of each worker, for a while", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server, { timeout: 50 });
    await workerOf(server);
    for (let number = 1; number < 20; number++) await table.admit(message(number));
    const kept = () => server.command("KEYS", "countersign:{workers/jobs/push}:done:*").split("\n");
    await until(() => kept().length === 1);
    expect(kept()).toEqual([expect.stringMatching(/:done:[0-9a-f]{16}$/)]);
  });
});
