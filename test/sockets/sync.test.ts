// Admission by challenge on PUB/SUB (docs/wire.md, section 8.7): a subscriber asks by subscribing to its nonce, publishers
// answer there, and nobody else sees it; directly and through brokers.

import {
  type Publisher as AnyPublisher,
  Publisher,
  type Reason,
  type SigningOptions,
  Subscriber,
  signed,
  XPublisher,
  XSubscriber,
} from "countersign";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, opened, pause, retired, text, until, vacant } from "./harness.js";

const asking = (sender: string, more: Partial<SigningOptions> = {}) =>
  as(sender, { admit: "challenge", ...more });
const DAY = 24 * 3600 * 1_000_000;
const ahead = (micros: number) => () =>
  Math.floor((performance.timeOrigin + performance.now()) * 1000) + micros;

/** So many XPUB/XSUB brokers in a row: where publishers and where subscribers connect to. */
async function brokers(count: number): Promise<{ publish: string; subscribe: string }> {
  let publish = "";
  const ended: Promise<void>[] = [];
  onTestFinished(async () => void (await Promise.all(ended)));
  let upstream: string | undefined;
  for (let i = 0; i < count; i++) {
    const [front, back] = [new zmq.XSubscriber({ linger: 0 }), new zmq.XPublisher({ linger: 0 })];
    if (upstream === undefined) publish = await bound(front);
    else front.connect(upstream);
    upstream = await bound(back);
    const proxy = new zmq.Proxy(front, back);
    const running = proxy.run().catch(() => {});
    opened({ close: () => proxy.terminate() });
    ended.push(running);
  }
  return { publish, subscribe: upstream as string };
}

describe("a subscriber", () => {
  it.each([0, 1, 2])(
    "is ready when its publisher has answered, and misses nothing from then on (%i brokers)",
    async (count) => {
      const pub = opened(new Publisher({ linger: 0, signing: as("pub", { clock: ahead(-DAY) }) }));
      const sub = opened(new Subscriber({ linger: 0, signing: asking("sub", { clock: ahead(DAY) }) }));
      sub.subscribe("t");
      if (count === 0) sub.connect(await bound(pub));
      else {
        const { publish, subscribe } = await brokers(count);
        pub.connect(publish);
        sub.connect(subscribe);
      }
      await pub.send(["t", "too early"]);
      await sub.ready({ publishers: 1, timeout: 5000 });
      for (let i = 0; i < 10; i++) await pub.send(["t", `${i}`]);
      for (let i = 0; i < 10; i++) expect(text(await sub.receive())).toEqual(["t", `${i}`]);
      expect(sub.stats).toMatchObject({ accepted: 10, streams: 1 });
    },
  );

  it("waits for as many publishers as it is told", async () => {
    const { publish, subscribe } = await brokers(1);
    const pubs = ["a", "b", "c"].map((name) => opened(new Publisher({ linger: 0, signing: as(name) })));
    const sub = opened(new Subscriber({ linger: 0, signing: asking("sub") }));
    sub.connect(subscribe);
    sub.subscribe("");
    pubs[0]!.connect(publish);
    pubs[1]!.connect(publish);
    await sub.ready({ publishers: 2, timeout: 5000 });
    await expect(failure(() => sub.ready({ publishers: 3, timeout: 100 }))).resolves.toMatchObject({
      code: "ERR_COUNTERSIGN_NOT_READY",
      message: expect.stringContaining("2 of 3 publishers"),
    });
    pubs[2]!.connect(publish);
    await sub.ready({ publishers: 3, timeout: 5000 });
    for (const [i, pub] of pubs.entries()) await pub.send(["t", `${i}`]);
    const heard = [await sub.receive(), await sub.receive(), await sub.receive()];
    expect(heard.map(({ origin }) => origin.sender).sort()).toEqual(["a", "b", "c"]);
  });

  it("connects first, and is ready soon after its publisher is there", async () => {
    const address = vacant();
    const sub = opened(new Subscriber({ linger: 0, reconnectInterval: 10, signing: asking("sub") }));
    sub.subscribe("");
    sub.connect(address);
    const ready = sub.ready({ timeout: 20_000 });
    await pause(300);
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    await pub.bind(address);
    await ready;
    await pub.send(["t", "body"]);
    expect(text(await sub.receive())).toEqual(["t", "body"]);
  });

  it("admits a publisher that restarts under its name, with its clock set back too", async () => {
    const address = vacant();
    const sub = opened(new Subscriber({ linger: 0, reconnectInterval: 10, signing: asking("sub") }));
    sub.subscribe("");
    sub.connect(address);
    const heard = new Set<string>();
    void (async () => {
      for await (const [, body] of sub) heard.add(String(body));
    })();
    for (const [body, clock] of [
      ["first", ahead(0)],
      ["second", ahead(0)],
      ["third", ahead(-DAY)],
    ] as const) {
      const pub = new Publisher({ linger: 0, signing: as("pub", { clock }) });
      await pub.bind(address);
      while (!heard.has(body)) {
        await pub.send(["t", body]);
        await pause(5);
      }
      await retired(pub, address);
    }
    expect([...heard]).toEqual(["first", "second", "third"]);
    expect(sub.stats.rejected["stale-epoch"]).toBe(0);
  });

  it.each(["clock", "challenge"] as const)("that times out says why (admit: %s)", async (admit) => {
    const plain = opened(new zmq.Publisher({ linger: 0 }));
    const sub = opened(new Subscriber({ linger: 0, signing: as("sub", { admit }) }));
    sub.connect(await bound(plain));
    const error = await failure(() => sub.ready({ timeout: 60 }));
    expect(error).toMatchObject({ name: "CountersignError", code: "ERR_COUNTERSIGN_NOT_READY" });
    expect(error.message).toMatch(/^0 of 1 publishers answered within 60 ms\. Either no publisher is up/);
  });

  it("under admission by clock can wait until its publishers are there as well", async () => {
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    const sub = opened(new Subscriber({ linger: 0, signing: as("sub") }));
    sub.subscribe("t");
    sub.connect(await bound(pub));
    await sub.ready();
    await pub.send(["t", "1"]);
    expect(text(await sub.receive())).toEqual(["t", "1"]);
  });

  it("a change of subscription makes ready ask anew", async () => {
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    const sub = opened(new Subscriber({ linger: 0, signing: asking("sub") }));
    sub.connect(await bound(pub));
    await sub.ready();
    sub.subscribe("late");
    await sub.ready();
    await pub.send(["late", "1"]);
    expect(text(await sub.receive())).toEqual(["late", "1"]);
  });

  it("an XSUB does the same, and a facade of a SUB", async () => {
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    const address = await bound(pub);
    const xsub = opened(new XSubscriber({ linger: 0, signing: asking("xsub") }));
    const sub = signed(opened(new zmq.Subscriber({ linger: 0 })), asking("facade"));
    xsub.connect(address);
    sub.connect(address);
    await xsub.send("\u0001t");
    sub.subscribe("t");
    await Promise.all([xsub.ready(), sub.ready()]);
    await pub.send(["t", "1"]);
    expect(text(await xsub.receive())).toEqual(["t", "1"]);
    expect(text(await sub.receive())).toEqual(["t", "1"]);
  });

  it("maxAge goes by answers, not by clocks: live messages pass, held ones do not", async () => {
    const reasons: Reason[] = [];
    const onReject = ({ reason }: { reason: Reason }) => reasons.push(reason);
    const pub = opened(new Publisher({ linger: 0, signing: as("pub", { clock: ahead(-DAY) }) }));
    // Somebody on the way, who carries subscriptions and holds messages.
    const [front, back] = [
      opened(new zmq.XSubscriber({ linger: 0 })),
      opened(new zmq.XPublisher({ linger: 0 })),
    ];
    front.connect(await bound(pub));
    const held: Buffer[][] = [];
    let holding = false;
    void (async () => {
      for await (const frames of back) await front.send(frames);
    })();
    void (async () => {
      for await (const frames of front) {
        if (holding && String(frames[0]) === "t") held.push(frames);
        else await back.send(frames);
      }
    })();
    const sub = opened(new Subscriber({ linger: 0, signing: asking("sub", { maxAge: 400, onReject }) }));
    sub.subscribe("t");
    sub.connect(await bound(back));
    await sub.ready();
    for (let i = 0; i < 20; i++) {
      await pub.send(["t", `${i}`]);
      expect(text(await sub.receive())).toEqual(["t", `${i}`]);
      await pause(50);
    }
    expect(reasons).toEqual([]);
    holding = true;
    await pub.send(["t", "held"]);
    await until(() => held.length === 1);
    await pause(900);
    holding = false;
    for (const frames of held) await back.send(frames);
    await pub.send(["t", "live"]);
    expect(text(await sub.receive())).toEqual(["t", "live"]);
    expect(reasons).toEqual(["too-old"]);
  });
});

describe("a publisher", () => {
  it.each([
    ["Publisher", Publisher],
    ["XPublisher", XPublisher],
  ] as const)(
    "answers whether or not it sends or receives, unseen by its application and by others (%s)",
    async (_, Class) => {
      const pub = opened(new (Class as unknown as typeof AnyPublisher)({ linger: 0, signing: as("pub") }));
      const address = await bound(pub);
      const bystander = opened(new zmq.Subscriber({ linger: 0 }));
      bystander.connect(address);
      bystander.subscribe("t");
      const subs = Array.from({ length: 5 }, (_, i) =>
        opened(new Subscriber({ linger: 0, signing: asking(`sub${i}`) })),
      );
      for (const sub of subs) {
        sub.connect(address);
        sub.subscribe("t");
      }
      await Promise.all(subs.map((sub) => sub.ready()));
      await pub.send(["t", "body"]);
      for (const sub of subs) expect(text(await sub.receive())).toEqual(["t", "body"]);
      const [topic] = await bystander.receive();
      expect(String(topic)).toBe("t");
      if (pub instanceof XPublisher) expect(text(await pub.receive())).toEqual(["\u0001t"]);
      expect(bystander.readable).toBe(false);
    },
  );

  it("stays zeromq's Publisher to whoever asks", async () => {
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    expect(pub).toBeInstanceOf(zmq.Publisher);
    expect(pub).toBeInstanceOf(Publisher);
    expect(pub).not.toBeInstanceOf(zmq.XPublisher);
    const { code } = await failure(() => (pub as unknown as { receive(): Promise<unknown> }).receive());
    expect(code).toBe("ENOTSUP");
  });
});
