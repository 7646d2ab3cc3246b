// Receiving: what is refused never reaches the application and never ends its loop, nor does it stretch its timeouts;
// batches come apart into the messages they were made of.

import {
  Dealer,
  Pair,
  type Pattern,
  Publisher,
  Pull,
  Push,
  Reply,
  Router,
  Signer,
  type SignerOptions,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "countersign";
import type { MessageLike } from "countersign/core";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import {
  as,
  bound,
  endpoint,
  failure,
  KEY,
  opened,
  pause,
  signing,
  TRANSPORTS,
  text,
  turn,
  until,
} from "./harness.js";

/** A signer without a socket, for messages that go over a plain one. */
function signer(pattern: Pattern, more: Partial<SignerOptions> = {}): Signer {
  const made = new Signer({ key: KEY, pattern, sender: "lab", ...more });
  onTestFinished(() => made.close());
  return made;
}

describe.each(TRANSPORTS)("receiveTimeout over %s", (transport) => {
  it("a receive without a message rejects with EAGAIN when its time is up", async () => {
    const pull = opened(new Pull({ receiveTimeout: 20, signing }));
    await bound(pull, transport);
    expect(await failure(() => pull.receive())).toMatchObject({
      code: "EAGAIN",
      errno: expect.any(Number),
      message: "Operation was not possible or timed out",
    });
  });

  it("0 does not wait", async () => {
    const pull = opened(new Pull({ receiveTimeout: 0, signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull, transport));
    expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
    await push.send("here");
    await until(() => pull.readable);
    expect(text(await pull.receive())).toEqual(["here"]);
  });

  it("junk does not stretch it", async () => {
    const pull = opened(new Pull({ receiveTimeout: 60, signing }));
    const stranger = opened(new zmq.Push({ linger: 0 }));
    stranger.connect(await bound(pull, transport));
    let flooding = true;
    const flood = (async () => {
      while (flooding) {
        await stranger.send("junk");
        await pause(5);
      }
    })();
    expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
    flooding = false;
    await flood;
    expect(pull.stats.rejected.unsigned).toBeGreaterThan(0);
    expect(pull.receiveTimeout).toBe(60);
  });

  it("the message behind junk is delivered within it", async () => {
    const pull = opened(new Pull({ receiveTimeout: 5000, signing }));
    const address = await bound(pull, transport);
    const stranger = opened(new zmq.Push({ linger: 0 }));
    stranger.connect(address);
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(address);
    const receiving = pull.receive();
    for (let i = 0; i < 10; i++) await stranger.send("junk");
    await until(() => pull.stats.rejected.unsigned === 10);
    await push.send("genuine");
    expect(text(await receiving)).toEqual(["genuine"]);
  });
});

it("whoever does not wait is given his turn back in a flood of junk", async () => {
  const pull = opened(new Pull({ receiveTimeout: 0, receiveHighWaterMark: 0, signing }));
  const stranger = opened(new zmq.Push({ linger: 0, sendHighWaterMark: 0 }));
  stranger.connect(await bound(pull, "inproc"));
  for (let i = 0; i < 5000; i++) await stranger.send("junk");
  expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
  expect(pull.stats.rejected.unsigned).toBe(512);
});

it("a flood of junk leaves the event loop its turns", async () => {
  const pull = opened(new Pull({ receiveHighWaterMark: 0, signing }));
  const stranger = opened(new zmq.Push({ linger: 0, sendHighWaterMark: 0 }));
  stranger.connect(await bound(pull, "inproc"));
  for (let i = 0; i < 5000; i++) await stranger.send("junk");
  const receiving = failure(() => pull.receive());
  await turn();
  await turn();
  expect(pull.stats.rejected.unsigned).toBeLessThan(5000);
  pull.close();
  expect(await receiving).toMatchObject({ code: "EAGAIN" });
});

it("a second receive while one is pending throws EBUSY", async () => {
  const pull = opened(new Pull({ signing }));
  await bound(pull);
  const pending = failure(() => pull.receive());
  expect(() => pull.receive()).toThrow(
    expect.objectContaining({
      code: "EBUSY",
      errno: expect.any(Number),
      message: "Socket is busy reading; only one receive operation may be in progress at any time",
    }),
  );
  pull.close();
  expect(await pending).toMatchObject({ code: "EAGAIN" });
});

it("readable says that something is there, junk included", async () => {
  const pull = opened(new Pull({ receiveTimeout: 0, signing }));
  const stranger = opened(new zmq.Push({ linger: 0 }));
  stranger.connect(await bound(pull));
  expect(pull.readable).toBe(false);
  await stranger.send("junk");
  await until(() => pull.readable);
  expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
  expect(pull.readable).toBe(false);
});

it("junk while the socket is being bound elsewhere does not disturb the receive that waits", async () => {
  const pull = opened(new Pull({ signing }));
  const address = await bound(pull);
  const stranger = opened(new zmq.Push({ linger: 0 }));
  stranger.connect(address);
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(address);
  const receiving = pull.receive();
  let binding = true;
  const flood = (async () => {
    while (binding) {
      await stranger.send("junk");
      await turn();
    }
  })();
  for (let i = 0; i < 50; i++) await pull.bind(endpoint());
  binding = false;
  await flood;
  await push.send("genuine");
  expect(text(await receiving)).toEqual(["genuine"]);
});

type Received = Awaited<ReturnType<Router["receive"]>>;

interface BatchCase {
  readonly sender: Pattern;
  readonly receiver: new (options: never) => { receive(): Promise<Buffer[]>; close(): void };
  readonly plain: () => {
    send(message: Buffer[]): Promise<void>;
    connect(address: string): void;
    close(): void;
  };
  readonly envelope?: MessageLike[];
  readonly received?: string[];
  readonly to?: string;
}

const BATCHES: [string, BatchCase][] = [
  ["PULL from PUSH", { sender: "push", receiver: Pull, plain: () => new zmq.Push({ linger: 0 }) }],
  ["PAIR from PAIR", { sender: "pair", receiver: Pair, plain: () => new zmq.Pair({ linger: 0 }) }],
  ["DEALER from DEALER", { sender: "dealer", receiver: Dealer, plain: () => new zmq.Dealer({ linger: 0 }) }],
  [
    "ROUTER from DEALER",
    {
      sender: "dealer",
      receiver: Router,
      plain: () => new zmq.Dealer({ linger: 0, routingId: "id" }),
      received: ["id"],
    },
  ],
  [
    "SUB from PUB",
    {
      sender: "pub",
      receiver: Subscriber,
      plain: () => new zmq.XPublisher({ linger: 0 }),
      envelope: ["topic"],
      received: ["topic"],
    },
  ],
  [
    "XSUB from XPUB",
    {
      sender: "xpub",
      receiver: XSubscriber,
      plain: () => new zmq.XPublisher({ linger: 0 }),
      envelope: ["topic"],
      received: ["topic"],
    },
  ],
  [
    "XPUB from XSUB",
    { sender: "xsub", receiver: XPublisher, plain: () => new zmq.XSubscriber({ linger: 0 }) },
  ],
];

describe("a batch", () => {
  it.each(BATCHES)("%s comes apart, in order, each message with its own number", async (_, given) => {
    const { sender, receiver: Receiver, plain, envelope = [], received = [], to } = given;
    const receiver = opened(new Receiver({ linger: 0, signing: as("me") } as never)) as unknown as Router;
    const socket = opened(plain());
    socket.connect(await bound(receiver));
    if (receiver instanceof Subscriber) receiver.subscribe("topic");
    if (receiver instanceof XSubscriber) await receiver.send("\u0001topic");
    // A bound socket takes note of new connections only when it is asked for something.
    let next: Promise<Received> | undefined = receiver.receive();
    if (socket instanceof zmq.XPublisher) await (socket as unknown as zmq.XPublisher).receive();
    const messages = ["one", "two", "three"].map((body) => [...envelope, body, ""]) as MessageLike[];
    await socket.send(signer(sender).signBatch(messages, { ...(to && { to }) }));
    for (const [i, body] of ["one", "two", "three"].entries()) {
      const message = await (next ?? receiver.receive());
      next = undefined;
      expect(text(message)).toEqual([...received, body, ""]);
      expect(message.origin).toMatchObject({ sender: "lab", pattern: sender, sequence: i + 1, late: false });
      expect(receiver.readable).toBe(i < 2);
    }
    expect(receiver.stats).toMatchObject({ accepted: 3, gaps: 0 });
  });

  it("DEALER from ROUTER, addressed to it", async () => {
    const dealer = opened(new Dealer({ linger: 0, routingId: "id", signing: as("me") }));
    const router = opened(new zmq.Router({ linger: 0, mandatory: true }));
    router.connect(await bound(dealer), { routingId: "id" });
    const batch = signer("router").signBatch(
      [
        ["id", "one"],
        ["id", "two"],
      ],
      { to: "me" },
    );
    await router.send(batch);
    expect(text(await dealer.receive())).toEqual(["one"]);
    expect(text(await dealer.receive())).toEqual(["two"]);
  });

  it("a REP refuses one, and says so", async () => {
    const rep = opened(new Reply({ linger: 0, signing: as("me") }));
    const dealer = opened(new zmq.Dealer({ linger: 0 }));
    dealer.connect(await bound(rep));
    const receiving = failure(() => rep.receive());
    const [frame] = signer("dealer").signBatch(["one", "two"]);
    await dealer.send(["", frame!]);
    expect((await dealer.receive())[1]).toHaveLength(8);
    rep.close();
    await receiving;
    expect(rep.stats).toMatchObject({ accepted: 0, rejected: { "wrong-envelope": 1 } });
  });

  it("a message that comes while a batch is being read waits behind it", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new zmq.Push({ linger: 0 }));
    push.connect(await bound(pull));
    const lab = signer("push");
    await push.send(lab.signBatch(["one", "two"]));
    await push.send(lab.sign("three"));
    const seen: string[] = [];
    for await (const [body] of pull) if (seen.push(String(body)) === 3) break;
    expect(seen).toEqual(["one", "two", "three"]);
  });

  it("what is left of a batch is gone with the socket", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new zmq.Push({ linger: 0 }));
    push.connect(await bound(pull));
    await push.send(signer("push").signBatch(["one", "two"]));
    await pull.receive();
    pull.close();
    expect(await failure(() => pull.receive())).toMatchObject({ code: "EBADF" });
  });
});

it("what a PUB signed is refused by a PULL, and the loop goes on", async () => {
  const pull = opened(new Pull({ signing: as("me") }));
  const push = opened(new zmq.Push({ linger: 0 }));
  push.connect(await bound(pull));
  const published = signer("pub").sign(["topic", "body"]);
  await push.send(published);
  await push.send(published.slice(1));
  await push.send(signer("push").sign("genuine"));
  expect(text(await pull.receive())).toEqual(["genuine"]);
  expect(pull.stats).toMatchObject({ accepted: 1, rejected: { unsigned: 1, "wrong-pattern": 1 } });
});

it("a replay is refused, over the same connection and over another", async () => {
  const pull = opened(new Pull({ signing }));
  const address = await bound(pull);
  const message = signer("push").sign("once");
  for (let i = 0; i < 2; i++) {
    const push = opened(new zmq.Push({ linger: 0 }));
    push.connect(address);
    await push.send(message);
    await push.send(message);
  }
  expect(text(await pull.receive())).toEqual(["once"]);
  const receiving = failure(() => pull.receive());
  await until(() => pull.stats.rejected.replayed === 3);
  pull.close();
  await receiving;
  expect(pull.stats.accepted).toBe(1);
});

it("onReject is told of each refusal, and what it throws is not the loop's affair", async () => {
  const thrown: unknown[] = [];
  const listener = (error: unknown) => thrown.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", listener);
  onTestFinished(() => {
    process.removeListener("uncaughtException", listener);
    for (const other of others) process.on("uncaughtException", other);
  });
  const reasons: string[] = [];
  const onReject = ({ reason }: { reason: string }) => {
    reasons.push(reason);
    throw new Error("from the application");
  };
  const pull = opened(new Pull({ signing: { key: KEY, onReject } }));
  const address = await bound(pull);
  const stranger = opened(new zmq.Push({ linger: 0 }));
  stranger.connect(address);
  const receiving = pull.receive();
  await stranger.send("junk");
  await until(() => thrown.length === 1);
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(address);
  await push.send("genuine");
  expect(text(await receiving)).toEqual(["genuine"]);
  expect(reasons).toEqual(["unsigned"]);
  expect(thrown).toEqual([new Error("from the application")]);
});

it("a SUB that is sent a message without a signature goes on", async () => {
  const sub = opened(new Subscriber({ signing }));
  sub.subscribe();
  const address = await bound(sub);
  const stranger = opened(new zmq.XPublisher({ linger: 0 }));
  stranger.connect(address);
  const receiving = sub.receive();
  await stranger.receive();
  await stranger.send(["topic", "body"]);
  await stranger.send("topic");
  await until(() => sub.stats.rejected.unsigned === 2);
  const pub = opened(new Publisher({ linger: 0, signing }));
  pub.connect(address);
  const sending = setInterval(() => void pub.send(["topic", "genuine"]), 5);
  onTestFinished(() => clearInterval(sending));
  expect(text(await receiving)).toEqual(["topic", "genuine"]);
});

it("while a message that was ready is being decoded, there is no second receive", async () => {
  const decoded: ((value: string) => void)[] = [];
  const codec = {
    name: "slow",
    encode: (value: string) => [Buffer.from(value)],
    decode: () => new Promise<string>((resolve) => decoded.push(resolve)),
  };
  const pull = opened(new Pull({ codec, signing: as("pull") }));
  const push = opened(new Push({ linger: 0, signing: as("push", { batch: true }) }));
  push.connect(await bound(pull));
  const first = pull.receive();
  await Promise.all(["one", "two"].map((value) => push.send(value)));
  await until(() => decoded.length === 1);
  decoded[0]?.("one");
  expect(await first).toEqual(["one"]);
  expect(pull.stats.accepted).toBe(2);
  const second = pull.receive();
  expect(decoded).toHaveLength(2);
  expect(await failure(() => pull.receive())).toMatchObject({ code: "EBUSY" });
  decoded[1]?.("two");
  expect(await second).toEqual(["two"]);
});
