// PUB/SUB and gaps: a topic is what its publisher signed, and what was lost on the way is counted, topic by topic and
// peer by peer, neither more nor less.

import {
  Dealer,
  type Gap,
  Publisher,
  Router,
  type SigningOptions,
  Subscriber,
  XPublisher,
} from "countersign";
import { describe, expect, it } from "vitest";

import { type Forgery, Line } from "./attack.js";
import { type Inbox, listen } from "./inbox.js";
import { between, FLOWS, flowNamed, KEY, opened, RECEIVER, SENDER } from "./line.js";
import { edited } from "./tamper.js";
import type { Attacker } from "./wire-proxy.js";

const signing = (sender: string, more: Partial<SigningOptions> = {}) => ({ key: KEY, sender, ...more });

interface Broadcast {
  readonly publisher: Publisher | XPublisher;
  readonly subscriber: Subscriber;
  readonly attacker: Attacker;
  readonly inbox: Inbox;
  readonly gaps: Gap[];
}

async function broadcast(publisher: Publisher | XPublisher, ...topics: string[]): Promise<Broadcast> {
  const gaps: Gap[] = [];
  const onGap = (gap: Gap) => void gaps.push(gap);
  const subscriber = opened(new Subscriber({ linger: 0, signing: signing(RECEIVER, { onGap }) }));
  const attacker = await between(publisher, subscriber);
  const inbox = listen(subscriber);
  for (const topic of topics) {
    subscriber.subscribe(topic);
    await untilHeard({ publisher, inbox }, topic);
  }
  return { publisher, subscriber, attacker, inbox, gaps };
}

/** Publishes under a topic until one message arrives, then until the last one published has. */
async function untilHeard(
  { publisher, inbox }: Pick<Broadcast, "publisher" | "inbox">,
  topic: string,
): Promise<void> {
  const heard = () =>
    inbox.all.filter(({ frames }) => frames[0] === topic && frames[1] === `about ${topic}`).length;
  const before = heard();
  while (heard() === before) {
    await publisher.send([topic, `about ${topic}`]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const last = `last about ${topic} ${before}`;
  await publisher.send([topic, last]);
  while ((await inbox.next()).frames[1] !== last);
}

const newPublisher = () => opened(new Publisher({ linger: 0, signing: signing(SENDER) }));

describe("attack 61: a subscription is a prefix, a topic is a whole", () => {
  it('who subscribes to "A" hears "AB", under the topic that was signed', async () => {
    const { publisher, inbox } = await broadcast(newPublisher(), "A");
    const topics = ["AB", "A", "A\0", "B", "ABC"];
    for (const topic of topics) await publisher.send([topic, "body"]);
    const heard = [];
    for (let count = 0; count < 4; count++) heard.push((await inbox.next()).frames[0]);
    expect(heard).toEqual(["AB", "A", "A\0", "ABC"]);
    expect(heard.filter((topic) => topic === "A").length).toBe(1);
  });

  it.each([
    ["AB", "A"],
    ["A", "AB"],
    ["AB", "AC"],
    ["AB", "AB\0"],
    ["AB", ""],
  ])("%j made into %j is refused", async (from, to) => {
    const { publisher, inbox, attacker, subscriber } = await broadcast(newPublisher(), "A", "");
    attacker.hooks = { onMessage: (frames) => [edited(frames, 0, () => Buffer.from(to)), frames] };
    await publisher.send([from, "body"]);
    expect((await inbox.next()).frames).toEqual([from, "body"]);
    expect(subscriber.stats.rejected["bad-signature"]).toBe(1);
  });
});

/** Flows on which the sender claims how many messages went to this one peer or topic. */
const COUNTED = FLOWS.filter(({ name }) =>
  /^(DEALER to (ROUTER|DEALER)|ROUTER to (DEALER|ROUTER)|PAIR|X?PUB)/.test(name),
);
const UNCOUNTED = FLOWS.filter(({ name }) => /^(PUSH|XSUB|REP to DEALER)/.test(name));

describe.each(COUNTED)("attack 62: $name", (flow) => {
  it("what the attacker drops shows as one gap of so many", async () => {
    const gaps: Gap[] = [];
    const line = await Line.open(flow, { receiver: { onGap: (gap) => gaps.push(gap) } });
    await line.honest();
    await line.hold(3);
    expect(line.ends.receiver.stats.gaps).toBe(0);
    await line.honest();
    await line.hold(1);
    await line.honest();
    expect(gaps.map(({ lost }) => lost)).toEqual([3, 1]);
    expect(line.ends.receiver.stats).toMatchObject({ gaps: 2, lost: 4 });
  });

  it("what is refused is missing, what is invented, replayed or forged is not counted", async () => {
    const line = await Line.open(flow);
    const { frames } = await line.honest();
    const changed: Forgery = (genuine) =>
      edited(genuine, flow.signatureAt, (frame) => {
        frame.writeUInt8(frame.readUInt8(frame.length - 1) ^ 1, frame.length - 1);
        return frame;
      });
    await line.refuses([changed, () => frames, changed], ["bad-signature", "replayed", "bad-signature"]);
    expect(line.ends.receiver.stats.gaps).toBe(0);
    line.ends.attacker.hooks = line.instead((genuine) => [changed(genuine)]);
    await line.ends.send(["never arrives as it was"]);
    await line.honest();
    expect(line.ends.receiver.stats).toMatchObject({ gaps: 1, lost: 1 });
  });

  it("with a window, what comes late is no gap, and what never comes is one when it is out of reach", async () => {
    const line = await Line.open(flow, { receiver: { window: 4 } });
    await line.honest();
    const [late, never] = await line.hold(2);
    await line.honest();
    line.ends.attacker.replay(late!.recorded);
    await line.expectDelivered(late!.body);
    for (let count = 0; count < 2; count++) await line.honest();
    expect(line.ends.receiver.stats.gaps).toBe(0);
    for (let count = 0; count < 4; count++) await line.honest();
    expect(line.ends.receiver.stats).toMatchObject({ gaps: 1, lost: 1 });
    await line.refuses([() => never!.recorded.frames], ["below-window"]);
  });
});

describe.each(UNCOUNTED)("attack 62: $name", (flow) => {
  it("claims nothing, so no gap is reported that would be none", async () => {
    const line = await Line.open(flow);
    await line.honest();
    await line.hold(3);
    await line.honest();
    expect(line.ends.receiver.stats).toMatchObject({ gaps: 0, lost: 0 });
  });
});

describe("attack 62: messages lost at the publisher's high-water mark", () => {
  it("add up, topic by topic", async () => {
    // From the start: lowered on a live connection, libzmq's mark can wait for a report of the other side for ever.
    const narrow = opened(new Publisher({ linger: 0, sendHighWaterMark: 10, signing: signing(SENDER) }));
    const { publisher, attacker, inbox, gaps } = await broadcast(narrow, "one", "two");
    const before = inbox.all.length;
    // The narrow mark may have cost messages already, while the subscription was on its way.
    const known = gaps.length;
    const sent = { one: 0, two: 0 };
    const publish = (topic: keyof typeof sent, ...body: Buffer[]) =>
      publisher.send([topic, `${++sent[topic]}`, ...body]);
    const connection = await attacker.connection(0);
    connection.pause("down");
    const bulk = Buffer.alloc(20_000);
    for (let n = 0; n < 3000; n++) await publish(n % 3 === 0 ? "one" : "two", bulk);
    connection.resume("down");
    for (const topic of ["one", "two"] as const) {
      const heard = () => inbox.all.slice(before).filter(({ frames }) => frames[0] === topic);
      // A lost tail shows nothing: something has to come through behind it.
      while (heard().at(-1)?.frames.length !== 2) {
        await publish(topic);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const shown = gaps.slice(known).filter((gap) => String(gap.topic) === topic);
      const lost = shown.reduce((sum, gap) => sum + gap.lost, 0);
      expect(lost).toBeGreaterThan(0);
      expect(lost).toBe(Number(heard().at(-1)?.frames[1]) - heard().length);
    }
  });
});

describe("attack 62: no false gap", () => {
  it("from filters", async () => {
    const { publisher, inbox, gaps } = await broadcast(newPublisher(), "one");
    for (let n = 0; n < 100; n++) await publisher.send([n % 7 === 0 ? "one" : `other ${n % 7}`, `${n}`]);
    for (let n = 0; n < 100; n += 7) expect((await inbox.next()).frames).toEqual(["one", `${n}`]);
    expect(gaps).toEqual([]);
  });

  it("from subscriptions that come later, end and come again", async () => {
    const publisher = opened(new XPublisher({ linger: 0, signing: signing(SENDER) }));
    const subscriptions = listen(publisher);
    const channel = await broadcast(publisher, "one");
    const { subscriber, inbox, gaps } = channel;
    for (let n = 0; n < 20; n++) await publisher.send(["two", "unheard"]);
    subscriber.subscribe("two");
    await untilHeard(channel, "two");
    subscriber.unsubscribe("one");
    // Until the publisher knows, it goes on sending, and a new subscription would hear what is on its way.
    while ((await subscriptions.next()).frames[0] !== "\0one");
    for (let n = 0; n < 20; n++) await publisher.send(["one", "unheard"]);
    subscriber.subscribe("one");
    await untilHeard(channel, "one");
    await publisher.send(["two", "end"]);
    while ((await inbox.next()).frames[1] !== "end");
    expect(gaps).toEqual([]);
  });

  it("from several subscribers with filters of their own", async () => {
    const publisher = newPublisher();
    const first = await broadcast(publisher, "one");
    const second = await broadcast(publisher, "two");
    for (let n = 0; n < 50; n++) for (const topic of ["one", "two"]) await publisher.send([topic, `${n}`]);
    for (const { inbox } of [first, second]) {
      for (let n = 0; n < 50; n++) expect((await inbox.next()).frames[1]).toBe(`${n}`);
    }
    expect([...first.gaps, ...second.gaps]).toEqual([]);
  });

  it("from several clients of one ROUTER, or several ROUTERs of one DEALER", async () => {
    const gaps: Gap[] = [];
    const heard = (sender: string) => signing(sender, { onGap: (gap) => gaps.push(gap) });
    const router = opened(new Router({ linger: 0, signing: heard("kernel-1") }));
    const other = opened(new Router({ linger: 0, signing: heard("kernel-2") }));
    const clients = [1, 2, 3].map((n) => opened(new Dealer({ linger: 0, signing: heard(`client-${n}`) })));
    for (const socket of [router, other]) await socket.bind("tcp://127.0.0.1:*");
    for (const client of clients)
      for (const { lastEndpoint } of [router, other]) client.connect(lastEndpoint as string);
    const answering = [router, other].map((socket) =>
      listen(socket, undefined, (message) => socket.send([...message])),
    );
    for (let n = 0; n < 30; n++) {
      const client = clients[(n * n) % 3] as Dealer;
      await client.send(`${n}`);
      expect(String((await client.receive())[0])).toBe(`${n}`);
    }
    expect(answering.map(({ all }) => all.length).every((count) => count > 0)).toBe(true);
    expect(gaps).toEqual([]);
  });

  it("from sends that failed", async () => {
    const gaps: Gap[] = [];
    const flow = flowNamed("DEALER to ROUTER");
    const line = await Line.open(flow, { receiver: { onGap: (gap) => gaps.push(gap) } });
    const dealer = line.ends.sender as unknown as Dealer;
    await line.honest();
    const connection = await line.ends.attacker.connection(0);
    connection.pause("up");
    dealer.sendTimeout = 0;
    dealer.sendHighWaterMark = 5;
    const body = "x".repeat(100_000);
    const outcomes = [];
    for (let n = 0; n < 300; n++) {
      outcomes.push(
        await dealer.send([`${n}`, body]).then(
          () => n,
          (error: { code: string }) => error.code,
        ),
      );
    }
    const failed = outcomes.filter((outcome) => outcome === "EAGAIN").length;
    expect(failed).toBeGreaterThan(0);
    connection.resume("up");
    for (const outcome of outcomes) {
      if (typeof outcome === "number") expect((await line.ends.inbox.next()).frames[0]).toBe(`${outcome}`);
    }
    dealer.sendTimeout = -1;
    await line.honest();
    expect(gaps).toEqual([]);
    line.expectReasons([]);
  });

  it("from an XPUB that must not drop and says so", async () => {
    const publisher = opened(
      new XPublisher({
        linger: 0,
        noDrop: true,
        sendHighWaterMark: 5,
        signing: signing(SENDER),
      }),
    );
    const channel = await broadcast(publisher, "one");
    const connection = await channel.attacker.connection(0);
    connection.pause("down");
    publisher.sendTimeout = 0;
    const body = "x".repeat(100_000);
    const sent: string[] = [];
    let failed = 0;
    for (let n = 0; n < 300; n++) {
      await publisher.send(["one", `${n}`, body]).then(
        () => sent.push(`${n}`),
        () => failed++,
      );
    }
    expect(failed).toBeGreaterThan(0);
    connection.resume("down");
    publisher.sendTimeout = -1;
    for (const number of sent) expect((await channel.inbox.next()).frames[1]).toBe(number);
    await untilHeard(channel, "one");
    expect(channel.gaps).toEqual([]);
  });
});
