// Vectors of what a message can look like: frames, layouts, envelopes, topics, names, numbers and batches
// (docs/wire.md, sections 3, 4 and 6).

import type { Pattern } from "../../src/core.js";
import { payloadOf, type Sealing, sealRegion } from "../wire/reference.js";
import { type Arrival, type FrameText, frameText, type Receiver, type Vector } from "./format.js";
import { delivered, MASTER, receiver, SECRET, Sender, type SenderOptions, SINCE, vector } from "./lab.js";

type Options = Omit<SenderOptions, "pattern" | "name"> & { readonly name?: string };

const DETACHED = 0;
const INLINE = 2 ** 20;

/** One message from alice to kernel. */
function one(
  name: string,
  [from, to]: readonly [Pattern, Pattern],
  message: readonly (string | Buffer)[],
  options: Options = {},
  rest: Partial<Receiver> = {},
): Vector {
  const channel = options.channel ?? "";
  const me = receiver(to, "kernel", { channel, ...rest });
  const sender = new Sender({ name: "alice", ...options, pattern: from });
  return vector(name, me, [delivered(sender.sign(message), me)]);
}

/** The same message in both layouts. */
function both(
  name: string,
  pair: readonly [Pattern, Pattern],
  message: readonly (string | Buffer)[],
  options: Options = {},
  rest: Partial<Receiver> = {},
): Vector[] {
  return [
    one(`${name}-inline`, pair, message, { ...options, inline: INLINE }, rest),
    one(`${name}-detached`, pair, message, { ...options, inline: DETACHED }, rest),
  ];
}

const PUSH_PULL = ["push", "pull"] as const;
const PUB_SUB = ["pub", "sub"] as const;
const DEALER_ROUTER = ["dealer", "router"] as const;
const ROUTER_DEALER = ["router", "dealer"] as const;

/** Bytes that begin as a signature frame does. */
const LOOK_ALIKE = Buffer.concat([Buffer.from([0xc1, 0x53, 1, 1, 0, 5, 0, 5]), Buffer.alloc(64, 0x61)]);
const MANY = Array.from({ length: 300 }, (_, i) => Buffer.from([i % 256]));
const BIG = Buffer.alloc(70_000, 0x5a);

export function bodies(): Vector[] {
  return [
    ...both("one-frame", PUSH_PULL, ["hello"]),
    ...both("three-frames", PUSH_PULL, ["one", "two", "three"]),
    ...both("one-empty-frame", PUSH_PULL, [""]),
    ...both("empty-frames-around-one", PUSH_PULL, ["", "middle", ""]),
    ...both("three-hundred-frames", PUSH_PULL, MANY),
    ...both("frame-that-begins-as-a-signature-does", PUSH_PULL, [LOOK_ALIKE, "body"]),
    ...both("big-frame", PUSH_PULL, [BIG]),
    ...both("big-frame-between-small-ones", PUSH_PULL, ["head", BIG, "tail"]),
    one("xsub-sends-inline-whatever-the-size", ["xsub", "xpub"], [BIG], { inline: DETACHED }),
    one("xsub-body-that-begins-as-a-subscription-does", ["xsub", "xpub"], ["\u0001topic"]),
  ];
}

export function topics(): Vector[] {
  return [
    ...both("topic-and-body", PUB_SUB, ["weather.oslo", "rain"]),
    ...both("topic-without-body", PUB_SUB, ["weather.oslo"]),
    ...both("empty-topic", PUB_SUB, ["", "rain"]),
    ...both("empty-topic-without-body", PUB_SUB, [""]),
    ...both("topic-and-empty-frame", PUB_SUB, ["weather.oslo", ""]),
    ...both("topic-that-begins-as-a-signature-does", PUB_SUB, [LOOK_ALIKE, "rain"]),
    ...both("body-that-begins-as-a-signature-does", PUB_SUB, ["weather.oslo", LOOK_ALIKE]),
  ];
}

export function envelopes(): Vector[] {
  return [
    ...both("delimiter-to-router", DEALER_ROUTER, ["", "hello"]),
    ...both("delimiter-to-dealer", ROUTER_DEALER, ["peer-2", "", "hello"], { to: "kernel" }),
    ...both("delimiter-then-empty-frame", DEALER_ROUTER, ["", "", "hello"]),
    ...both("delimiter-without-body", DEALER_ROUTER, [""]),
    ...both("delimiter-to-rep", ["dealer", "rep"], ["", "hello"]),
    ...both("delimiter-between-dealers", ["dealer", "dealer"], ["", "hello"]),
    ...both("body-that-looks-like-a-signature-to-router", DEALER_ROUTER, [LOOK_ALIKE]),
    ...both("router-hops-1", DEALER_ROUTER, ["worker-7", "hello"], { hops: 1 }, { hops: 1 }),
    ...both("router-hops-2-delimited", DEALER_ROUTER, ["a", "b", "", "hello"], { hops: 2 }, { hops: 2 }),
    ...both(
      "dealer-hops-1",
      ROUTER_DEALER,
      ["broker", "peer-2", "hello"],
      { hops: 1, to: "kernel" },
      { hops: 1 },
    ),
    correlated(),
    strangeRoutingId(),
  ];
}

/** A REQ with `correlate` puts four bytes of its own before the delimiter. */
function correlated(): Vector {
  const me = receiver("router", "kernel", { hops: 1 });
  const arrival = delivered(new Sender({ pattern: "req", name: "alice" }).sign(["ping"]), me);
  const request = frameText(Buffer.from([0, 0, 0, 1]));
  const insert = ([id, ...frames]: Arrival["frames"]) => [id as FrameText, request, ...frames];
  if (!arrival.expect.ok) throw new Error("unreachable");
  const expect = { ...arrival.expect, delivered: arrival.expect.delivered.map(insert) };
  return vector("req-with-correlation-id", me, [{ frames: insert(arrival.frames), expect }]);
}

/** A routing id is the peer's choice; it may look like anything. */
function strangeRoutingId(): Vector {
  const me = receiver("router", "kernel");
  const arrival = delivered(new Sender({ pattern: "dealer", name: "alice" }).sign(["hello"]), me);
  const replace = ([, ...frames]: Arrival["frames"]) => [frameText(LOOK_ALIKE), ...frames];
  if (!arrival.expect.ok) throw new Error("unreachable");
  const expect = { ...arrival.expect, delivered: arrival.expect.delivered.map(replace) };
  return vector("routing-id-that-begins-as-a-signature-does", me, [
    { frames: replace(arrival.frames), expect },
  ]);
}

export function names(): Vector[] {
  const hello = ["hello"];
  return [
    one("sender-of-one-byte", PUSH_PULL, hello, { name: "a" }),
    one("sender-of-64-bytes", PUSH_PULL, hello, { name: "n".repeat(64) }),
    one("sender-with-instance", PUSH_PULL, hello, { name: "alice~worker-2" }),
    one("sender-with-two-tildes", PUSH_PULL, hello, { name: "alice~a~b" }),
    one("sender-of-every-kind-of-character", PUSH_PULL, hello, { name: '!"#$%&/()=?`{}[]|<>;:_,.-' }),
    one("empty-channel", PUSH_PULL, hello, { channel: "" }),
    one("channel-beyond-ascii", PUSH_PULL, hello, { channel: "straße/東京" }),
    one("longest-channel", PUSH_PULL, hello, { channel: "c".repeat(255) }),
  ];
}

const MAX = 2n ** 53n - 1n;

/** A message whose numbers no honest sender reaches soon. */
function numbered(name: string, numbers: Sealing["fields"], rest: Partial<Receiver> = {}): Vector {
  const body = "hello";
  const fields = {
    pattern: 8,
    sequence: 1n,
    epoch: BigInt(SINCE + 1),
    sentAt: BigInt(SINCE + 1),
    ordinal: 0,
    ...numbers,
  };
  const { sequence, epoch, sentAt } = fields;
  const origin = {
    sender: "alice",
    pattern: "push" as const,
    keyId: MASTER.idText,
    epoch: Number(epoch),
    sequence: Number(sequence),
    sentAt: Number(sentAt),
    addressed: false,
    late: false,
  };
  const frames = sealRegion(payloadOf(body), { secret: SECRET, fields }).map(frameText);
  const expect = { ok: true as const, delivered: [[frameText(Buffer.from(body))]], origin };
  return vector(name, receiver("pull", "kernel", rest), [{ frames, expect }]);
}

export function numbers(): Vector[] {
  const now = Number(MAX);
  return [
    numbered("sequence-at-its-maximum", { sequence: MAX }),
    numbered("epoch-at-its-maximum", { epoch: MAX }, { now }),
    numbered("sent-at-at-its-maximum", { sentAt: MAX }),
    numbered("epoch-of-zero", { epoch: 0n }),
    numbered("ordinal-at-its-maximum", { ordinal: 2 ** 32 - 1 }),
    numbered("numbers-above-32-bits", {
      epoch: 0x1_0000_0001n,
      sequence: 0x2_0000_0002n,
      sentAt: BigInt(SINCE + 5),
    }),
  ];
}

function batch(
  name: string,
  [from, to]: readonly [Pattern, Pattern],
  messages: readonly (readonly (string | Buffer)[])[],
  options: Options = {},
  rest: Partial<Receiver> = {},
): Vector {
  const me = receiver(to, "kernel", rest);
  const sender = new Sender({ name: "alice", ...options, pattern: from });
  const sent = [sender.sign(messages[0] ?? []), sender.signBatch(messages), sender.sign(messages[0] ?? [])];
  return vector(
    name,
    me,
    sent.map((message) => delivered(message, me)),
  );
}

export function batches(): Vector[] {
  const topic = "weather.oslo";
  return [
    batch("batch-of-three", PUSH_PULL, [["one"], ["two", "2"], [""]]),
    batch("batch-of-one", PUSH_PULL, [["one"]]),
    batch(
      "batch-of-256",
      PUSH_PULL,
      Array.from({ length: 256 }, (_, i) => [Buffer.from([i])]),
    ),
    batch("batch-behind-a-topic", PUB_SUB, [[topic, "rain"], [topic], [topic, "", ""]]),
    batch("batch-to-a-router", DEALER_ROUTER, [["one"], ["two"]]),
    batch(
      "batch-addressed",
      ROUTER_DEALER,
      [
        ["peer-2", "one"],
        ["peer-2", "two"],
      ],
      { to: "kernel" },
    ),
    batch("batch-from-xsub", ["xsub", "xpub"], [["one"], ["two"]]),
    batch("batch-with-a-window", PUSH_PULL, [["one"], ["two"], ["three"]], {}, { window: 2 }),
    batch("batch-with-a-big-frame", PUSH_PULL, [["one"], [BIG, "two"]]),
  ];
}
