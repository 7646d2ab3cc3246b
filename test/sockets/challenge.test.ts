// Admission by challenge on two-way sockets (docs/wire.md, section 9): hello, challenge, echo, answered by the library
// itself. Connecting first, reconnecting and restarting lose nothing but what was on its way to a receiver that died.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  type BadReplyError,
  Dealer,
  type Forgotten,
  Pair,
  type Reason,
  Reply,
  Request,
  Router,
  type SigningOptions,
  type Twin,
} from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, opened, pause, retired, text, until, vacant } from "./harness.js";

/** Signing options of a party that admits by challenge. */
const asking = (sender: string, more: Partial<SigningOptions> = {}) =>
  as(sender, { admit: "challenge", ...more });
/** Clocks a day apart: under challenge nobody looks at them. */
const DAY = 24 * 3600 * 1_000_000;
const ahead = (micros: number) => () =>
  Math.floor((performance.timeOrigin + performance.now()) * 1000) + micros;

/** A ROUTER that answers every message with itself. */
function echoing(router: Router): void {
  void (async () => {
    for await (const [id, ...body] of router) await router.send([id!, ...body]);
  })();
}

describe("DEALER and ROUTER", () => {
  it.each([
    ["equal", 0],
    ["a day ahead", DAY],
    ["a day behind", -DAY],
  ])("connect before bind: what was sent first arrives, in order (the sender's clock %s)", async (_, by) => {
    const address = vacant();
    const dealer = opened(new Dealer({ linger: 0, signing: asking("client", { clock: ahead(by) }) }));
    dealer.connect(address);
    const sent = Array.from({ length: 100 }, (_, i) => dealer.send(`${i}`));
    await pause(20);
    expect(dealer.stats).toMatchObject({ sent: 0, queued: 100 });
    const router = opened(new Router({ linger: 0, signing: asking("kernel") }));
    await router.bind(address);
    for (let i = 0; i < 100; i++) {
      const [id, body] = await router.receive();
      expect(String(body)).toBe(`${i}`);
      await router.send([id!, body!]);
      expect(text(await dealer.receive())).toEqual([`${i}`]);
    }
    await Promise.all(sent);
    expect(router.stats).toMatchObject({ accepted: 100, gaps: 0, lost: 0 });
    expect(Object.values(router.stats.rejected).every((count) => count === 0)).toBe(true);
    expect(Object.values(dealer.stats.rejected).every((count) => count === 0)).toBe(true);
  });

  it("greet while neither application calls receive", async () => {
    const router = opened(new Router({ linger: 0, signing: asking("kernel") }));
    const dealer = opened(new Dealer({ linger: 0, signing: asking("client") }));
    dealer.connect(await bound(router));
    await dealer.send("one");
    await dealer.send("two");
    expect(dealer.stats.sent).toBe(2);
    expect(text((await router.receive()).slice(1))).toEqual(["one"]);
    expect(text((await router.receive()).slice(1))).toEqual(["two"]);
  });

  it("a ROUTER that restarts admits its DEALER again: what was on its way is told, and nothing comes twice", async () => {
    const address = vacant();
    const forgotten: Forgotten[] = [];
    const onForgotten = (told: Forgotten) => forgotten.push(told);
    const dealer = opened(new Dealer({ linger: 0, signing: asking("client", { onForgotten }) }));
    dealer.connect(address);
    const heard: string[] = [];
    const refused: Reason[] = [];
    const start = async () => {
      const onReject = ({ reason }: { reason: Reason }) => refused.push(reason);
      const router = new Router({ linger: 0, signing: asking("kernel", { onReject }) });
      await router.bind(address);
      void (async () => {
        for await (const [, body] of router) heard.push(String(body));
      })();
      return router;
    };
    const first = await start();
    await dealer.send("before 1");
    await dealer.send("before 2");
    await until(() => heard.length === 2);
    await retired(first, address);
    const second = opened(await start());
    await dealer.send("lost");
    await until(() => forgotten.length === 1);
    for (const name of ["after 1", "after 2"]) await dealer.send(name);
    await until(() => heard.length === 4);
    expect(heard).toEqual(["before 1", "before 2", "after 1", "after 2"]);
    expect(refused).toEqual(["not-live"]);
    expect(forgotten).toEqual([{ peer: "kernel", channel: "", lost: 3 }]);
    expect(dealer.stats.forgotten).toBe(1);
    expect(second.stats.accepted).toBe(2);
  });

  it("a DEALER that restarts under its name goes on at once, with its clock set back by a day too", async () => {
    const router = opened(new Router({ linger: 0, signing: asking("kernel") }));
    const address = await bound(router);
    echoing(router);
    for (const by of [0, -DAY, -2 * DAY]) {
      const dealer = new Dealer({ linger: 0, signing: asking("client", { clock: ahead(by) }) });
      dealer.connect(address);
      for (const body of ["a", "b"]) {
        await dealer.send(body);
        expect(text(await dealer.receive())).toEqual([body]);
      }
      dealer.close();
    }
    expect(router.stats).toMatchObject({ accepted: 6 });
    expect(router.stats.rejected["stale-epoch"]).toBe(0);
  });

  it("the later of two live processes of one name is heard, and the earlier is told", async () => {
    const key = Buffer.from("a key for tests, known to everyone here");
    const router = opened(new Router({ linger: 0, signing: asking("kernel", { key }) }));
    const address = await bound(router);
    void (async () => {
      for await (const _ of router);
    })();
    const twins: Twin[] = [];
    const earlier = opened(
      new Dealer({ signing: asking("client", { key, onTwin: (twin) => twins.push(twin) }) }),
    );
    earlier.connect(address);
    await earlier.send("earlier");
    // Another process: this one's claim to the name does not reach it.
    const program = fileURLToPath(new URL("../../.build/test/sockets/programs.js", import.meta.url));
    const later = fork(program, ["a twin", address]);
    await once(later, "exit");
    await until(() => router.stats.accepted === 2);
    await earlier.send("refused");
    await until(() => twins.length === 1);
    expect(twins[0]).toMatchObject({ sender: "client", channel: "", peer: "kernel" });
    expect(router.stats.rejected["stale-epoch"]).toBe(1);
    expect(earlier.stats.twins).toBe(1);
  });

  it("one peer: a second connect throws and says what to do", async () => {
    const dealer = opened(new Dealer({ signing: asking("client") }));
    dealer.connect(vacant());
    await expect(failure(() => dealer.connect(vacant()))).resolves.toMatchObject({
      code: "ERR_COUNTERSIGN_NOT_SUPPORTED",
      message: expect.stringContaining('receivers: "shared"'),
    });
    const shared = opened(new Dealer({ signing: asking("other", { receivers: "shared" }) }));
    shared.connect(vacant());
    shared.connect(vacant());
  });

  it("nobody answers: what is sent waits within its bounds, and is given up at its time", async () => {
    const dealer = opened(
      new Dealer({ linger: 0, sendHighWaterMark: 3, sendTimeout: 60, signing: asking("client") }),
    );
    dealer.connect(vacant());
    const results = await Promise.allSettled(Array.from({ length: 5 }, (_, i) => dealer.send(`${i}`)));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    expect(dealer.stats).toMatchObject({ sent: 0, queued: 0 });
  });

  it("through a ROUTER/DEALER broker", async () => {
    const [front, back] = [new zmq.Router({ linger: 0 }), new zmq.Dealer({ linger: 0 })];
    const [frontAddress, backAddress] = [await bound(front), await bound(back)];
    const proxy = new zmq.Proxy(front, back);
    const running = proxy.run().catch(() => {});
    const worker = opened(new Router({ linger: 0, signing: asking("worker", { hops: 1 }) }));
    worker.connect(backAddress);
    void (async () => {
      for await (const [broker, client, ...body] of worker) await worker.send([broker!, client!, ...body]);
    })();
    const dealer = opened(new Dealer({ linger: 0, signing: asking("client") }));
    dealer.connect(frontAddress);
    for (let i = 0; i < 20; i++) {
      await dealer.send(`${i}`);
      expect(text(await dealer.receive())).toEqual([`${i}`]);
    }
    expect(worker.stats.accepted).toBe(20);
    proxy.terminate();
    await running;
  });
});

describe("REQ and REP", () => {
  const replying = (reply: Reply | Router) =>
    void (async () => {
      if (reply instanceof Router)
        for await (const [id, empty, body] of reply) await reply.send([id!, empty!, `${body}!`]);
      else for await (const [body] of reply) await reply.send(`${body}!`);
    })().catch(() => {});

  it.each([
    ["REP", () => new Reply({ linger: 0, signing: asking("server") })],
    ["ROUTER", () => new Router({ linger: 0, signing: asking("server") })],
  ] as const)(
    "greet in lock step, before the server is there, and after it restarted (%s)",
    async (_, make) => {
      const address = vacant();
      const client = opened(new Request({ linger: 0, signing: asking("client") }));
      client.connect(address);
      const asked = client.send("1");
      await pause(20);
      const first = make();
      await first.bind(address);
      replying(first);
      await asked;
      expect(text(await client.receive())).toEqual(["1!"]);
      await client.send("2");
      expect(text(await client.receive())).toEqual(["2!"]);
      await retired(first, address);
      const second = opened(make());
      await second.bind(address);
      replying(second);
      await client.send("not executed");
      const error = (await failure(() => client.receive())) as BadReplyError;
      expect(error).toMatchObject({ name: "BadReplyError", reason: "challenged" });
      for (const body of ["3", "4"]) {
        await client.send(body);
        expect(text(await client.receive())).toEqual([`${body}!`]);
      }
      expect(second.stats.accepted).toBe(2);
    },
  );

  it("a receive that is called before the greeting is over gets the reply to the application's own request", async () => {
    const server = opened(new Reply({ linger: 0, signing: asking("server") }));
    const client = opened(new Request({ linger: 0, signing: asking("client") }));
    client.connect(await bound(server));
    replying(server);
    void client.send("now");
    expect(text(await client.receive())).toEqual(["now!"]);
  });

  it("a DEALER with delimiters greets a REP", async () => {
    const server = opened(new Reply({ linger: 0, signing: asking("server") }));
    const client = opened(new Dealer({ linger: 0, signing: asking("client") }));
    client.connect(await bound(server));
    replying(server);
    for (const body of ["1", "2"]) {
      await client.send(["", body]);
      expect(text(await client.receive())).toEqual(["", `${body}!`]);
    }
  });
});

describe("PAIR", () => {
  it("both ends may speak first", async () => {
    const left = opened(new Pair({ linger: 0, signing: asking("left") }));
    const right = opened(new Pair({ linger: 0, signing: asking("right") }));
    right.connect(await bound(left));
    await Promise.all([left.send("from left"), right.send("from right")]);
    expect(text(await left.receive())).toEqual(["from right"]);
    expect(text(await right.receive())).toEqual(["from left"]);
  });
});
