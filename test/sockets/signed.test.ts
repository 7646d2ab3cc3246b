// signed(socket, signing): the facade of a socket that somebody else made, for every type.

import { CountersignError, Dealer, Proxy as OurProxy, Push, type SigningOptions, signed } from "countersign";
import { json } from "countersign/codec";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, endpoint, failure, opened, pause, signing, text, until, vacant } from "./harness.js";

/** A facade that closes with its test. */
function facade<Socket extends zmq.Socket>(socket: Socket, options: SigningOptions = signing) {
  return opened(signed(socket, options));
}

describe("every type", () => {
  it("ROUTER and DEALER", async () => {
    const router = facade(new zmq.Router({ linger: 0 }), as("router"));
    const dealer = facade(new zmq.Dealer({ linger: 0 }), as("dealer"));
    dealer.connect(await bound(router));
    await dealer.send(["question", "two"]);
    const question = await router.receive();
    expect(text(question.slice(1))).toEqual(["question", "two"]);
    await router.send([question[0]!, "answer"]);
    expect(text(await dealer.receive())).toEqual(["answer"]);
    expect([router.stats.accepted, dealer.stats.accepted]).toEqual([1, 1]);
  });

  it("REQ and REP", async () => {
    const rep = facade(new zmq.Reply({ linger: 0 }), as("rep"));
    const req = facade(new zmq.Request({ linger: 0 }), as("req"));
    req.connect(await bound(rep));
    for (const body of ["one", "two"]) {
      await req.send(body);
      await rep.send(await rep.receive());
      expect(text(await req.receive())).toEqual([body]);
    }
  });

  it("PUB and SUB", async () => {
    const pub = facade(new zmq.Publisher({ linger: 0 }), as("pub"));
    const sub = facade(new zmq.Subscriber(), as("sub"));
    sub.subscribe("t");
    sub.connect(await bound(pub));
    let heard: Buffer[] | undefined;
    void sub.receive().then((message) => {
      heard = message;
    });
    while (heard === undefined) {
      await pub.send(["t", "body"]);
      await pause(2);
    }
    expect(text(heard)).toEqual(["t", "body"]);
    sub.unsubscribe("t");
  });

  it("XPUB and XSUB", async () => {
    const xpub = facade(new zmq.XPublisher({ linger: 0 }), as("xpub"));
    const xsub = facade(new zmq.XSubscriber({ linger: 0 }), as("xsub"));
    xsub.connect(await bound(xpub));
    await xsub.send(Buffer.from("\u0001t"));
    expect(await xpub.receive()).toEqual([Buffer.from("\u0001t")]);
    await xpub.send(["t", "body"]);
    expect(text(await xsub.receive())).toEqual(["t", "body"]);
    await xsub.send("upstream");
    expect(text(await xpub.receive())).toEqual(["upstream"]);
  });

  it("PUSH and PULL", async () => {
    const pull = facade(new zmq.Pull(), as("pull"));
    const push = facade(new zmq.Push({ linger: 0 }), as("push"));
    push.connect(await bound(pull));
    const sends = Array.from({ length: 500 }, (_, i) => push.send(`${i}`));
    for (let i = 0; i < 500; i++) expect(text(await pull.receive())).toEqual([`${i}`]);
    await Promise.all(sends);
  });

  it("PAIR and PAIR", async () => {
    const left = facade(new zmq.Pair({ linger: 0 }), as("left"));
    const right = facade(new zmq.Pair({ linger: 0 }), as("right"));
    right.connect(await bound(left));
    await left.send("there");
    await right.send(await right.receive());
    expect(text(await left.receive())).toEqual(["there"]);
  });
});

describe("stands for its socket", () => {
  it("in instanceof, properties and methods", async () => {
    const socket = new zmq.Dealer({ linger: 7, routingId: "id", sendTimeout: 40, receiveTimeout: 5 });
    const dealer = facade(socket);
    expect(dealer).toBeInstanceOf(zmq.Dealer);
    expect([dealer.linger, dealer.routingId, dealer.type, dealer.context]).toEqual([
      7,
      "id",
      socket.type,
      zmq.context,
    ]);
    dealer.linger = 0;
    expect(socket.linger).toBe(0);
    await dealer.bind(endpoint());
    expect(dealer.lastEndpoint).toBe(socket.lastEndpoint);
    expect(await failure(() => dealer.receive())).toMatchObject({ code: "EAGAIN" });
    dealer.close();
    expect([socket.closed, dealer.closed]).toEqual([true, true]);
  });

  it("with the send timeout that it had", async () => {
    const push = facade(new zmq.Push({ linger: 0, sendTimeout: 5 }));
    expect(push.sendTimeout).toBe(5);
    await push.bind(endpoint());
    expect(await failure(() => push.send("nobody"))).toMatchObject({ code: "EAGAIN" });
    push.sendTimeout = 0;
    expect(push.sendTimeout).toBe(0);
    expect(await failure(() => push.send("nobody"))).toMatchObject({ code: "EAGAIN" });
    expect(push.stats).toMatchObject({ sent: 0, queued: 0 });
    expect("sendTimeout" in facade(new zmq.Pull())).toBe(false);
  });

  it("in for await, which ends when the facade or the socket is closed", async () => {
    for (const close of ["facade", "socket"] as const) {
      const socket = new zmq.Pull();
      const pull = facade(socket);
      const push = opened(new Push({ linger: 0, signing }));
      push.connect(await bound(pull));
      await push.send("one");
      const seen: string[] = [];
      for await (const message of pull) {
        expect(message).toHaveProperty("origin");
        seen.push(...text(message));
        if (close === "facade") pull.close();
        else socket.close();
      }
      expect(seen).toEqual(["one"]);
    }
  });

  it("in events", async () => {
    const pull = facade(new zmq.Pull());
    const event = new Promise((resolve) => pull.events.on("bind", resolve));
    const address = await bound(pull);
    expect(await event).toMatchObject({ type: "bind", address });
    expect(pull.events).toBe(pull.events);
  });

  it("in mandatory and noDrop, set before or after", async () => {
    const early = facade(new zmq.Router({ linger: 0, mandatory: true }), as("early", { to: "nobody" }));
    await bound(early);
    expect(await failure(() => early.send(["nobody", "x"]))).toMatchObject({ code: "EHOSTUNREACH" });
    const late = facade(new zmq.Router({ linger: 0 }), as("late"));
    await bound(late);
    expect(await failure(() => late.send(["nobody", "x"]))).toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
    });
    late.mandatory = true;
    expect(await failure(() => late.send(["nobody", "x"]))).toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("with a codec", async () => {
    const pull = opened(signed(new zmq.Pull(), as("pull"), { codec: json() }));
    const push = opened(signed(new zmq.Push({ linger: 0 }), as("push"), { codec: json() }));
    push.connect(await bound(pull));
    await push.send([{ id: 1 }] as never);
    expect([...(await pull.receive())]).toEqual([{ id: 1 }]);
  });
});

it("works with sockets of the library, in both directions", async () => {
  const router = facade(new zmq.Router({ linger: 0 }), as("router"));
  const dealer = opened(new Dealer({ linger: 0, signing: as("dealer") }));
  dealer.connect(await bound(router));
  await dealer.send("question");
  const [id] = await router.receive();
  await router.send([id!, "answer"]);
  expect((await dealer.receive()).origin.sender).toBe("router");
});

it("a socket that was bound and had traffic before can be signed from then on", async () => {
  const socket = new zmq.Pull();
  const address = await bound(socket);
  const before = opened(new zmq.Push({ linger: 0 }));
  before.connect(address);
  await before.send("unsigned");
  expect(text(await socket.receive())).toEqual(["unsigned"]);
  const pull = facade(socket);
  await before.send("unsigned still");
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(address);
  const receiving = pull.receive();
  await until(() => pull.stats.rejected.unsigned === 1);
  await push.send("signed");
  expect(text(await receiving)).toEqual(["signed"]);
});

it("a DEALER connected before and since is not taken for one with a single peer", async () => {
  const dealer = new zmq.Dealer({ linger: 0 });
  const routers = ["a", "b"].map((name) => facade(new zmq.Router({ linger: 0 }), as(name)));
  dealer.connect(await bound(routers[0]!));
  const sender = facade(dealer, as("dealer"));
  sender.connect(await bound(routers[1]!));
  for (let i = 0; i < 10; i++) await sender.send(`${i}`);
  for (const router of routers) {
    for (let i = 0; i < 5; i++) await router.receive();
    expect(router.stats).toMatchObject({ accepted: 5, gaps: 0 });
  }
});

describe("refuses", () => {
  it.each([
    ["a Stream", () => new zmq.Stream()],
    ["a signed socket", () => new Dealer({ signing })],
    ["a facade", () => signed(new zmq.Dealer(), signing)],
  ])("%s", (_, make) => {
    const socket = opened(make());
    expect(() => signed(socket as zmq.Socket, signing)).toThrow(CountersignError);
  });

  it.each([undefined, null, 1, {}, "socket"])("%j, which is no socket", (socket) => {
    expect(() => signed(socket as never, signing)).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_NOT_SUPPORTED" }),
    );
  });

  it("to be made without a key, and leaves the socket as it was", () => {
    const socket = opened(new zmq.Push({ linger: 0, sendTimeout: 9 }));
    expect(() => signed(socket, {} as never)).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_KEY" }),
    );
    expect(() => signed(socket, { key: Buffer.alloc(3) })).toThrow(CountersignError);
    expect(socket.sendTimeout).toBe(9);
    facade(socket);
  });

  it("to be put into a Proxy", () => {
    const front = facade(new zmq.Router({ linger: 0 }));
    const back = opened(new zmq.Dealer({ linger: 0 }));
    expect(() => new OurProxy(front, back)).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_NOT_SUPPORTED" }),
    );
  });

  it("a stream's name that another signer has", async () => {
    const first = facade(new zmq.Push({ linger: 0 }), as("name"));
    const socket = opened(new zmq.Push({ linger: 0 }));
    expect(() => signed(socket, as("name"))).toThrow(
      expect.objectContaining({ code: "ERR_COUNTERSIGN_STREAM_IN_USE" }),
    );
    first.close();
    facade(socket, as("name"));
  });
});

it("a send to nobody waits in front of the socket behind the facade", async () => {
  const address = vacant();
  const push = facade(new zmq.Push({ linger: 0, immediate: true }));
  push.connect(address);
  const sends = ["one", "two"].map((body) => push.send(body));
  expect(push.stats.queued).toBe(2);
  const pull = facade(new zmq.Pull());
  await pull.bind(address);
  expect([...text(await pull.receive()), ...text(await pull.receive())]).toEqual(["one", "two"]);
  await Promise.all(sends);
});
