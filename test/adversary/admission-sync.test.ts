// Admission by sync on PUB/SUB, with the attacker on the way: he suppresses, repeats, forges and floods the questions of
// subscribers and the answers of publishers. No recording is admitted, and the subscriber asks until it is answered.

import { randomBytes } from "node:crypto";
import { type Gap, generateKey, Publisher, Subscriber } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";

import { syncTopic } from "../../src/wire/control.js";
import {
  asking,
  dropping,
  kindOf,
  Meeting,
  nth,
  ofKind,
  PUB_TO_SUB,
  signatureIn,
  until,
} from "./admission.js";
import { handMade } from "./forge.js";
import { flowNamed, opened, SENDER, TOPIC } from "./line.js";
import { bits, flipped } from "./tamper.js";
import type { Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

const FLOW = flowNamed("PUB to SUB");

/** A message of a publisher that nobody knows: the subscriber asks again. */
const provoke = (meeting: Meeting, sender = "strange") =>
  meeting.replay([handMade(FLOW, { sender }, ["unknown"])]);

const subscriberOf = (meeting: Meeting) => meeting.client as unknown as Subscriber;

/** A subscriber that was started again, to which the attacker lets no answer through. */
async function unanswered(meeting: Meeting, signing: Parameters<Meeting["restartClient"]>[0] = {}) {
  const { connection } = meeting;
  meeting.attacker.hooks = dropping("down", "sync");
  const started = meeting.restartClient(signing);
  await until(() => meeting.connection !== connection);
  // What the one before had asked may have been answered meanwhile.
  const answers = () =>
    ofKind(meeting.attacker, "down", "sync").filter((sync) => sync.connection === meeting.connection);
  await until(() => answers().length > 0);
  return { started, sync: answers()[0] as Recorded };
}

describe("attack 63: the answers to a subscriber", () => {
  it("suppressed: nothing is admitted, it asks again and again, with new nonces, and is answered in the end", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    for (let i = 0; i < 3; i++) await meeting.honest();
    const recorded = meeting.data().map(({ frames }) => frames);
    const { started } = await unanswered(meeting);
    const before = ofKind(meeting.attacker, "down", "sync").length;
    await nth(meeting.attacker, "down", "sync", before + 3);
    const topics = ofKind(meeting.attacker, "down", "sync").map(({ frames }) =>
      String(frames[0]?.toString("hex")),
    );
    expect(new Set(topics).size).toBe(topics.length);
    await meeting.replay(recorded);
    expect(meeting.client.stats).toMatchObject({ accepted: 0, streams: 0 });
    meeting.attacker.hooks = {};
    await started;
    await meeting.replay(recorded);
    await meeting.honest();
    meeting.expectOnce();
  });

  it("repeated, of another nonce, of another publisher, forged or made by a device: refused", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const old = await nth(meeting.attacker, "down", "sync", 0);
    const { started, sync } = await unanswered(meeting);
    const topic = sync.frames[0] as Buffer;
    const signature = sync.frames[1] as Buffer;
    const payload = Buffer.concat([topic.subarray(4), Buffer.alloc(32)]);
    const before = meeting.refused.length;
    const forged: Frames[] = [
      // An answer to another's nonce, under this one's topic.
      [topic, old.frames[1] as Buffer],
      // This publisher's answer, but for the tag: somebody else's key, name or topic.
      [
        topic,
        ...handMade(FLOW, { kind: "sync", sequence: 0 }, [], { payload, use: { sender: "mallory" } }).slice(
          1,
        ),
      ],
      [topic, signature.subarray(0, -1)],
      [topic, Buffer.concat([signature, Buffer.alloc(1)])],
      [topic, signature, Buffer.alloc(0)],
      ...bits(signature).map((bit) => flipped(sync.frames, 1, bit)),
    ];
    meeting.connection.inject("down", ...forged);
    await until(() => meeting.refused.length >= before + forged.length);
    expect(meeting.client.stats).toMatchObject({ accepted: 0, streams: 0 });
    meeting.attacker.hooks = {};
    await started;
    // The right one, twice: each publisher answers a question once.
    const again = await nth(
      meeting.attacker,
      "down",
      "sync",
      ofKind(meeting.attacker, "down", "sync").length - 1,
    );
    const told = await meeting.replay([again.frames]);
    expect(told.map(({ reason }) => reason)).toEqual(["unasked"]);
    await meeting.honest();
    meeting.expectOnce();
  });

  it("of an earlier run of the publisher, held back and let through after its next run was heard", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const { started, sync } = await unanswered(meeting);
    await meeting.encounter.send(meeting.sender, "honest 1000", meeting.receiver);
    await until(() => meeting.data().length >= 2);
    const old = meeting.data().at(-1)?.frames as Frames;
    meeting.attacker.hooks = {};
    await started;
    await meeting.restartServer();
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    meeting.connection.inject("down", sync.frames, old);
    await until(() => meeting.refused.length >= 2);
    expect(meeting.delivered).not.toContain("honest 1000");
    await meeting.honest();
    meeting.expectOnce();
  });

  it("ready() fails closed with the reason, and succeeds when the answers pass again", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const other = opened(new Subscriber(asking("other", { key: generateKey() })));
    other.subscribe(TOPIC);
    other.connect(meeting.attacker.endpoint);
    await expect(other.ready({ timeout: 300 })).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_NOT_READY" });
    const { started } = await unanswered(meeting);
    await expect(subscriberOf(meeting).ready({ timeout: 200 })).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_NOT_READY",
    });
    meeting.attacker.hooks = {};
    await started;
    await meeting.honest();
  });

  it("recordings without end are asked about at a bounded rate, and the questions are withdrawn", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const asked = () => ofKind(meeting.attacker, "down", "sync").length;
    const [before, began] = [asked(), performance.now()];
    for (let i = 0; i < 20; i++) {
      await meeting.replay(
        Array.from({ length: 50 }, (_, n) => handMade(FLOW, { sender: `s${i}-${n}` }, ["x"])),
      );
    }
    await until(() => asked() > before);
    expect(asked() - before).toBeLessThanOrEqual((performance.now() - began) / 100 + 1);
    await meeting.honest();
    meeting.expectOnce();
  });
});

describe("attack 63: 100,000 nonce subscriptions", () => {
  it("cost the publisher bounded answers; it publishes on, and honest subscribers are answered afterwards", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const before = ofKind(meeting.attacker, "down", "sync").length;
    const began = performance.now();
    // Past the attacker's reading eyes, for speed: his own connection, which stays.
    const hostile = opened(new zmq.XSubscriber({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 }));
    hostile.connect(meeting.server.lastEndpoint as string);
    for (let i = 0; i < 100_000; i++) {
      await hostile.send(Buffer.concat([Buffer.of(1), syncTopic(randomBytes(16))]));
    }
    for (let i = 0; i < 5; i++) await meeting.honest();
    await meeting.restartClient();
    await meeting.honest();
    let answers = 0;
    for (; hostile.readable; answers++) await hostile.receive();
    expect(answers).toBeLessThanOrEqual(1000 + (performance.now() - began) + 10);
    expect(ofKind(meeting.attacker, "down", "sync").length - before).toBeLessThan(100);
    meeting.expectOnce();
  });
});

describe("attack 61 and 62: topics and gaps under challenge", () => {
  it("the sync is no topic of anybody's, and another topic over a genuine message is refused", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const [, signature] = (meeting.data()[0] as Recorded).frames as [Buffer, Buffer];
    const told = await meeting.replay([
      [Buffer.from(`${TOPIC}B`), signature],
      [Buffer.from(TOPIC), signature],
    ]);
    expect(told.map(({ reason }) => reason)).toEqual(["bad-signature", "replayed"]);
    await meeting.honest();
    expect(meeting.delivered.every((body) => body.startsWith("honest"))).toBe(true);
  });

  it("what is dropped behind a sync shows as one gap of so many, and asking again is none", async () => {
    const gaps: Gap[] = [];
    const meeting = await Meeting.open(PUB_TO_SUB, { receiver: { onGap: (gap) => void gaps.push(gap) } });
    await meeting.honest();
    await provoke(meeting);
    await meeting.honest();
    meeting.attacker.hooks = dropping("down", "data");
    const lost = meeting.data().length;
    for (let i = 0; i < 3; i++) await meeting.sender.send([TOPIC, `dropped ${i}`]);
    await until(() => meeting.data().length === lost + 3);
    meeting.attacker.hooks = {};
    await meeting.honest();
    expect(gaps.map((gap) => [gap.sender, gap.lost])).toEqual([[SENDER, 3]]);
  });

  it("control kinds that are none of a subscriber's are refused", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const payload = Buffer.alloc(48, 1).fill(0, 32);
    const kinds = ["hello", "challenge", "echo"] as const;
    const told = await meeting.replay(
      kinds.map((kind) => handMade(FLOW, { kind, sequence: 0 }, [], { payload })),
    );
    expect(told.map(({ reason }) => reason)).toEqual(["unsupported", "unsupported", "unsupported"]);
    expect(kindOf(meeting.data()[0]?.frames as Frames)).toBe("data");
    expect(signatureIn(meeting.data()[0]?.frames as Frames)).toBe(1);
    await meeting.honest();
  });
});

describe("attack 55: a publisher whose subscribers never read", () => {
  it("answers others", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB);
    await meeting.honest();
    const idle = Array.from({ length: 5 }, (_, i) => opened(new Subscriber(asking(`idle${i}`))));
    for (const subscriber of idle) {
      subscriber.subscribe(TOPIC);
      subscriber.connect(meeting.attacker.endpoint);
    }
    await Promise.all(idle.map((subscriber) => subscriber.ready()));
    for (let i = 0; i < 20; i++) await meeting.honest();
    const late = opened(new Subscriber(asking("late")));
    late.connect(meeting.attacker.endpoint);
    await late.ready();
    expect(meeting.server).toBeInstanceOf(Publisher);
  });
});
