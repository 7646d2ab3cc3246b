// The three messages of the greeting, in the attacker's hands: changed, cut, lengthened, repeated, reflected, sent to others,
// put where they do not belong. None is answered, none admits anybody, and the greeting that they were made from succeeds.

import { Dealer, generateKey, Key, Pull, type SigningOptions, XPublisher } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";

import {
  asking,
  DEALER_TO_ROUTER,
  type KindName,
  kindOf,
  Meeting,
  nth,
  ofKind,
  PAIR_TO_PAIR,
  signatureIn,
  strangerTo,
  until,
} from "./admission.js";
import type { Direction } from "./connection.js";
import { handMade } from "./forge.js";
import { type Flow, flowNamed, opened, RECEIVER, SENDER } from "./line.js";
import { bits, flipped } from "./tamper.js";
import type { Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

const STEPS: readonly [KindName, Direction][] = [
  ["hello", "up"],
  ["challenge", "down"],
  ["echo", "up"],
];

/** Frames that were sent to an end and that it refused, whoever it is. */
function rejections({ client, server }: Meeting, direction: Direction): number {
  const { rejected } = (direction === "up" ? server : client).stats;
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}

/** Puts forgeries in front of one message of the next greeting, and lets that go on. */
async function greetBehind(
  meeting: Meeting,
  [kind, direction]: readonly [KindName, Direction],
  forge: (genuine: Frames) => Frames[],
): Promise<void> {
  const before = rejections(meeting, direction);
  let forgeries = 0;
  meeting.attacker.hooks = {
    onMessage(frames, place) {
      if (forgeries > 0 || place.direction !== direction || kindOf(frames) !== kind) return undefined;
      const made = forge(frames);
      forgeries = made.length;
      return [...made, frames];
    },
  };
  const already = STEPS.map(([step, way]) => ofKind(meeting.attacker, way, step).length);
  await meeting.restartClient();
  await meeting.honest();
  const since = direction === "down" ? 0 : before;
  expect(rejections(meeting, direction) - since).toBe(forgeries);
  expect(forgeries).toBeGreaterThan(0);
  // No more answers than genuine questions: nothing that was forged was answered.
  const said = STEPS.map(
    ([step, way], i) => ofKind(meeting.attacker, way, step).length - (already[i] as number),
  );
  const [hellos, challenges, echoes] = said as [number, number, number];
  expect(challenges).toBeLessThanOrEqual(hellos);
  expect(echoes).toBeLessThanOrEqual(challenges);
  meeting.attacker.hooks = {};
}

describe.each(STEPS)("attack 1 to 5, on a %s", (...step) => {
  const signature = (frames: Frames) => frames[signatureIn(frames)] as Buffer;

  it("every single bit flipped", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    await greetBehind(meeting, step, (frames) =>
      bits(signature(frames)).map((bit) => flipped(frames, 0, bit)),
    );
    meeting.expectOnce();
  });

  it("cut and lengthened, split, with frames before and behind it", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    await greetBehind(meeting, step, (frames) => {
      const frame = signature(frames);
      const lengths = Array.from({ length: frame.length }, (_, length) => [frame.subarray(0, length)]);
      const longer = [1, 16, 48].map((by) => [Buffer.concat([frame, Buffer.alloc(by)])]);
      const tagEnd = frame.length - 48;
      return [
        ...lengths.filter(([cut]) => (cut as Buffer).length > 0),
        ...longer,
        [frame.subarray(0, tagEnd), frame.subarray(tagEnd)],
        [frame, Buffer.alloc(0)],
        [frame, frame],
        [Buffer.from("before"), frame],
        [Buffer.alloc(0), frame],
      ];
    });
    meeting.expectOnce();
  });

  it("made with another key, or for another channel", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const forged: Frames[] = [];
    for (const signing of [{ key: generateKey() }, { channel: "invoices" }] as Partial<SigningOptions>[]) {
      const other = await Meeting.open(DEALER_TO_ROUTER, {
        sender: { ...signing, sender: `${SENDER}~other` },
        receiver: { ...signing, sender: `${RECEIVER}~other` },
      });
      await other.honest();
      const [kind, direction] = step;
      forged.push((await nth(other.attacker, direction, kind, 0)).frames);
    }
    await greetBehind(meeting, step, () => forged);
    meeting.expectOnce();
  });
});

describe("attack 12 and 13: a greeting that comes back, or to somebody else", () => {
  it("comes back to whoever said it", async () => {
    const meeting = await Meeting.open(PAIR_TO_PAIR);
    await meeting.honest();
    const up = meeting.attacker.sent("up").filter(({ frames }) => kindOf(frames) !== "data");
    const down = meeting.attacker.sent("down").filter(({ frames }) => kindOf(frames) !== "data");
    expect(up.length).toBeGreaterThan(1);
    const said = up.length + down.length;
    meeting.connection.inject("down", ...up.map(({ frames }) => frames));
    meeting.connection.inject("up", ...down.map(({ frames }) => frames));
    // What was addressed to the other end is not even intact here.
    const refusals = ({ stats: { rejected } }: Meeting["client"]) =>
      rejected.reflected + rejected["bad-signature"];
    await until(() => refusals(meeting.client) === up.length);
    await until(() => refusals(meeting.server) === down.length);
    expect(meeting.client.stats.rejected.reflected).toBeGreaterThan(0);
    await meeting.honest();
    expect(meeting.attacker.recorded.filter(({ frames }) => kindOf(frames) !== "data").length).toBe(said);
  });

  it("to another recipient: what a ROUTER asks one client, and answers another", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const challenge = await nth(meeting.attacker, "down", "challenge", 0);
    const carol = opened(new Dealer(asking("carol")));
    const next = meeting.attacker.connections.length;
    carol.connect(meeting.attacker.endpoint);
    const connection = await meeting.attacker.connection(next);
    await carol.send("honest 100");
    connection.inject("down", challenge.frames);
    await until(() => carol.stats.rejected["bad-signature"] === 1);
    await carol.send("honest 101");
    await until(() => meeting.delivered.includes("honest 101"));
  });

  it("swapped between two clients: neither is admitted as the other, and both are in the end", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    const { attacker, delivered } = meeting;
    await meeting.honest();
    const waiting = new Map<KindName, { connection: (typeof attacker.connections)[0]; frames: Frames }>();
    const swapped: KindName[] = [];
    attacker.hooks = {
      onMessage(frames, { connection, direction }) {
        const kind = kindOf(frames);
        if (kind !== "challenge" && kind !== "echo") return undefined;
        const other = waiting.get(kind);
        if (swapped.includes(kind) || other?.connection === connection) return undefined;
        if (other === undefined) {
          waiting.set(kind, { connection, frames });
          return "drop";
        }
        swapped.push(kind);
        other.connection.inject(direction, frames);
        return [other.frames];
      },
    };
    const names = ["carol", "dave"];
    const clients = names.map((name) => opened(new Dealer(asking(name))));
    for (const client of clients) client.connect(attacker.endpoint);
    const all = (n: number) => Promise.all(clients.map((client, i) => client.send(`${names[i]} ${n}`)));
    await all(1);
    await until(() =>
      clients.every((client, i) => delivered.includes(`${names[i]} 1`) || client.stats.forgotten > 0),
    );
    await all(2);
    await until(() => names.every((name) => delivered.includes(`${name} 2`)));
    expect(swapped).toContain("challenge");
    expect(new Set(delivered).size).toBe(delivered.length);
  });
});

describe("attack 50 and 57: a greeting that was recorded", () => {
  it("an echo, to a receiver that was started again, admits nobody", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    for (let i = 0; i < 3; i++) await meeting.honest();
    const echo = await nth(meeting.attacker, "up", "echo", 0);
    const data = meeting.data().map(({ frames }) => frames);
    await meeting.restartServer();
    const told = await meeting.replay([echo.frames, ...data, echo.frames, ...data]);
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["unasked", "not-live"]));
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    meeting.expectOnce();
  });

  it("a challenge, to a client that was started again, does not let it speak, nor anybody be heard", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const challenge = await nth(meeting.attacker, "down", "challenge", 0);
    // Nobody answers the new client but the attacker.
    meeting.attacker.hooks = {
      onMessage: (_, { direction }) => (direction === "down" ? "drop" : undefined),
    };
    await meeting.restartClient();
    const echoes = ofKind(meeting.attacker, "up", "echo").length;
    const sent = meeting.honest();
    for (let i = 0; i < 3; i++) meeting.connection.inject("down", challenge.frames);
    // It is asked something, and answers: that admits nobody to the one who asks, nor him to it.
    await until(() => ofKind(meeting.attacker, "up", "echo").length > echoes);
    expect(meeting.client.stats).toMatchObject({ sent: 0, queued: 1, streams: 0 });
    meeting.attacker.hooks = {};
    await sent;
    meeting.expectOnce();
  });

  it("a hello 10,000 times: bounded answers, bounded memory, honest traffic and honest greetings go on", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const hello = await nth(meeting.attacker, "up", "hello", 0);
    const flood = Array.from({ length: 10_000 }, () => hello.frames);
    const hostile = new zmq.Dealer({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    opened(hostile);
    hostile.connect(meeting.attacker.endpoint);
    for (const frames of flood) await hostile.send([...frames]);
    for (let i = 0; i < 10; i++) await meeting.honest();
    await meeting.restartClient();
    for (let i = 0; i < 10; i++) await meeting.honest();
    const answers = ofKind(meeting.attacker, "down", "challenge");
    expect(answers.length).toBeLessThan(1000);
    expect(meeting.server.stats.streams).toBe(1);
    meeting.expectOnce();
  });

  it("what was held back over a restart of its sender is refused, whatever order it comes in", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    for (let i = 0; i < 3; i++) await meeting.honest();
    const session = meeting.attacker.sent("up").map(({ frames }) => frames);
    await meeting.restartClient();
    await meeting.honest();
    await meeting.replay(session.filter((frames) => kindOf(frames) === "data"));
    for (const order of [session, [...session].reverse()]) {
      const stranger = strangerTo(meeting.attacker.endpoint);
      for (const frames of order) await stranger.send([...frames]);
    }
    const refusals = session.filter((frames) => kindOf(frames) !== "hello").length * 2;
    await until(() => meeting.refused.length >= refusals + 3);
    await meeting.honest();
    meeting.expectOnce();
  });
});

describe("control messages out of place", () => {
  it("among the frames of a data message: refused, and in its body: delivered as the bytes that they are", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER, { sender: { limits: { inline: 0 } } });
    await meeting.honest();
    const [hello, echo] = [
      await nth(meeting.attacker, "up", "hello", 0),
      await nth(meeting.attacker, "up", "echo", 0),
    ];
    const said = meeting.attacker.recorded.length;
    const [signature, body] = (meeting.data()[0] as Recorded).frames as [Buffer, Buffer];
    const control = [hello, echo].map(({ frames }) => frames[0] as Buffer);
    const mixed = control.flatMap((frame) => [
      [signature, frame],
      [signature, body, frame],
      [frame, body],
      [frame, signature, body],
      [signature, frame, body],
    ]);
    const told = await meeting.replay(mixed);
    expect(told.filter(({ authentic }) => authentic)).toEqual([]);
    const dealer = meeting.client as unknown as Dealer;
    for (const frame of control) await dealer.send(["x", frame]);
    await until(
      () => meeting.delivered.filter((delivered) => control.map(String).includes(delivered)).length === 2,
    );
    meeting.delivered.splice(1);
    await meeting.honest();
    expect(meeting.attacker.sent("down").length).toBe(
      meeting.attacker.recorded.slice(0, said).filter(({ direction }) => direction === "down").length,
    );
  });

  const ONE_WAY: readonly [string, Flow, () => Pull | XPublisher][] = [
    ["PULL", flowNamed("PUSH to PULL"), () => new Pull({ ...asking(RECEIVER, { admit: "clock" }) })],
    ["XPUB", flowNamed("XSUB to XPUB"), () => new XPublisher({ ...asking(RECEIVER, { admit: "clock" }) })],
  ];

  it.each(ONE_WAY)("on a %s, which knows none: refused and not answered", async (_, flow, make) => {
    const receiver = opened(make());
    await receiver.bind("tcp://127.0.0.1:*");
    const stranger = opened(
      flow.name.startsWith("PUSH") ? new zmq.Push({ linger: 0 }) : new zmq.XSubscriber({ linger: 0 }),
    );
    stranger.connect(receiver.lastEndpoint as string);
    const heard: string[] = [];
    void (async () => {
      for await (const message of receiver) heard.push(String(message.at(-1)));
    })().catch(() => {});
    for (const kind of ["hello", "challenge", "echo", "sync"] as const) {
      const frames = handMade(flow, { kind, sequence: 0 }, [""], { payload: Buffer.alloc(48, 1) });
      await stranger.send(frames);
    }
    await stranger.send(handMade(flow, {}, ["honest"]));
    await until(() => heard.includes("honest"));
    expect(receiver.stats.rejected.unsupported).toBe(4);
  });

  it("by the holder of a key that may not speak under this name: no answer", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const said = meeting.attacker.sent("down").length;
    const flow = flowNamed("DEALER to ROUTER");
    const forged = (["hello", "challenge", "echo"] as const).map((kind) =>
      handMade(flow, { kind, sequence: 0 }, [""], {
        payload: Buffer.alloc(48, 1).fill(0, 32),
        use: { sender: "mallory" },
      }),
    );
    const other = handMade(flow, { kind: "hello", sequence: 0 }, [""], {
      key: new Key(generateKey()),
      payload: Buffer.alloc(48, 1).fill(0, 32),
    });
    const told = await meeting.replay([...forged, other]);
    expect(told.map(({ reason }) => reason).sort()).toEqual([
      "bad-signature",
      "bad-signature",
      "bad-signature",
      "unknown-key",
    ]);
    await meeting.honest();
    expect(meeting.attacker.sent("down").length).toBe(said);
  });

  it("with fields that no sender writes: refused, by the rules that data obeys", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const said = meeting.attacker.sent("down").length;
    const flow = flowNamed("DEALER to ROUTER");
    const nonces = Buffer.alloc(48, 1);
    const huge = Buffer.from(nonces).fill(0xff, 32);
    const payload = Buffer.from(nonces).fill(0, 32);
    const strange = [
      handMade(flow, { kind: "hello", sequence: 1 }, [""], { payload }),
      handMade(flow, { kind: "hello", sequence: 0, ordinal: 1 }, [""], { payload }),
      handMade(flow, { kind: "hello", sequence: 0 }, [""], { payload: huge }),
      handMade(flow, { kind: "hello", sequence: 0 }, [""], { payload: payload.subarray(1) }),
      handMade(flow, { kind: "sync", sequence: 0 }, [""], { payload }),
      handMade(flow, { kind: "hello", sequence: 0, pattern: "pair" }, [""], { payload }),
    ];
    const told = await meeting.replay(strange);
    expect(told.map(({ reason }) => reason).sort()).toEqual([
      "malformed",
      "malformed",
      "malformed",
      "malformed",
      "unsupported",
      "wrong-pattern",
    ]);
    await meeting.honest();
    expect(meeting.attacker.sent("down").length).toBe(said);
  });
});
