// Properties of the wire: what is written is read back, whatever it is, on every pair of socket types.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Form, messageCount, readForm, readMessages } from "../../src/wire/form.js";
import {
  FLAGS,
  type Header,
  headerLength,
  KINDS,
  type Kind,
  readHeader,
  writeHeader,
} from "../../src/wire/header.js";
import { DEFAULT_LIMITS } from "../../src/wire/limits.js";
import { PATTERNS, type Pattern } from "../../src/wire/patterns.js";
import {
  measureBatch,
  measureInline,
  onlyFrame,
  payloadLength,
  readBatch,
  readPayload,
  writePayload,
} from "../../src/wire/payload.js";
import {
  carry,
  deliveredFrom,
  FLOWS,
  linkOf,
  messageFor,
  saidOf,
  signerOf,
  testClock,
} from "../session/parties.js";
import { batchOf, headerOf, KIND, payloadOf, TYPE } from "../wire/reference.js";

/** The bodies of a form that was received behind whatever routing. */
const bodiesOf = (form: Form) => readMessages(form).map((message) => message.slice(form.routing.length));
const frame = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const body = fc.array(frame, { minLength: 1, maxLength: 6 });
/** A body that begins with no delimiter in anybody's eyes. */
const solid = body.map(([first, ...rest]) => [Buffer.concat([Buffer.from("."), first as Buffer]), ...rest]);
const number = fc.oneof(
  fc.maxSafeNat(),
  fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER),
);
const u32 = fc.nat({ max: 2 ** 32 - 1 });
const sender = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 64 })
  .filter(([first]) => first !== 0x7e)
  .map((codes) => String.fromCharCode(...codes));
const header: fc.Arbitrary<Header> = fc.record({
  kind: fc.constantFrom(...(Object.keys(KINDS) as Kind[])),
  flags: fc.nat({ max: 0x7f }),
  pattern: fc.constantFrom(...(Object.keys(PATTERNS) as Pattern[])),
  keyId: u32,
  ordinal: u32,
  epoch: number,
  sequence: number,
  sentAt: number,
  sender,
});

describe("a header", () => {
  test("is read back as it was written, with anything behind it", () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 50 }), (fields, behind) => {
        const bytes = Buffer.alloc(headerLength(fields));
        writeHeader(bytes, fields);
        expect(readHeader(Buffer.concat([bytes, behind]))).toEqual(fields);
      }),
    );
  });

  test("is what the second writer writes", () => {
    fc.assert(
      fc.property(header, (fields) => {
        const bytes = Buffer.alloc(headerLength(fields));
        writeHeader(bytes, fields);
        const { kind, pattern, epoch, sequence, sentAt, ...rest } = fields;
        const numbers = { epoch: BigInt(epoch), sequence: BigInt(sequence), sentAt: BigInt(sentAt) };
        expect(bytes).toEqual(headerOf({ ...rest, ...numbers, kind: KIND[kind], pattern: TYPE[pattern] }));
      }),
    );
  });

  test("has one form: what is read is written back byte for byte, or is refused", () => {
    const nearlyGenuine = fc
      .tuple(header, fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })), { maxLength: 4 }))
      .map(([fields, changes]) => {
        const bytes = Buffer.alloc(headerLength(fields));
        writeHeader(bytes, fields);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(nearlyGenuine, (bytes) => {
        const read = readHeader(bytes);
        if (typeof read === "string") return;
        const again = Buffer.alloc(headerLength(read));
        writeHeader(again, read);
        again.copy(bytes, 0, 0, 2); // the magic is not the header's to read
        expect(again).toEqual(bytes.subarray(0, again.length));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a payload", () => {
  test("is read back as it was written, and fills its region", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
        const region = Buffer.alloc(payloadLength(frames));
        expect(writePayload(region, 0, frames)).toBe(region.length);
        expect(measureInline(region, 0, DEFAULT_LIMITS, 0)).toBeUndefined();
        const read: Buffer[] = [];
        expect(readPayload(region, 0, read)).toBe(region.length);
        expect(read).toEqual(frames);
        expect(onlyFrame(region, 0)).toEqual(frames.length === 1 ? frames[0] : undefined);
        expect(region).toEqual(payloadOf(...frames));
      }),
    );
  });

  test("has one form: other frames have other bytes", () => {
    const small = fc.array(fc.uint8Array({ maxLength: 3, max: 1 }), { maxLength: 4 });
    const textOf = (frames: readonly Uint8Array[]) =>
      frames.map((bytes) => bytes.join(",")).join("|") + frames.length;
    fc.assert(
      fc.property(small, small, (one, other) => {
        expect(payloadOf(...one).equals(payloadOf(...other))).toBe(textOf(one) === textOf(other));
      }),
      { numRuns: 1000 },
    );
  });

  test("that is measured can be read, whatever its bytes: frames lie inside it, in order, without a gap", () => {
    const counts = fc.array(fc.nat({ max: 6 }), { maxLength: 12 });
    const region = fc.tuple(counts, frame).map(([numbers, rest]) => {
      const bytes = Buffer.alloc(4 * numbers.length);
      numbers.forEach((value, i) => {
        bytes.writeUInt32BE(value, 4 * i);
      });
      return Buffer.concat([bytes, rest]);
    });
    fc.assert(
      fc.property(region, (bytes) => {
        // The same behind other bytes, as it stands in a frame.
        const framed = Buffer.concat([Buffer.alloc(7, 0xff), bytes]);
        const single = measureInline(bytes, 0, DEFAULT_LIMITS, 0);
        expect(measureInline(framed, 7, DEFAULT_LIMITS, 0)).toBe(single);
        if (single === undefined) {
          const read: Buffer[] = [];
          readPayload(framed, 7, read);
          expect(payloadOf(...read)).toEqual(bytes);
        }
        const batch = measureBatch(bytes, 0, DEFAULT_LIMITS, 0);
        expect(measureBatch(framed, 7, DEFAULT_LIMITS, 0)).toBe(batch);
        if (batch === undefined) {
          expect(batchOf(...readBatch(framed, 7, []))).toEqual(bytes);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe.each(FLOWS)("from %s to %s", (from, to) => {
  const layouts = fc.constantFrom(0, 40, Number.POSITIVE_INFINITY);

  test("what is signed is delivered as it was given, in either layout", () => {
    const link = linkOf({ from, to });
    const detached = linkOf({ from, to, signing: { sender: "carol", limits: { inline: 0 } } });
    fc.assert(
      fc.property(body, fc.boolean(), (frames, large) => {
        const { send, verify } = large ? detached : link;
        const verdict = verify(send(...frames));
        expect(saidOf(verdict)).toBe("ok");
        expect(verdict.ok && verdict.frames).toEqual(deliveredFrom(from, to, frames));
      }),
      { numRuns: 50 },
    );
  });

  test("what is signed is well formed, and its form holds the bodies", () => {
    fc.assert(
      fc.property(fc.array(solid, { minLength: 1, maxLength: 5 }), layouts, (bodies, inline) => {
        const router = from === "router" || from === "rep";
        const signer = signerOf({
          pattern: from,
          clock: testClock(),
          limits: { inline },
          ...(router && { to: "bob" }),
        });
        const place = { pattern: to, hops: 0, limits: DEFAULT_LIMITS };
        const single = readForm(
          carry(from, to, signer.sign(messageFor(from, to, bodies[0] as Buffer[]))),
          place,
        );
        if (to === "req") {
          expect(single).toBe("not-bound");
          return;
        }
        if (typeof single === "string") throw new Error(single);
        expect(bodiesOf(single)).toEqual([bodies[0]]);
        if (from === "req" || from === "rep" || to === "rep") return;
        const whole = signer.signBatch(bodies.map((one) => messageFor(from, to, one)));
        const batch = readForm(carry(from, to, whole), place);
        if (typeof batch === "string") throw new Error(batch);
        expect(messageCount(batch)).toBe(bodies.length);
        expect(bodiesOf(batch)).toEqual(bodies);
      }),
      { numRuns: 50 },
    );
  });
});

test("flags are seven different bits", () => {
  expect(Object.values(FLAGS).reduce((sum, bit) => sum + bit, 0)).toBe(0x7f);
});
