// What insiders and the man on the way can do to honest sockets, and how they get over it.

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import * as zmq from "zeromq";
import { msgpack } from "../../src/codec/index.js";
import {
  Dealer,
  deriveSenderKey,
  type Gap,
  generateKey,
  Reply,
  Request,
  Router,
  signed,
  XPublisher,
  XSubscriber,
} from "../../src/index.js";

const key = generateKey();
const ANYWHERE = "tcp://127.0.0.1:*";
const linger = 0;
const open: { close(): void }[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});
function kept<Socket extends { close(): void }>(socket: Socket): Socket {
  open.push(socket);
  return socket;
}

test("a REQ that got junk is answered again from the next request on", async () => {
  const rep = kept(new Reply({ linger, signing: { key, sender: "server" } }));
  await rep.bind(ANYWHERE);
  const front = kept(new zmq.Router({ linger }));
  const back = kept(new zmq.Dealer({ linger }));
  await front.bind(ANYWHERE);
  back.connect(rep.lastEndpoint as string);
  let junk = 1;
  void (async () => {
    for await (const frames of front) {
      if (junk-- > 0) await front.send([frames[0] as Buffer, "", "junk"]);
      await back.send(frames);
    }
  })();
  void (async () => {
    for await (const frames of back) await front.send(frames);
  })();
  void (async () => {
    for await (const question of rep) await rep.send(["re", ...question]);
  })();
  const req = kept(new Request({ linger, receiveTimeout: 5000, signing: { key } }));
  req.connect(front.lastEndpoint as string);
  await req.send("0");
  await expect(req.receive()).rejects.toMatchObject({
    code: "ERR_COUNTERSIGN_BAD_REPLY",
    reason: "unsigned",
  });
  for (let i = 1; i <= 5; i++) {
    await req.send(String(i));
    expect((await req.receive()).map(String)).toEqual(["re", String(i)]);
  }
});

test("whom `to` names is addressed, whoever took the routing id first", async () => {
  const to = (message: unknown) => String((message as unknown[])[0]);
  const server = kept(new Router({ linger, signing: { key, sender: "server", to } }));
  await server.bind(ANYWHERE);
  const mallory = kept(
    new Dealer({
      linger,
      routingId: "worker-1",
      receiveTimeout: 300,
      signing: { key: deriveSenderKey(key, "mallory"), sender: "mallory" },
    }),
  );
  mallory.connect(server.lastEndpoint as string);
  await mallory.send("ready");
  expect((await server.receive()).origin.sender).toBe("mallory");
  await server.send(["worker-1", "secret job"]);
  await expect(mallory.receive()).rejects.toMatchObject({ code: "EAGAIN" });
  expect(mallory.stats.rejected["bad-signature"]).toBe(1);
});

test("with a codec a request and its answer are id and value, delimiter or not", async () => {
  const server = kept(new Router({ linger, codec: msgpack<number>(), signing: { key, sender: "server" } }));
  await server.bind(ANYWHERE);
  const req = kept(new Request({ linger, codec: msgpack<number>(), signing: { key } }));
  const dealer = kept(new Dealer({ linger, codec: msgpack<number>(), signing: { key } }));
  for (const client of [req, dealer]) {
    client.connect(server.lastEndpoint as string);
    await client.send([20]);
    const message = await server.receive();
    expect(message).toHaveLength(2);
    const [id, value] = message;
    expect(value).toBe(20);
    await server.send([id, value + 1]);
    expect(await client.receive()).toEqual([21]);
    await client.send([30]);
    const [again] = await server.receive();
    await server.send([Buffer.from(again), 31]);
    expect(await client.receive()).toEqual([31]);
  }
});

test("a facade of a connected socket that connects again shows nobody a gap that is none", async () => {
  const gaps: Gap[] = [];
  const onGap = (gap: Gap) => void gaps.push(gap);
  const routers = [1, 2].map((n) =>
    kept(new Router({ linger, signing: { key, sender: `router-${n}`, onGap } })),
  );
  for (const router of routers) await router.bind(ANYWHERE);
  const raw = new zmq.Dealer({ linger });
  raw.connect(routers[0]?.lastEndpoint as string);
  const facade = kept(signed(raw, { key, sender: "facade" }));
  facade.connect(routers[1]?.lastEndpoint as string);
  await sleep(200);
  for (let i = 0; i < 8; i++) await facade.send(String(i));
  for (const router of routers) for (let i = 0; i < 4; i++) await router.receive();
  expect(gaps).toEqual([]);
});

test("an XSUB that unsubscribes by a message and comes back has missed nothing", async () => {
  const gaps: Gap[] = [];
  const publisher = kept(new XPublisher({ linger, signing: { key, sender: "publisher" } }));
  await publisher.bind(ANYWHERE);
  const subscriber = kept(new XSubscriber({ linger, signing: { key, onGap: (gap) => void gaps.push(gap) } }));
  subscriber.connect(publisher.lastEndpoint as string);
  const subscribe = async (text: string) => {
    await subscriber.send(text);
    expect(String(await publisher.receive())).toBe(text);
  };
  await subscribe("\x01rome");
  await publisher.send(["rome", "1"]);
  await subscriber.receive();
  await subscribe("\x00rome");
  await publisher.send(["rome", "2"]);
  await subscribe("\x01rome");
  await publisher.send(["rome", "3"]);
  expect(String((await subscriber.receive())[1])).toBe("3");
  expect(gaps).toEqual([]);
});
