// PUB, SUB, XPUB, XSUB: topics, subscriptions, and brokers that hold no key.

import { originOf, Publisher, Subscriber, XPublisher, XSubscriber } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, opened, pause, signing, TRANSPORTS, text } from "./harness.js";

/** Publishes "ready" under a topic until the subscriber has heard it. */
async function joined(
  pub: Publisher | XPublisher,
  sub: Subscriber | XSubscriber,
  topic = "t",
): Promise<void> {
  let heard = false;
  void sub.receive().then(() => {
    heard = true;
  });
  while (!heard) {
    await pub.send([topic, "ready"]);
    await pause(2);
  }
}

/** The next messages whose body is not "ready". */
async function bodies(sub: Subscriber | XSubscriber, count: number): Promise<string[][]> {
  const seen: string[][] = [];
  while (seen.length < count) {
    const message = await sub.receive();
    if (String(message[1]) !== "ready") seen.push(text(message));
  }
  return seen;
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("delivers what was subscribed to, topic first, in order", async () => {
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    const sub = opened(new Subscriber({ signing: as("sub") }));
    sub.subscribe("rome", Buffer.from("oslo"));
    sub.connect(await bound(pub, transport));
    await joined(pub, sub, "rome");
    for (const topic of ["rome", "paris", "oslo", "rome.airport", "lima"]) await pub.send([topic, "21", ""]);
    expect(await bodies(sub, 3)).toEqual([
      ["rome", "21", ""],
      ["oslo", "21", ""],
      ["rome.airport", "21", ""],
    ]);
    expect(sub.stats).toMatchObject({ gaps: 0, rejected: { "bad-signature": 0 } });
  });

  it("subscribe without arguments is everything, unsubscribe ends it", async () => {
    const pub = opened(new Publisher({ linger: 0, signing }));
    const sub = opened(new Subscriber({ receiveTimeout: 50, signing }));
    sub.subscribe();
    sub.connect(await bound(pub, transport));
    await joined(pub, sub, "any");
    await pub.send(["thing", "goes"]);
    expect(await bodies(sub, 1)).toEqual([["thing", "goes"]]);
    sub.unsubscribe();
    let error: Error | undefined;
    while (error === undefined) {
      await pub.send(["thing", "unheard"]);
      error = await sub.receive().then(
        () => undefined,
        (reason) => reason,
      );
    }
    expect(error).toMatchObject({ code: "EAGAIN" });
  });

  it("XPUB sees subscriptions, unsigned, and XSUB sends them as they are", async () => {
    const xpub = opened(new XPublisher({ linger: 0, signing: as("xpub") }));
    const xsub = opened(new XSubscriber({ linger: 0, signing: as("xsub") }));
    xsub.connect(await bound(xpub, transport));
    await xsub.send(Buffer.from("\u0001topic"));
    const subscription = await xpub.receive();
    expect(subscription).toEqual([Buffer.from("\u0001topic")]);
    expect([subscription.origin, originOf(subscription)]).toEqual([undefined, undefined]);
    await xpub.send(["topic", "body"]);
    const message = await xsub.receive();
    expect(text(message)).toEqual(["topic", "body"]);
    expect(originOf(message)).toMatchObject({ sender: "xpub", pattern: "xpub" });
    await xsub.send(Buffer.from("\u0000topic"));
    expect(await xpub.receive()).toEqual([Buffer.from("\u0000topic")]);
    expect(xpub.stats).toMatchObject({ accepted: 0, unsigned: 0, sent: 1 });
  });

  it("what an XSUB sends upstream is signed", async () => {
    const xpub = opened(new XPublisher({ linger: 0, signing }));
    const xsub = opened(new XSubscriber({ linger: 0, signing: as("xsub") }));
    xsub.connect(await bound(xpub, transport));
    await xsub.send("a single frame");
    await xsub.send(["\u0001several", "frames"]);
    const first = await xpub.receive();
    expect(text(first)).toEqual(["a single frame"]);
    expect(first.origin).toMatchObject({ sender: "xsub", pattern: "xsub" });
    expect(text(await xpub.receive())).toEqual(["\u0001several", "frames"]);
  });

  it("PUB reaches XSUB, XPUB reaches SUB", async () => {
    const pub = opened(new Publisher({ linger: 0, signing }));
    const xsub = opened(new XSubscriber({ linger: 0, signing }));
    xsub.connect(await bound(pub, transport));
    await xsub.send("\u0001t");
    await joined(pub, xsub);
    await pub.send(["t", "from PUB"]);
    expect(await bodies(xsub, 1)).toEqual([["t", "from PUB"]]);

    const xpub = opened(new XPublisher({ linger: 0, signing }));
    const sub = opened(new Subscriber({ signing }));
    sub.subscribe("t");
    sub.connect(await bound(xpub, transport));
    await xpub.receive();
    await xpub.send(["t", "from XPUB"]);
    expect(await bodies(sub, 1)).toEqual([["t", "from XPUB"]]);
  });

  it("through a plain XPUB/XSUB broker", async () => {
    const proxy = new zmq.Proxy(new zmq.XSubscriber({ linger: 0 }), new zmq.XPublisher({ linger: 0 }));
    const upstream = await bound(proxy.frontEnd, transport);
    const downstream = await bound(proxy.backEnd, transport);
    const running = proxy.run();
    const pub = opened(new Publisher({ linger: 0, signing: as("pub") }));
    const sub = opened(new Subscriber({ signing: as("sub") }));
    pub.connect(upstream);
    sub.subscribe("t");
    sub.connect(downstream);
    await joined(pub, sub);
    for (let i = 0; i < 100; i++) await pub.send(["t", `${i}`]);
    expect(await bodies(sub, 100)).toEqual(Array.from({ length: 100 }, (_, i) => ["t", `${i}`]));
    expect(sub.stats).toMatchObject({ gaps: 0, lost: 0 });
    proxy.terminate();
    await running;
  });
});

it("a message that is all topic", async () => {
  const pub = opened(new Publisher({ linger: 0, signing }));
  const sub = opened(new Subscriber({ signing }));
  sub.subscribe("t");
  sub.connect(await bound(pub));
  await joined(pub, sub);
  await pub.send("t alone");
  await pub.send(["t alone", "with a body"]);
  for (;;) {
    const message = await sub.receive();
    if (String(message[1]) === "ready") continue;
    expect(text(message)).toEqual(["t alone"]);
    break;
  }
  expect(text(await sub.receive())).toEqual(["t alone", "with a body"]);
});

it("verbosity is zeromq's: by default a second subscription to a topic is not seen", async () => {
  const xpub = opened(new XPublisher({ linger: 0, receiveTimeout: 50, verbosity: "allSubs", signing }));
  const address = await bound(xpub);
  for (let i = 0; i < 2; i++) {
    const sub = opened(new Subscriber({ signing }));
    sub.subscribe("t");
    sub.connect(address);
    expect(await xpub.receive()).toEqual([Buffer.from("\u0001t")]);
  }
  const silent = opened(new XPublisher({ linger: 0, receiveTimeout: 50, signing }));
  const other = await bound(silent);
  const first = opened(new Subscriber({ signing }));
  first.subscribe("t");
  first.connect(other);
  await silent.receive();
  const second = opened(new Subscriber({ signing }));
  second.subscribe("t");
  second.connect(other);
  expect(await failure(() => silent.receive())).toMatchObject({ code: "EAGAIN" });
});

it("invertMatching delivers the rest", async () => {
  const options = { linger: 0, invertMatching: true };
  const pub = opened(new Publisher({ ...options, signing }));
  const sub = opened(new Subscriber({ invertMatching: true, signing }));
  sub.subscribe("secret");
  sub.connect(await bound(pub));
  await joined(pub, sub, "open");
  await pub.send(["secret", "unheard"]);
  await pub.send(["public", "heard"]);
  expect(await bodies(sub, 1)).toEqual([["public", "heard"]]);
});

it("another topic over a genuine message is refused", async () => {
  const plain = opened(new zmq.Subscriber());
  plain.subscribe();
  const pub = opened(new Publisher({ linger: 0, signing }));
  plain.connect(await bound(pub));
  const relay = opened(new zmq.XPublisher({ linger: 0 }));
  const sub = opened(new Subscriber({ signing }));
  sub.subscribe();
  sub.connect(await bound(relay));
  await relay.receive();
  const receiving = sub.receive();
  let genuine: Buffer[] | undefined;
  void plain.receive().then((message) => {
    genuine = message;
  });
  while (genuine === undefined) {
    await pub.send(["cheap", "100"]);
    await pause(2);
  }
  await relay.send(["expensive", ...genuine.slice(1)]);
  await relay.send(genuine);
  expect(text(await receiving)).toEqual(["cheap", "100"]);
  expect(sub.stats.rejected["bad-signature"]).toBe(1);
});
