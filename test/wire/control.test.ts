// The 48 bytes of a control message and the reserved topic (docs/wire.md, section 9), and which receiver takes which kind
// in which form (section 12).

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pattern } from "../../src/core.js";
import {
  CONTROL_BYTES,
  isNonce,
  NO_NONCE,
  nonceOfTopic,
  readControl,
  syncTopic,
  writeControl,
} from "../../src/wire/control.js";
import { isControl, readForm } from "../../src/wire/form.js";
import { DEFAULT_LIMITS } from "../../src/wire/limits.js";
import { heardBy, PATTERNS, receives } from "../../src/wire/patterns.js";
import {
  controlOf,
  type Fields,
  FLAG,
  KIND,
  payloadOf,
  sealDetached,
  sealRegion,
  TYPE,
  u32,
} from "./reference.js";

const nonce = (byte: number) => Buffer.alloc(16, byte);
const BODY = { answer: nonce(1), ask: nonce(2), reached: 3, known: 4 };
const HIGHEST = Number.MAX_SAFE_INTEGER;

describe("the body", () => {
  test("is answer, ask, reached and known, in 48 bytes", () => {
    const bytes = writeControl(BODY);
    expect(CONTROL_BYTES).toBe(48);
    expect(bytes.toString("hex")).toBe(
      `${"01".repeat(16)}${"02".repeat(16)}${"00".repeat(7)}03${"00".repeat(7)}04`,
    );
    expect(bytes).toEqual(controlOf({ answer: nonce(1), ask: nonce(2), reached: 3n, known: 4n }));
  });

  test("comes back as it was, in bytes of its own", () => {
    const number = fc.maxSafeNat();
    const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.record({ answer: sixteen, ask: sixteen, reached: number, known: number }), (body) => {
        const bytes = writeControl(body);
        const read = readControl(bytes);
        bytes.fill(0);
        expect(read).toEqual(body);
      }),
    );
  });

  test("of any other length is none", () => {
    const bytes = writeControl(BODY);
    for (const length of [0, 1, 47]) expect(readControl(bytes.subarray(0, length))).toBeUndefined();
    expect(readControl(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
  });

  test("with a number above 2^53 - 1 is none", () => {
    expect(readControl(writeControl({ ...BODY, reached: HIGHEST, known: HIGHEST }))).toMatchObject({
      reached: HIGHEST,
      known: HIGHEST,
    });
    for (const above of [2n ** 53n, 2n ** 64n - 1n]) {
      expect(readControl(controlOf({ reached: above }))).toBeUndefined();
      expect(readControl(controlOf({ known: above }))).toBeUndefined();
    }
  });

  test("has a nonce where not all of it is zero", () => {
    expect(isNonce(NO_NONCE)).toBe(false);
    expect(isNonce(Buffer.alloc(16))).toBe(false);
    for (const at of [0, 7, 15]) expect(isNonce(Buffer.alloc(16).fill(1, at, at + 1))).toBe(true);
  });
});

describe("the reserved topic", () => {
  test("is the magic, the version, the kind of a sync and the nonce, 20 bytes", () => {
    expect(syncTopic(nonce(9)).toString("hex")).toBe(`c1530106${"09".repeat(16)}`);
    expect(nonceOfTopic(syncTopic(nonce(9)))).toEqual(nonce(9));
  });

  test("is no other", () => {
    const topic = syncTopic(nonce(9));
    for (const at of [0, 1, 2, 3]) {
      const other = Buffer.from(topic);
      other.writeUInt8(other.readUInt8(at) ^ 1, at);
      expect(nonceOfTopic(other)).toBeUndefined();
    }
    for (const length of [0, 4, 19]) expect(nonceOfTopic(topic.subarray(0, length))).toBeUndefined();
    expect(nonceOfTopic(Buffer.concat([topic, Buffer.alloc(1)]))).toBeUndefined();
  });
});

const RECEIVERS = (Object.keys(PATTERNS) as Pattern[]).filter(receives);
const TWO_WAY: readonly Pattern[] = ["router", "dealer", "req", "rep", "pair"];

/** What a receiver says of the form of a control message that its sender signed for it. */
function formOf(
  receiver: Pattern,
  sender: Pattern,
  kind: keyof typeof KIND,
  changes: Partial<Fields> = {},
  region = controlOf({}),
) {
  const server = sender === "router" || sender === "rep";
  const addressed = server && receiver !== "router";
  const hidden = receiver === "req" || receiver === "rep";
  const delimited = hidden || sender === "req" || sender === "rep";
  const routing = receiver === "router" ? [Buffer.from("id")] : [];
  if (delimited && !hidden) routing.push(Buffer.alloc(0));
  const flags =
    FLAG.inline |
    (delimited ? FLAG.delimited : 0) |
    (receiver === "sub" || receiver === "xsub" ? FLAG.topic : 0) |
    (addressed ? FLAG.addressed : 0) |
    (receiver === "req" ? FLAG.bound : 0);
  const frames = sealRegion(region, {
    secret: Buffer.alloc(32, 1),
    routing,
    ...((flags & FLAG.topic) !== 0 && { topic: syncTopic(nonce(1)) }),
    ...(addressed && { to: "bob" }),
    ...(receiver === "req" && { requestTag: Buffer.alloc(32) }),
    fields: { kind: KIND[kind], pattern: TYPE[sender], sequence: 0n, flags, ...changes },
  });
  const form = readForm(frames, { pattern: receiver, hops: 0, limits: DEFAULT_LIMITS });
  return typeof form === "string" ? form : form.header.kind;
}

describe.each(RECEIVERS.flatMap((to) => heardBy(to).map((from) => [to, from] as const)))(
  "a %s that hears a %s",
  (to, from) => {
    const takes = TWO_WAY.includes(to)
      ? ["hello", "challenge", "echo"]
      : to === "sub" || to === "xsub"
        ? ["sync"]
        : [];

    test.each(["hello", "challenge", "echo", "sync", "refused", "handshake"] as const)("%s", (kind) => {
      expect(formOf(to, from, kind)).toBe(takes.includes(kind) ? kind : "unsupported");
    });

    const [kind] = takes as (keyof typeof KIND)[];
    if (kind === undefined) return;
    test("refuses one that breaks the form", () => {
      const said = (changes: Partial<Fields>, region?: Buffer) => formOf(to, from, kind, changes, region);
      expect(said({ sequence: 1n })).toBe("malformed");
      expect(said({ ordinal: 1 })).toBe("malformed");
      expect(said({}, controlOf({ reached: 2n ** 53n }))).toBe("malformed");
      expect(said({}, controlOf({ known: 2n ** 53n }))).toBe("malformed");
      for (const region of [Buffer.alloc(0), Buffer.alloc(47), Buffer.alloc(49), payloadOf("x"), u32(0)]) {
        expect(said({}, region)).toBe("malformed");
      }
    });
  },
);

test("a control message is inline, and the last frame", () => {
  const fields = { kind: KIND.hello, pattern: TYPE.pair, sequence: 0n };
  const place = { pattern: "pair" as const, hops: 0, limits: DEFAULT_LIMITS };
  const sealing = { secret: Buffer.alloc(32, 1), fields };
  expect(readForm(sealDetached([controlOf({})], sealing), place)).toBe("malformed");
  expect(readForm([...sealRegion(controlOf({}), sealing), Buffer.alloc(0)], place)).toBe("malformed");
  expect(typeof readForm(sealRegion(controlOf({}), sealing), place)).toBe("object");
});

test("data and batches are no control messages, all else is", () => {
  const kinds = Object.keys(KIND).filter((kind) => isControl({ kind } as Parameters<typeof isControl>[0]));
  expect(kinds).toEqual(["hello", "challenge", "echo", "sync", "refused", "handshake"]);
});

test("the limits on bodies do not concern it", () => {
  const frames = sealRegion(controlOf({}), {
    secret: Buffer.alloc(32, 1),
    fields: { kind: KIND.echo, pattern: TYPE.pair, sequence: 0n },
  });
  const limits = { ...DEFAULT_LIMITS, frames: 0, bytes: 0 };
  expect(typeof readForm(frames, { pattern: "pair", hops: 0, limits })).toBe("object");
});
