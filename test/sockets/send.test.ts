// Sending: a bounded queue instead of EBUSY, in order, a snapshot of what the caller gave, and numbers that only what
// leaves spends.

import { createHash } from "node:crypto";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
  type SigningOptions,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "countersign";
import { describe, expect, it } from "vitest";
import {
  as,
  bound,
  endpoint,
  failure,
  opened,
  pause,
  signing,
  TRANSPORTS,
  text,
  turn,
  until,
  vacant,
} from "./harness.js";

/** Bodies of mixed sizes that can be told apart. */
function mixedBodies(count: number): Buffer[] {
  const sizes = [0, 1, 60, 200, 2000, 20_000];
  return Array.from({ length: count }, (_, i) => Buffer.alloc(8 + sizes[i % sizes.length]!, i % 251)).map(
    (body, i) => {
      body.writeUInt32BE(i, 0);
      return body;
    },
  );
}

const digest = (bodies: readonly Buffer[]) => {
  const hash = createHash("sha256");
  for (const body of bodies) hash.update(`${body.length}:`).update(body);
  return hash.digest("hex");
};

interface Sender {
  send(message: never): Promise<void>;
}

/** Sends all bodies without awaiting, receives all, and compares. */
async function throughput(
  sender: Sender,
  receive: () => Promise<Buffer>,
  wrap: (body: Buffer) => unknown = (body) => body,
): Promise<void> {
  const bodies = mixedBodies(2000);
  const sends = bodies.map((body) => sender.send(wrap(body) as never));
  const received: Buffer[] = [];
  while (received.length < bodies.length) received.push(await receive());
  await Promise.all(sends);
  expect(digest(received)).toBe(digest(bodies));
}

describe("2,000 sends without await, mixed sizes: all arrive, in order (attack 31)", () => {
  it.each(TRANSPORTS)("PUSH over %s", async (transport) => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull, transport));
    await throughput(push, async () => (await pull.receive())[0]!);
    expect(pull.stats).toMatchObject({ accepted: 2000, gaps: 0 });
    expect(push.stats).toMatchObject({ sent: 2000, queued: 0 });
  });

  it.each(TRANSPORTS)("DEALER to ROUTER over %s", async (transport) => {
    const router = opened(new Router({ signing }));
    const dealer = opened(new Dealer({ linger: 0, signing }));
    dealer.connect(await bound(router, transport));
    await throughput(dealer, async () => (await router.receive())[1]!);
    expect(router.stats).toMatchObject({ accepted: 2000, gaps: 0 });
  });

  it.each(TRANSPORTS)("PAIR over %s", async (transport) => {
    const left = opened(new Pair({ signing }));
    const right = opened(new Pair({ linger: 0, signing }));
    right.connect(await bound(left, transport));
    await throughput(right, async () => (await left.receive())[0]!);
  });

  it.each(TRANSPORTS)("ROUTER to DEALER over %s", async (transport) => {
    const options = { linger: 0, mandatory: true, sendHighWaterMark: 2000 };
    const router = opened(new Router({ ...options, signing: as("router") }));
    const dealer = opened(new Dealer({ linger: 0, signing: as("dealer") }));
    dealer.connect(await bound(router, transport));
    await dealer.send("hello");
    const [id] = await router.receive();
    await throughput(
      router,
      async () => (await dealer.receive())[0]!,
      (body) => [id, body],
    );
    expect(dealer.stats).toMatchObject({ accepted: 2000, gaps: 0 });
  });

  it.each(["PUB", "XPUB"] as const)("%s, whose high-water mark has room for them", async (kind) => {
    const sub = opened(new Subscriber({ receiveHighWaterMark: 0, signing }));
    sub.subscribe("t");
    const options = { linger: 0, sendHighWaterMark: 0, signing };
    const pub = opened(kind === "PUB" ? new Publisher(options) : new XPublisher(options));
    sub.connect(await bound(pub));
    const first = sub.receive();
    let arrived = false;
    void first.then(() => {
      arrived = true;
    });
    while (!arrived) {
      await pub.send(["t", "are you there?"]);
      await pause(2);
    }
    await first;
    // What was sent while the subscription was on its way may still come.
    const receive = async () => {
      for (;;) {
        const [, body] = await sub.receive();
        if (String(body) !== "are you there?") return body!;
      }
    };
    await throughput(pub, receive, (body) => ["t", body]);
    expect(sub.stats.gaps).toBe(0);
  });

  it("XSUB to XPUB", async () => {
    // An XSUB drops at its high-water mark, like a PUB.
    const xpub = opened(new XPublisher({ receiveHighWaterMark: 0, signing }));
    const xsub = opened(new XSubscriber({ linger: 0, sendHighWaterMark: 0, signing }));
    xsub.connect(await bound(xpub));
    // A single frame that begins with 0 or 1 would be a subscription.
    const receive = async () => (await xpub.receive())[1]!;
    await throughput(xsub, receive, (body) => ["", body]);
  });
});

describe("the high-water mark", () => {
  it.each([
    ["PUSH", (options: { signing: SigningOptions }) => new Push(options)],
    ["DEALER", (options: { signing: SigningOptions }) => new Dealer(options)],
    ["PAIR", (options: { signing: SigningOptions }) => new Pair(options)],
  ] as const)("bounds what waits on a %s that has no peer", async (_, make) => {
    const options = { linger: 0, sendHighWaterMark: 3, signing };
    const socket = opened(make(options));
    await socket.bind(endpoint());
    const waiting = [1, 2, 3].map((i) => socket.send(`${i}`).catch((error) => error.code));
    expect(socket.stats.queued).toBe(3);
    expect(await failure(() => socket.send("one too many"))).toMatchObject({
      code: "EAGAIN",
      errno: expect.any(Number),
      message: "Operation was not possible or timed out",
    });
    expect(socket.stats.queued).toBe(3);
    socket.close();
    expect(await Promise.all(waiting)).toEqual(["EAGAIN", "EAGAIN", "EAGAIN"]);
  });

  it("0 leaves the bound to the bytes", async () => {
    const limits = { queueBytes: 10_000 };
    const push = opened(new Push({ linger: 0, sendHighWaterMark: 0, signing: as("push", { limits }) }));
    await push.bind(endpoint());
    const waiting = Array.from({ length: 2500 }, () => push.send("four"));
    expect(push.stats.queued).toBe(2500);
    expect(await failure(() => push.send("x"))).toMatchObject({ code: "EAGAIN" });
    push.close();
    for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe("rejected");
  });

  it("a message larger than the bytes may wait alone", async () => {
    const push = opened(new Push({ linger: 0, signing: as("push", { limits: { queueBytes: 10 } }) }));
    const address = await bound(push);
    const large = push.send("larger than ten bytes");
    expect(await failure(() => push.send("x"))).toMatchObject({ code: "EAGAIN" });
    const pull = opened(new Pull({ signing }));
    pull.connect(address);
    expect(text(await pull.receive())).toEqual(["larger than ten bytes"]);
    await large;
  });

  it("a socket at its mark goes on when its peer reads", async () => {
    const pull = opened(new Pull({ receiveHighWaterMark: 1, signing }));
    const push = opened(new Push({ linger: 0, sendHighWaterMark: 2, signing }));
    push.connect(await bound(pull, "inproc"));
    const sends: Promise<void>[] = [];
    while (push.stats.queued < 2) sends.push(push.send(`${sends.length}`));
    const received: string[] = [];
    while (received.length < sends.length) received.push(...text(await pull.receive()));
    await Promise.all(sends);
    expect(received).toEqual(sends.map((_, i) => `${i}`));
    expect(push.stats.queued).toBe(0);
  });
});

describe("sendTimeout", () => {
  it("counts from the call, for each message by itself", async () => {
    const push = opened(new Push({ linger: 0, sendTimeout: 30, signing }));
    await push.bind(endpoint());
    const first = failure(() => push.send("first"));
    push.sendTimeout = -1;
    let settled = false;
    const second = push.send("second").catch((error) => {
      settled = true;
      return error;
    });
    expect(await first).toMatchObject({ code: "EAGAIN" });
    expect([settled, push.stats.queued]).toEqual([false, 1]);
    push.close();
    expect(await second).toMatchObject({ code: "EAGAIN" });
  });

  it.each([0, 5])("%i: a message that was given up spends no number", async (sendTimeout) => {
    const push = opened(new Push({ linger: 0, sendTimeout, signing: as("push") }));
    const address = await bound(push);
    for (let i = 0; i < 3; i++)
      expect(await failure(() => push.send("lost"))).toMatchObject({ code: "EAGAIN" });
    push.sendTimeout = -1;
    const pull = opened(new Pull({ signing }));
    pull.connect(address);
    await push.send("genuine");
    const message = await pull.receive();
    expect([text(message), message.origin.sequence]).toEqual([["genuine"], 1]);
    expect(push.stats).toMatchObject({ sent: 1, queued: 0 });
  });

  it("a message given up in the middle of the queue leaves the others in order", async () => {
    const push = opened(new Push({ linger: 0, signing }));
    const address = await bound(push);
    const first = push.send("first");
    push.sendTimeout = 5;
    const second = failure(() => push.send("second"));
    push.sendTimeout = -1;
    const third = push.send("third");
    expect(await second).toMatchObject({ code: "EAGAIN" });
    const pull = opened(new Pull({ signing }));
    pull.connect(address);
    expect([...text(await pull.receive()), ...text(await pull.receive())]).toEqual(["first", "third"]);
    await Promise.all([first, third]);
  });

  it("can be read, and is what was given", () => {
    const push = opened(new Push({ sendTimeout: 7, signing }));
    expect(push.sendTimeout).toBe(7);
    push.sendTimeout = 9;
    expect(push.sendTimeout).toBe(9);
    expect(opened(new Push({ signing })).sendTimeout).toBe(-1);
  });
});

describe("what is sent is what the buffer held at the call (attack 32)", () => {
  it.each([10, 200, 100_000])("%i bytes, on a socket that can send at once", async (size) => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull, "inproc"));
    const buffer = Buffer.alloc(size, "a");
    for (const letter of "abcde") {
      buffer.fill(letter);
      const sending = push.send([buffer, buffer]);
      buffer.fill("z");
      await sending;
      buffer.fill("y");
    }
    for (const letter of "abcde") {
      const expected = Buffer.alloc(size, letter);
      const [first, second] = await pull.receive();
      expect([expected.equals(first!), expected.equals(second!)]).toEqual([true, true]);
    }
  });

  it.each([10, 100_000])("%i bytes, on a socket that cannot send yet", async (size) => {
    const push = opened(new Push({ linger: 0, signing }));
    const address = await bound(push);
    const buffer = Buffer.alloc(size, "a");
    const sending = push.send(buffer);
    buffer.fill("z");
    const pull = opened(new Pull({ signing }));
    pull.connect(address);
    expect((await pull.receive())[0]).toEqual(Buffer.alloc(size, "a"));
    await sending;
  });

  it("a typed array's part of its buffer, and a PUB's topic", async () => {
    const sub = opened(new Subscriber({ signing }));
    sub.subscribe();
    const pub = opened(new Publisher({ linger: 0, signing }));
    pub.connect(await bound(sub));
    const topic = Buffer.from("topic");
    const whole = new Uint16Array([1, 2, 3, 4]);
    const part = whole.subarray(1, 3);
    const receiving = sub.receive();
    let message: Buffer[] | undefined;
    void receiving.then((received) => {
      message = received;
    });
    while (message === undefined) {
      topic.write("topic");
      whole.set([1, 2, 3, 4]);
      const sending = pub.send([topic, part]);
      topic.write("other");
      whole.fill(9);
      await sending;
      await pause(2);
    }
    expect(message).toEqual([Buffer.from("topic"), Buffer.from(new Uint16Array([2, 3]).buffer)]);
  });
});

describe("sending before anybody can receive", () => {
  it("a PUSH bound with no PULL: what waits is signed when the PULL has come", async () => {
    const push = opened(new Push({ linger: 0, signing }));
    const address = await bound(push);
    const sends = ["one", "two", "three"].map((body) => push.send(body));
    await pause(20);
    const pull = opened(new Pull({ signing }));
    pull.connect(address);
    const received: string[] = [];
    while (received.length < 3) received.push(...text(await pull.receive()));
    await Promise.all(sends);
    expect(received).toEqual(["one", "two", "three"]);
    expect(pull.stats.rejected["not-live"]).toBe(0);
  });

  it("connect before bind: a receiver that existed delivers, one made later says not-live", async () => {
    const address = vacant();
    const early = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing: as("push") }));
    push.connect(address);
    await push.send("before the bind");
    await early.bind(address);
    expect(text(await early.receive())).toEqual(["before the bind"]);

    const other = vacant();
    const pushing = opened(new Push({ linger: 0, signing: as("other") }));
    pushing.connect(other);
    await pushing.send("before the receiver");
    await pause(2);
    const late = opened(new Pull({ signing }));
    await late.bind(other);
    const receiving = late.receive();
    await until(() => late.stats.rejected["not-live"] === 1);
    await pushing.send("after it");
    expect(text(await receiving)).toEqual(["after it"]);
  });

  it("a DEALER with `immediate` holds what it sends until somebody has connected", async () => {
    const address = vacant();
    const dealer = opened(new Dealer({ linger: 0, immediate: true, signing }));
    dealer.connect(address);
    const sending = dealer.send("held");
    await pause(5);
    expect(dealer.stats).toMatchObject({ sent: 0, queued: 1 });
    const router = opened(new Router({ signing }));
    await router.bind(address);
    expect(text((await router.receive()).slice(1))).toEqual(["held"]);
    await sending;
  });
});

describe("while the socket is being bound", () => {
  it("sends wait, and go out in order", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull));
    const binding = push.bind(endpoint());
    const sends = ["one", "two"].map((body) => push.send(body));
    expect(push.stats).toMatchObject({ sent: 0, queued: 2 });
    await binding;
    await Promise.all(sends);
    expect([...text(await pull.receive()), ...text(await pull.receive())]).toEqual(["one", "two"]);
  });

  it("with sendTimeout 0 they are refused", async () => {
    const push = opened(new Push({ linger: 0, sendTimeout: 0, signing }));
    const binding = push.bind(endpoint());
    expect(await failure(() => push.send("now"))).toMatchObject({ code: "EBUSY" });
    await binding;
  });
});

describe("PUB", () => {
  it("does not wait for anybody", async () => {
    const pub = opened(new Publisher({ linger: 0, signing }));
    await pub.bind(endpoint());
    for (let i = 0; i < 3000; i++) await pub.send(["topic", "nobody hears this"]);
    expect(pub.stats).toMatchObject({ sent: 3000, queued: 0 });
  });

  it("with noDrop it waits for the slowest subscriber, and nothing is lost", async () => {
    const pub = opened(new Publisher({ linger: 0, noDrop: true, sendHighWaterMark: 2, signing }));
    const address = await bound(pub, "inproc");
    const sub = opened(new Subscriber({ receiveHighWaterMark: 2, signing }));
    sub.subscribe("t");
    sub.connect(address);
    const sends: Promise<void>[] = [];
    while (pub.stats.queued < 2) sends.push(pub.send(["t", `${sends.length}`]));
    const received: string[] = [];
    while (received.length < sends.length) received.push(String((await sub.receive())[1]));
    await Promise.all(sends);
    expect(received).toEqual(sends.map((_, i) => `${i}`));
    expect(sub.stats).toMatchObject({ gaps: 0, lost: 0 });
  });

  it("with noDrop and sendTimeout 0 it says EAGAIN, and spends no number", async () => {
    const options = { linger: 0, noDrop: true, sendHighWaterMark: 2, sendTimeout: 0 };
    const pub = opened(new Publisher({ ...options, signing: as("pub") }));
    const address = await bound(pub, "inproc");
    const sub = opened(new Subscriber({ receiveHighWaterMark: 2, signing }));
    sub.subscribe("t");
    sub.connect(address);
    let sent = 0;
    let error: Error | undefined;
    while (error === undefined) {
      error = await pub.send(["t", `${sent}`]).then(
        () => void sent++,
        (reason) => reason,
      );
    }
    expect(error).toMatchObject({ code: "EAGAIN" });
    for (let i = 0; i < sent; i++) await sub.receive();
    await until(() => pub.writable);
    await pub.send(["t", "next"]);
    expect((await sub.receive()).origin.sequence).toBe(sent + 1);
    expect(sub.stats).toMatchObject({ gaps: 0, lost: 0 });
  });
});

it("awaited sends leave the event loop its turns, also through the queue", async () => {
  const pull = opened(new Pull({ receiveHighWaterMark: 0, signing }));
  const push = opened(new Push({ linger: 0, sendHighWaterMark: 0, signing }));
  push.connect(await bound(pull, "inproc"));
  let stop = false;
  setImmediate(() => setImmediate(() => setImmediate(() => (stop = true))));
  let sent = 0;
  while (!stop) {
    await push.send("x");
    sent++;
  }
  expect(sent).toBeLessThan(100_000);

  const router = opened(new Router({ linger: 0, mandatory: true, sendHighWaterMark: 0, signing }));
  const dealer = opened(new Dealer({ linger: 0, receiveHighWaterMark: 0, signing }));
  dealer.connect(await bound(router, "inproc"));
  await dealer.send("hello");
  const [id] = await router.receive();
  stop = false;
  setImmediate(() => setImmediate(() => setImmediate(() => (stop = true))));
  sent = 0;
  while (!stop) {
    await router.send([id!, "x"]);
    sent++;
  }
  expect(sent).toBeLessThan(100_000);
});

it("an error to one message is that message's alone", async () => {
  const router = opened(new Router({ linger: 0, mandatory: true, signing: as("router", { to: "dealer" }) }));
  const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer") }));
  router.connect(await bound(dealer), { routingId: "d" });
  const outcomes = await Promise.allSettled([
    router.send(["d", "one"]),
    router.send(["nobody", "lost"]),
    router.send(["d", "two"]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(text(await dealer.receive())).toEqual(["one"]);
  expect(text(await dealer.receive())).toEqual(["two"]);
  expect(dealer.stats).toMatchObject({ accepted: 2, gaps: 0, lost: 0 });
});

it("no send throws but for arguments that can never be sent", async () => {
  const push = opened(new Push({ linger: 0, signing }));
  expect(() => push.send(undefined as never)).toThrow(new TypeError("Message must be present"));
  expect(() => push.send(["a", undefined as never])).toThrow(
    expect.objectContaining({ code: "ERR_COUNTERSIGN_MESSAGE" }),
  );
  push.close();
  const errors: unknown[] = [];
  push.send("closed").catch((error) => errors.push(error));
  push.send([]).catch((error) => errors.push(error));
  await until(() => errors.length === 2);
  expect(errors).toMatchObject([{ code: "EBADF" }, { code: "EBADF" }]);
});

it("a message over the limits is refused where it is sent", async () => {
  const push = opened(new Push({ linger: 0, signing: as("push", { limits: { bytes: 10, frames: 2 } }) }));
  const pull = opened(new Pull({ signing }));
  push.connect(await bound(pull));
  expect(await failure(() => push.send("eleven byte"))).toMatchObject({ code: "ERR_COUNTERSIGN_MESSAGE" });
  expect(await failure(() => push.send(["a", "b", "c"]))).toMatchObject({ code: "ERR_COUNTERSIGN_MESSAGE" });
  await push.send("ten bytes.");
  expect((await pull.receive()).origin.sequence).toBe(1);
});

describe("a receive that is pending", () => {
  /** A DEALER that waits for a message which has arrived, but of which the event loop does not know yet. */
  async function waiting() {
    const router = opened(
      new Router({ linger: 0, mandatory: true, signing: as("router", { to: "dealer" }) }),
    );
    const limits = { bytes: 10 };
    const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer", { limits }) }));
    router.connect(await bound(dealer), { routingId: "d" });
    await router.send(["d", "first"]);
    expect(text(await dealer.receive())).toEqual(["first"]);
    const receiving = dealer.receive();
    await router.send(["d", "second"]);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    return { dealer, receiving };
  }

  it("gets its message though a send has looked at the socket first", async () => {
    const { dealer, receiving } = await waiting();
    await dealer.send("fine");
    expect(text(await receiving)).toEqual(["second"]);
  });

  it("also where that send turned out to be impossible", async () => {
    const { dealer, receiving } = await waiting();
    expect(await failure(() => dealer.send("over the limit"))).toMatchObject({
      code: "ERR_COUNTERSIGN_MESSAGE",
    });
    expect(text(await receiving)).toEqual(["second"]);
  });
});

it("peers that come and go in the middle of it never get a later message before an earlier one", async () => {
  const push = opened(new Push({ linger: 0, sendHighWaterMark: 100, signing }));
  const address = await bound(push);
  const outcomes = new Set<string>();
  let sending = true;
  const sender = (async () => {
    for (let sent = 0; sending; await turn()) {
      for (let burst = 0; burst < 20; burst++) {
        push.send(`${sent++}`).then(
          () => outcomes.add("sent"),
          ({ code }) => outcomes.add(code),
        );
      }
    }
  })();
  for (let round = 0; round < 100; round++) {
    const pull = new Pull({ signing });
    pull.connect(address);
    const numbers: number[] = [];
    while (numbers.length < 20) numbers.push(Number((await pull.receive())[0]));
    pull.close();
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  }
  sending = false;
  await sender;
  // EAGAIN is the queue that is full, and what zeromq.js says where a peer left between the question and the send.
  for (const outcome of outcomes) expect(["sent", "EAGAIN"]).toContain(outcome);
});
