// A codec on a socket: the routing frames stay, the body is one value, and a body that cannot be used is refused like
// any other bad message.

import {
  BadReplyError,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  type Rejection,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "countersign";
import { CodecError, json, msgpack, raw, type StandardSchemaV1 } from "countersign/codec";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, opened, pause, signing, text, until } from "./harness.js";

interface Job {
  readonly id: number;
  readonly name?: string;
}

const CODECS = [
  ["msgpack", msgpack],
  ["json", json],
] as const;

describe.each(CODECS)("%s", (_, codecOf) => {
  const codec = codecOf<Job>();
  const job: Job = { id: 7, name: "grüße" };

  it("PUSH and PULL: [value]", async () => {
    const pull = opened(new Pull({ codec, signing }));
    const push = opened(new Push({ linger: 0, codec, signing: as("push") }));
    push.connect(await bound(pull));
    await push.send([job]);
    const message = await pull.receive();
    expect([...message]).toEqual([job]);
    expect(message.origin.sender).toBe("push");
    expect(Object.keys(message)).toEqual(["0"]);
  });

  it("PAIR: [value]", async () => {
    const left = opened(new Pair({ linger: 0, codec, signing }));
    const right = opened(new Pair({ linger: 0, codec, signing }));
    right.connect(await bound(left));
    await right.send([job]);
    expect([...(await left.receive())]).toEqual([job]);
    await left.send([job]);
    expect([...(await right.receive())]).toEqual([job]);
  });

  it("ROUTER and DEALER: [id, value] and [value]", async () => {
    const router = opened(new Router({ linger: 0, codec, signing }));
    const dealer = opened(new Dealer({ linger: 0, routingId: "d", codec, signing }));
    dealer.connect(await bound(router));
    await dealer.send([job]);
    const [id, value] = await router.receive();
    expect([String(id), value]).toEqual(["d", job]);
    await router.send([id, { id: 8 }]);
    expect([...(await dealer.receive())]).toEqual([{ id: 8 }]);
    await router.send([Buffer.from(id), { id: 9 }]);
    expect([...(await dealer.receive())]).toEqual([{ id: 9 }]);
  });

  it("REQ and REP: [value] both ways, again and again", async () => {
    const rep = opened(new Reply({ linger: 0, codec, signing }));
    const req = opened(new Request({ linger: 0, codec, signing }));
    req.connect(await bound(rep));
    for (const id of [1, 2, 3]) {
      await req.send([{ id }]);
      const [question] = await rep.receive();
      await rep.send([{ id: question.id * 2 }]);
      expect([...(await req.receive())]).toEqual([{ id: id * 2 }]);
    }
  });

  it("REQ and ROUTER: the delimiter is not the application's affair", async () => {
    const router = opened(new Router({ linger: 0, codec, signing }));
    const req = opened(new Request({ linger: 0, codec, signing }));
    req.connect(await bound(router));
    await req.send([job]);
    const message = await router.receive();
    expect(message).toHaveLength(2);
    await router.send([message[0], { id: 8 }]);
    expect([...(await req.receive())]).toEqual([{ id: 8 }]);
  });

  it("PUB and SUB, XPUB and XSUB: [topic, value]", async () => {
    const xpub = opened(new XPublisher({ linger: 0, codec, signing: as("xpub") }));
    const address = await bound(xpub);
    const sub = opened(new Subscriber({ codec, signing }));
    sub.subscribe("t");
    sub.connect(address);
    expect([...(await xpub.receive())]).toEqual([Buffer.from("\u0001t")]);
    const xsub = opened(new XSubscriber({ linger: 0, codec, signing: as("xsub") }));
    xsub.connect(address);
    await xsub.send(Buffer.from("\u0001u"));
    expect([...(await xpub.receive())]).toEqual([Buffer.from("\u0001u")]);
    await xpub.send(["t", job]);
    await xpub.send([Buffer.from("u"), job]);
    const [topic, value] = await sub.receive();
    expect([String(topic), value]).toEqual(["t", job]);
    const [other, same] = await xsub.receive();
    expect([String(other), same]).toEqual(["u", job]);
    await xsub.send([job]);
    expect([...(await xpub.receive())]).toEqual([job]);

    const pub = opened(new Publisher({ linger: 0, codec, signing: as("pub") }));
    sub.connect(await bound(pub));
    let heard: unknown[] | undefined;
    void sub.receive().then((message) => {
      heard = [...message];
    });
    while (heard === undefined) {
      await pub.send(["t", { id: 1 }]);
      await pause(2);
    }
    expect(heard).toEqual([Buffer.from("t"), { id: 1 }]);
  });

  it("behind a broker: [id, id, value]", async () => {
    const proxy = new zmq.Proxy(new zmq.Router({ linger: 0 }), new zmq.Dealer({ linger: 0 }));
    const front = await bound(proxy.frontEnd);
    const back = await bound(proxy.backEnd);
    const running = proxy.run();
    const router = opened(
      new Router<Job, Job, [Buffer, Buffer]>({ linger: 0, codec, signing: as("worker", { hops: 1 }) }),
    );
    router.connect(back);
    const dealer = opened(new Dealer({ linger: 0, codec, signing: as("client") }));
    dealer.connect(front);
    await dealer.send([job]);
    const [broker, client, value] = await router.receive();
    expect(value).toEqual(job);
    await router.send([broker, client, { id: 8 }]);
    expect([...(await dealer.receive())]).toEqual([{ id: 8 }]);
    proxy.terminate();
    await running;
  });

  it("a body that does not decode is refused and counted, and the loop goes on", async () => {
    const rejections: Rejection[] = [];
    const onReject = (rejection: Rejection) => rejections.push(rejection);
    const pull = opened(new Pull({ codec, signing: as("pull", { onReject }) }));
    const push = opened(new Push({ linger: 0, signing: as("push") }));
    push.connect(await bound(pull));
    await push.send(Buffer.from([0xc1]));
    await push.send(["two", "frames"]);
    await push.send([...codec.encode(job)]);
    const message = await pull.receive();
    expect([...message]).toEqual([job]);
    expect(message.origin.sequence).toBe(3);
    expect(pull.stats).toMatchObject({ accepted: 1, gaps: 0, rejected: { undecodable: 2 } });
    expect(rejections).toMatchObject([
      { reason: "undecodable", authentic: true, claimed: { sender: "push", sequence: 1 } },
      { reason: "undecodable", authentic: true, claimed: { sender: "push", sequence: 2 } },
    ]);
  });

  it("its number stays used: sent again, it is a replay", async () => {
    const pull = opened(new Pull({ codec, signing: as("pull") }));
    const address = await bound(pull);
    const tap = opened(new zmq.Pull());
    const push = opened(new Push({ linger: 0, signing: as("push") }));
    push.connect(await bound(tap));
    const attacker = opened(new zmq.Push({ linger: 0 }));
    attacker.connect(address);
    await push.send(Buffer.from([0xc1]));
    const recorded = await tap.receive();
    await attacker.send(recorded);
    await attacker.send(recorded);
    const receiving = failure(() => pull.receive());
    await until(() => pull.stats.rejected.replayed === 1);
    pull.close();
    await receiving;
    expect(pull.stats.rejected).toMatchObject({ undecodable: 1, replayed: 1 });
  });

  it("a value that the codec cannot carry throws at the call, and spends nothing", async () => {
    const pull = opened(new Pull({ codec, signing }));
    const push = opened(new Push({ linger: 0, codec, signing: as("push") }));
    push.connect(await bound(pull));
    expect(() => push.send([{ id: () => 1 } as never])).toThrow(TypeError);
    await push.send([job]);
    expect((await pull.receive()).origin.sequence).toBe(1);
  });

  it("what is sent is what the value was at the call", async () => {
    const push = opened(new Push({ linger: 0, codec, signing }));
    const address = await bound(push);
    const value = { id: 1 };
    const sending = push.send([value]);
    value.id = 2;
    const pull = opened(new Pull({ codec, signing }));
    pull.connect(address);
    expect([...(await pull.receive())]).toEqual([{ id: 1 }]);
    await sending;
  });
});

it.each([["value"], [1], [null], [[]], [{}]])("%j is not what send takes with a codec", (message) => {
  const push = opened(new Push({ linger: 0, codec: json(), signing }));
  expect(() => push.send(message as never)).toThrow(
    expect.objectContaining({
      code: "ERR_COUNTERSIGN_MESSAGE",
      message: expect.stringContaining("send([value])"),
    }),
  );
});

it("raw: the value is the array of frames", async () => {
  const pull = opened(new Pull({ codec: raw, signing }));
  const push = opened(new Push({ linger: 0, codec: raw, signing }));
  push.connect(await bound(pull));
  await push.send([[Buffer.from("one"), Buffer.from("two")]]);
  const [frames] = await pull.receive();
  expect(text(frames)).toEqual(["one", "two"]);
});

describe("a schema", () => {
  const schema = v.object({ id: v.number() });

  it("refuses what it does not accept, and transforms what it does", async () => {
    const doubling = v.pipe(
      schema,
      v.transform(({ id }) => ({ id, twice: id * 2 })),
    );
    const pull = opened(new Pull({ codec: json({ schema: doubling }), signing }));
    const push = opened(new Push({ linger: 0, codec: json(), signing }));
    push.connect(await bound(pull));
    await push.send([{ id: "seven" }]);
    await push.send([{ id: 7 }]);
    expect([...(await pull.receive())]).toEqual([{ id: 7, twice: 14 }]);
    expect(pull.stats).toMatchObject({ accepted: 1, rejected: { invalid: 1, undecodable: 0 } });
  });

  it("may be asynchronous: messages keep their order", async () => {
    let delay = 30;
    const slow: StandardSchemaV1<unknown, number> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value) => {
          delay -= 10;
          await pause(Math.max(delay, 0));
          return typeof value === "number" ? { value } : { issues: [{ message: "no number" }] };
        },
      },
    };
    const pull = opened(new Pull({ codec: json({ schema: slow }), signing }));
    const push = opened(new Push({ linger: 0, codec: json(), signing }));
    push.connect(await bound(pull));
    for (const value of [1, "two", 3]) await push.send([value]);
    const first = await pull.receive();
    const second = await pull.receive();
    expect([...first, ...second]).toEqual([1, 3]);
    expect(pull.stats).toMatchObject({ accepted: 2, rejected: { invalid: 1 } });
  });

  it("a REQ is told why its reply was no good, and goes on", async () => {
    const rep = opened(new Reply({ linger: 0, codec: json(), signing }));
    const req = opened(new Request({ linger: 0, codec: json({ schema }), signing }));
    req.connect(await bound(rep));
    const answers = [{ id: "seven" }, { id: 7 }];
    const answering = (async () => {
      for await (const _ of rep) await rep.send([answers.shift()]);
    })();
    await req.send([{ id: 1 }]);
    const error = await failure(() => req.receive());
    expect(error).toBeInstanceOf(BadReplyError);
    expect(error).toMatchObject({ reason: "invalid" });
    expect(error.cause).toBeInstanceOf(CodecError);
    expect(error.cause).toMatchObject({ issues: [{ path: ["id"] }] });
    await req.send([{ id: 1 }]);
    expect([...(await req.receive())]).toEqual([{ id: 7 }]);
    rep.close();
    await answering;
  });

  it("a REP refuses a request with a bad body, and tells its REQ", async () => {
    const rep = opened(new Reply({ linger: 0, codec: json({ schema }), signing }));
    const address = await bound(rep);
    const bad = opened(new Request({ linger: 0, codec: json(), signing }));
    const good = opened(new Request({ linger: 0, codec: json(), signing }));
    for (const req of [bad, good]) req.connect(address);
    const answering = (async () => {
      for await (const [{ id }] of rep) await rep.send([{ id }]);
    })();
    await bad.send([{ id: "seven" }]);
    expect(await failure(() => bad.receive())).toMatchObject({ reason: "refused" });
    await good.send([{ id: 7 }]);
    expect([...(await good.receive())]).toEqual([{ id: 7 }]);
    expect(rep.stats).toMatchObject({ accepted: 1, rejected: { invalid: 1 } });
    rep.close();
    await answering;
  });
});

it("under report, an unsigned body is decoded too, and refused where it does not decode", async () => {
  const pull = opened(new Pull({ codec: json<Job>(), signing: as("pull", { policy: "report" }) }));
  const push = opened(new zmq.Push({ linger: 0 }));
  push.connect(await bound(pull));
  await push.send("not json");
  await push.send('{"id":7}');
  const message = await pull.receive();
  expect([[...message], message.origin]).toEqual([[{ id: 7 }], undefined]);
  expect(pull.stats).toMatchObject({ accepted: 0, unsigned: 1, rejected: { undecodable: 1 } });
});
