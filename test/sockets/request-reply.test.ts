// REQ and REP: one reply a request, bound to it, whatever else arrives or is tried in between.

import { BadReplyError, Dealer, Reply, Request, Router, Signer } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import {
  as,
  bound,
  endpoint,
  failure,
  KEY,
  opened,
  pause,
  retired,
  signing,
  TRANSPORTS,
  text,
  until,
  vacant,
} from "./harness.js";

/** Answers every request with its frames, until the socket is closed. */
async function echo(rep: Reply): Promise<void> {
  for await (const message of rep) await rep.send(message);
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("asks and is answered, again and again", async () => {
    const rep = opened(new Reply({ linger: 0, signing: as("rep") }));
    const req = opened(new Request({ linger: 0, signing: as("req") }));
    req.connect(await bound(rep, transport));
    void echo(rep);
    for (const question of ["one", "two", "three"]) {
      await req.send([question, ""]);
      const reply = await req.receive();
      expect(text(reply)).toEqual([question, ""]);
      expect(reply.origin).toMatchObject({ sender: "rep", pattern: "rep", addressed: true });
    }
    expect(req.stats).toMatchObject({ sent: 3, accepted: 3, gaps: 0 });
    expect(rep.stats).toMatchObject({ sent: 3, accepted: 3, gaps: 0 });
  });
});

it("refuses a second request while the first has no reply, and the reply to the first still counts", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, sendTimeout: 5, signing }));
  req.connect(await bound(rep));
  await req.send("first");
  expect(await failure(() => req.send("second"))).toMatchObject({ code: "EFSM", errno: expect.any(Number) });
  await rep.send(await rep.receive());
  expect(text(await req.receive())).toEqual(["first"]);
  expect(req.stats.sent).toBe(1);
});

it("with sendTimeout 0, the second request is refused at once", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, signing }));
  req.connect(await bound(rep));
  await req.send("first");
  req.sendTimeout = 0;
  expect(await failure(() => req.send("second"))).toMatchObject({ code: "EFSM" });
  await rep.send(await rep.receive());
  expect(text(await req.receive())).toEqual(["first"]);
});

it("a request sent before the reply at hand has been looked at does not spoil it", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, signing }));
  req.connect(await bound(rep));
  void echo(rep);
  await req.send("first");
  await until(() => req.readable);
  const reply = req.receive();
  const sending = req.send("second");
  expect(text(await reply)).toEqual(["first"]);
  await sending;
  expect(text(await req.receive())).toEqual(["second"]);
});

it("2,000 requests without await go out one a reply, in order (attack 31)", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, sendHighWaterMark: 2000, signing }));
  req.connect(await bound(rep, "inproc"));
  void echo(rep);
  const questions = Array.from({ length: 2000 }, (_, i) => `question ${i}`);
  const sent = Promise.all(questions.map((question) => req.send(question)));
  const replies: string[] = [];
  while (replies.length < questions.length) replies.push(...text(await req.receive()));
  await sent;
  expect(replies).toEqual(questions);
});

it("a receive that was called before its request gets the reply", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, signing }));
  req.connect(await bound(rep));
  void echo(rep);
  const reply = req.receive();
  await req.send("question");
  expect(text(await reply)).toEqual(["question"]);
});

it("a reply that comes after a timed out receive is received by the next", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, receiveTimeout: 5, signing }));
  req.connect(await bound(rep));
  await req.send("question");
  expect(await failure(() => req.receive())).toMatchObject({ code: "EAGAIN" });
  req.receiveTimeout = -1;
  await rep.send(await rep.receive());
  expect(text(await req.receive())).toEqual(["question"]);
});

it("a bad reply rejects with its reason, and the socket goes on", async () => {
  const stranger = opened(new zmq.Reply({ linger: 0 }));
  const req = opened(new Request({ linger: 0, signing }));
  const address = vacant();
  await stranger.bind(address);
  req.connect(address);
  await req.send("question");
  await stranger.receive();
  await stranger.send("unsigned");
  const error = await failure(() => req.receive());
  expect(error).toBeInstanceOf(BadReplyError);
  expect(error).toMatchObject({ reason: "unsigned", code: "ERR_COUNTERSIGN_BAD_REPLY" });

  await retired(stranger, address);
  const rep = opened(new Reply({ linger: 0, signing }));
  await rep.bind(address);
  await req.send("again");
  void echo(rep);
  expect(text(await req.receive())).toEqual(["again"]);
  expect(req.stats).toMatchObject({ sent: 2, accepted: 1, rejected: { unsigned: 1 } });
});

describe.each(TRANSPORTS)("a bad reply over %s", (transport) => {
  it("from a peer that has left since is still told as such", async () => {
    const stranger = opened(new zmq.Reply({ linger: 1000 }));
    const req = opened(new Request({ linger: 0, signing }));
    req.connect(await bound(stranger, transport));
    await req.send("question");
    await stranger.receive();
    await stranger.send("unsigned");
    await until(() => req.readable);
    stranger.close();
    await pause(20);
    expect(await failure(() => req.receive())).toMatchObject({ reason: "unsigned" });
  });

  it("to a socket that is closed before it has looked at it", async () => {
    const stranger = opened(new zmq.Reply({ linger: 0 }));
    const req = opened(new Request({ linger: 0, signing }));
    req.connect(await bound(stranger, transport));
    await req.send("question");
    await stranger.receive();
    await stranger.send("unsigned");
    await until(() => req.readable);
    const receiving = failure(() => req.receive());
    req.close();
    expect(await receiving).toMatchObject({ reason: "unsigned" });
  });

  it("to a socket that is being bound", async () => {
    const stranger = opened(new zmq.Reply({ linger: 0 }));
    const req = opened(new Request({ linger: 0, signing }));
    req.connect(await bound(stranger, transport));
    await req.send("question");
    await stranger.receive();
    await stranger.send("unsigned");
    await until(() => req.readable);
    const receiving = failure(() => req.receive());
    const binding = req.bind(endpoint(transport));
    expect(await receiving).toMatchObject({ reason: "unsigned" });
    await binding;
  });
});

it("a queued request goes out after a bad reply", async () => {
  const stranger = opened(new zmq.Reply({ linger: 0 }));
  const req = opened(new Request({ linger: 0, signing }));
  req.connect(await bound(stranger));
  await req.send("first");
  const second = req.send("second");
  await stranger.receive();
  await stranger.send("unsigned");
  expect(await failure(() => req.receive())).toBeInstanceOf(BadReplyError);
  await second;
  expect(await stranger.receive()).toHaveLength(1);
});

it("the reply to another request is refused", async () => {
  const broker = opened(new zmq.Router({ linger: 0 }));
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, signing: as("req") }));
  req.connect(await bound(broker));
  const back = opened(new zmq.Dealer({ linger: 0 }));
  rep.connect(await bound(back));
  void echo(rep);

  await req.send("first");
  await back.send(await broker.receive());
  const firstReply = await back.receive();
  await broker.send(firstReply);
  expect(text(await req.receive())).toEqual(["first"]);

  await req.send("second");
  await broker.receive();
  await broker.send(firstReply);
  expect(await failure(() => req.receive())).toMatchObject({ reason: "bad-signature" });
});

it("a REP answers junk with refused, tells its REQ, and goes on", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const address = await bound(rep);
  const stranger = opened(new zmq.Request({ linger: 0 }));
  stranger.connect(address);
  const loop = echo(rep);
  await stranger.send("junk");
  const [refused] = await stranger.receive();
  expect(refused).toEqual(Buffer.from([0xc1, 0x53, 1, 7, 0, 4, 0, 0]));

  const impostor = opened(new Request({ linger: 0, signing: { key: Buffer.from(KEY).reverse() } }));
  impostor.connect(address);
  await impostor.send("forged");
  expect(await failure(() => impostor.receive())).toMatchObject({ reason: "refused" });

  const req = opened(new Request({ linger: 0, signing }));
  req.connect(address);
  await req.send("genuine");
  expect(text(await req.receive())).toEqual(["genuine"]);
  expect(rep.stats).toMatchObject({ accepted: 1, rejected: { unsigned: 1, "unknown-key": 1 } });
  rep.close();
  await loop;
});

it("a REP that has nothing to answer rejects with EFSM at once", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, signing }));
  req.connect(await bound(rep));
  expect(await failure(() => rep.send("unasked"))).toMatchObject({ code: "EFSM" });
  await req.send("question");
  await rep.send(await rep.receive());
  expect(await failure(() => rep.send("twice"))).toMatchObject({ code: "EFSM" });
  expect(text(await req.receive())).toEqual(["question"]);
});

/** libzmq wakes a REQ for a stale reply, then drops it: zeromq.js's receive, and so ours, may end in EAGAIN of that. */
async function pastStale(req: Request): Promise<Buffer[]> {
  for (;;) {
    try {
      return await req.receive();
    } catch (error) {
      expect(error).toMatchObject({ code: "EAGAIN" });
    }
  }
}

describe("relaxed", () => {
  it("sends again without a reply, and takes the reply to the latest request alone", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router", { hops: 1 }) }));
    const req = opened(new Request({ linger: 0, relaxed: true, correlate: true, signing: as("req") }));
    req.connect(await bound(router));
    await req.send("first");
    const first = await router.receive();
    await req.send("second");
    const second = await router.receive();
    expect(text(second.slice(3))).toEqual(["second"]);
    await router.send([...first.slice(0, 3), "answer to the first"]);
    await router.send([...second.slice(0, 3), "answer to the second"]);
    expect(text(await pastStale(req))).toEqual(["answer to the second"]);
  });
});

describe("correlate", () => {
  it("a ROUTER with one hop answers, by the buffers it received and by copies of them", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router", { hops: 1 }) }));
    const req = opened(new Request({ linger: 0, correlate: true, signing: as("req") }));
    req.connect(await bound(router));
    for (const copy of [(frame: Buffer) => frame, Buffer.from]) {
      await req.send("question");
      const [id, request, delimiter, ...body] = await router.receive();
      expect([request?.length, delimiter?.length, text(body)]).toEqual([4, 0, ["question"]]);
      await router.send([copy(id!), copy(request!), "", "answer"]);
      expect(text(await req.receive())).toEqual(["answer"]);
    }
  });

  it("a REP answers", async () => {
    const rep = opened(new Reply({ linger: 0, signing }));
    const req = opened(new Request({ linger: 0, correlate: true, signing }));
    req.connect(await bound(rep));
    void echo(rep);
    await req.send("question");
    expect(text(await req.receive())).toEqual(["question"]);
  });
});

it("REQ and ROUTER: the answer is bound to the request, by the id received and by a copy of it", async () => {
  const router = opened(new Router({ linger: 0, signing: as("router") }));
  const req = opened(new Request({ linger: 0, signing: as("req") }));
  req.connect(await bound(router));
  for (const copy of [(id: Buffer) => id, Buffer.from]) {
    await req.send(["two", "frames"]);
    const [id, ...rest] = await router.receive();
    expect(text(rest)).toEqual(["", "two", "frames"]);
    await router.send([copy(id!), "", "answer"]);
    const reply = await req.receive();
    expect(text(reply)).toEqual(["answer"]);
    expect(reply.origin).toMatchObject({ sender: "router", pattern: "router", addressed: true });
  }
});

it("a ROUTER that forgets the delimiter is not heard by its REQ", async () => {
  const router = opened(new Router({ linger: 0, signing }));
  const req = opened(new Request({ linger: 0, receiveTimeout: 50, signing }));
  req.connect(await bound(router));
  await req.send("question");
  const [id] = await router.receive();
  await router.send([id!, "answer"]);
  expect(await failure(() => req.receive())).toMatchObject({ code: "EAGAIN" });
});

it("DEALER and REP: a delimiter in front, and the reply behind one", async () => {
  const rep = opened(new Reply({ linger: 0, signing: as("rep") }));
  const dealer = opened(new Dealer({ linger: 0, signing: as("dealer") }));
  dealer.connect(await bound(rep));
  void echo(rep);
  await dealer.send(["", "question", "two"]);
  const reply = await dealer.receive();
  expect(text(reply)).toEqual(["", "question", "two"]);
  expect(reply.origin).toMatchObject({ sender: "rep", pattern: "rep", addressed: true });
});

describe.each(TRANSPORTS)("through a plain ROUTER/DEALER broker over %s", (transport) => {
  it("REQ and REP, several of each", async () => {
    const proxy = new zmq.Proxy(new zmq.Router({ linger: 0 }), new zmq.Dealer({ linger: 0 }));
    const front = await bound(proxy.frontEnd, transport);
    const back = await bound(proxy.backEnd, transport);
    const running = proxy.run();
    const workers = ["rep-1", "rep-2"].map((name) => opened(new Reply({ linger: 0, signing: as(name) })));
    for (const rep of workers) {
      rep.connect(back);
      void echo(rep);
    }
    const ask = async (name: string) => {
      const req = opened(new Request({ linger: 0, signing: as(name) }));
      req.connect(front);
      const replies: string[] = [];
      for (let i = 0; i < 10; i++) {
        await req.send(`${name} ${i}`);
        replies.push(...text(await req.receive()));
      }
      expect(replies).toEqual(Array.from({ length: 10 }, (_, i) => `${name} ${i}`));
      expect(req.stats).toMatchObject({ accepted: 10, gaps: 0 });
    };
    await Promise.all(["req-1", "req-2", "req-3"].map(ask));
    // Who connects last gets fewer: how the broker shares them out is its own affair.
    for (const rep of workers) expect(rep.stats).toMatchObject({ gaps: 0, rejected: { replayed: 0 } });
    expect(workers.reduce((sum, { stats }) => sum + stats.accepted, 0)).toBe(30);
    proxy.terminate();
    await running;
  });
});

it("a forged request with a genuine sequence number costs the genuine one nothing", async () => {
  const rep = opened(new Reply({ linger: 0, signing: as("rep") }));
  const address = await bound(rep);
  const forger = new Signer({ key: Buffer.from(KEY).reverse(), pattern: "req", sender: "req" });
  const stranger = opened(new zmq.Request({ linger: 0 }));
  stranger.connect(address);
  const loop = echo(rep);
  await stranger.send(forger.sign("forged"));
  await stranger.receive();
  forger.close();
  const req = opened(new Request({ linger: 0, signing: as("req") }));
  req.connect(address);
  await req.send("genuine");
  expect(text(await req.receive())).toEqual(["genuine"]);
  rep.close();
  await loop;
});

it("a REP whose socket is closed while it waits ends its loop without an error", async () => {
  const rep = opened(new Reply({ linger: 0, signing }));
  await rep.bind(endpoint());
  const loop = echo(rep);
  await pause(5);
  rep.close();
  await loop;
});
