// Replay: what was sent once is delivered once, wherever, whenever and in whatever order the attacker sends it again.

import { generateKey, identity, Key, Keyring, MemoryState, type Reason, type Signer } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";

import { type Forgery, type Held, Line } from "./attack.js";
import {
  accomplice,
  FLOWS,
  type Flow,
  flowNamed,
  KEY,
  onWire,
  opened,
  RECEIVER,
  type Sides,
  senderPattern,
  TOPIC,
} from "./line.js";
import { edited, FIELD, overwritten, payloadOf, payloadStart, u32, u64 } from "./tamper.js";
import type { Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

const again =
  ({ frames }: Recorded): Forgery =>
  () =>
    frames;

/** A reply to a REQ is bound to its request, so a replay of it is not even intact. */
const reasonToReplay = (flow: Flow): Reason => (flow.oneEach ? "bad-signature" : "replayed");

/** What one line says before both its ends stop. */
async function recording(flow: Flow, sides: Sides = {}, count = 1): Promise<Recorded[]> {
  const line = await Line.open(flow, sides);
  const recorded: Recorded[] = [];
  for (let sent = 0; sent < count; sent++) recorded.push(await line.honest());
  line.close();
  return recorded;
}

describe.each(FLOWS)("$name", (flow) => {
  it("attack 11: again over the same connection, at once, twice and later", async () => {
    const line = await Line.open(flow);
    const first = await line.honest();
    await line.refusesEach([again(first)], reasonToReplay(flow));
    const second = await line.honest();
    await line.refusesEach([again(second), again(first), again(second), again(second)], reasonToReplay(flow));
  });

  it("attack 11: over a new connection with the same routing id", async () => {
    const line = await Line.open(flow);
    const recorded = [await line.honest(), await line.honest()];
    await line.reconnect();
    await line.refusesEach([...recorded, ...recorded].map(again), reasonToReplay(flow));
  });

  it("attack 12: on another channel", async () => {
    const line = await Line.open(flow);
    const other = await Line.open(flow, {
      sender: { channel: "invoices" },
      receiver: { channel: "invoices" },
    });
    const recorded = [await other.honest(), await other.honest()];
    await line.honest();
    await line.refusesEach(recorded.map(again), "bad-signature");
  });

  it("attack 12: to another recipient", async () => {
    const recorded = await recording(flow, { sender: { to: RECEIVER } }, 2);
    const line = await Line.open(flow, { sender: { to: "carol" }, receiver: { sender: "carol" } });
    await line.refusesEach(recorded.map(again), "bad-signature");
    await line.honest();
    await line.refusesEach(recorded.map(again), "bad-signature");
  });

  it("attack 14: from before the sender started again", async () => {
    const recorded = await recording(flow, {}, 5);
    const line = await Line.open(flow);
    await line.honest();
    await line.refusesEach(
      [...recorded].reverse().map(again),
      flow.oneEach ? "bad-signature" : "stale-epoch",
    );
  });

  it("attack 15: from before the receiver started, with the sender alive", async () => {
    const recorded = await recording(flow, {}, 5);
    const line = await Line.open(flow);
    const newestFirst = [...recorded].reverse();
    const heardAlready = line.ends.inbox.all.length > 0;
    const reason = heardAlready ? "stale-epoch" : "not-live";
    await line.refusesEach(newestFirst.map(again), flow.oneEach ? "bad-signature" : reason);
  });

  it("attack 16: after key rotation, under the old and the new key, and after revocation", async () => {
    const [old, next] = [new Key(KEY), new Key(generateKey())];
    const [senders, receivers] = [new Keyring([old]), new Keyring([old])];
    const line = await Line.open(flow, { sender: { key: senders }, receiver: { key: receivers } });
    const before = await line.honest();
    for (const ring of [senders, receivers]) ring.add(next);
    for (const ring of [senders, receivers]) ring.rotate(next, { overlap: 60_000 });
    await line.ends.again?.();
    const relabeled: Forgery = () =>
      edited(before.frames, flow.signatureAt, (frame) => overwritten(frame, FIELD.keyId, u32(next.id)));
    await line.refuses([again(before), relabeled], [reasonToReplay(flow), "bad-signature"]);
    const after = await line.honest();
    await line.refuses(
      [again(before), relabeled, again(after)],
      [reasonToReplay(flow), "bad-signature", reasonToReplay(flow)],
    );
    receivers.revoke(old);
    await line.refuses([again(before), again(after)], ["revoked-key", reasonToReplay(flow)]);
  });

  it("attack 21: a forgery with a number, or a tag, that is yet to be delivered", async () => {
    const line = await Line.open(flow, { sender: { limits: { inline: 0 } } });
    const other = (genuine: Frames) => [...genuine.slice(0, -1), Buffer.from("other")];
    const ahead = (by: bigint) => (genuine: Frames) =>
      edited(genuine, flow.signatureAt, (frame) => {
        frame.writeBigUInt64BE(frame.readBigUInt64BE(FIELD.sequence) + by, FIELD.sequence);
        return frame;
      });
    await line.refusesEach(
      flow.name === "XSUB to XPUB" ? [ahead(1n), ahead(10n ** 6n)] : [other, ahead(1n), ahead(10n ** 6n)],
      "bad-signature",
    );
  });

  it("attack 22: an old message made to look like a restart", async () => {
    const line = await Line.open(flow);
    const { frames } = await line.honest();
    const signature = frames[flow.signatureAt] as Buffer;
    const epoch = signature.readBigUInt64BE(FIELD.epoch);
    const restarted =
      (by: bigint): Forgery =>
      () =>
        edited(frames, flow.signatureAt, (frame) =>
          overwritten(overwritten(frame, FIELD.epoch, u64(epoch + by)), FIELD.sequence, u64(1n)),
        );
    await line.refusesEach([restarted(1n), restarted(1_000_000n), restarted(-1n)], "bad-signature");
  });

  it("attack 23: a whole session, in order, backwards, and from the middle", async () => {
    const line = await Line.open(flow);
    const session: Recorded[] = [];
    for (let count = 0; count < 20; count++) session.push(await line.honest());
    const replays = [...session, ...[...session].reverse(), ...session.slice(10)];
    await line.refusesEach(replays.map(again), reasonToReplay(flow));
  });
});

const STREAMING = FLOWS.filter(({ roundTrip }) => !roundTrip);

describe.each(STREAMING)("$name", (flow) => {
  it("attack 11: two messages swapped, in strict order: the late one is refused", async () => {
    const line = await Line.open(flow);
    await line.honest();
    const [first, second] = (await line.hold(2)) as [Held, Held];
    line.ends.attacker.replay(second.recorded);
    await line.expectDelivered(second.body);
    await line.refusesEach([again(first.recorded), again(second.recorded)], "replayed");
  });

  it("attack 11: two messages swapped, with a window: both delivered once, the late one marked", async () => {
    const line = await Line.open(flow, { receiver: { window: 16 } });
    await line.honest();
    const [first, second] = (await line.hold(2)) as [Held, Held];
    line.ends.attacker.replay(second.recorded, first.recorded);
    expect((await line.expectDelivered(second.body)).origin?.late).toBe(false);
    expect((await line.expectDelivered(first.body)).origin?.late).toBe(true);
    await line.refusesEach([again(first.recorded), again(second.recorded)], "replayed");
  });

  it.each([1, 2, 31, 32, 33, 64, 1000])("attack 19: at the edge of a window of %i", async (window) => {
    const line = await Line.open(flow, { receiver: { window } });
    await line.honest();
    const held = await line.hold(window + 2);
    const at = (back: number) => held[window + 1 - back] as Held;
    const deliver = async (message: Held, late: boolean) => {
      line.ends.attacker.replay(message.recorded);
      expect((await line.expectDelivered(message.body)).origin?.late).toBe(late);
    };
    const refuse = (backs: readonly number[], reasons: readonly Reason[]) =>
      line.refuses(
        backs.map((back) => again(at(back).recorded)),
        reasons,
      );
    await deliver(at(0), false);
    if (window > 1) await deliver(at(window - 1), true);
    await refuse(
      [window + 1, window, window - 1, 0],
      ["below-window", "below-window", "replayed", "replayed"],
    );
    // The honest message that followed has moved the window by one.
    if (window > 2) await deliver(at(window - 2), true);
    await refuse([window - 1], ["below-window"]);
  });

  // Where the two ends had to find each other first, the window has begun already.
  const haveMet = /PUB to|ROUTER to ROUTER/.test(flow.name);
  if (!haveMet)
    it("attack 19: a window begins at the first number that it was given", async () => {
      const line = await Line.open(flow, { receiver: { window: 64 } });
      const [before, first] = (await line.hold(2)) as [Held, Held];
      line.ends.attacker.replay(first.recorded);
      await line.expectDelivered(first.body);
      await line.refusesEach([again(before.recorded)], "below-window");
    });

  it("attack 24: held back for longer than maxAge", async () => {
    let later = 0;
    const clock = () => Date.now() * 1000 + later;
    const line = await Line.open(flow, { sender: { clock }, receiver: { clock, maxAge: 1000 } });
    await line.honest();
    const [held] = (await line.hold(1)) as [Held];
    later = 1_100_000;
    await line.refusesEach([again(held.recorded)], "too-old");
  });
});

const WITH_STRANGERS: readonly [string, () => zmq.Dealer | zmq.Push | zmq.XSubscriber][] = [
  ["DEALER to ROUTER", () => new zmq.Dealer({ routingId: "another" })],
  ["REQ to ROUTER", () => new zmq.Dealer({ routingId: "another" })],
  ["ROUTER to ROUTER", () => new zmq.Dealer({ routingId: "another" })],
  ["REQ to REP", () => new zmq.Dealer({ routingId: "another" })],
  ["DEALER to REP", () => new zmq.Dealer()],
  ["DEALER to DEALER", () => new zmq.Dealer()],
  ["PUSH to PULL", () => new zmq.Push()],
  ["XSUB to XPUB", () => new zmq.XSubscriber()],
];

describe("attack 11: over another socket's connection, with another routing id or none", () => {
  it.each(WITH_STRANGERS)("%s", async (name, make) => {
    const line = await Line.open(flowNamed(name));
    const recorded = [await line.honest(), await line.honest()];
    const stranger = opened(make());
    stranger.linger = 0;
    stranger.connect(line.ends.attacker.endpoint);
    for (const { frames } of recorded) await stranger.send([...frames]);
    await line.refusedSoFar(["replayed", "replayed"]);
    await line.honest();
  });
});

describe("attack 11: what a ROUTER says to one client, delivered to another", () => {
  it.each(["ROUTER to DEALER", "REP to DEALER"])("%s", async (name) => {
    const flow = flowNamed(name);
    const toBob = await Line.open(flow, { sender: { sender: "alice~1" } });
    const toCarol = await Line.open(flow, { sender: { sender: "alice~2" }, receiver: { sender: "carol" } });
    const [forBob] = (await toBob.hold(1)) as [Held];
    await toCarol.refusesEach([again(forBob.recorded)], "bad-signature");
    toBob.ends.attacker.replay(forBob.recorded);
    await toBob.expectDelivered(forBob.body);
  });
});

const HEARD: Record<string, string> = {
  ROUTER: "DEALER REQ ROUTER",
  DEALER: "ROUTER REP DEALER",
  REQ: "REP ROUTER",
  REP: "REQ DEALER",
  SUB: "PUB XPUB",
  XSUB: "PUB XPUB",
  XPUB: "XSUB",
  PULL: "PUSH",
  PAIR: "PAIR",
};

describe("attack 12: from any other pattern", () => {
  it.each(FLOWS)("to the receiver of $name", async (flow) => {
    const receiver = flow.name.split(" ")[2] as string;
    const strange = FLOWS.filter(
      ({ name }) => !HEARD[receiver]?.split(" ").includes(name.split(" ")[0] as string),
    );
    expect(strange.length).toBeGreaterThan(5);
    const forgeries: Forgery[] = [];
    for (const other of strange) {
      const [recorded] = (await recording(other)) as [Recorded];
      const signedPart = recorded.frames.slice(other.signatureAt);
      forgeries.push((genuine) => [...genuine.slice(0, flow.signatureAt), ...signedPart]);
    }
    const line = await Line.open(flow);
    await line.refusesEach(forgeries, "wrong-pattern");
  });
});

describe("attack 12 and 17: to another receiver that shares the state", () => {
  // What a ROUTER or REP says is addressed to one of them alone.
  it.each(FLOWS.filter(({ name }) => !/^(ROUTER|REP)/.test(name)))("$name", async (flow) => {
    const shared = { state: new MemoryState(), receiver: "workers" };
    const open = (name: string) =>
      Line.open(flow, {
        receiver: { ...shared, sender: `bob~${name}` },
        sender: { sender: `alice~${name}` },
      });
    const [first, second] = [await open("1"), await open("2")];
    const [toFirst, toSecond] = [await first.honest(), await second.honest()];
    await second.refusesEach([again(toFirst), again(toSecond)], "replayed");
    await first.refusesEach([again(toFirst), again(toSecond)], "replayed");
  });
});

describe("attack 13: back to its own sender", () => {
  const speak = (message: Buffer[] | string) => async (line: Line) => {
    await (line.ends.receiver as unknown as { send(given: unknown): Promise<void> }).send(message);
  };
  const nothing = async () => {};
  const rows: readonly [string, (line: Line) => Promise<void>, Reason][] = [
    ["ROUTER to DEALER", nothing, "reflected"],
    ["REP to DEALER", nothing, "reflected"],
    ["DEALER to DEALER", speak("mine"), "reflected"],
    ["PAIR to PAIR", speak("mine"), "reflected"],
    ["REP to REQ", nothing, "wrong-pattern"],
    ["ROUTER to REQ", nothing, "wrong-pattern"],
    ["REQ to REP", nothing, "wrong-pattern"],
    ["DEALER to REP", nothing, "wrong-pattern"],
    // Addressed to the client, and bound to its request.
    ["DEALER to ROUTER", speak([Buffer.from("client"), Buffer.from("mine")]), "bad-signature"],
    ["REQ to ROUTER", nothing, "unsupported"],
    ["PUB to XSUB", speak("mine"), "wrong-pattern"],
  ];

  it.each(rows)("as the receiver of %s", async (name, say, reason) => {
    const flow = flowNamed(name);
    const line = await Line.open(flow);
    const back = flow.direction === "up" ? "down" : "up";
    await line.honest();
    const already = say === nothing ? 0 : line.ends.attacker.sent(back).length;
    await say(line);
    const mine = (await line.ends.attacker.caught(back, already + 1)).at(-1) as Recorded;
    const topic = name === "PUB to XSUB" ? [Buffer.from(TOPIC)] : [];
    await line.refusesEach([() => [...topic, ...mine.frames]], reason);
  });
});

describe("attack 15: a receiver that was opened again", () => {
  it("with a state but no name of its own: what the first one heard is not live", async () => {
    const state = new MemoryState();
    const flow = flowNamed("PUSH to PULL");
    const recorded = await recording(flow, { receiver: { state } }, 3);
    const line = await Line.open(flow, { receiver: { state } });
    await line.refusesEach(recorded.map(again), "not-live");
  });

  it.each(["ROUTER to DEALER", "REP to DEALER"])("%s, under the same random name", async (name) => {
    const flow = flowNamed(name);
    const me = { receiver: { sender: identity() } };
    const recorded = await recording(flow, me, 3);
    const line = await Line.open(flow, me);
    await line.refusesEach(recorded.map(again), "not-live");
  });
});

describe("attack 18: after the sender's state was evicted by other authentic senders", () => {
  const remembering = FLOWS.filter(({ oneEach }) => !oneEach);

  it.each(remembering)("$name", async (flow) => {
    const line = await Line.open(flow, { receiver: { limits: { streams: 2 } } });
    const recorded = [await line.honest(), await line.honest(), await line.honest()];
    await evict(line, RECEIVER);
    await line.refusesEach(recorded.map(again), "not-live");
    await line.refusesEach(recorded.map(again), "replayed");
  });

  it.each(["ROUTER to DEALER", "REP to DEALER"])("%s, addressed to a random name", async (name) => {
    const me = identity();
    const line = await Line.open(flowNamed(name), { receiver: { sender: me, limits: { streams: 2 } } });
    const recorded = [await line.honest(), await line.honest(), await line.honest()];
    await evict(line, me.name);
    await line.refusesEach(recorded.map(again), "not-live");
    await line.refusesEach(recorded.map(again), "replayed");
  });
});

/** Lets five others speak to the receiver, who remembers two. */
async function evict({ flow, ends }: Line, to: string): Promise<void> {
  const { attacker, inbox, receiver } = ends;
  const back = flow.direction === "up" ? "down" : "up";
  const answers = flow.roundTrip ? 5 : 0;
  const answered = attacker.sent(back).length;
  attacker.hooks = { onMessage: (_, { direction }) => (direction === back ? "drop" : undefined) };
  for (let other = 1; other <= 5; other++) {
    const signer = accomplice({ pattern: senderPattern(flow), sender: `other-${other}` });
    (await attacker.connection(0)).inject(flow.direction, onWire(flow, signer, ["evicts"], to));
    expect((await inbox.next()).origin?.sender).toBe(`other-${other}`);
  }
  await attacker.caught(back, answered + answers);
  attacker.hooks = {};
  expect(receiver.stats.streams).toBe(2);
}

const BATCHING = STREAMING.filter(({ name }) => !/REP/.test(name));

describe("attack 23: batches", () => {
  it.each(BATCHING)("$name: again whole, in half, or cut elsewhere between its messages", async (flow) => {
    const line = await Line.open(flow);
    const { attacker, inbox } = line.ends;
    const signer = accomplice({ pattern: senderPattern(flow) });
    const messages = [["a", "b"], ["c"], ["d"]];
    const batch = batchOnWire(flow, signer, messages);
    (await attacker.connection(0)).inject(flow.direction, batch);
    for (const body of messages) expect((await inbox.next()).frames).toEqual(body);

    const genuine = batchOnWire(flow, signer, messages);
    const rebatched =
      (...bodies: string[][]): Forgery =>
      () =>
        edited(genuine, flow.signatureAt, (frame) => {
          const payloads = bodies.map((body) => payloadOf(body.map((part) => Buffer.from(part))));
          return Buffer.concat([frame.subarray(0, payloadStart(frame)), u32(bodies.length), ...payloads]);
        });
    const single: Forgery = () =>
      edited(genuine, flow.signatureAt, (frame) => {
        const head = Buffer.from(frame.subarray(0, payloadStart(frame)));
        head.writeUInt8(1, FIELD.kind);
        return Buffer.concat([head, payloadOf([Buffer.from("a"), Buffer.from("b")])]);
      });
    await line.refuses([() => batch, () => batch], ["replayed", "replayed"]);
    await line.refusesEach(
      [
        rebatched(["a", "b"], ["c"]),
        rebatched(["c"], ["d"]),
        rebatched(["d"]),
        rebatched(["a"], ["b", "c"], ["d"]),
        rebatched(["c"], ["a", "b"], ["d"]),
        rebatched(["a", "b"], ["c"], ["d"], ["d"]),
        single,
      ],
      "bad-signature",
    );
    (await attacker.connection(0)).inject(flow.direction, genuine);
    for (const body of messages) expect((await inbox.next()).frames).toEqual(body);
  });
});

function batchOnWire(flow: Flow, signer: Signer, messages: readonly string[][]): Buffer[] {
  if (signer.pattern === "router") {
    return signer
      .signBatch(
        messages.map((body) => ["id", ...body]),
        { to: RECEIVER },
      )
      .slice(1);
  }
  return signer.signBatch(messages.map((body) => (flow.signatureAt === 1 ? [TOPIC, ...body] : body)));
}
