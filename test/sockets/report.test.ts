// `policy: "report"`: unsigned messages pass while a deployment is moved over, marked by the lack of an origin. A bad
// signature never does. What goes out is signed, unless `reply: "as-received"` answers in kind.

import {
  Dealer,
  originOf,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type SigningOptions,
  Subscriber,
} from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, KEY, opened, pause, signing, text, until } from "./harness.js";

const report = (sender: string, more: Partial<SigningOptions> = {}) =>
  as(sender, { policy: "report", ...more });
const inKind = (sender: string) => report(sender, { reply: "as-received" });
const impostor: SigningOptions = { key: Buffer.from(KEY).reverse() };

it("an unsigned message is delivered without an origin and counted apart", async () => {
  const pull = opened(new Pull({ signing: report("pull") }));
  const address = await bound(pull);
  const old = opened(new zmq.Push({ linger: 0 }));
  const moved = opened(new Push({ linger: 0, signing: as("push") }));
  for (const socket of [old, moved]) socket.connect(address);
  await old.send(["unsigned", "body"]);
  const first = await pull.receive();
  expect([text(first), first.origin, originOf(first)]).toEqual([["unsigned", "body"], undefined, undefined]);
  await moved.send(["signed", "body"]);
  const second = await pull.receive();
  expect([text(second), originOf(second)?.sender]).toEqual([["signed", "body"], "push"]);
  expect(pull.stats).toMatchObject({ accepted: 1, unsigned: 1, rejected: { unsigned: 0 } });
});

it("a bad signature is refused all the same", async () => {
  const pull = opened(new Pull({ receiveTimeout: 50, signing: report("pull") }));
  const address = await bound(pull);
  const forger = opened(new Push({ linger: 0, signing: impostor }));
  const stranger = opened(new zmq.Push({ linger: 0 }));
  for (const socket of [forger, stranger]) socket.connect(address);
  await forger.send("forged");
  await stranger.send(Buffer.from([0xc1, 0x53, 1, 0]));
  const refused = () => Object.values(pull.stats.rejected).reduce((sum, count) => sum + count, 0);
  while (refused() < 2) expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
  expect(pull.stats).toMatchObject({
    accepted: 0,
    unsigned: 0,
    rejected: { "unknown-key": 1, malformed: 1 },
  });
});

it("enforce, the default, refuses what is unsigned", async () => {
  const pull = opened(new Pull({ receiveTimeout: 50, signing }));
  const stranger = opened(new zmq.Push({ linger: 0 }));
  stranger.connect(await bound(pull));
  await stranger.send("unsigned");
  expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
  expect(pull.stats).toMatchObject({ unsigned: 0, rejected: { unsigned: 1 } });
});

describe("servers first: they answer old clients in kind, new ones signed", () => {
  it("ROUTER and DEALERs", async () => {
    const router = opened(new Router({ linger: 0, signing: inKind("router") }));
    const address = await bound(router);
    const old = opened(new zmq.Dealer({ linger: 0 }));
    const moved = opened(new Dealer({ linger: 0, signing: as("moved") }));
    const serving = (async () => {
      for await (const [id, ...body] of router) await router.send([id!, ...body, "answered"]);
    })();
    for (const socket of [old, moved]) {
      socket.connect(address);
      await socket.send(["question"]);
      expect(text(await socket.receive())).toEqual(["question", "answered"]);
    }
    expect(moved.stats.accepted).toBe(1);
    router.close();
    await serving;
  });

  it("REP and REQs", async () => {
    const rep = opened(new Reply({ linger: 0, signing: inKind("rep") }));
    const address = await bound(rep);
    const serving = (async () => {
      for await (const message of rep) await rep.send(message);
    })();
    const old = opened(new zmq.Request({ linger: 0 }));
    const moved = opened(new Request({ linger: 0, signing: as("moved") }));
    for (const socket of [old, moved, old, moved]) {
      if (socket.type !== undefined) socket.connect(address);
      await socket.send(["question"]);
      expect(text(await socket.receive())).toEqual(["question"]);
    }
    expect(rep.stats).toMatchObject({ accepted: 2, unsigned: 2 });
    rep.close();
    await serving;
  });

  it("without it, an old client gets frames that it cannot read", async () => {
    const rep = opened(new Reply({ linger: 0, signing: report("rep") }));
    const old = opened(new zmq.Request({ linger: 0 }));
    old.connect(await bound(rep));
    await old.send("question");
    await rep.receive();
    await rep.send("answer");
    const [frame] = await old.receive();
    expect(frame!.subarray(0, 2)).toEqual(Buffer.from([0xc1, 0x53]));
  });

  it("a bad request is refused and not answered as if it were old", async () => {
    const router = opened(new Router({ linger: 0, receiveTimeout: 50, signing: inKind("router") }));
    const forger = opened(new Dealer({ linger: 0, signing: impostor }));
    forger.connect(await bound(router));
    await forger.send("forged");
    expect(await failure(() => router.receive())).toMatchObject({ code: "EAGAIN" });
    expect(router.stats.rejected["unknown-key"]).toBe(1);
  });
});

describe("subscribers first: they hear old and new publishers alike", () => {
  it("PUB and SUB", async () => {
    const sub = opened(new Subscriber({ signing: report("sub") }));
    sub.subscribe("t");
    const address = await bound(sub);
    const heard: (string | undefined)[] = [];
    const hearing = (async () => {
      for await (const message of sub) heard.push(originOf(message)?.sender ?? String(message[1]));
    })();
    const old = opened(new zmq.Publisher({ linger: 0 }));
    const moved = opened(new Publisher({ linger: 0, signing: as("moved") }));
    for (const socket of [old, moved]) socket.connect(address);
    while (!(heard.includes("old") && heard.includes("moved"))) {
      await old.send(["t", "old"]);
      await moved.send(["t", "new"]);
      await pause(2);
    }
    sub.close();
    await hearing;
    expect(new Set(heard)).toEqual(new Set(["old", "moved"]));
  });
});

describe("clients first: a client that reports takes answers of an old server", () => {
  it("REQ", async () => {
    const rep = opened(new zmq.Reply({ linger: 0 }));
    const req = opened(new Request({ linger: 0, signing: report("req") }));
    req.connect(await bound(rep));
    await req.send("question");
    expect((await rep.receive())[0]!.subarray(0, 2)).toEqual(Buffer.from([0xc1, 0x53]));
    await rep.send("answer");
    const reply = await req.receive();
    expect([text(reply), reply.origin]).toEqual([["answer"], undefined]);
  });

  it("and of one that has moved", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router") }));
    const dealer = opened(new Dealer({ linger: 0, signing: report("dealer") }));
    dealer.connect(await bound(router));
    await dealer.send("question");
    const [id] = await router.receive();
    await router.send([id!, "answer"]);
    expect((await dealer.receive()).origin.sender).toBe("router");
  });
});

it("a return address that both unsigned and signed messages came from is ambiguous", async () => {
  const router = opened(new Router({ linger: 0, handover: true, signing: inKind("router") }));
  const address = await bound(router);
  const moved = opened(new Dealer({ linger: 0, routingId: "desk", signing: as("moved") }));
  moved.connect(address);
  await moved.send("signed");
  await router.receive();
  const old = opened(new zmq.Dealer({ linger: 0, routingId: "desk" }));
  old.connect(address);
  await old.send("unsigned");
  const [id] = await router.receive();
  expect(await failure(() => router.send(["desk", "whom?"]))).toMatchObject({
    code: "ERR_COUNTERSIGN_RECIPIENT",
  });
  await router.send([id!, "you"]);
  expect(text(await old.receive())).toEqual(["you"]);
  await until(() => router.stats.unsigned === 1);
});
