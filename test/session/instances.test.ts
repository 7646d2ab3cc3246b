// Workers of a cluster and threads run the same code with the same name: each gets a stream of its own, and is still
// addressed by the name that it was given.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Pull, Router } from "countersign";
import { describe, expect, it } from "vitest";
import { as, bound, opened } from "../sockets/harness.js";

const PROGRAMS = fileURLToPath(new URL("../../.build/test/sockets/programs.js", import.meta.url));
/** The key of the programs. */
const key = Buffer.from("a key for tests, known to everyone here");

/** Who was heard, and how often. */
async function heard(pull: Pull, count: number): Promise<Map<string, number>> {
  const senders = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { sender } = (await pull.receive()).origin;
    senders.set(sender, (senders.get(sender) ?? 0) + 1);
  }
  return senders;
}

describe("of one name", () => {
  it("threads are heard apart, all of them whole", async () => {
    const pull = opened(new Pull({ linger: 0, signing: as("pull", { key }) }));
    const address = await bound(pull);
    const started = () => new Worker(PROGRAMS, { workerData: ["push ten", address] });
    const ended = Promise.all([1, 2, 3].map(() => once(started(), "exit")));
    const senders = await heard(pull, 30);
    expect([...senders.values()]).toEqual([10, 10, 10]);
    for (const sender of senders.keys()) expect(sender).toMatch(/^worker~t\d+$/);
    expect(pull.stats.rejected["stale-epoch"]).toBe(0);
    await ended;
  });

  it("workers of a cluster are heard apart, all of them whole", async () => {
    const pull = opened(new Pull({ linger: 0, signing: as("pull", { key }) }));
    const ended = once(fork(PROGRAMS, ["cluster", await bound(pull)]), "exit");
    const senders = await heard(pull, 30);
    expect([...senders].sort()).toEqual([
      ["worker~w1", 10],
      ["worker~w2", 10],
      ["worker~w3", 10],
    ]);
    expect(pull.stats.rejected["stale-epoch"]).toBe(0);
    await ended;
  });

  it("a thread hears what is addressed to the name that it was given", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router", { key, to: () => "worker" }) }));
    const address = await bound(router);
    const worker = new Worker(PROGRAMS, { workerData: ["await an order", address] });
    const ended = once(worker, "exit");
    await router.receive();
    await router.send([Buffer.from("ordered"), "by the plain name"]);
    const [posted] = await once(worker, "message");
    expect(posted).toBe("by the plain name");
    await ended;
  });
});
