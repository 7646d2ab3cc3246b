// Bytes and frames: whatever is changed, cut, added, removed, moved or split between two genuine ends is refused, and
// the genuine message right behind it is delivered.

import type { Reason } from "countersign";
import { describe, expect, it } from "vitest";

import { type Expected, type Forgery, Line, type Reasons } from "./attack.js";
import type { Command } from "./connection.js";
import { accomplice, FLOWS, type Flow, flowNamed, SENDER, TOPIC } from "./line.js";
import {
  bits,
  edited,
  FIELD,
  FLAG,
  flipped,
  isInline,
  overwritten,
  payloadOf,
  payloadStart,
  spliced,
  TAG_BYTES,
  tagStart,
  u32,
  u64,
} from "./tamper.js";
import type { Frames } from "./zmtp.js";

const LAYOUTS = [
  ["inline", {}],
  ["detached", { limits: { inline: 0 } }],
] as const;

const PUBLISHING = FLOWS.filter(({ name }) => /PUB to X?SUB/.test(name));

/** One forgery and the reason for which it must be refused. */
type Row = readonly [Forgery, Expected];

async function refusesAll(line: Line, rows: readonly Row[], body?: readonly string[]): Promise<void> {
  expect(rows.length).toBeGreaterThan(0);
  await line.refuses(
    rows.map(([forgery]) => forgery),
    rows.map(([, reason]) => reason),
    body,
  );
}

/** A row that edits the signature frame. */
function onSignature({ signatureAt }: Flow, edit: (frame: Buffer) => Buffer, reason: Expected): Row {
  return [(genuine) => edited(genuine, signatureAt, edit), reason];
}

const FIRST_FLAGS: readonly Reason[] = [
  "malformed",
  "unsupported",
  "wrong-envelope",
  "not-addressed",
  "not-bound",
  "bad-signature",
];
const FIRST_PATTERNS: readonly Reason[] = [
  "malformed",
  "wrong-pattern",
  "unsupported",
  "not-addressed",
  "bad-signature",
];

/** Why a message with this bit of its signature frame flipped must be refused, by what the wire format says of it. */
function reasonForBit(frame: Buffer, bit: number): Reasons {
  const at = bit >> 3;
  const value = frame.readUInt8(at) ^ (1 << (bit & 7));
  if (at < FIELD.version) return "unsigned";
  if (at === FIELD.version) return "unsupported-version";
  // A greeting or a sync has no number: where the socket knows the kind, that is what is wrong with it.
  if (at === FIELD.kind) return value >= 1 && value <= 8 ? ["unsupported", "malformed"] : "malformed";
  if (at === FIELD.flags) return FIRST_FLAGS;
  if (at === FIELD.pattern) return FIRST_PATTERNS;
  if (at === FIELD.reserved) return "malformed";
  if (at === FIELD.nameLength) return ["malformed", "too-large", "bad-signature"];
  if (at < FIELD.ordinal) return "unknown-key";
  if (at < FIELD.epoch) return "bad-signature";
  if (at < FIELD.name) return reasonForNumber(flipped([frame], 0, bit)[0] as Buffer, at);
  if (at < tagStart(frame)) return value >= 0x21 && value <= 0x7e ? "bad-signature" : "malformed";
  if (at < payloadStart(frame)) return "bad-signature";
  return reasonForPayload(frame, at);
}

function reasonForNumber(frame: Buffer, at: number): Reasons {
  const number = frame.readBigUInt64BE(at - (at % 8));
  const tooLarge = number > BigInt(Number.MAX_SAFE_INTEGER);
  return tooLarge || (at - (at % 8) === FIELD.sequence && number === 0n) ? "malformed" : "bad-signature";
}

/** A count or length that no longer adds up, or the bytes of a frame. */
function reasonForPayload(frame: Buffer, at: number): Reasons {
  const start = payloadStart(frame);
  const lengths = start + 4 + 4 * frame.readUInt32BE(start);
  return at < lengths ? ["malformed", "too-large"] : "bad-signature";
}

describe.each(FLOWS)("$name", (flow) => {
  describe.each(LAYOUTS)("%s", (_, sender) => {
    it("attack 1: any single bit flipped", async () => {
      const line = await Line.open(flow, { sender });
      const { frames } = await line.honest();
      const rows = frames.flatMap((frame, index) =>
        bits(frame).map((bit): Row => {
          const isSignature = index === flow.signatureAt;
          const reason: Expected = (genuine) =>
            isSignature ? reasonForBit(genuine[index] as Buffer, bit) : "bad-signature";
          return [(genuine) => flipped(genuine, index, bit), reason];
        }),
      );
      await refusesAll(line, rows);
    });

    it("attack 2: signature frame of every other length from 0 to 200, and none", async () => {
      const line = await Line.open(flow, { sender });
      const { frames } = await line.honest();
      const signature = frames[flow.signatureAt] as Buffer;
      const rows = Array.from({ length: 201 }, (_, length) => length)
        .filter((length) => length !== signature.length)
        .map((length) =>
          onSignature(flow, (frame) => resized(frame, length), length < 2 ? "unsigned" : "malformed"),
        );
      if (frames.length > flow.signatureAt + 1) {
        rows.push([(genuine) => spliced(genuine, flow.signatureAt, 1), "unsigned"]);
      }
      await refusesAll(line, rows);
    });

    it("attack 2: tag emptied, shortened, lengthened by a byte within the frame", async () => {
      const line = await Line.open(flow, { sender });
      const without = (removed: number) => (frame: Buffer) =>
        Buffer.concat([
          frame.subarray(0, payloadStart(frame) - removed),
          frame.subarray(payloadStart(frame)),
        ]);
      const longer = (frame: Buffer) =>
        Buffer.concat([
          frame.subarray(0, payloadStart(frame)),
          Buffer.of(0),
          frame.subarray(payloadStart(frame)),
        ]);
      // What is missing is then read from the payload, whose count is read from what follows.
      const misread: Expected = ["malformed", "too-large", "bad-signature"];
      await refusesAll(line, [
        ...[1, 4, 8, 16, 31, TAG_BYTES].map((removed) => onSignature(flow, without(removed), misread)),
        onSignature(flow, longer, misread),
      ]);
    });

    it("attack 3: body cut or lengthened", async () => {
      const line = await Line.open(flow, { sender });
      const { frames } = await line.honest();
      if (isInline(frames[flow.signatureAt] as Buffer)) {
        const cut = Array.from({ length: 12 }, (_, count) =>
          onSignature(flow, (frame) => frame.subarray(0, frame.length - count - 1), "malformed"),
        );
        const longer = [1, 4, 100].map((count) =>
          onSignature(flow, (frame) => Buffer.concat([frame, Buffer.alloc(count)]), "malformed"),
        );
        await refusesAll(line, [...cut, ...longer]);
      } else {
        const body = frames.flatMap((frame, index) => (index > flow.signatureAt ? [{ frame, index }] : []));
        const cut = body.filter(({ frame }) => frame.length > 0);
        await refusesAll(line, [
          ...body.map(({ index }) => editing(index, (frame) => Buffer.concat([frame, Buffer.of(0)]))),
          ...cut.map(({ index }) => editing(index, (frame) => frame.subarray(0, -1))),
          ...cut.map(({ index }) => editing(index, (frame) => frame.subarray(1))),
          ...cut.map(({ index }) => editing(index, () => Buffer.alloc(0))),
          ...body.map(({ index }): Row => [(genuine) => spliced(genuine, index, 1), "bad-signature"]),
        ]);
      }
    });

    it("attack 4: bytes moved across a frame boundary; frames split, merged, swapped", async () => {
      const line = await Line.open(flow, { sender });
      const parts = ["one", "two", "", "four"];
      const moved = [
        ["on", "etwo", "", "four"],
        ["onet", "wo", "", "four"],
        ["one", "tw", "o", "four"],
        ["one", "two", "f", "our"],
        ["o", "ne", "two", "", "four"],
        ["onetwo", "", "four"],
        ["onetwofour"],
        ["one", "two", "four", ""],
        ["two", "one", "", "four"],
        ["", "one", "two", "four"],
        ["one", "two", "four"],
        ["one", "two", "", "", "four"],
      ];
      await refusesAll(
        line,
        moved.map((body): Row => [rebodied(flow, body), "bad-signature"]),
        parts,
      );
    });

    it("attack 5 and 6: a frame that nobody signed, empty or not, behind the signature", async () => {
      const line = await Line.open(flow, { sender });
      const { frames } = await line.honest();
      const reason = isInline(frames[flow.signatureAt] as Buffer) ? "malformed" : "bad-signature";
      const rows = ["", "unsigned"].flatMap((added) => [
        ...frames.flatMap((_, index): Row[] =>
          index > flow.signatureAt
            ? [[(genuine) => spliced(genuine, index, 0, Buffer.from(added)), reason]]
            : [],
        ),
        [(genuine: readonly Buffer[]) => [...genuine, Buffer.from(added)], reason] as const,
      ]);
      await refusesAll(line, rows);
    });

    it("attack 5: an empty frame, or any other, in front of the signature", async () => {
      const line = await Line.open(flow, { sender });
      const inFront = (added: string, reason: Expected): Row => [
        (genuine) => spliced(genuine, flow.signatureAt, 0, Buffer.from(added)),
        reason,
      ];
      const atStart = (added: string, reason: Expected): Row => [
        (genuine) => [Buffer.from(added), ...genuine],
        reason,
      ];
      const envelope = /(to (ROUTER|DEALER))$/.test(flow.name) && flow.signatureAt === 0;
      await refusesAll(line, [
        inFront("", envelope ? "wrong-envelope" : "unsigned"),
        inFront("x", "unsigned"),
        ...(/to (REP|REQ)$/.test(flow.name)
          ? []
          : [atStart("x", "unsigned"), atStart("", envelope ? "wrong-envelope" : "unsigned")]),
      ]);
    });

    it("attack 9: counts and sizes over the limits, before a key is looked for", async () => {
      const receiver = { limits: { frames: 8, bytes: 1000 } };
      const line = await Line.open(flow, { sender, receiver });
      const nine = Array.from({ length: 9 }, () => Buffer.alloc(0));
      const big = Buffer.alloc(1001, "x");
      const inline = (payload: Buffer) => relaid(flow, { inline: true }, payload);
      const detached = (body: Buffer[]) => relaid(flow, { inline: false }, Buffer.alloc(0), body);
      await refusesAll(line, [
        [detached(nine), "too-large"],
        [detached([big]), "too-large"],
        [detached([big.subarray(0, 500), big.subarray(0, 501)]), "too-large"],
        [inline(payloadOf(nine)), "too-large"],
        [inline(payloadOf([big])), "too-large"],
        [inline(u32(2 ** 32 - 1)), "too-large"],
        [inline(Buffer.concat([u32(1), u32(2 ** 32 - 1)])), "too-large"],
        [inline(Buffer.concat([u32(2), u32(3), u32(3), Buffer.alloc(5)])), "malformed"],
        [inline(Buffer.concat([u32(2), u32(3), u32(3), Buffer.alloc(7)])), "malformed"],
        [inline(Buffer.concat([u32(3), u32(0), u32(0)])), "malformed"],
        [inline(Buffer.alloc(0)), "malformed"],
        [inline(Buffer.alloc(3)), "malformed"],
      ]);
    });

    it("attack 10: numbers above 2^53 - 1 in any field", async () => {
      const line = await Line.open(flow, { sender });
      const fields = [FIELD.epoch, FIELD.sequence, FIELD.sentAt];
      const tooLarge = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
      const write = (at: number, number: bigint) => (frame: Buffer) => overwritten(frame, at, u64(number));
      await refusesAll(line, [
        ...fields.flatMap((at) =>
          tooLarge.map((number) => onSignature(flow, write(at, number), "malformed")),
        ),
        ...fields.map((at) => onSignature(flow, write(at, 2n ** 53n - 1n), "bad-signature")),
        onSignature(flow, (frame) => overwritten(frame, FIELD.ordinal, u32(2 ** 32 - 1)), "bad-signature"),
      ]);
    });
  });
});

describe("attack 8: what looks like a signature frame", () => {
  it.each(FLOWS)("$name: in the body, the right frame is found", async (flow) => {
    const line = await Line.open(flow, { sender: { limits: { inline: 0 } } });
    const { frames } = await line.honest();
    const lookalike = frames[flow.signatureAt] as Buffer;
    await line.honest([lookalike]);
    await line.honest(["", lookalike, lookalike]);
    await line.honest([Buffer.of(0xc1, 0x53)]);
    line.expectReasons([]);
  });

  it.each([0, 1])("as routing id of a DEALER, with %i hops: never taken for the signature", async (hops) => {
    const line = await Line.open(flowNamed("DEALER to ROUTER"), { receiver: { hops } });
    const { attacker, receiver, inbox } = line.ends;
    const hop = (genuine: Frames) => [...(hops === 1 ? [genuine[0] as Buffer] : []), ...genuine];
    attacker.hooks = {
      onCommand: (command) => (command.name === "READY" ? [withIdentity(command, identity)] : undefined),
      onMessage: (genuine, { direction }) => (direction === "up" ? [hop(genuine)] : undefined),
    };
    const identity = accomplice({ pattern: "dealer" }).sign(["inline", "never delivered"])[0] as Buffer;
    (await attacker.connection(0)).cut();
    const connection = await attacker.connection(1);
    connection.inject("up", [Buffer.from("x")], [Buffer.alloc(0)], [Buffer.alloc(0), Buffer.from("x")]);
    await line.ends.send(["genuine"]);
    const { frames, origin } = await inbox.next();
    expect([frames.at(-1), origin?.sender]).toEqual(["genuine", SENDER]);
    line.expectReasons(["unsigned", "unsigned", "unsigned"]);
    expect(receiver.stats.accepted).toBe(1);
  });

  it.each(PUBLISHING)("$name: as topic, it stays the topic", async (flow) => {
    const line = await Line.open(flow);
    const recorded = await line.honest();
    const lookalike = recorded.frames[1] as Buffer;
    const { sender } = line.ends as unknown as { sender: { send(message: Buffer[]): Promise<void> } };
    await sender.send([lookalike, Buffer.from("body")]);
    await line.expectDelivered(["body"]);
    await refusesAll(line, [
      [([topic, signature]) => [signature, topic] as Buffer[], "unsigned"],
      [([, signature]) => [signature, signature] as Buffer[], "bad-signature"],
      [([, signature]) => [signature] as Buffer[], "unsigned"],
    ]);
  });
});

/** The same READY with another routing id, which may be any bytes. */
function withIdentity({ name, data }: Command, identity: Buffer): Command {
  const at = data.indexOf("\x08Identity", 0, "latin1") + 9;
  const end = at + 4 + data.readUInt32BE(at);
  const property = Buffer.concat([u32(identity.length), identity]);
  return { name, data: Buffer.concat([data.subarray(0, at), property, data.subarray(end)]) };
}

/** Cuts a frame, or fills it up with what is not zero. */
function resized(frame: Buffer, length: number): Buffer {
  return length <= frame.length
    ? frame.subarray(0, length)
    : Buffer.concat([frame, Buffer.alloc(length - frame.length, 0x5a)]);
}

function editing(index: number, edit: (frame: Buffer) => Buffer): Row {
  return [(genuine) => edited(genuine, index, edit), "bad-signature"];
}

/** The genuine header and tag over another body, in the same layout. */
function rebodied({ signatureAt }: Flow, body: readonly string[]): Forgery {
  return (genuine) => {
    const parts = body.map((part) => Buffer.from(part));
    const signature = genuine[signatureAt] as Buffer;
    const head = signature.subarray(0, payloadStart(signature));
    const routing = genuine.slice(0, signatureAt);
    return isInline(signature)
      ? [...routing, Buffer.concat([head, payloadOf(parts)])]
      : [...routing, head, ...parts];
  };
}

/** A header that names a key nobody has, in the other layout if need be, over this payload and these frames. */
function relaid(
  { signatureAt }: Flow,
  { inline, kind = DATA }: { inline: boolean; kind?: number },
  payload: Buffer,
  behind: readonly Buffer[] = [],
): Forgery {
  return (genuine) => {
    const signature = genuine[signatureAt] as Buffer;
    const head = overwritten(signature.subarray(0, payloadStart(signature)), FIELD.keyId, u32(UNKNOWN_KEY));
    head.writeUInt8(kind, FIELD.kind);
    const flags = head.readUInt8(FIELD.flags);
    head.writeUInt8(inline ? flags | FLAG.inline : flags & ~FLAG.inline, FIELD.flags);
    return [...genuine.slice(0, signatureAt), Buffer.concat([head, payload]), ...behind];
  };
}

function batchOf(flow: Flow, payload: Buffer): Forgery {
  return relaid(flow, { inline: true, kind: BATCH }, payload);
}

const DATA = 1;
const BATCH = 2;
const UNKNOWN_KEY = 0;

const batching = FLOWS.filter(({ name }) => !/RE[QP]/.test(name));

describe.each(batching)("$name, batches", (flow) => {
  const batch = (payload: Buffer) => batchOf(flow, payload);

  it("attack 9: batch counts and lengths that cannot be, before a key is looked for", async () => {
    const line = await Line.open(flow, { receiver: { limits: { frames: 8, bytes: 1000 } } });
    const one = payloadOf([Buffer.from("one")]);
    const nine = payloadOf(Array.from({ length: 9 }, () => Buffer.alloc(0)));
    const large = payloadOf([Buffer.alloc(1001)]);
    const medium = payloadOf([Buffer.alloc(1000)]);
    await refusesAll(line, [
      [batch(u32(0)), "malformed"],
      [batch(u32(2 ** 32 - 1)), "too-large"],
      [batch(Buffer.concat([u32(2 ** 32 - 1), one])), "too-large"],
      [batch(Buffer.concat([u32(257), ...Array.from({ length: 257 }, () => one)])), "too-large"],
      [batch(Buffer.concat([u32(2), one])), "malformed"],
      [batch(Buffer.concat([u32(1), one, one])), "malformed"],
      [batch(Buffer.concat([u32(1), one, Buffer.alloc(1)])), "malformed"],
      [batch(Buffer.concat([u32(1), nine])), "too-large"],
      [batch(Buffer.concat([u32(2), one, nine])), "too-large"],
      [batch(Buffer.concat([u32(1), large])), "too-large"],
      [batch(Buffer.concat([u32(3), ...Array.from({ length: 3 }, () => medium)])), "too-large"],
      [batch(Buffer.alloc(0)), "malformed"],
      [relaid(flow, { inline: false, kind: BATCH }, Buffer.alloc(0), [Buffer.from("detached")]), "malformed"],
      [batch(Buffer.concat([u32(2), one, one])), "unknown-key"],
    ]);
  });
});

describe("attack 9: sixteen million empty frames in one batch", () => {
  const hearing = FLOWS.filter(({ name }) => /PULL|PUB to SUB|DEALER to ROUTER/.test(name));

  it.each(hearing)("$name: counted without making one of them", async (flow) => {
    let heap = 0;
    const onReject = () => {
      heap = process.memoryUsage().heapUsed - before;
    };
    const line = await Line.open(flow, { receiver: { onReject } });
    const many = Buffer.alloc(4 + 4 * 65_536);
    many.writeUInt32BE(65_536);
    const forged = batchOf(flow, Buffer.concat([u32(256), ...Array.from({ length: 256 }, () => many)]));
    const before = process.memoryUsage().heapUsed;
    await refusesAll(line, [[forged, "unknown-key"]]);
    expect(heap).not.toBe(0);
    expect(heap).toBeLessThan(64 * 2 ** 20);
  });
});

describe("attack 5: a frame in front of the delimiter that a REP never shows", () => {
  it("is told apart as return address: not part of the message, and the answer goes back through it", async () => {
    const flow = flowNamed("DEALER to REP");
    const line = await Line.open(flow);
    const { attacker, inbox } = line.ends;
    const strip = (frames: Frames) => [frames.slice(1)];
    attacker.hooks = {
      onMessage: (frames, { direction }) =>
        direction === "up" ? [[Buffer.from("by way of x"), ...frames]] : strip(frames),
    };
    await line.ends.send(["one", "two"]);
    expect((await inbox.next()).frames).toEqual(["one", "two"]);
    expect(String(attacker.sent("down")[0]?.frames[0])).toBe("by way of x");
    line.expectReasons([]);
  });
});

describe("attack 7: topic and body read as one another", () => {
  it.each(PUBLISHING)("$name", async (flow) => {
    const line = await Line.open(flow, { sender: { limits: { inline: 0 } } });
    const other = await line.honest(["another", "message"]);
    await refusesAll(line, [
      [(genuine) => edited(genuine, 0, () => Buffer.from("weather")), "bad-signature"],
      [(genuine) => edited(genuine, 0, () => Buffer.alloc(0)), "bad-signature"],
      [(genuine) => edited(genuine, 0, (topic) => topic.subarray(0, -1)), "bad-signature"],
      [
        ([topic, signature, first, ...rest]) => [first, signature, topic, ...rest] as Buffer[],
        "bad-signature",
      ],
      [
        ([topic, signature, ...body]) => [Buffer.alloc(0), signature, topic, ...body] as Buffer[],
        "bad-signature",
      ],
      [([, signature, first, ...rest]) => [first, signature, ...rest] as Buffer[], "bad-signature"],
      [([topic, ...rest]) => [other.frames[1], ...rest, topic] as Buffer[], "bad-signature"],
      [([topic, signature]) => [topic, signature] as Buffer[], "bad-signature"],
    ]);
  });

  it.each(PUBLISHING)("$name, inline", async (flow) => {
    const line = await Line.open(flow);
    await refusesAll(line, [
      [(genuine) => edited(genuine, 0, () => Buffer.from("weather")), "bad-signature"],
      [(genuine) => edited(genuine, 0, () => Buffer.alloc(0)), "bad-signature"],
      [(genuine) => [...genuine].reverse(), "unsigned"],
      [(genuine) => [...genuine, Buffer.from(TOPIC)], "malformed"],
    ]);
  });
});
