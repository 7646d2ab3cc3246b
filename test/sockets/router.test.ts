// ROUTER: whom it answers. The id buffer that came with a message remembers who was verified with it; a copy is looked
// up by its bytes; what leads to nobody, or to more than one name, is said and not guessed.

import { Dealer, Router } from "countersign";
import type { MessageLike } from "countersign/core";
import { describe, expect, it } from "vitest";
import { as, bound, failure, opened, signing, TRANSPORTS, text } from "./harness.js";

const COPIES: [string, (id: Buffer) => MessageLike][] = [
  ["the id buffer that was received", (id) => id],
  ["a copy of it", (id) => Buffer.from(id)],
  ["its bytes in another view", (id) => new Uint8Array(id)],
];

describe.each(TRANSPORTS)("over %s", (transport) => {
  it.each(COPIES)("answers by %s", async (_, copy) => {
    const router = opened(new Router({ linger: 0, signing: as("router") }));
    const dealer = opened(new Dealer({ linger: 0, signing: as("dealer") }));
    dealer.connect(await bound(router, transport));
    for (const round of ["one", "two"]) {
      await dealer.send([round, "body"]);
      const question = await router.receive();
      expect(question.origin).toMatchObject({ sender: "dealer", pattern: "dealer", addressed: false });
      expect(text(question.slice(1))).toEqual([round, "body"]);
      await router.send([copy(question[0]!) as Buffer, "answer"]);
      const answer = await dealer.receive();
      expect(text(answer)).toEqual(["answer"]);
      expect(answer.origin).toMatchObject({ sender: "router", pattern: "router", addressed: true });
    }
  });
});

it("answers by the id as a string, where the peer chose one", async () => {
  const router = opened(new Router({ linger: 0, signing }));
  const dealer = opened(new Dealer({ linger: 0, routingId: "worker-1", signing }));
  dealer.connect(await bound(router));
  await dealer.send("ready");
  await router.receive();
  await router.send(["worker-1", "job"]);
  expect(text(await dealer.receive())).toEqual(["job"]);
});

it("an id that no verified message came from is said, not dropped", async () => {
  const router = opened(new Router({ linger: 0, signing }));
  await bound(router);
  expect(await failure(() => router.send(["stranger", "job"]))).toMatchObject({
    code: "ERR_COUNTERSIGN_RECIPIENT",
  });
  expect(router.stats.sent).toBe(0);
});

describe("an id that two senders used", () => {
  /** A ROUTER to which "first", and then "second" under the same routing id, have spoken. */
  async function squatted(options: Partial<Parameters<typeof as>[1]> = {}) {
    const router = opened(new Router({ linger: 0, handover: true, signing: as("router", options) }));
    const address = await bound(router);
    const speak = async (name: string) => {
      const dealer = opened(new Dealer({ linger: 0, routingId: "desk", signing: as(name) }));
      dealer.connect(address);
      await dealer.send(name);
      const [id] = await router.receive();
      return { dealer, id: id! };
    };
    const first = await speak("first");
    const second = await speak("second");
    return { router, first, second };
  }

  it("a copy of it is ambiguous, the buffer that was received is not", async () => {
    const { router, second } = await squatted();
    expect(await failure(() => router.send(["desk", "whom?"]))).toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
      message: expect.stringContaining("more than one sender"),
    });
    await router.send([second.id, "you"]);
    expect(text(await second.dealer.receive())).toEqual(["you"]);
  });

  it("an answer to the first is not taken by the second", async () => {
    const { router, first, second } = await squatted();
    await router.send([first.id, "for the first"]);
    await router.send([second.id, "for the second"]);
    expect(text(await second.dealer.receive())).toEqual(["for the second"]);
    expect(second.dealer.stats).toMatchObject({ accepted: 1, rejected: { "bad-signature": 1 } });
  });

  it("`to` decides", async () => {
    const { router, second } = await squatted({ to: () => "second" });
    await router.send(["desk", "you"]);
    expect(text(await second.dealer.receive())).toEqual(["you"]);
  });
});

describe("to", () => {
  it("a name lets a ROUTER speak first", async () => {
    const router = opened(
      new Router({ linger: 0, mandatory: true, signing: as("router", { to: "dealer" }) }),
    );
    const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer") }));
    const address = await bound(dealer);
    router.connect(address, { routingId: "d" });
    await router.send(["d", "hello"]);
    expect(text(await dealer.receive())).toEqual(["hello"]);
  });

  it("a function gives the name from the message, as it was given to send", async () => {
    const asked: MessageLike[] = [];
    const to = (message: MessageLike) => {
      asked.push(message);
      return "dealer";
    };
    const router = opened(new Router({ linger: 0, mandatory: true, signing: as("router", { to }) }));
    const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer") }));
    router.connect(await bound(dealer), { routingId: "d" });
    const message = ["d", "hello"];
    await router.send(message);
    expect(text(await dealer.receive())).toEqual(["hello"]);
    expect(asked).toEqual([message]);
    await dealer.send("answer");
    const [id] = await router.receive();
    await router.send([id!, "known now"]);
    expect(text(await dealer.receive())).toEqual(["known now"]);
    expect(asked).toHaveLength(1);
  });

  it("a function that gives what is no name rejects", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router", { to: () => "no name" }) }));
    await bound(router);
    expect(await failure(() => router.send(["d", "hello"]))).toMatchObject({
      code: "ERR_COUNTERSIGN_OPTIONS",
    });
  });

  it("a function that knows no name rejects", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router", { to: () => undefined }) }));
    await bound(router);
    expect(await failure(() => router.send(["d", "hello"]))).toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
    });
  });

  it("a message for somebody else is refused by a DEALER that got it", async () => {
    const router = opened(new Router({ linger: 0, mandatory: true, signing: as("router", { to: "other" }) }));
    const dealer = opened(
      new Dealer({ linger: 0, receiveTimeout: 50, routingId: "d", signing: as("dealer") }),
    );
    router.connect(await bound(dealer), { routingId: "d" });
    await router.send(["d", "hello"]);
    expect(await failure(() => dealer.receive())).toMatchObject({ code: "EAGAIN" });
    expect(dealer.stats.rejected["bad-signature"]).toBe(1);
  });
});

describe("mandatory", () => {
  it.each([0, -1, 20])("an id that leads nowhere is EHOSTUNREACH (sendTimeout %i)", async (sendTimeout) => {
    const router = opened(new Router({ linger: 0, mandatory: true, sendTimeout, signing }));
    await bound(router);
    expect(await failure(() => router.send(["nobody", "hello"]))).toMatchObject({
      message: "Host unreachable",
      code: "EHOSTUNREACH",
      errno: expect.any(Number),
      cause: { code: "ERR_COUNTERSIGN_RECIPIENT" },
    });
  });

  it("set later, too", async () => {
    const router = opened(new Router({ linger: 0, signing }));
    await bound(router);
    router.mandatory = true;
    expect(await failure(() => router.send(["nobody", "hello"]))).toMatchObject({ code: "EHOSTUNREACH" });
    router.mandatory = false;
    expect(await failure(() => router.send(["nobody", "hello"]))).toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
    });
  });

  it("a peer that has left is EHOSTUNREACH and spends no number", async () => {
    const router = opened(new Router({ linger: 0, mandatory: true, signing: as("router") }));
    const address = await bound(router);
    const leaving = opened(new Dealer({ linger: 0, signing: as("leaving") }));
    const staying = opened(new Dealer({ linger: 0, signing: as("staying") }));
    for (const dealer of [leaving, staying]) {
      dealer.connect(address);
      await dealer.send("hello");
    }
    const ids = new Map<string, Buffer>();
    for (let i = 0; i < 2; i++) {
      const message = await router.receive();
      ids.set(message.origin.sender, message[0]!);
    }
    await router.send([ids.get("staying")!, "first"]);
    leaving.close();
    let error: Error | undefined;
    while (error === undefined) {
      error = await router.send([ids.get("leaving")!, "lost"]).then(
        () => undefined,
        (reason) => reason,
      );
    }
    expect(error).toMatchObject({ code: "EHOSTUNREACH", message: "Host unreachable" });
    const before = router.stats.sent;
    for (let i = 0; i < 5; i++) {
      expect(await failure(() => router.send([ids.get("leaving")!, "lost"]))).toMatchObject({
        code: "EHOSTUNREACH",
      });
    }
    await router.send([ids.get("staying")!, "second"]);
    expect((await staying.receive()).origin.sequence).toBe(1);
    expect((await staying.receive()).origin.sequence).toBe(before + 1);
    expect(staying.stats).toMatchObject({ accepted: 2, gaps: 0 });
  });
});

it("without mandatory, what is for a peer that has left is dropped, as with zeromq.js", async () => {
  const router = opened(new Router({ linger: 0, signing }));
  const dealer = opened(new Dealer({ linger: 0, signing }));
  const address = await bound(router);
  dealer.connect(address);
  await dealer.send("hello");
  const [id] = await router.receive();
  dealer.close();
  for (let i = 0; i < 20; i++) await router.send([id!, "nobody hears this"]);
  expect(router.stats.sent).toBe(20);
});

it("many peers at once, each gets its own answers in order", async () => {
  const router = opened(new Router({ linger: 0, signing: as("router") }));
  const address = await bound(router);
  const answering = (async () => {
    for await (const [id, ...body] of router) await router.send([id!, ...body]);
  })();
  const talk = async (name: string) => {
    const dealer = opened(new Dealer({ linger: 0, signing: as(name) }));
    dealer.connect(address);
    const questions = Array.from({ length: 40 }, (_, i) => `${name} ${i}`);
    for (const question of questions) await dealer.send(question);
    const answers: string[] = [];
    while (answers.length < questions.length) answers.push(...text(await dealer.receive()));
    expect(answers).toEqual(questions);
    expect(dealer.stats).toMatchObject({ accepted: 40, gaps: 0, lost: 0 });
  };
  await Promise.all(Array.from({ length: 10 }, (_, i) => talk(`peer-${i}`)));
  router.close();
  await answering;
});

it("an id shaped like a signature frame is an id", async () => {
  const router = opened(new Router({ linger: 0, signing }));
  const routingId = Buffer.from([0xc1, 0x53, 1, 0, 0]) as unknown as string;
  const dealer = opened(new Dealer({ linger: 0, routingId, signing }));
  dealer.connect(await bound(router));
  await dealer.send("hello");
  const [id, body] = await router.receive();
  expect(id).toEqual(routingId);
  expect(String(body)).toBe("hello");
  await router.send([id!, "answer"]);
  expect(text(await dealer.receive())).toEqual(["answer"]);
});

describe("through a plain broker", () => {
  it("a ROUTER with hops answers a DEALER behind it, by the envelope received and by a copy of it", async () => {
    const { Proxy: Broker, Router: PlainRouter, Dealer: PlainDealer } = await import("zeromq");
    const proxy = new Broker(new PlainRouter({ linger: 0 }), new PlainDealer({ linger: 0 }));
    const front = await bound(proxy.frontEnd);
    const back = await bound(proxy.backEnd);
    const running = proxy.run();
    const router = opened(new Router({ linger: 0, signing: as("worker", { hops: 1 }) }));
    router.connect(back);
    const dealer = opened(new Dealer({ linger: 0, signing: as("client") }));
    dealer.connect(front);
    for (const copy of [(id: Buffer) => id, Buffer.from]) {
      await dealer.send(["question", "two"]);
      const [broker, client, ...body] = await router.receive();
      expect(text(body)).toEqual(["question", "two"]);
      await router.send([copy(broker!), copy(client!), "answer"]);
      expect(text(await dealer.receive())).toEqual(["answer"]);
    }
    expect(dealer.stats).toMatchObject({ accepted: 2, gaps: 0 });
    proxy.terminate();
    await running;
  });

  it("a DEALER with hops is the worker behind a ROUTER", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router") }));
    const { Proxy: Broker, Router: PlainRouter, Dealer: PlainDealer } = await import("zeromq");
    const proxy = new Broker(new PlainRouter({ linger: 0 }), new PlainDealer({ linger: 0 }));
    const front = await bound(proxy.frontEnd);
    const back = await bound(proxy.backEnd);
    const running = proxy.run();
    router.close();
    const worker = opened(new Dealer({ linger: 0, signing: as("worker", { hops: 1, to: "client" }) }));
    worker.connect(back);
    const client = opened(new Dealer({ linger: 0, signing: as("client") }));
    client.connect(front);
    await client.send("question");
    const [id, body] = await worker.receive();
    expect(String(body)).toBe("question");
    await worker.send([id!, "answer"]);
    expect(text(await client.receive())).toEqual(["answer"]);
    proxy.terminate();
    await running;
  });
});

it("return addresses are kept in bounded memory; the buffer that was received still works", async () => {
  const router = opened(new Router({ linger: 0, signing: as("router", { limits: { peers: 2 } }) }));
  const address = await bound(router);
  const peers = [];
  for (const name of ["a", "b", "c"]) {
    const dealer = opened(new Dealer({ linger: 0, routingId: name, signing: as(name) }));
    dealer.connect(address);
    await dealer.send("hello");
    const [id] = await router.receive();
    peers.push({ dealer, id: id! });
  }
  expect(await failure(() => router.send(["a", "forgotten"]))).toMatchObject({
    code: "ERR_COUNTERSIGN_RECIPIENT",
  });
  await router.send([peers[0]!.id, "remembered"]);
  await router.send(["c", "too"]);
  expect(text(await peers[0]!.dealer.receive())).toEqual(["remembered"]);
  expect(text(await peers[2]!.dealer.receive())).toEqual(["too"]);
});
