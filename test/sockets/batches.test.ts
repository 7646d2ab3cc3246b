// Batches: what is sent while earlier messages wait leaves under one tag, in order, each message with a number and an origin of
// its own; alone, a message waits for one turn of the event loop. Looked at on the wire by plain sockets, and at receivers.

import {
  Dealer,
  type Gap,
  type Origin,
  Proxy as OurProxy,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type SigningOptions,
  Subscriber,
  XPublisher,
} from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { KINDS } from "../../src/wire/header.js";
import { as, bound, failure, opened, pause, TRANSPORTS, text, turn, until, vacant } from "./harness.js";

const batching = (sender: string, more: Partial<SigningOptions> = {}) => as(sender, { batch: true, ...more });

/** What a plain PULL or ROUTER saw of signed messages: how many were in each, 0 for one that is no batch. */
function countIn(frame: Buffer): number {
  if (frame[3] !== KINDS.batch) return 0;
  return frame.readUInt32BE(40 + (frame[7] as number) + 32);
}

/** A PUSH that batches, and a plain PULL that sees what it puts on the wire. */
async function wire(more: Partial<SigningOptions> = {}, options: object = {}) {
  const pull = opened(new zmq.Pull());
  const push = opened(new Push({ linger: 0, ...options, signing: batching("push", more) }));
  push.connect(await bound(pull));
  const seen = async (messages: number) => {
    const counts: number[] = [];
    for (let left = messages; left > 0; left -= Math.max(1, counts.at(-1) as number)) {
      counts.push(countIn((await pull.receive()).at(-1) as Buffer));
    }
    return counts;
  };
  return { push, pull, seen };
}

/** A PULL and a PUSH that batches. */
async function pair(more: Partial<SigningOptions> = {}, receiver: Partial<SigningOptions> = {}) {
  const pull = opened(new Pull({ signing: as("pull", receiver) }));
  const push = opened(new Push({ linger: 0, signing: batching("push", more) }));
  push.connect(await bound(pull));
  return { push, pull };
}

describe("on the wire", () => {
  it("what is sent in one turn is one batch, what is sent alone is one of one", async () => {
    const { push, seen } = await wire();
    await Promise.all([1, 2, 3].map((i) => push.send(`${i}`)));
    await push.send("alone");
    await push.send("alone again");
    expect(await seen(5)).toEqual([3, 1, 1]);
  });

  it("a lone message waits for one turn of the event loop and no longer", async () => {
    const { push, pull } = await wire();
    const sent = push.send("alone");
    let settled = false;
    void sent.then(() => {
      settled = true;
    });
    expect(push.stats).toMatchObject({ queued: 1, sent: 0 });
    await Promise.resolve();
    expect(settled).toBe(false);
    await turn();
    await turn();
    expect(settled).toBe(true);
    expect(push.stats).toMatchObject({ queued: 0, sent: 1 });
    expect((await pull.receive()).length).toBe(1);
  });

  it("256 go together, the 257th begins the next batch", async () => {
    const { push, seen } = await wire();
    await Promise.all(Array.from({ length: 600 }, (_, i) => push.send(`${i}`)));
    expect(await seen(600)).toEqual([256, 256, 88]);
    expect(push.stats.sent).toBe(600);
  });

  it("as many go together as the option says", async () => {
    const { push, seen } = await wire({ batch: { messages: 4 } });
    await Promise.all(Array.from({ length: 10 }, (_, i) => push.send(`${i}`)));
    expect(await seen(10)).toEqual([4, 4, 2]);
  });

  it("bytes bound a batch, and what is larger goes alone, in its place", async () => {
    const { push, seen } = await wire({ batch: { bytes: 100 } });
    const body = (length: number) => push.send("x".repeat(length));
    // A message of n bytes takes 8 more for count and length, and the batch itself 4.
    await Promise.all([body(40), body(40), body(40), body(93), body(5), body(5)]);
    expect(await seen(6)).toEqual([2, 1, 0, 2]);
  });

  it("waits as long as the option says, and then goes together", async () => {
    const { push, seen } = await wire({ batch: { delay: 50 } });
    const first = push.send("first");
    await pause(5);
    await Promise.all([first, push.send("second")]);
    expect(await seen(2)).toEqual([2]);
  });

  it("what waits for a peer leaves together, however late each was sent", async () => {
    const pull = opened(new zmq.Pull());
    const push = opened(new Push({ linger: 0, immediate: true, signing: batching("push") }));
    const address = vacant();
    push.connect(address);
    const sends: Promise<void>[] = [];
    for (let i = 0; i < 20; i++) {
      sends.push(push.send(`${i}`));
      await turn();
    }
    await pull.bind(address);
    await Promise.all(sends);
    // The first had been tried alone.
    expect([countIn((await pull.receive())[0]!), countIn((await pull.receive())[0]!)]).toEqual([1, 19]);
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("each message arrives once, in order, with a number of its own", async () => {
    const router = opened(new Router({ signing: as("router") }));
    const dealer = opened(new Dealer({ linger: 0, signing: batching("dealer") }));
    dealer.connect(await bound(router, transport));
    const bodies = Array.from({ length: 1000 }, (_, i) => [`${i}`, "x".repeat(i % 50)]);
    const sending = Promise.all(bodies.map((body) => dealer.send(body)));
    const origins: Origin[] = [];
    for (const body of bodies) {
      const message = await router.receive();
      expect(text(message).slice(1)).toEqual(body);
      origins.push(message.origin);
    }
    await sending;
    expect(origins.map(({ sequence }) => sequence)).toEqual(bodies.map((_, i) => i + 1));
    expect(new Set(origins.map(({ sender, epoch }) => `${sender} ${epoch}`)).size).toBe(1);
    expect(router.stats).toMatchObject({ accepted: 1000, gaps: 0 });
  });
});

it("what is sent is what the buffers held at the call", async () => {
  const { push, pull } = await pair();
  const body = Buffer.from("before");
  const sends = [push.send(body), push.send(body)];
  body.fill("x");
  await Promise.all(sends);
  for (const _ of sends) expect(text(await pull.receive())).toEqual(["before"]);
});

it("a ROUTER gathers by peer, and each peer gets its own", async () => {
  const router = opened(new Router({ linger: 0, signing: batching("router") }));
  const address = await bound(router);
  const dealers = ["a", "b", "c"].map((sender) => opened(new Dealer({ linger: 0, signing: as(sender) })));
  for (const dealer of dealers) {
    dealer.connect(address);
    await dealer.send("hello");
  }
  const ids = new Map<string, Buffer>();
  for (const _ of dealers) {
    const message = await router.receive();
    ids.set(message.origin.sender, message[0]!);
  }
  const sends: Promise<void>[] = [];
  for (let i = 0; i < 30; i++) for (const [name, id] of ids) sends.push(router.send([id, `${name} ${i}`]));
  await Promise.all(sends);
  for (const [at, name] of ["a", "b", "c"].entries()) {
    for (let i = 0; i < 30; i++) expect(text(await dealers[at]!.receive())).toEqual([`${name} ${i}`]);
    expect(dealers[at]!.stats).toMatchObject({ accepted: 30, gaps: 0 });
  }
});

describe.each([
  ["PUB", (signing: SigningOptions) => new Publisher({ linger: 0, signing })],
  ["XPUB", (signing: SigningOptions) => new XPublisher({ linger: 0, signing })],
] as const)("a %s", (_, make) => {
  it("gathers by topic; a subscriber of one sees no gap, and each topic is in order", async () => {
    const publisher = opened(make(batching("publisher")));
    const gaps: Gap[] = [];
    const subscriber = opened(new Subscriber({ signing: as("s", { onGap: (gap) => gaps.push(gap) }) }));
    subscriber.connect(await bound(publisher as Publisher));
    subscriber.subscribe("one", "two");
    await subscriber.ready();
    const sends: Promise<void>[] = [];
    for (let i = 0; i < 60; i++) sends.push(publisher.send([["one", "two", "unheard"][i % 3]!, `${i}`]));
    await Promise.all(sends);
    const heard: Record<string, number[]> = { one: [], two: [] };
    for (let i = 0; i < 40; i++) {
      const [topic, body] = text(await subscriber.receive());
      heard[topic!]!.push(Number(body));
    }
    expect(heard).toEqual({
      one: Array.from({ length: 20 }, (_, i) => 3 * i),
      two: Array.from({ length: 20 }, (_, i) => 3 * i + 1),
    });
    expect(gaps).toEqual([]);
  });
});

it("a batch that was lost is a gap of its size", async () => {
  const gaps: Gap[] = [];
  const dealer = opened(new Pair({ linger: 0, signing: batching("pair") }));
  const pairs = opened(new zmq.Pair({ linger: 0 }));
  dealer.connect(await bound(pairs));
  const other = opened(new zmq.Pair({ linger: 0 }));
  const receiver = opened(new Pair({ signing: as("other", { onGap: (gap) => gaps.push(gap) }) }));
  receiver.connect(await bound(other));
  const burst = async (length: number) => {
    await Promise.all(Array.from({ length }, (_, i) => dealer.send(`${i}`)));
    return pairs.receive();
  };
  await other.send(await burst(2));
  await burst(7);
  await other.send(await burst(3));
  for (let i = 0; i < 5; i++) await receiver.receive();
  expect(gaps.map(({ lost }) => lost)).toEqual([7]);
});

it("batches pass through brokers", async () => {
  const proxy = new OurProxy(opened(new zmq.Router({ linger: 0 })), opened(new zmq.Dealer({ linger: 0 })));
  const [front, back] = [await bound(proxy.frontEnd), await bound(proxy.backEnd)];
  const running = proxy.run();
  const worker = opened(new Router({ linger: 0, signing: batching("worker", { hops: 1 }) }));
  const client = opened(new Dealer({ linger: 0, signing: batching("client") }));
  worker.connect(back);
  client.connect(front);
  const serving = (async () => {
    for await (const message of worker) void worker.send([...message, "done"]);
  })();
  await Promise.all(Array.from({ length: 100 }, (_, i) => client.send(`${i}`)));
  for (let i = 0; i < 100; i++) expect(text(await client.receive())).toEqual([`${i}`, "done"]);
  expect(client.stats.gaps).toBe(0);
  proxy.terminate();
  await running;
  worker.close();
  await serving;
});

it("a batch that is repeated, or of which a byte changed, is refused whole", async () => {
  const { push, pull: plain } = await wire();
  const relay = opened(new zmq.Push({ linger: 0 }));
  const pull = opened(new Pull({ signing: as("pull") }));
  relay.connect(await bound(pull));
  await Promise.all([1, 2, 3].map((i) => push.send(`${i}`)));
  const [frame] = (await plain.receive()) as [Buffer];
  const changed = Buffer.from(frame);
  changed.writeUInt8(changed.at(-1)! ^ 1, changed.length - 1);
  for (const each of [changed, frame, frame]) await relay.send(each);
  for (const i of [1, 2, 3]) expect(text(await pull.receive())).toEqual([`${i}`]);
  const next = pull.receive();
  await until(() => pull.stats.rejected.replayed === 1);
  expect(pull.stats).toMatchObject({ accepted: 3, rejected: { "bad-signature": 1, replayed: 1 } });
  pull.close();
  await failure(() => next);
});

it("a REQ and a REP speak one message at a time, with the option as without", async () => {
  const reply = opened(new Reply({ signing: batching("rep") }));
  const request = opened(new Request({ linger: 0, signing: batching("req") }));
  request.connect(await bound(reply));
  for (let i = 0; i < 3; i++) {
    await request.send(`${i}`);
    await reply.send(await reply.receive());
    expect(text(await request.receive())).toEqual([`${i}`]);
  }
});

it("a ROUTER's answers to a REQ go alone, and are bound to their requests", async () => {
  const router = opened(new Router({ linger: 0, signing: batching("router") }));
  const request = opened(new Request({ linger: 0, signing: as("req") }));
  request.connect(await bound(router));
  for (let i = 0; i < 3; i++) {
    await request.send(`${i}`);
    await router.send(await router.receive());
    expect(text(await request.receive())).toEqual([`${i}`]);
  }
});

describe("what cannot go", () => {
  it("a message that cannot be signed is refused alone, the others of its turn leave", async () => {
    const { push, pull } = await pair({ limits: { bytes: 10 } });
    const sends = await Promise.allSettled(["one", "far too long", "two"].map((body) => push.send(body)));
    expect(sends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(sends[1]).toMatchObject({ reason: { code: "ERR_COUNTERSIGN_MESSAGE" } });
    expect([text(await pull.receive()), text(await pull.receive())]).toEqual([["one"], ["two"]]);
  });

  it("the high-water mark bounds messages, not batches; what is too much is refused alone", async () => {
    const push = opened(new Push({ linger: 0, sendHighWaterMark: 5, signing: batching("push") }));
    await push.bind("tcp://127.0.0.1:*");
    const sends = Array.from({ length: 8 }, (_, i) =>
      push.send(`${i}`).then(
        () => i,
        ({ code }) => code,
      ),
    );
    expect(push.stats.queued).toBe(5);
    const pull = opened(new Pull({ signing: as("pull") }));
    pull.connect(push.lastEndpoint!);
    for (let i = 0; i < 5; i++) expect(text(await pull.receive())).toEqual([`${i}`]);
    expect(await Promise.all(sends)).toEqual([0, 1, 2, 3, 4, "EAGAIN", "EAGAIN", "EAGAIN"]);
  });

  it("a burst larger than the mark goes out where ZeroMQ takes it", async () => {
    const { push, pull } = await pair();
    await push.send("first");
    await pull.receive();
    const count = 20_000;
    const sending = Promise.all(Array.from({ length: count }, (_, i) => push.send(`${i}`)));
    for (let i = 0; i < count; i++) expect(String((await pull.receive())[0])).toBe(`${i}`);
    await sending;
  });

  it("sendTimeout gives up what waits, and later messages begin a batch that lives", async () => {
    const push = opened(new Push({ linger: 0, sendTimeout: 20, signing: batching("push") }));
    await push.bind("tcp://127.0.0.1:*");
    const sends = ["one", "two"].map((body) => failure(() => push.send(body)));
    for (const error of await Promise.all(sends)) expect(error).toMatchObject({ code: "EAGAIN" });
    expect(push.stats).toMatchObject({ queued: 0, sent: 0 });
    push.sendTimeout = -1;
    const three = push.send("three");
    const pull = opened(new Pull({ signing: as("pull") }));
    pull.connect(push.lastEndpoint!);
    expect(text(await pull.receive())).toEqual(["three"]);
    await three;
  });

  it("sendTimeout 0 refuses at once what nobody takes", async () => {
    const push = opened(new Push({ linger: 0, sendTimeout: 0, signing: batching("push") }));
    await push.bind("tcp://127.0.0.1:*");
    const sends = ["one", "two"].map((body) => failure(() => push.send(body)));
    for (const error of await Promise.all(sends)) expect(error).toMatchObject({ code: "EAGAIN" });
  });
});

describe("close", () => {
  it("flushes what was gathered", async () => {
    const { push, pull } = await pair({ batch: { delay: 60_000 } });
    push.close();
    const sender = new Push({ linger: 2000, signing: batching("sender", { batch: { delay: 60_000 } }) });
    sender.connect(pull.lastEndpoint!);
    const sends = ["one", "two"].map((body) => sender.send(body));
    sender.close();
    await Promise.all(sends);
    expect([text(await pull.receive()), text(await pull.receive())]).toEqual([["one"], ["two"]]);
  });

  it("gives up what nobody can take", async () => {
    const push = opened(new Push({ linger: 0, signing: batching("push") }));
    await push.bind("tcp://127.0.0.1:*");
    const sends = ["one", "two"].map((body) => failure(() => push.send(body)));
    push.close();
    for (const error of await Promise.all(sends)) expect(error).toMatchObject({ code: "EAGAIN" });
  });
});

it("under challenge, what waits for the handshake leaves as one batch", async () => {
  const router = opened(new Router({ signing: as("router", { admit: "challenge" }) }));
  const dealer = opened(new Dealer({ linger: 0, signing: batching("dealer", { admit: "challenge" }) }));
  dealer.connect(await bound(router));
  const sending = Promise.all(Array.from({ length: 50 }, (_, i) => dealer.send(`${i}`)));
  for (let i = 0; i < 50; i++) expect(text(await router.receive())[1]).toBe(`${i}`);
  await sending;
  expect(router.stats.accepted).toBe(50);
});

describe("the option", () => {
  const refused = (batch: unknown, options: object = {}) =>
    expect(() => new Push({ ...options, signing: as("push", { batch: batch as boolean }) })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_COUNTERSIGN_(OPTIONS|NOT_SUPPORTED)$/) }),
    );

  it.each([
    "yes",
    1,
    null,
    { message: 5 },
    { messages: 0 },
    { messages: 257 },
    { messages: 1.5 },
    { bytes: 0 },
    { bytes: "64k" },
    { delay: -1 },
    { delay: Number.NaN },
    { delay: 2 ** 31 },
  ])("refuses %j", (batch) => refused(batch));

  it("does not go with conflate, which would keep one message of many", () =>
    refused(true, { conflate: true }));

  it.each([false, undefined, {}, { messages: 1 }, { bytes: 1 }, { delay: 0.5 }])("takes %j", (batch) => {
    const push = opened(new Push({ signing: as(`push-${JSON.stringify(batch)}`, { batch }) }));
    expect(push.closed).toBe(false);
  });
});
