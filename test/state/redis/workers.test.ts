// Several workers on one Redis: each message is delivered once between them (ATTACKS row 20), whatever each is asked and
// in whatever order.

import { describe, expect, test } from "vitest";
import { noRedis } from "./server.js";
import { aWhile, message, serverOf, signerOf, verifierAt, workerOf } from "./workers.js";

const COUNT = 500;

describe.skipIf(noRedis)("workers that share a Redis", () => {
  test.each([0, 1024])("take a message once, given it at the same instant (window %i)", async (window) => {
    const server = await serverOf();
    const workers = [
      await workerOf(server, { window }),
      await workerOf(server, { window, library: "node-redis" }),
    ];
    const verifiers = workers.map((worker) => verifierAt(worker, window));
    const signer = signerOf();
    const messages = Array.from({ length: COUNT }, (_, at) => signer.sign(`job ${at}`));
    const verdicts = await Promise.all(
      messages.map((frames) => Promise.all(verifiers.map((verifier) => verifier.verifyAsync(frames)))),
    );
    const delivered = verdicts.map((pair) => pair.filter(({ ok }) => ok).length);
    expect(delivered).toEqual(messages.map(() => 1));
    const reasons = verdicts.flat().map((verdict) => (verdict.ok ? "ok" : verdict.reason));
    expect(reasons.filter((reason) => reason === "replayed")).toHaveLength(COUNT);
    expect(verifiers.map(({ stats }) => stats.accepted).reduce((sum, accepted) => sum + accepted)).toBe(
      COUNT,
    );
  });

  test("take the messages of one stream between them, in any order within the window", async () => {
    const server = await serverOf();
    const [one, other] = [await workerOf(server, { window: 1024 }), await workerOf(server, { window: 1024 })];
    const signer = signerOf();
    const messages = Array.from({ length: COUNT }, (_, at) => signer.sign(`job ${at}`));
    const verifiers = [verifierAt(one, 1024), verifierAt(other, 1024)];
    expect(await verifiers[0]?.verifyAsync(messages[0] as Buffer[])).toMatchObject({ ok: true });
    const verdicts = await Promise.all(messages.map((frames, at) => verifiers[at % 2]?.verifyAsync(frames)));
    expect(verdicts.filter((verdict) => verdict?.ok)).toHaveLength(COUNT - 1);
  });

  test("ask a sender the same nonce, and take its answer once between them", async () => {
    const server = await serverOf();
    const [one, other] = [await workerOf(server), await workerOf(server, { library: "node-redis" })];
    const nonce = (await one.table.ask("alice")) as Buffer;
    expect(await other.table.ask("alice")).toEqual(nonce);
    const reached = { epoch: 10, sequence: 4, keyId: 7 };
    const answers = await Promise.all([
      one.table.answered("alice", nonce, reached),
      other.table.answered("alice", nonce, { ...reached, sequence: 2 }),
    ]);
    expect(answers.sort()).toEqual(["begun", "unasked"]);
  });

  test("take no answer that was held back until what came after it was forgotten", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server, { limit: 4 });
    const nonce = (await table.ask("alice")) as Buffer;
    const reached = { epoch: 10, sequence: 4, keyId: 7 };
    await aWhile();
    expect(await table.admit(message(5))).toBe("new");
    await aWhile();
    for (let i = 0; i < 10; i++) await table.admit(message(1, { stream: `crowd-${i}` }));
    expect(await table.epochOf("alice")).toBe(0);
    expect(await table.answered("alice", nonce, reached)).toBe("unasked");
    expect(await table.admit(message(5, { signedAfter: -Infinity }))).toBe("not-live");
    // It was used up, and the sender is asked anew.
    const again = (await table.ask("alice")) as Buffer;
    expect(again).not.toEqual(nonce);
    expect(await table.answered("alice", again, { ...reached, sequence: 5 })).toBe("begun");
  });

  test("ask anew after a minute, and take no answer to what they asked before", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server);
    const nonce = (await table.ask("alice")) as Buffer;
    const minuteAgo = (Date.now() - 61_000) * 1000;
    server.command("ZADD", "countersign:{workers/jobs/push}:asked", String(minuteAgo), "alice");
    expect(await table.answered("alice", nonce, { epoch: 10, sequence: 4, keyId: 7 })).toBe("unasked");
    expect(await table.ask("alice")).not.toEqual(nonce);
  });

  test("refuse a receiver with another window, and say what to do", async () => {
    const server = await serverOf();
    const { table } = await workerOf(server);
    expect(await table.admit(message(1))).toBe("new");
    const other = await workerOf(server, { window: 64 });
    expect(await other.table.admit(message(2))).toBe("state-unavailable");
    expect(other.told).toHaveLength(1);
    expect(other.told[0]).toMatch(/made for a window of 0, and this receiver has 64/);
    expect(await table.admit(message(2))).toBe("new");
  });
});
