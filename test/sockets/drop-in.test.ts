// Where drop-in ends: one test for each row of the table in docs/drop-in.md, named after it, on plain zeromq first
// where that shows the difference.

import { readFileSync } from "node:fs";
import * as countersign from "countersign";
import {
  BadReplyError,
  Dealer,
  Proxy as OurProxy,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "countersign";
import { afterAll, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, endpoint, failure, opened, pause, signing, text, until, vacant } from "./harness.js";

const TABLE = readFileSync(new URL("../../docs/drop-in.md", import.meta.url), "utf8");
/** The first column, without its markup. */
const ROWS = [...TABLE.matchAll(/^\| (.+?) \|/gm)].map(([, cell]) => cell!.replaceAll("`", "")).slice(1);
const tested: string[] = [];

/** The test of a row. */
function row(name: string, test: () => void | Promise<void>): void {
  tested.push(name);
  it(name, test);
}

afterAll(() => {
  expect(tested.toSorted()).toEqual(ROWS.filter((name) => !name.startsWith("---")).toSorted());
});

row("any socket", () => {
  for (const Class of [
    Router,
    Dealer,
    Publisher,
    Subscriber,
    XPublisher,
    XSubscriber,
    Request,
    Reply,
    Push,
    Pull,
    Pair,
  ]) {
    expect(() => new (Class as unknown as new () => unknown)()).toThrow(/signing/);
  }
  expect(countersign.Stream).toBe(zmq.Stream);
});

row("the module's exports", () => {
  expect(Object.keys(countersign)).toEqual(
    expect.arrayContaining(Object.keys(zmq).filter((name) => !["default", "module.exports"].includes(name))),
  );
  expect(Object.keys(countersign)).toEqual(expect.arrayContaining(["signed", "generateKey", "Verifier"]));
});

row("a second send while one is pending fails with EBUSY", async () => {
  const plain = opened(new zmq.Push({ linger: 0 }));
  plain.send("waits").catch(() => {});
  expect(await failure(() => plain.send("fails"))).toMatchObject({ code: "EBUSY" });

  const push = opened(new Push({ linger: 0, sendHighWaterMark: 2, signing }));
  const address = await bound(push);
  const sends = ["one", "two"].map((body) => push.send(body));
  expect(await failure(() => push.send("one too many"))).toMatchObject({ code: "EAGAIN" });
  const pull = opened(new Pull({ signing }));
  pull.connect(address);
  expect([...text(await pull.receive()), ...text(await pull.receive())]).toEqual(["one", "two"]);
  await Promise.all(sends);
});

row("a second receive fails with EBUSY only if the first found nothing", async () => {
  const plain = opened(new zmq.Pull());
  const stranger = opened(new zmq.Push({ linger: 0 }));
  stranger.connect(await bound(plain));
  await stranger.send("one");
  await stranger.send("two");
  await until(() => plain.readable);
  const both = await Promise.all([plain.receive(), plain.receive()]);
  expect(both.map(text)).toEqual([["one"], ["two"]]);

  const pull = opened(new Pull({ signing }));
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(await bound(pull));
  await push.send("one");
  await push.send("two");
  await until(() => pull.readable);
  const first = pull.receive();
  expect(() => pull.receive()).toThrow(expect.objectContaining({ code: "EBUSY" }));
  expect([...text(await first), ...text(await pull.receive())]).toEqual(["one", "two"]);
});

row("send throws EBUSY and EBADF", async () => {
  const plain = opened(new zmq.Push({ linger: 0 }));
  plain.close();
  expect(() => plain.send("x")).toThrow(expect.objectContaining({ code: "EBADF" }));
  const push = opened(new Push({ linger: 0, signing }));
  push.close();
  await expect(push.send("x")).rejects.toMatchObject({ code: "EBADF" });
});

row('[undefined] sends the text "undefined"', () => {
  const push = opened(new Push({ linger: 0, signing }));
  expect(() => push.send([undefined] as never)).toThrow(
    expect.objectContaining({ code: "ERR_COUNTERSIGN_MESSAGE" }),
  );
});

row("each message travels by itself", async () => {
  const pull = opened(new zmq.Pull());
  const push = opened(new Push({ linger: 0, signing: { ...signing, sender: "gathers", batch: true } }));
  push.connect(await bound(pull));
  await Promise.all(["one", "two"].map((body) => push.send(body)));
  const [frame] = await pull.receive();
  expect(["one", "two"].every((body) => frame!.includes(body))).toBe(true);
});

row("large buffers are held until sent, and shared with the receiver over inproc", async () => {
  const over = async (push: zmq.Push, pull: zmq.Pull) => {
    push.connect(await bound(pull, "inproc"));
    const body = Buffer.alloc(100_000);
    await push.send(body);
    const [received] = await pull.receive();
    body.fill(1);
    return received![0];
  };
  expect(await over(opened(new zmq.Push({ linger: 0 })), opened(new zmq.Pull()))).toBe(1);
  expect(await over(opened(new Push({ linger: 0, signing })), opened(new Pull({ signing })))).toBe(0);
});

row("each received frame has an ArrayBuffer of its own", async () => {
  const pull = opened(new Pull({ signing }));
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(await bound(pull));
  await push.send(["abc", Buffer.from(new Float64Array([1.5]).buffer)]);
  await push.send(Buffer.alloc(40_000));
  const [first, second] = await pull.receive();
  expect(first!.buffer.byteLength).toBeGreaterThan(3);
  expect(second!.buffer).toBe(first!.buffer);
  expect(new Float64Array(Uint8Array.from(second!).buffer)[0]).toBe(1.5);
  expect((await pull.receive())[0]!.buffer.byteLength).toBe(40_000);
});

row("a socket that nobody holds is closed, and its pending receive rejects", async () => {
  // What the collector takes and leaves needs a process of its own: see processes.test.ts.
  const pull = opened(new Pull({ signing }));
  await bound(pull);
  const receiving = failure(() => pull.receive());
  pull.close();
  expect(await receiving).toMatchObject({ code: "EAGAIN" });
});

row("messages sent before their receiver exists are delivered when it does", async () => {
  const address = vacant();
  const push = opened(new Push({ linger: 0, signing: as("push") }));
  push.connect(address);
  await push.send("too early");
  await pause(2);
  const reasons: string[] = [];
  const pull = opened(new Pull({ signing: as("pull", { onReject: ({ reason }) => reasons.push(reason) }) }));
  await pull.bind(address);
  const receiving = pull.receive();
  await until(() => reasons.length === 1);
  await push.send("in time");
  expect(text(await receiving)).toEqual(["in time"]);
  expect(reasons).toEqual(["not-live"]);

  const waiting = opened(new Push({ linger: 0, signing: as("waiting") }));
  const sent = waiting.send("in the queue");
  const later = opened(new Pull({ signing: as("later") }));
  waiting.connect(await bound(later));
  expect(text(await later.receive())).toEqual(["in the queue"]);
  await sent;
});

row("sockets that have nothing to send are silent", async () => {
  const challenge = (sender: string) => as(sender, { admit: "challenge" });
  const seen: Buffer[][] = [];
  const stranger = opened(new zmq.Router({ linger: 0 }));
  const dealer = opened(new Dealer({ linger: 0, signing: challenge("dealer") }));
  dealer.connect(await bound(stranger));
  seen.push(await stranger.receive());
  expect(seen[0]!.at(-1)!.subarray(0, 4)).toEqual(Buffer.from([0xc1, 0x53, 1, 3]));
  expect(() => dealer.connect(vacant())).toThrow(/receivers: "shared"/);

  const subscriptions = opened(new zmq.XPublisher({ linger: 0 }));
  const subscriber = opened(new Subscriber({ linger: 0, signing: challenge("subscriber") }));
  subscriber.connect(await bound(subscriptions));
  const [subscription] = await subscriptions.receive();
  expect(subscription!.subarray(0, 5)).toEqual(Buffer.from([1, 0xc1, 0x53, 1, 6]));
});

row("messages of one stream that arrive out of order are delivered", async () => {
  const swapped = async (window: number) => {
    const left = opened(new zmq.Pull());
    const right = opened(new zmq.Push({ linger: 0 }));
    const push = opened(new Push({ linger: 0, signing: as(`push-${window}`) }));
    push.connect(await bound(left));
    const pull = opened(new Pull({ signing: as("pull", { window }) }));
    right.connect(await bound(pull));
    const messages: Buffer[][] = [];
    for (const body of ["1", "2", "3", "4"]) {
      await push.send(body);
      messages.push(await left.receive());
    }
    for (const index of [0, 2, 1, 3]) await right.send(messages[index]!);
    const seen: [string, boolean][] = [];
    while (seen.at(-1)?.[0] !== "4") {
      const message = await pull.receive();
      seen.push([String(message[0]), message.origin.late]);
    }
    return { seen, replayed: pull.stats.rejected.replayed };
  };
  expect(await swapped(0)).toEqual({
    seen: [
      ["1", false],
      ["3", false],
      ["4", false],
    ],
    replayed: 1,
  });
  expect(await swapped(8)).toEqual({
    seen: [
      ["1", false],
      ["3", false],
      ["2", true],
      ["4", false],
    ],
    replayed: 0,
  });
});

row("a ROUTER sends to any routing id", async () => {
  const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer") }));
  const address = await bound(dealer);
  const speaksFirst = async (more: object, to?: string) => {
    const router = opened(new Router({ linger: 0, ...more, signing: as("router", { ...(to && { to }) }) }));
    router.connect(address, { routingId: "d" });
    return router.send(["d", "first"]).finally(() => router.close());
  };
  await expect(speaksFirst({})).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_RECIPIENT" });
  await expect(speaksFirst({ mandatory: true })).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  const receiving = dealer.receive();
  const router = opened(new Router({ linger: 0, mandatory: true, signing: as("router", { to: "dealer" }) }));
  router.connect(address, { routingId: "d" });
  await router.send(["d", "first"]);
  expect(text(await receiving)).toEqual(["first"]);
});

row("a DEALER takes whatever a ROUTER or REP sends it", async () => {
  const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer") }));
  const router = opened(
    new Router({ linger: 0, mandatory: true, signing: as("router", { to: "somebody" }) }),
  );
  router.connect(await bound(dealer), { routingId: "d" });
  const receiving = dealer.receive();
  await router.send(["d", "for somebody else"]);
  await until(() => dealer.stats.rejected["bad-signature"] === 1);
  dealer.close();
  await receiving.catch(() => {});
});

row("a REQ delivers whatever comes", async () => {
  const stranger = opened(new zmq.Reply({ linger: 0 }));
  const req = opened(new Request({ linger: 0, signing }));
  req.connect(await bound(stranger));
  for (let i = 0; i < 2; i++) {
    await req.send("question");
    await stranger.receive();
    await stranger.send("not signed");
    expect(await failure(() => req.receive())).toBeInstanceOf(BadReplyError);
  }
});

row("a REP's application sees every request", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const stranger = opened(new zmq.Request({ linger: 0 }));
  stranger.connect(await bound(rep));
  const receiving = rep.receive();
  await stranger.send("not signed");
  expect((await stranger.receive())[0]).toHaveLength(8);
  rep.close();
  await receiving.catch(() => {});
  expect(rep.stats).toMatchObject({ accepted: 0, rejected: { unsigned: 1 } });
});

row("a REP without a request holds what it sends until one comes", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  await bound(rep);
  expect(await failure(() => rep.send("unasked"))).toMatchObject({ code: "EFSM" });
});

row("a REQ with correlate and a ROUTER", async () => {
  const asked = async (hops: number) => {
    const router = opened(new Router({ linger: 0, signing: as("router", { hops }) }));
    const req = opened(new Request({ linger: 0, correlate: true, signing: as("req") }));
    req.connect(await bound(router));
    await req.send("question");
    const receiving = router.receive();
    await until(() => router.stats.accepted + router.stats.rejected.unsigned === 1);
    const { accepted } = router.stats;
    for (const socket of [router, req]) socket.close();
    await receiving.catch(() => {});
    return accepted;
  };
  expect(await asked(0)).toBe(0);
  expect(await asked(1)).toBe(1);
});

row("conflate on any socket", async () => {
  expect(() => new Subscriber({ conflate: true, signing })).toThrow(/conflate/);
  const pull = opened(new Pull({ conflate: true, signing }));
  const push = opened(new Push({ conflate: true, linger: 0, signing }));
  push.connect(await bound(pull));
  await push.send(["several", Buffer.alloc(100_000)]);
  expect(await pull.receive()).toHaveLength(2);
});

row("probeRouter, welcomeMessage", () => {
  expect(() => new Dealer({ probeRouter: true, signing })).toThrow(/probeRouter/);
  expect(() => new XPublisher({ welcomeMessage: "welcome", signing })).toThrow(/welcomeMessage/);
});

row("new Proxy(front, back)", () => {
  const front = opened(new Router({ signing }));
  const back = opened(new zmq.Dealer({ linger: 0 }));
  expect(() => new OurProxy(front, back)).toThrow(/plain sockets/);
  expect(new OurProxy(opened(new zmq.Router({ linger: 0 })), back)).toBeInstanceOf(zmq.Proxy);
});

row("Proxy() without new", () => {
  expect(() => (OurProxy as unknown as () => void)()).toThrow("Class constructor Proxy cannot be invoked");
});

row("a ZAP handler on any socket", async () => {
  const handler = opened(new zmq.Router({ linger: 0 }));
  await handler.bind("inproc://zeromq.zap.01");
  const asked: string[] = [];
  const answering = (async () => {
    for await (const [path, delimiter, version, id, ...request] of handler) {
      asked.push(String(request.at(-2)));
      await handler.send([path!, delimiter!, version!, id!, "200", "OK", "", ""]);
    }
  })();
  const pull = opened(new Pull({ plainServer: true, zapDomain: "test", signing }));
  const credentials = { plainUsername: "user", plainPassword: "secret" };
  const push = opened(new Push({ linger: 0, ...credentials, signing }));
  push.connect(await bound(pull));
  await push.send("authenticated twice");
  expect(text(await pull.receive())).toEqual(["authenticated twice"]);
  expect(asked).toEqual(["user"]);
  handler.close();
  await answering;
});

row("XSUB sends any frames upstream", async () => {
  const xpub = opened(new XPublisher({ linger: 0, signing }));
  const xsub = opened(new XSubscriber({ linger: 0, signing }));
  xsub.connect(await bound(xpub));
  await xsub.send("\u0001topic");
  await xsub.send(["\u0001topic", "not a subscription"]);
  expect((await xpub.receive()).origin).toBeUndefined();
  const message = await xpub.receive();
  expect([text(message), message.origin?.pattern]).toEqual([["\u0001topic", "not a subscription"], "xsub"]);
});

row("messages of any size and number of frames", async () => {
  const push = opened(new Push({ linger: 0, signing }));
  await push.bind(endpoint());
  const frames = Array.from({ length: 65_537 }, () => "");
  expect(await failure(() => push.send(frames))).toMatchObject({ code: "ERR_COUNTERSIGN_MESSAGE" });
});

row("maxMessageSize counts the body", async () => {
  // 72 bytes and the name, then a count and a length of 4 bytes each, then the body.
  const overhead = 72 + "push".length + 8;
  const pull = opened(new Pull({ maxMessageSize: overhead + 100, receiveTimeout: 100, signing }));
  const push = opened(new Push({ linger: 0, signing: as("push") }));
  push.connect(await bound(pull));
  await push.send(Buffer.alloc(100));
  expect((await pull.receive())[0]).toHaveLength(100);
  await push.send(Buffer.alloc(101));
  expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
});
