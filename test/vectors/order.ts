// Vectors of several messages at one receiver: what is new, what is live, what was lost (docs/wire.md, sections 8
// and 10).

import type { Key, Target } from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";
import { batchOf, KIND, payloadOf, sealRegion, TYPE } from "../wire/reference.js";
import { type Arrival, type FrameText, frameText, type Receiver, type Vector } from "./format.js";
import {
  arrive,
  delivered,
  type ExpectedToo,
  HOUR,
  MASTER,
  receiver,
  refused,
  refusedSent,
  SECOND,
  Sender,
  type Sent,
  SINCE,
  vector,
} from "./lab.js";

export const ME = receiver("pull", "kernel");
const DAY = 24 * HOUR;

interface Shape {
  /** Alice's socket type; PUB and XPUB publish under "topic". Default "push". */
  readonly from?: "push" | "pub" | "xpub";
  /** Signed with this key. Default: the master key of most vectors. */
  readonly key?: Key;
  readonly sequence?: number;
  readonly epoch?: number;
  readonly sentAt?: number;
  readonly ordinal?: number;
  readonly sender?: string;
  /** Messages in a batch; a single message if left out. */
  readonly count?: number;
}

export const EPOCH = SINCE + SECOND;
const TOPIC = Buffer.from("topic");

/** A genuine message with these numbers, from alice's PUSH unless told. */
function numbered({
  from = "push",
  key = MASTER,
  sequence = 1,
  epoch = EPOCH,
  sentAt = EPOCH,
  ordinal = 0,
  sender = "alice",
  count,
}: Shape) {
  const fields = {
    kind: count === undefined ? KIND.data : KIND.batch,
    pattern: TYPE[from],
    sequence: BigInt(sequence),
    epoch: BigInt(epoch),
    sentAt: BigInt(sentAt),
    ordinal,
    sender,
  };
  const bodies = Array.from({ length: count ?? 1 }, (_, i) => [`message ${sequence + i}`]);
  const region = count === undefined ? payloadOf(...(bodies[0] as string[])) : batchOf(...bodies);
  const published = from === "push" ? {} : { topic: TOPIC };
  const sealing = { secret: key.exportSecret(), fields, ...published };
  const frames = sealRegion(region, sealing).map(frameText);
  const origin = {
    sender,
    pattern: from,
    keyId: key.idText,
    epoch,
    sequence,
    sentAt,
    addressed: false,
  };
  const front = from === "push" ? [] : ["topic"];
  return { frames, origin, bodies: bodies.map((body) => [...front, ...body]) };
}

/** It arrives and is delivered. */
export function accept(shape: Shape, { late = false, lost }: ExpectedToo = {}, now?: number): Arrival {
  const { frames, origin, bodies } = numbered(shape);
  const expect = {
    ok: true as const,
    delivered: bodies.map((body) => body.map((text) => frameText(Buffer.from(text)))),
    origin: { ...origin, late },
    ...(lost !== undefined && { lost }),
  };
  return { frames, expect, ...(now !== undefined && { now }) };
}

/** It arrives and is refused, its tag verified. */
export function refuse(shape: Shape, reason: Reason, now?: number): Arrival {
  const expect = { ok: false as const, reason, authentic: true };
  return { frames: numbered(shape).frames, expect, ...(now !== undefined && { now }) };
}

/** A run of sequence numbers, each with what becomes of it. */
function run(
  name: string,
  rest: Partial<Receiver>,
  fates: readonly (readonly [number, Reason | "new" | "late"])[],
) {
  const messages = fates.map(([sequence, fate]) =>
    fate === "new" || fate === "late"
      ? accept({ sequence }, { late: fate === "late" })
      : refuse({ sequence }, fate),
  );
  return vector(name, { ...ME, ...rest }, messages);
}

export function newness(): Vector[] {
  const last = 2 ** 53 - 1;
  return [
    run("strict-order", {}, [
      [1, "new"],
      [1, "replayed"],
      [2, "new"],
      [5, "new"],
      [4, "replayed"],
      [5, "replayed"],
      [6, "new"],
    ]),
    run("strict-order-up-to-the-highest-number", {}, [
      [last - 1, "new"],
      [last, "new"],
      [last, "replayed"],
    ]),
    run("window-of-4", { window: 4 }, [
      [10, "new"],
      [9, "below-window"],
      [12, "new"],
      [11, "late"],
      [11, "replayed"],
      [12, "replayed"],
      [20, "new"],
      [17, "late"],
      [16, "below-window"],
      [20, "replayed"],
      [18, "late"],
      [21, "new"],
      [17, "below-window"],
      [19, "late"],
    ]),
    run("window-of-1", { window: 1 }, [
      [1, "new"],
      [1, "replayed"],
      [3, "new"],
      [2, "below-window"],
      [3, "replayed"],
    ]),
    run("window-of-64-across-a-jump", { window: 64 }, [
      [1, "new"],
      [1000, "new"],
      [937, "late"],
      [936, "below-window"],
      [968, "late"],
      [937, "replayed"],
      [1001, "new"],
      [937, "below-window"],
      [938, "late"],
    ]),
    run("window-of-65536", { window: 65_536 }, [
      [1, "new"],
      [65_537, "new"],
      [2, "late"],
      [1, "below-window"],
      [2, "replayed"],
    ]),
    batchesInStrictOrder(),
    batchesInAWindow(),
    forgedNumber(),
  ];
}

function batchesInStrictOrder(): Vector {
  return vector("batches-in-strict-order", ME, [
    accept({ sequence: 1, count: 3 }),
    refuse({ sequence: 1, count: 3 }, "replayed"),
    refuse({ sequence: 3, count: 3 }, "replayed"),
    refuse({ sequence: 2 }, "replayed"),
    accept({ sequence: 4, count: 2 }),
    accept({ sequence: 6 }),
  ]);
}

function batchesInAWindow(): Vector {
  return vector("batches-in-a-window", { ...ME, window: 4 }, [
    accept({ sequence: 5 }),
    accept({ sequence: 8, count: 3 }),
    accept({ sequence: 7 }, { late: true }),
    refuse({ sequence: 6, count: 3 }, "below-window"),
    refuse({ sequence: 10, count: 2 }, "replayed"),
    accept({ sequence: 11, count: 6 }),
    refuse({ sequence: 12, count: 6 }, "below-window"),
    refuse({ sequence: 13 }, "replayed"),
  ]);
}

/** A forged message leaves nothing behind: the genuine one with its number is still new. */
function forgedNumber(): Vector {
  const sender = new Sender({ pattern: "push", name: "alice" });
  const [first, second] = [sender.sign(["one"]), sender.sign(["two"])];
  const forged = [Buffer.from(second.frames[0] as Buffer)];
  (forged[0] as Buffer).write("XXX", (forged[0] as Buffer).length - 3);
  return vector("forged-number-leaves-nothing-behind", ME, [
    delivered(first, ME),
    refused(forged, "bad-signature"),
    delivered(second, ME),
    refusedSent(second, ME, "replayed", true),
  ]);
}

export function epochs(): Vector[] {
  return [
    vector("a-higher-epoch-replaces-a-lower-one", ME, [
      accept({ sequence: 7 }),
      accept({ epoch: EPOCH + 1, sequence: 1 }),
      refuse({ sequence: 8 }, "stale-epoch"),
      refuse({ epoch: EPOCH + 1, sequence: 1 }, "replayed"),
      accept({ epoch: EPOCH + 1, sequence: 2 }),
    ]),
    vector("a-new-epoch-needs-evidence-too", ME, [
      accept({ sequence: 7 }),
      refuse({ epoch: EPOCH + 1, sequence: 1, sentAt: SINCE }, "not-live"),
      accept({ sequence: 8, sentAt: SINCE }),
      accept({ epoch: EPOCH + 1, sequence: 1 }),
    ]),
    vector("a-new-epoch-begins-a-new-window", { ...ME, window: 8 }, [
      accept({ sequence: 100 }),
      accept({ epoch: EPOCH + 1, sequence: 3 }),
      refuse({ epoch: EPOCH + 1, sequence: 2 }, "below-window"),
      refuse({ sequence: 99 }, "stale-epoch"),
    ]),
    senderRestarts(),
  ];
}

function senderRestarts(): Vector {
  const before = new Sender({ pattern: "push", name: "alice" });
  const [first, kept] = [before.sign(["one"]), before.sign(["two"])];
  before.close();
  const after = new Sender({ pattern: "push", name: "alice" });
  return vector("sender-restarts", ME, [
    delivered(first, ME),
    delivered(after.sign(["one again"]), ME),
    refusedSent(kept, ME, "stale-epoch", true),
    refusedSent(first, ME, "stale-epoch", true),
    delivered(after.sign(["two again"]), ME),
  ]);
}

export function liveness(): Vector[] {
  const now = SINCE + HOUR;
  const skewed = { skew: 5 * SECOND };
  const aged = { maxAge: 10 * SECOND };
  return [
    vector("signed-when-the-receiver-began", ME, [
      refuse({ sentAt: SINCE }, "not-live"),
      accept({ sentAt: SINCE + 1 }),
    ]),
    vector("skew", { ...ME, ...skewed }, [
      refuse({ sentAt: SINCE + 5 * SECOND }, "not-live"),
      accept({ sentAt: SINCE + 5 * SECOND + 1 }),
    ]),
    vector("a-known-stream-needs-no-evidence", ME, [
      accept({ sequence: 1 }),
      accept({ sequence: 2, sentAt: 0 }),
    ]),
    vector("epoch-24-hours-ahead", ME, [
      refuse({ epoch: now + DAY + 1 }, "future-epoch"),
      accept({ epoch: now + DAY }),
    ]),
    vector("a-known-epoch-may-be-ahead", ME, [
      accept({ epoch: now + DAY }),
      accept({ epoch: now + DAY, sequence: 2 }, {}, now - HOUR),
    ]),
    vector("max-age", { ...ME, ...aged }, [
      accept({ sequence: 1, sentAt: now - 10 * SECOND }),
      refuse({ sequence: 2, sentAt: now - 10 * SECOND - 1 }, "too-old"),
      accept({ sequence: 2, sentAt: now + DAY }),
      refuse({ sequence: 2, sentAt: now - 11 * SECOND }, "too-old"),
    ]),
    vector("age-before-epoch", { ...ME, ...aged }, [
      accept({ sequence: 1, sentAt: now }),
      refuse({ epoch: EPOCH - 1, sentAt: now - 11 * SECOND }, "too-old"),
      refuse({ epoch: EPOCH - 1, sentAt: now }, "stale-epoch"),
    ]),
  ];
}

export function streams(): Vector[] {
  return [
    vector("senders-are-apart", ME, [
      accept({ sequence: 5 }),
      accept({ sequence: 1, sender: "bob" }),
      accept({ sequence: 1, sender: "alice~2" }),
      refuse({ sequence: 1 }, "replayed"),
    ]),
    socketTypesAreApart(),
    eviction(),
    evictionKeepsTheRecentlyHeard(),
  ];
}

function socketTypesAreApart(): Vector {
  const me = receiver("sub", "kernel");
  const signed = (["pub", "xpub"] as const).map((pattern) => {
    const sender = new Sender({ pattern, name: "alice" });
    return [sender.sign(["topic", "one"]), sender.sign(["topic", "two"])] as const;
  });
  const [[pub1, pub2], [xpub1, xpub2]] = signed as [(typeof signed)[0], (typeof signed)[0]];
  return vector("socket-types-are-apart", me, [
    delivered(pub1, me),
    delivered(pub2, me),
    delivered(xpub1, me),
    delivered(xpub2, me),
    refused(arrive("pub", "sub", pub1.frames), "replayed", true),
  ]);
}

/** Who forgets a stream remembers until when: its old messages are not live any more, its next one is. */
function eviction(): Vector {
  const at = (minutes: number) => SINCE + minutes * 60 * SECOND;
  const first = { sequence: 1, sentAt: at(1) };
  return vector("eviction-reopens-nothing", { ...ME, limits: { streams: 1 } }, [
    accept(first, {}, at(2)),
    accept({ sequence: 1, sender: "bob", sentAt: at(3) }, {}, at(3)),
    refuse(first, "not-live", at(4)),
    refuse({ sequence: 2, sentAt: at(2) }, "not-live", at(4)),
    accept({ sequence: 2, sentAt: at(2) + 1 }, {}, at(4)),
    refuse({ sequence: 2, sender: "bob", sentAt: at(3) }, "not-live", at(5)),
  ]);
}

function evictionKeepsTheRecentlyHeard(): Vector {
  const at = (minutes: number) => SINCE + minutes * 60 * SECOND;
  const from = (sender: string, sequence: number, minutes: number) => ({
    sender,
    sequence,
    sentAt: at(minutes),
  });
  return vector("the-least-recently-heard-is-forgotten-first", { ...ME, limits: { streams: 2 } }, [
    accept(from("alice", 1, 1), {}, at(1)),
    accept(from("bob", 1, 2), {}, at(2)),
    accept(from("alice", 2, 3), {}, at(3)),
    accept(from("carol", 1, 4), {}, at(4)),
    refuse(from("alice", 1, 1), "replayed", at(5)),
    refuse(from("bob", 1, 2), "not-live", at(5)),
    accept(from("bob", 2, 5), {}, at(5)),
  ]);
}

/** As many messages in a row. */
function series(sender: Sender, message: readonly string[], count: number, target?: Target): Sent[] {
  return Array.from({ length: count }, () => sender.sign(message, target));
}

/** Those of a series that arrive, by their place in it, and what each is told to be or to show. */
function arriving(
  name: string,
  me: Receiver,
  sent: readonly Sent[],
  arrivals: readonly (readonly [number, ExpectedToo?])[],
) {
  return vector(
    name,
    me,
    arrivals.map(([place, told]) => delivered(sent[place - 1] as Sent, me, told)),
  );
}

export function gaps(): Vector[] {
  return [
    lostToOne(),
    lostByTopic(),
    lostAcrossEpochs(),
    lostWithAWindow(),
    spreadOverWorkers(),
    addressedApart(),
    topicsWithoutBody(),
    lostInBatches(),
    ...behindABroker(),
    countedBySocketType(),
    ...endOfOrdinals(),
  ];
}

/** What a broker may have spread over several workers shows nothing; what is addressed to one of them does. */
function behindABroker(): Vector[] {
  const me = receiver("router", "kernel", { hops: 1 });
  const broker = Buffer.from("broker");
  const arriving = (sent: Sent, told: ExpectedToo = {}): Arrival => {
    const { frames, expect } = delivered(sent, me, told);
    const through = (given: readonly FrameText[]) => [frameText(broker), ...given];
    if (!expect.ok) throw new Error("a message that arrives is delivered");
    return { frames: through(frames), expect: { ...expect, delivered: expect.delivered.map(through) } };
  };
  const three = (to?: string) =>
    series(new Sender({ pattern: "dealer", name: "alice" }), ["x"], 3, { onePeer: true, to });
  const [anyone, , again] = three() as [Sent, Sent, Sent];
  const unaddressed = vector("unaddressed-numbers-mean-nothing-behind-a-broker", me, [
    arriving(anyone),
    arriving(again),
  ]);
  const [one, , other] = three("kernel") as [Sent, Sent, Sent];
  return [
    unaddressed,
    vector("one-lost-of-what-is-addressed-behind-a-broker", me, [
      arriving(one),
      arriving(other, { lost: 1 }),
    ]),
  ];
}

function countedBySocketType(): Vector {
  return vector("ordinals-of-two-socket-types-are-apart", receiver("sub", "kernel"), [
    accept({ from: "pub", ordinal: 1 }),
    accept({ from: "xpub", ordinal: 5 }),
    accept({ from: "pub", sequence: 2, ordinal: 2 }),
    accept({ from: "xpub", sequence: 2, ordinal: 7 }, { lost: 1 }),
    accept({ from: "pub", sequence: 3, ordinal: 5 }, { lost: 2 }),
  ]);
}

/** Behind 2^32-1 comes 1, and a batch that would go beyond begins at 1 as a whole. No receiver wraps around by itself. */
function endOfOrdinals(): Vector[] {
  const last = 2 ** 32 - 1;
  return [
    vector("ordinals-begin-again-at-1", ME, [
      accept({ ordinal: last - 1 }),
      accept({ sequence: 2, ordinal: last }),
      accept({ sequence: 3, ordinal: 1 }),
      accept({ sequence: 4, ordinal: 3 }, { lost: 1 }),
    ]),
    vector("ordinals-begin-again-at-1-with-a-batch", ME, [
      accept({ ordinal: last - 1 }),
      accept({ sequence: 2, ordinal: 1, count: 3 }),
      accept({ sequence: 5, ordinal: 5 }, { lost: 1 }),
    ]),
    vector("ordinals-of-a-batch-beyond-the-last", ME, [
      accept({ ordinal: last - 2 }),
      accept({ sequence: 2, ordinal: last, count: 3 }, { lost: 1 }),
      accept({ sequence: 5, ordinal: 1 }),
    ]),
  ];
}

const ONE = { pattern: "pair", name: "alice" } as const;

function lostToOne(): Vector {
  const sent = series(new Sender(ONE), ["x"], 5);
  return arriving("two-lost-to-a-pair", receiver("pair", "kernel"), sent, [[1], [4, { lost: 2 }], [5]]);
}

function lostByTopic(): Vector {
  const me = receiver("sub", "kernel");
  const sender = new Sender({ pattern: "pub", name: "alice" });
  const publish = (topic: string) => sender.sign([topic, "x"]);
  const [a1, b1, , a3] = [publish("a"), publish("b"), publish("a"), publish("a")];
  const b2 = publish("b");
  return vector("one-lost-of-a-topic", me, [
    delivered(a1, me),
    delivered(b1, me),
    delivered(a3, me, { lost: 1 }),
    delivered(b2, me),
  ]);
}

function lostAcrossEpochs(): Vector {
  const me = receiver("pair", "kernel");
  const before = new Sender(ONE);
  const first = before.sign(["x"]);
  before.close();
  const after = new Sender(ONE);
  after.sign(["lost"]);
  return vector("counting-begins-again-with-an-epoch", me, [
    delivered(first, me),
    delivered(after.sign(["x"]), me, { lost: 1 }),
    delivered(after.sign(["x"]), me),
  ]);
}

function lostWithAWindow(): Vector {
  const me = receiver("pair", "kernel", { window: 4 });
  const late = { late: true };
  return arriving("lost-once-out-of-reach", me, series(new Sender(ONE), ["x"], 8), [
    [1],
    [4],
    [3, late],
    [5],
    [6, { lost: 1 }],
    [8],
    [7, late],
  ]);
}

/** What a DEALER sent to nobody in particular may have gone to several workers; a REP cannot know. */
function spreadOverWorkers(): Vector {
  const sender = new Sender({ pattern: "dealer", name: "alice" });
  const sent = series(sender, ["", "x"], 3, { onePeer: true });
  return arriving("unaddressed-numbers-mean-nothing-to-a-rep", receiver("rep", "kernel"), sent, [[1], [3]]);
}

function addressedApart(): Vector {
  const me = receiver("pair", "kernel");
  const sender = new Sender(ONE);
  const to = (name: string | null) => sender.sign(["x"], { to: name });
  const sent = [to("kernel"), to("kernel"), to(null), to("kernel"), to(null)];
  return vector(
    "addressed-and-unaddressed-are-counted-apart",
    me,
    sent.map((message) => delivered(message, me)),
  );
}

function topicsWithoutBody(): Vector {
  const sent = series(new Sender({ pattern: "pub", name: "alice" }), ["all topic"], 3);
  return arriving("topics-without-a-body-are-not-counted", receiver("sub", "kernel"), sent, [[1], [3]]);
}

function lostInBatches(): Vector {
  const me = receiver("pair", "kernel");
  const sender = new Sender(ONE);
  const three = [["1"], ["2"], ["3"]];
  const [a, , c] = [sender.signBatch(three), sender.signBatch(three), sender.signBatch(three)];
  return vector("a-lost-batch", me, [
    delivered(a, me),
    delivered(c, me, { lost: 3 }),
    delivered(sender.sign(["x"]), me),
  ]);
}
