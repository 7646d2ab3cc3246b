// The attacker himself, tried on plain sockets: he passes every pattern on unchanged when he does nothing, sees all
// of it, and can do to it what he says he can. Otherwise the rows of this suite would prove nothing.

import { once } from "node:events";
import { createServer, connect as dial } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import * as zmq from "zeromq";

import { Attacker, type Hooks } from "./wire-proxy.js";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function opened<Socket extends zmq.Socket>(socket: Socket): Socket {
  cleanups.push(() => socket.close());
  return socket;
}

async function attackerBefore(target: zmq.Socket, hooks: Hooks = {}): Promise<Attacker> {
  await target.bind("tcp://127.0.0.1:*");
  const attacker = await Attacker.between(target.lastEndpoint as string, hooks);
  cleanups.push(() => attacker.close());
  return attacker;
}

async function pipeline(hooks: Hooks = {}) {
  const pull = opened(new zmq.Pull());
  const attacker = await attackerBefore(pull, hooks);
  const push = opened(new zmq.Push({ linger: 0 }));
  push.connect(attacker.endpoint);
  return { push, pull, attacker, connection: await attacker.connection(0) };
}

const text = (frames: readonly Buffer[]) => frames.map(String);
const frames = (...parts: string[]) => parts.map((part) => Buffer.from(part));

describe("what the attacker sees of each pattern", () => {
  it("DEALER and ROUTER: no id on the wire", async () => {
    const router = opened(new zmq.Router());
    const attacker = await attackerBefore(router);
    const dealer = opened(new zmq.Dealer({ routingId: "client" }));
    dealer.connect(attacker.endpoint);
    await dealer.send(["a", "", "b"]);
    const request = await router.receive();
    expect(text(request)).toEqual(["client", "a", "", "b"]);
    await router.send([request[0]!, "c"]);
    expect(text(await dealer.receive())).toEqual(["c"]);
    expect(attacker.sent("up").map(({ frames }) => text(frames))).toEqual([["a", "", "b"]]);
    expect(attacker.sent("down").map(({ frames }) => text(frames))).toEqual([["c"]]);
  });

  it("REQ and REP: the empty delimiter", async () => {
    const reply = opened(new zmq.Reply());
    const attacker = await attackerBefore(reply);
    const request = opened(new zmq.Request());
    request.connect(attacker.endpoint);
    for (const question of ["one", "two"]) {
      await request.send(question);
      expect(text(await reply.receive())).toEqual([question]);
      await reply.send(["re", question]);
      expect(text(await request.receive())).toEqual(["re", question]);
    }
    expect(attacker.sent("up").map(({ frames }) => text(frames))).toEqual([
      ["", "one"],
      ["", "two"],
    ]);
    expect(attacker.sent("down").map(({ frames }) => text(frames))).toEqual([
      ["", "re", "one"],
      ["", "re", "two"],
    ]);
  });

  it("PUSH and PULL, PAIR and PAIR: bare", async () => {
    const { push, pull, attacker } = await pipeline();
    await push.send(["a", "b"]);
    expect(text(await pull.receive())).toEqual(["a", "b"]);
    expect(attacker.recorded.map(({ frames }) => text(frames))).toEqual([["a", "b"]]);

    const left = opened(new zmq.Pair());
    const between = await attackerBefore(left);
    const right = opened(new zmq.Pair());
    right.connect(between.endpoint);
    await right.send("r");
    expect(text(await left.receive())).toEqual(["r"]);
    await left.send("l");
    expect(text(await right.receive())).toEqual(["l"]);
    expect(between.recorded.map(({ frames, direction }) => [direction, ...text(frames)])).toEqual([
      ["up", "r"],
      ["down", "l"],
    ]);
  });

  for (const [minorVersion, kind] of [
    [1, "commands"],
    [0, "messages"],
  ] as const) {
    it(`PUB and SUB under ZMTP 3.${minorVersion}: subscriptions are ${kind}`, async () => {
      const commands: string[][] = [];
      const publisher = opened(new zmq.XPublisher());
      const attacker = await attackerBefore(publisher, {
        minorVersion,
        onCommand: ({ name, data }) => {
          if (name !== "READY") commands.push([name, String(data)]);
        },
      });
      const subscriber = opened(new zmq.Subscriber());
      subscriber.connect(attacker.endpoint);
      subscriber.subscribe("news");
      expect(text(await publisher.receive())).toEqual(["\x01news"]);
      await publisher.send(["sports", "unheard"]);
      await publisher.send(["news", "heard"]);
      expect(text(await subscriber.receive())).toEqual(["news", "heard"]);
      subscriber.unsubscribe("news");
      expect(text(await publisher.receive())).toEqual(["\0news"]);

      expect(attacker.sent("down").map(({ frames }) => text(frames))).toEqual([["news", "heard"]]);
      const asMessages = attacker.sent("up").map(({ frames }) => text(frames));
      if (kind === "messages") expect([asMessages, commands]).toEqual([[["\x01news"], ["\0news"]], []]);
      else
        expect([asMessages, commands]).toEqual([
          [],
          [
            ["SUBSCRIBE", "news"],
            ["CANCEL", "news"],
          ],
        ]);
    });
  }

  it("XPUB and XSUB: messages go up too, and the attacker can subscribe in another's name", async () => {
    const publisher = opened(new zmq.XPublisher());
    const attacker = await attackerBefore(publisher);
    const subscriber = opened(new zmq.XSubscriber());
    subscriber.connect(attacker.endpoint);
    await subscriber.send(["upstream", "message"]);
    expect(text(await publisher.receive())).toEqual(["upstream", "message"]);
    const connection = await attacker.connection(0);
    connection.injectCommand("up", { name: "SUBSCRIBE", data: Buffer.from("x") });
    expect(text(await publisher.receive())).toEqual(["\x01x"]);
    await publisher.send("xyz");
    expect((await attacker.caught("down")).map(({ frames }) => text(frames))).toEqual([["xyz"]]);
  });

  it("frames of every length class, empty ones and many", async () => {
    const { push, pull, attacker } = await pipeline();
    const lengths = [0, 1, 254, 255, 256, 65_535, 65_536, 300_000, 0];
    const large = lengths.map((length, index) => Buffer.alloc(length, index + 1));
    const many = Array.from({ length: 500 }, (_, index) => Buffer.of(index & 255));
    await push.send(large);
    await push.send(many);
    expect((await pull.receive()).map((frame) => Buffer.compare(frame, large.shift()!))).toEqual(
      lengths.map(() => 0),
    );
    expect(await pull.receive()).toEqual(many);
    expect(attacker.recorded.map(({ frames }) => frames.length)).toEqual([lengths.length, 500]);
    expect(attacker.recorded[0]!.frames.map(({ length }) => length)).toEqual(lengths);
  });

  it("a stream that comes one byte at a time", async () => {
    const pull = opened(new zmq.Pull());
    const attacker = await attackerBefore(pull);
    const bytewise = createServer((client) => {
      const upstream = dial(Number(new URL(attacker.endpoint).port), "127.0.0.1").setNoDelay(true);
      upstream.pipe(client);
      upstream.on("error", () => client.destroy());
      client.on("error", () => upstream.destroy());
      client.on("data", (chunk) => {
        for (let index = 0; index < chunk.length; index++) upstream.write(chunk.subarray(index, index + 1));
      });
    });
    cleanups.push(() => bytewise.close());
    await once(bytewise.listen(0, "127.0.0.1"), "listening");
    const push = opened(new zmq.Push({ linger: 0 }));
    push.connect(`tcp://127.0.0.1:${(bytewise.address() as { port: number }).port}`);
    await push.send([Buffer.alloc(700, 7), "x", ""]);
    await push.send("second");
    expect((await pull.receive()).map(({ length }) => length)).toEqual([700, 1, 0]);
    expect(text(await pull.receive())).toEqual(["second"]);
    expect(attacker.recorded.length).toBe(2);
  });
});

describe("what the attacker can do", () => {
  it("drop, duplicate, edit, add and remove frames", async () => {
    const { push, pull } = await pipeline({
      onMessage: (sent) => {
        const first = String(sent[0]);
        if (first === "drop") return "drop";
        if (first === "twice") return [sent, sent];
        if (first === "edit") return [[...frames("edited", "and more"), ...sent.slice(1)]];
        if (first === "cut") return [sent.slice(1)];
        return undefined;
      },
    });
    for (const first of ["drop", "twice", "edit", "cut", "pass"]) await push.send([first, "rest"]);
    const received = [];
    for (let count = 0; count < 5; count++) received.push(text(await pull.receive()));
    expect(received).toEqual([
      ["twice", "rest"],
      ["twice", "rest"],
      ["edited", "and more", "rest"],
      ["rest"],
      ["pass", "rest"],
    ]);
  });

  it("hold messages back and release them in another order", async () => {
    const { push, pull, attacker } = await pipeline({ onMessage: () => "drop" });
    for (const message of ["1", "2", "3"]) await push.send(message);
    const caught = await attacker.caught("up", 3);
    attacker.replay(...caught.reverse());
    const received = [];
    for (let count = 0; count < 3; count++) received.push(String(await pull.receive()));
    expect(received).toEqual(["3", "2", "1"]);
  });

  it("invent messages in both directions", async () => {
    const router = opened(new zmq.Router());
    const attacker = await attackerBefore(router);
    const dealer = opened(new zmq.Dealer({ routingId: "d" }));
    dealer.connect(attacker.endpoint);
    const connection = await attacker.connection(0);
    connection.inject("up", frames("forged", ""));
    connection.inject("down", frames("also forged"));
    expect(text(await router.receive())).toEqual(["d", "forged", ""]);
    expect(text(await dealer.receive())).toEqual(["also forged"]);
    expect(attacker.recorded).toEqual([]);
  });

  it("play what was recorded over another connection, in the other direction, through another attacker", async () => {
    const router = opened(new zmq.Router());
    const attacker = await attackerBefore(router);
    const first = opened(new zmq.Dealer({ routingId: "first" }));
    first.connect(attacker.endpoint);
    await attacker.connection(0);
    const second = opened(new zmq.Dealer({ routingId: "second" }));
    second.connect(attacker.endpoint);
    const other = await attacker.connection(1);
    const { connection: elsewhere, pull } = await pipeline();

    await first.send("secret");
    expect(text(await router.receive())).toEqual(["first", "secret"]);
    const [secret] = await attacker.caught("up");
    other.inject("up", secret!.frames);
    expect(text(await router.receive())).toEqual(["second", "secret"]);
    other.inject("down", secret!.frames);
    expect(text(await second.receive())).toEqual(["secret"]);
    elsewhere.inject("up", secret!.frames);
    expect(text(await pull.receive())).toEqual(["secret"]);
  });

  it("cut a connection, after which the sockets connect again", async () => {
    const { push, pull, attacker, connection } = await pipeline();
    connection.cut();
    await connection.closed;
    const again = await attacker.connection(1);
    await push.send("over the second");
    expect(text(await pull.receive())).toEqual(["over the second"]);
    expect(attacker.recorded[0]!.connection).toBe(again);
  });

  it("lead the next connection to another target", async () => {
    const { push, attacker, connection } = await pipeline();
    const restarted = opened(new zmq.Pull());
    await restarted.bind("tcp://127.0.0.1:*");
    attacker.target = restarted.lastEndpoint as string;
    connection.cut();
    await attacker.connection(1);
    await push.send("to the new one");
    expect(text(await restarted.receive())).toEqual(["to the new one"]);
  });

  it("stall a direction until the sender's high-water mark is reached, and let it go on", async () => {
    const { push, pull, connection } = await pipeline();
    push.sendHighWaterMark = 2;
    push.sendTimeout = 0;
    connection.pause("up");
    const big = Buffer.alloc(1 << 20);
    let sent = 0;
    const fill = async () => {
      for (; ; sent++) await push.send(big);
    };
    await expect(fill()).rejects.toMatchObject({ code: "EAGAIN" });
    expect(sent).toBeGreaterThan(0);
    connection.resume("up");
    for (let count = 0; count < sent; count++) expect((await pull.receive())[0]!.length).toBe(big.length);
  });

  it("refuses to break a handshake by accident", async () => {
    const router = opened(new zmq.Router());
    const attacker = await attackerBefore(router, { onCommand: () => "drop" });
    const dealer = opened(new zmq.Dealer({ linger: 0 }));
    dealer.connect(attacker.endpoint);
    while (attacker.connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(() => attacker.connections[0]!.inject("up", frames("too early"))).toThrow(/handshake/);
  });
});
