// Admission by challenge in the middle of life: restarts with messages waiting, applications that do not read, peers that
// never answer, hostile ones among honest ones, and callers that do everything at once.

import { Dealer, Reply, Request, Router, Signer } from "countersign";
import { json } from "countersign/codec";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";

import {
  asking,
  DEALER_TO_ROUTER,
  dropping,
  ENCOUNTERS,
  kindOf,
  Meeting,
  nth,
  ofKind,
  PAIR_TO_PAIR,
  strangerTo,
  TWO_WAY,
  until,
} from "./admission.js";
import { handMade } from "./forge.js";
import { CHANNEL, flowNamed, KEY, opened, RECEIVER, SENDER } from "./line.js";
import { Attacker } from "./wire-proxy.js";

describe.each(ENCOUNTERS)("attack 58: $name", (encounter) => {
  it("either end restarts in the middle: nothing is replayed, and traffic resumes", async () => {
    const meeting = await Meeting.open(encounter);
    for (let round = 0; round < 3; round++) {
      await meeting.honest();
      await meeting.restartServer();
      expect(await meeting.live()).toBeLessThanOrEqual(1);
      await meeting.restartClient();
      expect(await meeting.live()).toBeLessThanOrEqual(1);
    }
    meeting.expectOnce();
  });
});

describe("attack 58: what waits for a server", () => {
  it.each([
    ["a ROUTER", () => new Router(asking(RECEIVER))],
    ["a DEALER", () => new Dealer(asking(RECEIVER))],
  ] as const)(
    "arrives once and in order, however often the connection breaks meanwhile (%s)",
    { repeats: 15 },
    async (_, make) => {
      const attacker = await Attacker.between("tcp://127.0.0.1:1");
      onTestFinished(() => attacker.close());
      const client = opened(new Dealer({ ...asking(SENDER), reconnectInterval: 5 }));
      client.connect(attacker.endpoint);
      const sent = Array.from({ length: 200 }, (_, i) => client.send(`${i}`));
      const server = opened(make());
      await server.bind("tcp://127.0.0.1:*");
      // The first greetings are cut off in the middle. Not behind an echo: what follows it would be on its way.
      const left = { hello: 1, challenge: 4 };
      attacker.hooks = {
        onMessage(frames, { connection }) {
          const kind = kindOf(frames);
          if ((kind !== "hello" && kind !== "challenge") || left[kind] === 0) return undefined;
          left[kind]--;
          connection.cut();
          return "drop";
        },
      };
      attacker.target = server.lastEndpoint as string;
      const heard: string[] = [];
      void (async () => {
        for await (const message of server) heard.push(String(message.at(-1)));
      })().catch(() => {});
      await Promise.all(sent);
      await until(() => heard.includes("199"));
      expect(left).toEqual({ hello: 0, challenge: 0 });
      expect(heard).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
    },
  );
});

describe("attack 57: before the admission stands", () => {
  it.each(TWO_WAY.filter(({ asks }) => !asks))("$name: what was recorded is refused", async (encounter) => {
    const meeting = await Meeting.open(encounter);
    for (let i = 0; i < 3; i++) await meeting.honest();
    const recorded = meeting.data().map(({ frames }) => frames);
    // The receiver that was started again does not get to know anybody yet.
    meeting.attacker.hooks = dropping("up", "echo", 1);
    await meeting.restartServer();
    const told = await meeting.replay(recorded);
    expect(told.length).toBe(3);
    meeting.attacker.hooks = {};
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    meeting.expectOnce();
  });
});

describe("an application that does not read", () => {
  it("is answered for by the library, and still pushes back", async () => {
    const router = opened(new Router({ ...asking(RECEIVER), receiveHighWaterMark: 10 }));
    await router.bind("tcp://127.0.0.1:*");
    const dealer = opened(new Dealer({ ...asking(SENDER), sendHighWaterMark: 10 }));
    dealer.connect(router.lastEndpoint as string);
    await dealer.send("greeted");
    const body = Buffer.alloc(100_000);
    const results: string[] = [];
    let rejected = 0;
    // Its buffers are the network's and a bounded number of messages: then nothing is taken any more.
    for (let i = 0; i < 2000 && rejected < 100; i++) {
      dealer.send([`${i}`, body]).then(
        () => results.push("sent"),
        () => rejected++,
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(rejected).toBe(100);
    expect(results.length).toBeLessThan(1000);
    const waiting = dealer.stats.queued;
    expect(waiting).toBe(10);
    const [, first] = await router.receive();
    expect(String(first)).toBe("greeted");
    const numbers: number[] = [];
    while (numbers.length < results.length) numbers.push(Number((await router.receive())[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(router.stats).toMatchObject({ gaps: 0, lost: 0 });
  });
});

describe("attack 55 and 56: hostile and silent peers among honest ones", () => {
  it("thousands of authentic senders who never answer: nothing is remembered of them, and others go on", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const flow = flowNamed("DEALER to ROUTER");
    const silent = Array.from({ length: 3000 }, (_, i) => handMade(flow, { sender: `silent-${i}` }, ["x"]));
    const told = await meeting.replay(silent);
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["not-live"]));
    expect(meeting.server.stats.streams).toBe(1);
    await meeting.honest();
    await meeting.restartClient();
    await meeting.honest();
    meeting.expectOnce();
  });

  it("a ROUTER with one hostile and several honest DEALERs", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const recorded = meeting.attacker.sent("up").map(({ frames }) => frames);
    const hostile = strangerTo(meeting.attacker.endpoint);
    let over = false;
    const attack = (async () => {
      while (!over) {
        for (const frames of recorded) await hostile.send([...frames]);
        await hostile.send(handMade(flowNamed("DEALER to ROUTER"), { sender: "silent" }, ["x"]));
        await hostile.send("junk");
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const names = ["carol", "dave", "erin"];
    await Promise.all(
      names.map(async (name) => {
        const dealer = opened(new Dealer(asking(name)));
        dealer.connect(meeting.attacker.endpoint);
        for (let i = 0; i < 20; i++) await dealer.send(`${name} ${i}`);
      }),
    );
    await until(() => names.every((name) => meeting.delivered.includes(`${name} 19`)));
    for (const name of names) {
      const heard = meeting.delivered.filter((body) => body.startsWith(name));
      expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `${name} ${i}`));
    }
    await meeting.honest();
    over = true;
    await attack;
  });
});

describe("everything at once", () => {
  it("2,000 sends without await while the greeting is under way, and with an echo in between", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    meeting.attacker.hooks = dropping("down", "challenge", 1);
    await meeting.restartClient();
    const dealer = meeting.client as unknown as Dealer;
    dealer.sendHighWaterMark = 0;
    const sent = Array.from({ length: 2000 }, (_, i) => dealer.send(`honest ${i}`));
    const hello = await nth(meeting.attacker, "up", "hello", 0);
    meeting.connection.inject("up", hello.frames, hello.frames);
    await Promise.all(sent);
    await until(() => meeting.delivered.includes("honest 1999"));
    expect(meeting.delivered.length).toBe(2000);
    meeting.expectOnce();
  });

  it("closed in the middle of a greeting: what waits is given up, nothing else happens", async () => {
    const router = opened(new Router(asking(RECEIVER)));
    await router.bind("tcp://127.0.0.1:*");
    for (let turns = 0; turns < 20; turns++) {
      const dealer = new Dealer(asking(SENDER));
      dealer.connect(router.lastEndpoint as string);
      const results = Promise.allSettled([dealer.send("1"), dealer.send("2")]);
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      dealer.close();
      for (const result of await results) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "EAGAIN" });
      }
    }
  });

  it("a bind and an unbind while greeting, and sendTimeout 0", async () => {
    const router = opened(new Router(asking(RECEIVER)));
    await router.bind("tcp://127.0.0.1:*");
    const dealer = opened(new Dealer({ ...asking(SENDER), sendTimeout: 0 }));
    await expect(dealer.send("nobody is there")).rejects.toMatchObject({ code: "EAGAIN" });
    dealer.connect(router.lastEndpoint as string);
    const aside = dealer.bind("tcp://127.0.0.1:*");
    await expect(dealer.send("too early")).rejects.toMatchObject({ code: "EAGAIN" });
    await aside;
    await dealer.unbind(dealer.lastEndpoint as string);
    for (;;) {
      try {
        await dealer.send("now");
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    expect(String((await router.receive())[1])).toBe("now");
  });

  it("both ends challenge at once, and messages cross", async () => {
    const meeting = await Meeting.open(PAIR_TO_PAIR);
    const back: string[] = [];
    void (async () => {
      for await (const [body] of meeting.client as unknown as AsyncIterable<Buffer[]>)
        back.push(String(body));
    })().catch(() => {});
    for (let i = 0; i < 20; i++) {
      await Promise.all([meeting.honest(), meeting.server.send(`back ${i}`)]);
    }
    await until(() => back.length === 20);
    expect(back).toEqual(Array.from({ length: 20 }, (_, i) => `back ${i}`));
    meeting.expectOnce();
  });

  it("policy report: unsigned messages pass, marked, bad ones do not, and the greeting is neither", async () => {
    const router = opened(new Router(asking(RECEIVER, { policy: "report" })));
    await router.bind("tcp://127.0.0.1:*");
    const plain = strangerTo(router.lastEndpoint as string);
    await plain.send("unsigned");
    const [, first] = await router.receive();
    expect(String(first)).toBe("unsigned");
    const dealer = opened(new Dealer(asking(SENDER, { policy: "report" })));
    dealer.connect(router.lastEndpoint as string);
    await dealer.send("signed");
    const message = await router.receive();
    expect([String(message[1]), message.origin?.sender]).toEqual(["signed", SENDER]);
    expect(router.stats).toMatchObject({ accepted: 1, unsigned: 1 });
  });

  it("with a codec", async () => {
    const router = opened(new Router({ ...asking(RECEIVER), codec: json() }));
    await router.bind("tcp://127.0.0.1:*");
    const dealer = opened(new Dealer({ ...asking(SENDER), codec: json() }));
    dealer.connect(router.lastEndpoint as string);
    await dealer.send([{ n: 1 }]);
    const [id, value] = (await router.receive()) as unknown as [Buffer, unknown];
    expect(value).toEqual({ n: 1 });
    await router.send([id, { n: 2 }] as never);
    expect(await dealer.receive()).toEqual([{ n: 2 }]);
  });

  it("a batch behind the greeting is taken whole; of a stream that is not admitted, refused whole", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const other = opened(new Signer({ key: KEY, sender: "batches", channel: CHANNEL, pattern: "dealer" }));
    const batch = other.signBatch([["honest 7001"], ["honest 7002"]]);
    const told = await meeting.replay([batch, batch]);
    expect(told.map(({ reason }) => reason)).toEqual(["not-live", "not-live"]);
    expect(meeting.delivered).toEqual(["honest 1"]);
  });

  it("a REQ gets a challenge for an answer, in the middle of its requests, and asks on", async () => {
    const server = opened(new Reply(asking(RECEIVER, { limits: { streams: 1 } })));
    await server.bind("tcp://127.0.0.1:*");
    void (async () => {
      for await (const [body] of server) await server.send(`${body}!`);
    })().catch(() => {});
    const [one, two] = ["one", "two"].map((name) => opened(new Request(asking(name)))) as [Request, Request];
    for (const client of [one, two]) client.connect(server.lastEndpoint as string);
    let challenged = 0;
    const asks = async (client: Request, body: string) => {
      for (;;) {
        await client.send(body);
        try {
          expect(String((await client.receive())[0])).toBe(`${body}!`);
          return;
        } catch (error) {
          expect(error).toMatchObject({ name: "BadReplyError", reason: "challenged" });
          challenged++;
        }
      }
    };
    for (let i = 0; i < 10; i++) {
      await asks(one, `${i}`);
      await asks(two, `${i}`);
    }
    expect(challenged).toBeGreaterThan(0);
    expect(server.stats.accepted).toBe(20);
  });

  it("through a broker: hops, and the greeting through it", async () => {
    const [front, back] = [new zmq.Router({ linger: 0 }), new zmq.Dealer({ linger: 0 })];
    await front.bind("tcp://127.0.0.1:*");
    await back.bind("tcp://127.0.0.1:*");
    const proxy = new zmq.Proxy(front, back);
    const running = proxy.run().catch(() => {});
    onTestFinished(async () => {
      proxy.terminate();
      await running;
    });
    const worker = opened(new Router(asking(RECEIVER, { hops: 1 })));
    const attacker = await Attacker.between(back.lastEndpoint as string);
    onTestFinished(() => attacker.close());
    worker.connect(attacker.endpoint);
    const heard: string[] = [];
    void (async () => {
      for await (const message of worker) heard.push(String(message.at(-1)));
    })().catch(() => {});
    const dealer = opened(new Dealer(asking(SENDER)));
    dealer.connect(front.lastEndpoint as string);
    for (let i = 0; i < 5; i++) await dealer.send(`${i}`);
    await until(() => heard.length === 5);
    const data = ofKind(attacker, "down", "data");
    const connection = await attacker.connection(0);
    connection.inject("down", ...data.map(({ frames }) => frames));
    await until(() => worker.stats.rejected.replayed === 5);
    expect(heard).toEqual(["0", "1", "2", "3", "4"]);
  });
});
