// Proxy: brokers are plain sockets that hold no key; a signed socket in one would sign and verify nothing.

import { Dealer, Proxy as OurProxy, Pull, Push, Router } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, opened, signing, TRANSPORTS, text } from "./harness.js";

const plain = {
  router: () => opened(new zmq.Router({ linger: 0 })),
  dealer: () => opened(new zmq.Dealer({ linger: 0 })),
};

it("is zeromq's Proxy", () => {
  const proxy = new OurProxy(plain.router(), plain.dealer());
  expect(proxy).toBeInstanceOf(zmq.Proxy);
  expect(proxy.frontEnd).toBeInstanceOf(zmq.Router);
  expect(proxy.backEnd).toBeInstanceOf(zmq.Dealer);
});

it("refuses a signed socket on either side, and says what to do", () => {
  const refusal = expect.objectContaining({
    code: "ERR_COUNTERSIGN_NOT_SUPPORTED",
    message: expect.stringContaining("plain sockets"),
  });
  expect(() => new OurProxy(opened(new Router({ signing })), plain.dealer())).toThrow(refusal);
  expect(() => new OurProxy(plain.router(), opened(new Dealer({ signing })))).toThrow(refusal);
});

it("refuses what zeromq's refuses", () => {
  const Loose = OurProxy as unknown as new (...sockets: unknown[]) => zmq.Proxy;
  expect(() => new Loose()).toThrow(TypeError);
  expect(() => new Loose(plain.router())).toThrow(TypeError);
  expect(() => new Loose(plain.router(), plain.dealer(), plain.dealer())).toThrow(TypeError);
  expect(() => new Loose(plain.router(), {})).toThrow();
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("carries signed traffic both ways, until it is terminated", async () => {
    const proxy = new OurProxy(plain.router(), plain.dealer());
    const front = await bound(proxy.frontEnd, transport);
    const back = await bound(proxy.backEnd, transport);
    const running = proxy.run();
    const worker = opened(new Router({ linger: 0, signing: as("worker", { hops: 1 }) }));
    worker.connect(back);
    const serving = (async () => {
      for await (const [broker, client, ...body] of worker)
        await worker.send([broker!, client!, ...body, "done"]);
    })();
    const client = opened(new Dealer({ linger: 0, signing: as("client") }));
    client.connect(front);
    for (let i = 0; i < 20; i++) {
      await client.send(`${i}`);
      const answer = await client.receive();
      expect(text(answer)).toEqual([`${i}`, "done"]);
      expect(answer.origin.sender).toBe("worker");
    }
    proxy.terminate();
    await running;
    worker.close();
    await serving;
  });

  it("a streamer of PULL and PUSH", async () => {
    const proxy = new OurProxy(opened(new zmq.Pull()), opened(new zmq.Push({ linger: 0 })));
    const front = await bound(proxy.frontEnd, transport);
    const back = await bound(proxy.backEnd, transport);
    const running = proxy.run();
    const push = opened(new Push({ linger: 0, signing: as("push") }));
    push.connect(front);
    const pulls = ["one", "two"].map((name) => opened(new Pull({ signing: as(name) })));
    for (const pull of pulls) pull.connect(back);
    const seen: string[] = [];
    const pulling = pulls.map(async (pull) => {
      for await (const message of pull) seen.push(...text(message));
    });
    for (let i = 0; i < 100; i++) await push.send(`${i}`);
    while (seen.length < 100) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    for (const pull of pulls) {
      expect(pull.stats).toMatchObject({ gaps: 0, lost: 0 });
      pull.close();
    }
    await Promise.all(pulling);
    proxy.terminate();
    await running;
  });
});

it("a terminated proxy says so", async () => {
  const proxy = new OurProxy(plain.router(), plain.dealer());
  await bound(proxy.frontEnd);
  await bound(proxy.backEnd);
  expect(await failure(() => proxy.terminate())).toMatchObject({ code: "EBADF" });
});
