// Vectors of messages that no sender should make, most of them under a genuine tag: a receiver that forgets a check
// would deliver them (docs/wire.md, sections 3, 6, 9 and 11).

import type { Pattern } from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";
import {
  batchOf,
  type Fields,
  FLAG,
  KIND,
  payloadOf,
  type Sealing,
  sealDetached,
  sealRegion,
  TYPE,
  u32,
} from "../wire/reference.js";
import type { Receiver, Vector } from "./format.js";
import { arrive, MASTER, PEER_ID, receiver, refused, SECRET, Sender, SINCE, vector } from "./lab.js";

const GENUINE = { pattern: TYPE.push, epoch: BigInt(SINCE + 1), sentAt: BigInt(SINCE + 1) };

function sealing(fields: Partial<Fields>): Sealing {
  return { secret: SECRET, fields: { ...GENUINE, ...fields } };
}

/** An inline message of alice's PUSH with these fields, to kernel's PULL. */
function fields(name: string, given: Partial<Fields>, reason: Reason = "malformed"): Vector {
  return vector(name, receiver("pull", "kernel"), [
    refused(sealRegion(payloadOf("hello"), sealing(given)), reason),
  ]);
}

/** Frames as they are, to kernel's PULL or another socket. */
function raw(
  name: string,
  frames: readonly (string | Buffer)[],
  reason: Reason,
  to: Pattern = "pull",
  rest: Partial<Receiver> = {},
): Vector {
  const bytes = frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame) : frame));
  return vector(name, receiver(to, "kernel", rest), [refused(bytes, reason)]);
}

export function unsigned(): Vector[] {
  const signed = sealRegion(payloadOf("hello"), sealing({}))[0] as Buffer;
  return [
    raw("no-frames", [], "unsigned"),
    raw("plain-message", ["hello", "world"], "unsigned"),
    raw("empty-message", [""], "unsigned"),
    raw("half-of-the-magic", [Buffer.from([0xc1])], "unsigned"),
    raw("almost-the-magic", [Buffer.from("c154010100080005", "hex")], "unsigned"),
    raw("magic-the-other-way-round", [Buffer.from("53c1010100080005", "hex")], "unsigned"),
    raw("signature-one-frame-late", ["hello", signed], "unsigned"),
    raw("router-gets-an-id-alone", [PEER_ID], "unsigned", "router"),
    raw("router-gets-an-id-and-a-delimiter-alone", [PEER_ID, ""], "unsigned", "router"),
    raw("router-has-fewer-hops-than-it-expects", [PEER_ID, signed], "unsigned", "router", { hops: 1 }),
    raw("subscriber-gets-a-topic-alone", ["weather.oslo"], "unsigned", "sub"),
    raw("subscriber-gets-no-topic", [signed], "unsigned", "sub"),
    raw("publisher-gets-two-frames-that-begin-as-a-subscription", ["\u0001weather", "x"], "unsigned", "xpub"),
    raw("publisher-gets-two-frames-that-begin-as-an-end-of-one", ["\u0000weather", ""], "unsigned", "xpub"),
    raw("publisher-gets-an-empty-message", [""], "unsigned", "xpub"),
    reported(),
    badSignatureUnderReport(),
  ];
}

const REPORT = { policy: "report" as const };

function reported(): Vector {
  const hello = Buffer.from("hello").toString("hex");
  const expect = { ok: true as const, delivered: [[hello]], origin: null };
  return vector("unsigned-under-report", receiver("pull", "kernel", REPORT), [{ frames: [hello], expect }]);
}

function badSignatureUnderReport(): Vector {
  const frame = sealRegion(payloadOf("hello"), sealing({}))[0] as Buffer;
  frame[frame.length - 1] = 0;
  return raw("bad-signature-under-report", [frame], "bad-signature", "pull", REPORT);
}

/** The signature frame at every length that matters. */
export function lengths(): Vector[] {
  const detached = sealDetached([Buffer.from("hello")], sealing({}))[0] as Buffer;
  const cut = (length: number) => [detached.subarray(0, length), "hello"];
  const sender = "alice".length;
  return [
    raw("magic-alone", cut(2), "malformed"),
    raw("version-alone", cut(3), "malformed"),
    raw("header-one-byte-short", cut(39), "malformed"),
    raw("header-without-a-name", cut(40), "malformed"),
    raw("name-one-byte-short", cut(40 + sender - 1), "malformed"),
    raw("no-tag", cut(40 + sender), "malformed"),
    raw("tag-of-31-bytes", cut(40 + sender + 31), "malformed"),
    raw("tag-of-33-bytes", [Buffer.concat([detached, Buffer.from([0])]), "hello"], "malformed"),
    raw(
      "tag-of-zeros",
      [Buffer.concat([detached.subarray(0, 45), Buffer.alloc(32)]), "hello"],
      "bad-signature",
    ),
    raw("another-version-in-three-bytes", [Buffer.from([0xc1, 0x53, 2])], "unsupported-version"),
  ];
}

export function headers(): Vector[] {
  return [
    fields("version-0", { version: 0 }, "unsupported-version"),
    fields("version-2", { version: 2 }, "unsupported-version"),
    fields("version-255", { version: 255 }, "unsupported-version"),
    fields("kind-0", { kind: 0 }),
    fields("kind-9", { kind: 9 }),
    fields("kind-255", { kind: 255 }),
    fields("flag-0x80", { flags: FLAG.inline | FLAG.reserved }),
    fields("flag-sealed", { flags: FLAG.inline | FLAG.sealed }, "unsupported"),
    fields("pattern-11", { pattern: 11 }),
    fields("pattern-255", { pattern: 255 }),
    fields("reserved-byte-1", { reserved: 1 }),
    fields("name-of-no-bytes", { nameLength: 0 }),
    fields("name-of-65-bytes", { sender: "n".repeat(65) }),
    fields("name-with-a-space", { sender: "al ice" }),
    fields("name-with-a-control-character", { sender: "alice\n" }),
    fields("name-with-a-delete", { sender: "alice\u007f" }),
    fields("name-beyond-ascii", { sender: "alic\u00e9" }),
    fields("name-that-begins-with-a-tilde", { sender: "~alice" }),
    fields("epoch-above-2-53-minus-1", { epoch: 2n ** 53n }),
    fields("sequence-above-2-53-minus-1", { sequence: 2n ** 53n }),
    fields("sent-at-above-2-53-minus-1", { sentAt: 2n ** 53n }),
    fields("every-bit-of-a-number", { epoch: 2n ** 64n - 1n }),
    fields("sequence-0", { sequence: 0n }),
  ];
}

export function kinds(): Vector[] {
  const { hello, challenge, echo, sync, handshake } = KIND;
  const control = Object.entries({ hello, challenge, echo, sync, refused: KIND.refused, handshake });
  const answer = Buffer.from("c153010700040000", "hex");
  return [
    ...control.map(([name, kind]) => fields(`kind-${name}`, { kind, sequence: 0n }, "unsupported")),
    raw("refused-to-a-req", [answer], "refused", "req"),
    raw("refused-with-another-byte-to-a-req", [Buffer.from("c153010700040001", "hex")], "malformed", "req"),
    raw("refused-with-a-byte-more-to-a-req", [Buffer.concat([answer, Buffer.from([0])])], "malformed", "req"),
    raw("refused-to-a-dealer", ["", answer], "malformed", "dealer"),
  ];
}

/** Flags that do not fit the socket or each other. */
export function flags(): Vector[] {
  const { inline, topic, delimited, recipientKey } = FLAG;
  const withoutTopic = sealRegion(payloadOf("rain"), sealing({ pattern: TYPE.pub }));
  const { frames } = new Sender({ pattern: "dealer", name: "alice" }).sign(["", "hello"]);
  const [, delimitedFrame] = frames as [Buffer, Buffer];
  return [
    fields("topic-flag-to-a-pull", { flags: inline | topic }),
    raw("no-topic-flag-to-a-sub", ["weather.oslo", ...withoutTopic], "malformed", "sub"),
    fields("delimited-flag-to-a-pull", { flags: inline | delimited }, "wrong-envelope"),
    raw("delimited-flag-without-a-delimiter", [PEER_ID, delimitedFrame], "wrong-envelope", "router"),
    raw("no-delimited-flag-to-a-rep", bareToRep(), "wrong-envelope", "rep"),
    fields("recipient-key-and-not-addressed", { flags: inline | recipientKey }),
    fields("bound-push", { flags: inline | FLAG.bound }),
  ];
}

function bareToRep(): Buffer[] {
  return sealRegion(payloadOf("hello"), sealing({ pattern: TYPE.dealer }));
}

/** An inline region that breaks the form, under a genuine tag over it. */
function region(name: string, bytes: Buffer, reason: Reason = "malformed", kind = KIND.data): Vector {
  return raw(name, sealRegion(bytes, sealing({ kind })), reason);
}

const MOST = 2 ** 32 - 1;

export function payloads(): Vector[] {
  const [signature] = sealRegion(payloadOf("hello"), sealing({})) as [Buffer];
  return [
    region("inline-nothing", Buffer.alloc(0)),
    region("inline-half-a-count", Buffer.alloc(3)),
    region("inline-no-frames", u32(0)),
    region("inline-lengths-missing", u32(2, 0)),
    region("inline-frame-missing", u32(1, 5)),
    region("inline-frame-cut", Buffer.concat([u32(1, 5), Buffer.from("hell")])),
    region("inline-byte-too-many", Buffer.concat([payloadOf("hello"), Buffer.alloc(1)])),
    region("inline-lengths-beyond-the-end", Buffer.concat([u32(2, 1, 5), Buffer.from("hello")])),
    region("inline-count-of-2-32-minus-1", u32(MOST, 5), "too-large"),
    region("inline-length-of-2-32-minus-1", u32(1, MOST), "too-large"),
    region("inline-lengths-that-wrap-around", u32(2, MOST, 6), "too-large"),
    raw("inline-and-a-frame-behind", [signature, ""], "malformed"),
    raw("detached-no-frames", sealDetached([], sealing({})), "malformed"),
    raw(
      "detached-no-frames-behind-a-hidden-delimiter",
      sealDetached([], sealing({ pattern: TYPE.dealer, flags: FLAG.delimited })),
      "malformed",
      "rep",
    ),
  ];
}

export function limits(): Vector[] {
  const within = { limits: { frames: 2, bytes: 10 } };
  const detached = (...body: string[]) =>
    sealDetached(
      body.map((text) => Buffer.from(text)),
      sealing({}),
    );
  const inline = (...body: string[]) => sealRegion(payloadOf(...body), sealing({}));
  return [
    raw("too-many-frames-detached", detached("a", "b", "c"), "too-large", "pull", within),
    raw("too-many-frames-inline", inline("a", "b", "c"), "too-large", "pull", within),
    raw("too-many-bytes-detached", detached("hello", "worlds"), "too-large", "pull", within),
    raw("too-many-bytes-inline", inline("hello", "worlds"), "too-large", "pull", within),
    atTheLimit("as-many-frames-and-bytes-as-allowed-detached", 0),
    atTheLimit("as-many-frames-and-bytes-as-allowed-inline", 2 ** 20),
  ];
}

function atTheLimit(name: string, inline: number): Vector {
  const me = receiver("pull", "kernel", { limits: { frames: 2, bytes: 10 } });
  const sent = new Sender({ pattern: "push", name: "alice", inline }).sign(["hello", "world"]);
  const hex = (frames: readonly Buffer[]) => frames.map((frame) => frame.toString("hex"));
  const expect = { ok: true as const, delivered: sent.given.map(hex), origin: sent.origin };
  return vector(name, me, [{ frames: hex(arrive("push", "pull", sent.frames)), expect }]);
}

export function batches(): Vector[] {
  const inBatch = (name: string, bytes: Buffer, reason?: Reason) =>
    region(`batch-${name}`, bytes, reason, KIND.batch);
  const two = batchOf(["one"], ["two"]);
  return [
    inBatch("of-nothing", Buffer.alloc(0)),
    inBatch("of-no-messages", u32(0)),
    inBatch("of-257", batchOf(...Array.from({ length: 257 }, () => ["x"])), "too-large"),
    inBatch("count-of-2-32-minus-1", u32(MOST), "too-large"),
    inBatch("with-fewer-messages-than-it-says", Buffer.concat([u32(3), two.subarray(4)])),
    inBatch("with-more-messages-than-it-says", Buffer.concat([u32(1), two.subarray(4)])),
    inBatch("byte-too-many", Buffer.concat([two, Buffer.alloc(1)])),
    inBatch("with-an-empty-message", batchOf(["one"], [])),
    inBatch("with-a-length-of-2-32-minus-1", Buffer.concat([u32(1, 1, MOST)]), "too-large"),
    detachedBatch(),
    delimitedBatch(),
    boundBatch(),
    sequenceOverflow(),
    overTheLimits(),
  ];
}

function detachedBatch(): Vector {
  const frames = sealDetached([Buffer.from("one")], sealing({ kind: KIND.batch }));
  return raw("batch-detached", frames, "malformed");
}

function delimitedBatch(): Vector {
  const given = sealing({ kind: KIND.batch, pattern: TYPE.dealer, flags: FLAG.inline | FLAG.delimited });
  return raw("batch-delimited", [PEER_ID, "", ...sealRegion(batchOf(["one"]), given)], "malformed", "router");
}

function boundBatch(): Vector {
  const flags = FLAG.inline | FLAG.delimited | FLAG.bound | FLAG.addressed;
  const given = {
    ...sealing({ kind: KIND.batch, pattern: TYPE.rep, flags }),
    to: "kernel",
    requestTag: Buffer.alloc(32, 7),
  };
  return raw("batch-bound", sealRegion(batchOf(["one"]), given), "malformed", "req");
}

/** The second message of this batch would have the number 2^53. */
function sequenceOverflow(): Vector {
  const given = sealing({ kind: KIND.batch, sequence: 2n ** 53n - 1n });
  return raw(
    "batch-beyond-the-highest-sequence-number",
    sealRegion(batchOf(["one"], ["two"]), given),
    "malformed",
  );
}

/** Each message keeps within the limits; together they are more than a message may be. */
function overTheLimits(): Vector {
  const body = ["x".repeat(900)];
  const bytes = batchOf(body, body, body);
  const frames = sealRegion(bytes, sealing({ kind: KIND.batch }));
  return raw("batch-over-the-limit-of-a-message", frames, "too-large", "pull", {
    limits: { frames: 4, bytes: 1000 },
  });
}

/** A message with several flaws: which one is told. */
export function precedence(): Vector[] {
  const wrongTag = (frames: Buffer[]) => {
    const frame = frames[0] as Buffer;
    frame.fill(0, 45, 77);
    return frames;
  };
  const other = { pattern: TYPE.pub, epoch: 2n ** 53n };
  return [
    fields("version-before-all-else", { version: 2, kind: 0, flags: 0xff }, "unsupported-version"),
    fields("range-before-pattern", other, "malformed"),
    fields("kind-before-pattern", { kind: KIND.hello, pattern: TYPE.pub }, "unsupported"),
    fields("pattern-before-sealed", { pattern: TYPE.pub, flags: FLAG.inline | FLAG.sealed }, "wrong-pattern"),
    fields("sealed-before-envelope", { flags: FLAG.sealed | FLAG.delimited }, "unsupported"),
    fields("key-before-tag", { keyId: MASTER.id ^ 1 }, "unknown-key"),
    raw(
      "layout-before-key",
      sealRegion(Buffer.alloc(2), sealing({ keyId: (MASTER.id ^ 1) >>> 0 })),
      "malformed",
    ),
    raw(
      "tag-before-liveness",
      wrongTag(sealRegion(payloadOf("x"), sealing({ sentAt: 1n }))),
      "bad-signature",
    ),
  ];
}
