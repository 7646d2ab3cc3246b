// What a signed socket tells: the origin of each message, counters, callbacks, diagnostics channels.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  Dealer,
  Origin,
  originOf,
  Pull,
  Push,
  type Rejection,
  Request,
  Router,
  XPublisher,
} from "countersign";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { as, bound, opened, signing, text, until } from "./harness.js";

/** A PUSH and a PULL that are connected. */
async function connected(pullOptions = as("pull"), pushOptions = as("push")) {
  const pull = opened(new Pull({ signing: pullOptions }));
  const push = opened(new Push({ linger: 0, signing: pushOptions }));
  const address = await bound(pull);
  push.connect(address);
  return { pull, push, address };
}

describe("the origin", () => {
  it("says who, on what, when and under which key", async () => {
    const { pull, push } = await connected(as("pull", { channel: "c" }), as("push", { channel: "c" }));
    const before = Date.now() * 1000;
    await push.send("one");
    await push.send("two");
    const [first, second] = [await pull.receive(), await pull.receive()];
    expect(first.origin).toBeInstanceOf(Origin);
    expect(first.origin).toMatchObject({
      sender: "push",
      channel: "c",
      pattern: "push",
      keyId: expect.stringMatching(/^[0-9a-f]{8}$/),
      sequence: 1,
      addressed: false,
      late: false,
    });
    expect(second.origin).toMatchObject({ sequence: 2, epoch: first.origin.epoch });
    expect(second.origin.sentAt).toBeGreaterThanOrEqual(first.origin.sentAt);
    expect(first.origin.sentAt).toBeGreaterThanOrEqual(before - 1000);
    expect(originOf(first)).toBe(first.origin);
  });

  it("cannot be taken for part of the message, nor be replaced by one", async () => {
    const { pull, push } = await connected();
    await push.send(["one", "two"]);
    const message = await pull.receive();
    expect([Object.keys(message), message.length]).toEqual([["0", "1"], 2]);
    expect({ ...message }).not.toHaveProperty("origin");
    expect(() => {
      (message as { origin: unknown }).origin = "me";
    }).toThrow(TypeError);
    expect(originOf([Buffer.from("x")])).toBeUndefined();
    expect(originOf(Object.assign([], { origin: { sender: "forged" } }))).toBeUndefined();
  });

  it("survives an answer of many: each message has its own", async () => {
    const router = opened(new Router({ linger: 0, signing }));
    const address = await bound(router);
    const names = ["a", "b", "c"];
    for (const name of names) {
      const dealer = opened(new Dealer({ linger: 0, signing: as(name) }));
      dealer.connect(address);
      await dealer.send(name);
    }
    for (let i = 0; i < names.length; i++) {
      const message = await router.receive();
      expect(message.origin.sender).toBe(String(message[1]));
    }
  });
});

describe("stats", () => {
  it("are all zero at first, for every reason", () => {
    const dealer = opened(new Dealer({ signing }));
    const { rejected, ...others } = dealer.stats;
    const received = { accepted: 0, unsigned: 0, gaps: 0, lost: 0, streams: 0, forgotten: 0, twins: 0 };
    expect(others).toEqual({ sent: 0, queued: 0, ...received });
    expect(new Set(Object.values(rejected))).toEqual(new Set([0]));
    expect(Object.keys(rejected)).toContain("bad-signature");
  });

  it("of a socket that only sends, or only receives, have the same shape", () => {
    const shape = (socket: { stats: object }) => Object.keys(socket.stats).sort();
    const dealer = shape(opened(new Dealer({ signing })));
    expect(shape(opened(new Push({ signing })))).toEqual(dealer);
    expect(shape(opened(new Pull({ signing })))).toEqual(dealer);
  });

  it("are a snapshot, which nobody can write into", async () => {
    const { pull, push } = await connected();
    const before = pull.stats;
    (before.rejected as { replayed: number }).replayed = 99;
    await push.send("one");
    await pull.receive();
    expect([before.accepted, pull.stats.accepted, pull.stats.rejected.replayed]).toEqual([0, 1, 0]);
    expect(() => {
      (pull as { stats: unknown }).stats = {};
    }).toThrow(TypeError);
  });

  it("count what was sent, what waits, what came and what was refused", async () => {
    const { pull, push, address } = await connected();
    const stranger = opened(new zmq.Push({ linger: 0 }));
    stranger.connect(address);
    const receiving = pull.receive();
    await stranger.send("junk");
    await until(() => pull.stats.rejected.unsigned === 1);
    for (let i = 0; i < 3; i++) await push.send(`${i}`);
    await receiving;
    await pull.receive();
    await pull.receive();
    expect(push.stats).toMatchObject({ sent: 3, queued: 0 });
    expect(pull.stats).toMatchObject({ accepted: 3, streams: 1 });
  });
});

describe("onReject and the diagnostics channels", () => {
  it("tell reason, place and claim, and whether the claim was verified", async () => {
    const told: Rejection[] = [];
    const published: unknown[] = [];
    const listener = (message: unknown) => published.push(message);
    subscribe("countersign:rejected", listener);
    onTestFinished(() => {
      unsubscribe("countersign:rejected", listener);
    });
    const onReject = (rejection: Rejection) => told.push(rejection);
    const { pull, push, address } = await connected(
      as("pull", { onReject, channel: "a" }),
      as("push", { channel: "b" }),
    );
    const stranger = opened(new zmq.Push({ linger: 0 }));
    stranger.connect(address);
    const receiving = pull.receive();
    await stranger.send("junk");
    await until(() => told.length === 1);
    await push.send("for another channel");
    await until(() => told.length === 2);
    expect(told).toMatchObject([
      { reason: "unsigned", channel: "a", receiver: "pull", authentic: false },
      {
        reason: "bad-signature",
        authentic: false,
        claimed: { sender: "push", pattern: "push", sequence: 1 },
      },
    ]);
    expect(told[0]).not.toHaveProperty("claimed");
    expect(published).toEqual(told);
    pull.close();
    await receiving.catch(() => {});
  });

  it("hold no key and no tag that was expected", async () => {
    const told: Rejection[] = [];
    const onReject = (rejection: Rejection) => told.push(rejection);
    const key = Buffer.from("0123456789abcdef0123456789abcdef");
    const pull = opened(new Pull({ signing: { key, onReject } }));
    const push = opened(new Push({ linger: 0, signing: { key, channel: "other" } }));
    push.connect(await bound(pull));
    const receiving = pull.receive();
    await push.send("x");
    await until(() => told.length === 1);
    const everything = JSON.stringify(told) + String(told[0]!.detail);
    for (const form of ["utf8", "hex", "base64", "base64url"] as const) {
      expect(everything).not.toContain(key.toString(form));
    }
    pull.close();
    await receiving.catch(() => {});
  });

  it("accepted messages are published while somebody listens", async () => {
    const origins: unknown[] = [];
    const listener = (origin: unknown) => origins.push(origin);
    subscribe("countersign:accepted", listener);
    onTestFinished(() => {
      unsubscribe("countersign:accepted", listener);
    });
    const { pull, push } = await connected();
    await push.send("one");
    const message = await pull.receive();
    expect(origins).toEqual([message.origin]);
    unsubscribe("countersign:accepted", listener);
    await push.send("two");
    await pull.receive();
    expect(origins).toHaveLength(1);
  });
});

describe("binding and addressing", () => {
  it("what a PUSH addresses to one PULL is refused by another", async () => {
    const right = opened(new Pull({ signing: as("right") }));
    const wrong = opened(new Pull({ receiveTimeout: 50, signing: as("wrong") }));
    const push = opened(new Push({ linger: 0, signing: as("push", { to: "right" }) }));
    push.connect(await bound(right));
    await push.send("yours");
    const message = await right.receive();
    expect([text(message), message.origin.addressed]).toEqual([["yours"], true]);
    push.connect(await bound(wrong));
    while (wrong.stats.rejected["bad-signature"] === 0) {
      await push.send("for one of them");
      await wrong.receive().catch(() => {});
    }
    expect(wrong.stats.accepted).toBe(0);
  });

  it("one's own message coming back is refused", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing: as("dealer") }));
    const mirror = opened(new zmq.Dealer({ linger: 0 }));
    dealer.connect(await bound(mirror));
    await dealer.send("there");
    const receiving = dealer.receive();
    await mirror.send(await mirror.receive());
    await until(() => dealer.stats.rejected.reflected === 1);
    dealer.close();
    await receiving.catch(() => {});
  });

  it("a reply to one REQ is refused by another", async () => {
    const router = opened(new zmq.Router({ linger: 0 }));
    const worker = opened(new Router({ linger: 0, signing: as("worker", { hops: 1 }) }));
    const back = opened(new zmq.Dealer({ linger: 0 }));
    worker.connect(await bound(back));
    const address = await bound(router);
    const ask = async (name: string) => {
      const req = opened(new Request({ linger: 0, signing: as(name) }));
      req.connect(address);
      await req.send(name);
      const request = await router.receive();
      await back.send(request);
      const [broker, id, delimiter] = await worker.receive();
      await worker.send([broker!, id!, delimiter!, `for ${name}`]);
      return { req, id: request[0]!, reply: await back.receive() };
    };
    const alice = await ask("alice");
    const bob = await ask("bob");
    await router.send([bob.id, ...alice.reply.slice(1)]);
    await expect(bob.req.receive()).rejects.toMatchObject({ reason: "bad-signature" });
    await router.send(alice.reply);
    expect(text(await alice.req.receive())).toEqual(["for alice"]);
  });

  it("a subscription is not a message: it has no origin and is not counted", async () => {
    const xpub = opened(new XPublisher({ linger: 0, signing }));
    const sub = opened(new zmq.Subscriber());
    sub.subscribe("t");
    sub.connect(await bound(xpub));
    expect(originOf(await xpub.receive())).toBeUndefined();
    expect(xpub.stats).toMatchObject({ accepted: 0, unsigned: 0, streams: 0 });
  });
});
