// Binding, connecting and closing, at rest and with operations pending: what zeromq.js does, and nothing left waiting.

import { Context, Dealer, Pair, Pull, Push, Reply, Router } from "countersign";
import { json } from "countersign/codec";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, endpoint, failure, opened, pause, signing, TRANSPORTS, text, until } from "./harness.js";

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("a bound socket unbinds, once", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    const address = await bound(dealer, transport);
    await dealer.unbind(address);
    expect(await failure(() => dealer.unbind(address))).toMatchObject({ code: "ENOENT", address });
  });

  it("bindSync binds at once", async () => {
    const pull = opened(new Pull({ signing }));
    pull.bindSync(endpoint(transport));
    const address = pull.lastEndpoint as string;
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(address);
    await push.send("hello");
    expect(text(await pull.receive())).toEqual(["hello"]);
    await pull.unbind(address);
    expect(await failure(() => pull.unbind(address))).toMatchObject({ code: "ENOENT", address });
  });

  it("connect and disconnect", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, sendTimeout: 5, signing }));
    const address = await bound(pull, transport);
    push.connect(address);
    await push.send("hello");
    await pull.receive();
    push.disconnect(address);
    expect(() => push.disconnect(address)).toThrow(expect.objectContaining({ code: "ENOENT", address }));
    expect(await failure(() => push.send("nobody"))).toMatchObject({ code: "EAGAIN" });
  });

  it("close ends a pending receive", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    await bound(dealer, transport);
    const receiving = failure(() => dealer.receive());
    dealer.close();
    expect(dealer.closed).toBe(true);
    expect(await receiving).toMatchObject({ code: "EAGAIN", errno: expect.any(Number) });
  });

  it("close ends every pending send", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    await bound(dealer, transport);
    const sends = ["one", "two", "three"].map((body) => failure(() => dealer.send(body)));
    await pause(5);
    dealer.close();
    for (const error of await Promise.all(sends)) expect(error).toMatchObject({ code: "EAGAIN" });
    expect(dealer.stats).toMatchObject({ sent: 0, queued: 0 });
  });

  it("close during a bind waits for it, and rejects what waited behind it", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    const binding = dealer.bind(endpoint(transport));
    const sending = failure(() => dealer.send("waits"));
    dealer.close();
    expect(dealer.closed).toBe(false);
    await binding;
    expect(dealer.closed).toBe(true);
    expect(await sending).toMatchObject({ code: "EAGAIN" });
  });

  it("close during an unbind", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    const unbinding = dealer.unbind(await bound(dealer, transport));
    dealer.close();
    await unbinding;
    expect(dealer.closed).toBe(true);
  });

  it("a second bind during the first is EBUSY", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    const binding = dealer.bind(endpoint(transport));
    expect(await failure(() => dealer.bind(endpoint(transport)))).toMatchObject({
      code: "EBUSY",
      message: "Socket is blocked by a bind or unbind operation",
    });
    await binding;
    await dealer.bind(endpoint(transport));
  });

  it("what was sent before close still goes out, as far as linger allows", async () => {
    const pull = opened(new Pull({ signing }));
    const push = new Push({ linger: 2000, signing });
    push.connect(await bound(pull, transport));
    const sends = Array.from({ length: 5 }, (_, i) => push.send(`${i}`));
    push.close();
    await Promise.all(sends);
    const received: string[] = [];
    while (received.length < 5) received.push(...text(await pull.receive()));
    expect(received).toEqual(["0", "1", "2", "3", "4"]);
  });
});

describe("errors of bind and connect are zeromq's", () => {
  const addresses = [
    ["foo-bar", "EINVAL"],
    ["foo://bar", "EPROTONOSUPPORT"],
  ] as const;

  it.each(addresses)("%s", async (address, code) => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    expect(await failure(() => dealer.bind(address))).toMatchObject({ code, address });
    expect(await failure(() => dealer.unbind(address))).toMatchObject({ code, address });
    expect(() => dealer.connect(address)).toThrow(expect.objectContaining({ code, address }));
    expect(() => dealer.disconnect(address)).toThrow(expect.objectContaining({ code, address }));
    expect(() => dealer.bindSync(address)).toThrow(expect.objectContaining({ code, address }));
    expect(dealer.closed).toBe(false);
  });

  it("a taken endpoint, and the socket goes on", async () => {
    const first = opened(new Pull({ signing }));
    const address = await bound(first);
    const second = opened(new Pull({ signing }));
    expect(await failure(() => second.bind(address))).toMatchObject({ code: "EADDRINUSE", address });
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(second));
    await push.send("hello");
    expect(text(await second.receive())).toEqual(["hello"]);
  });

  it("close after a bind that fails", async () => {
    const dealer = opened(new Dealer({ linger: 0, signing }));
    const binding = failure(() => dealer.bind("foo-bar"));
    dealer.close();
    expect(await binding).toMatchObject({ code: "EINVAL" });
    expect(dealer.closed).toBe(true);
  });
});

describe("a closed socket", () => {
  it("is neither readable nor writable, and takes nothing", async () => {
    const pair = opened(new Pair({ linger: 0, signing }));
    await bound(pair);
    pair.close();
    pair.close();
    expect([pair.closed, pair.readable, pair.writable]).toEqual([true, false, false]);
    const refusal = { code: "EBADF", message: "Socket is closed" };
    expect(await failure(() => pair.send("x"))).toMatchObject(refusal);
    expect(await failure(() => pair.receive())).toMatchObject(refusal);
    expect(await failure(() => pair.bind(endpoint()))).toMatchObject(refusal);
    expect(() => pair.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining(refusal));
  });

  it("still tells its counters", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull));
    await push.send("hello");
    await pull.receive();
    pull.close();
    push.close();
    expect([pull.stats.accepted, push.stats.sent, push.stats.queued]).toEqual([1, 1, 0]);
  });

  it("gives its stream's name back", () => {
    for (let i = 0; i < 3; i++) new Router({ signing: as("phoenix") }).close();
  });
});

it("a receive that ends with close while a body is being decoded still delivers it", async () => {
  let decode: (value: number) => void = () => {};
  const slow = { ...json<number>(), decode: () => new Promise<number>((resolve) => (decode = resolve)) };
  const pull = opened(new Pull({ codec: slow, signing }));
  const push = opened(new Push({ linger: 0, codec: json<number>(), signing }));
  push.connect(await bound(pull));
  const receiving = pull.receive();
  await push.send([1]);
  await until(() => pull.stats.accepted === 1);
  pull.close();
  decode(2);
  expect([...(await receiving)]).toEqual([2]);
});

it("a body that turns out bad after close ends the receive as close does", async () => {
  let decode: () => void = () => {};
  const slow = { ...json<number>(), decode: () => new Promise<number>((_, reject) => (decode = reject)) };
  const pull = opened(new Pull({ codec: slow, signing }));
  const push = opened(new Push({ linger: 0, codec: json<number>(), signing }));
  push.connect(await bound(pull));
  const loop = (async () => {
    for await (const _ of pull) expect.unreachable();
  })();
  await push.send([1]);
  await until(() => pull.stats.accepted === 1);
  pull.close();
  decode();
  await loop;
  expect(pull.stats).toMatchObject({ accepted: 0, rejected: { undecodable: 1 } });
});

it("a REP that would refuse a request after close just ends", async () => {
  let decode: () => void = () => {};
  const slow = { ...json<number>(), decode: () => new Promise<number>((_, reject) => (decode = reject)) };
  const rep = opened(new Reply({ codec: slow, linger: 0, signing }));
  const dealer = opened(new Dealer({ linger: 0, signing }));
  dealer.connect(await bound(rep));
  const loop = (async () => {
    for await (const _ of rep) expect.unreachable();
  })();
  await dealer.send(["", "question"]);
  await until(() => rep.stats.accepted === 1);
  rep.close();
  decode();
  await loop;
});

it("sockets of a context of one's own close with it", async () => {
  const context = new Context();
  const sockets = [new Push({ context, linger: 0, signing }), new Pull({ context, signing })];
  for (const socket of sockets) socket.close();
  expect(sockets.map((socket) => socket.context)).toEqual([undefined, undefined]);
  expect(opened(new zmq.Pair({ linger: 0 })).context).toBe(zmq.context);
});
