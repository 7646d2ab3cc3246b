// The header of the signature frame, byte by byte, against a second writer made from the text of docs/wire.md, section 3.

import { describe, expect, test } from "vitest";
import {
  FLAGS,
  type Header,
  hasMagic,
  headerLength,
  KINDS,
  readHeader,
  writeHeader,
} from "../../src/wire/header.js";
import { PATTERNS } from "../../src/wire/patterns.js";
import { type Fields, FLAG, headerOf, KIND, TYPE } from "./reference.js";

const HEADER: Header = {
  kind: "batch",
  flags: FLAGS.inline | FLAGS.addressed,
  pattern: "router",
  keyId: 0xfedcba98,
  ordinal: 0xffffffff,
  epoch: 1_764_000_000_000_001,
  sequence: Number.MAX_SAFE_INTEGER,
  sentAt: 2 ** 32,
  sender: "kernel-1~2",
};

function written(header: Header): Buffer {
  const bytes = Buffer.alloc(headerLength(header), 0xee);
  writeHeader(bytes, header);
  return bytes;
}

describe("writing", () => {
  test("puts every field at its place", () => {
    expect(written(HEADER)).toEqual(
      headerOf({
        kind: 2,
        flags: 17,
        pattern: 6,
        keyId: 0xfedcba98,
        ordinal: 0xffffffff,
        epoch: 1_764_000_000_000_001n,
        sequence: 2n ** 53n - 1n,
        sentAt: 2n ** 32n,
        sender: "kernel-1~2",
      }),
    );
  });

  test("as the specification's table has it", () => {
    expect(
      written({
        ...HEADER,
        keyId: 0x01020304,
        ordinal: 5,
        epoch: 6,
        sequence: 7,
        sentAt: 8,
        sender: "a",
      }).toString("hex"),
    ).toBe(
      "c153" +
        "01" +
        "02" +
        "11" +
        "06" +
        "00" +
        "01" +
        "01020304" +
        "00000005" +
        "0000000000000006" +
        "0000000000000007" +
        "0000000000000008" +
        "61",
    );
  });

  test("is 40 bytes and the name long", () => {
    expect(headerLength({ sender: "a" })).toBe(41);
    expect(headerLength({ sender: "x".repeat(64) })).toBe(104);
  });
});

test("kinds, flags and socket types have the numbers of the specification", () => {
  expect(KINDS).toEqual(KIND);
  expect(PATTERNS).toEqual(TYPE);
  const { reserved: _, ...defined } = FLAG;
  expect(FLAGS).toEqual(defined);
});

describe("reading", () => {
  test("gives back what was written", () => {
    expect(readHeader(written(HEADER))).toEqual(HEADER);
  });

  test("ignores what stands behind the name", () => {
    expect(readHeader(Buffer.concat([written(HEADER), Buffer.alloc(50, 1)]))).toEqual(HEADER);
  });

  test.each(Object.entries(TYPE))("knows socket type %s as %i", (name, pattern) => {
    expect(readHeader(headerOf({ pattern }))).toMatchObject({ pattern: name });
  });

  test.each(Object.entries(KIND))("knows kind %s as %i", (name, kind) => {
    expect(readHeader(headerOf({ kind }))).toMatchObject({ kind: name });
  });

  const numbers = ["epoch", "sequence", "sentAt"] as const;
  test.each(numbers)("%s may be 0 and 2^53 - 1", (field) => {
    expect(readHeader(headerOf({ [field]: 0n }))).toMatchObject({ [field]: 0 });
    expect(readHeader(headerOf({ [field]: 2n ** 53n - 1n }))).toMatchObject({
      [field]: Number.MAX_SAFE_INTEGER,
    });
    expect(readHeader(headerOf({ [field]: 2n ** 32n - 1n }))).toMatchObject({ [field]: 2 ** 32 - 1 });
  });

  test.each(numbers)("attack 10: %s above 2^53 - 1 is malformed", (field) => {
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      expect(readHeader(headerOf({ [field]: value })), `${value}`).toBe("malformed");
    }
  });

  test.each([0, 2, 3, 127, 255])("version %i is not supported", (version) => {
    expect(readHeader(headerOf({ version }))).toBe("unsupported-version");
  });

  test("attack 36: another version is told before anything else of the frame is looked at", () => {
    expect(readHeader(Buffer.from([0xc1, 0x53, 2]))).toBe("unsupported-version");
    expect(readHeader(headerOf({ version: 2, kind: 99, reserved: 1, nameLength: 0 }))).toBe(
      "unsupported-version",
    );
  });

  const outOfRange: readonly [string, Partial<Fields>][] = [
    ...[0, 9, 10, 127, 255].map((kind): [string, Partial<Fields>] => [`kind ${kind}`, { kind }]),
    ...[11, 12, 127, 128, 255].map((pattern): [string, Partial<Fields>] => [
      `socket type ${pattern}`,
      { pattern },
    ]),
    ["the flag bit 0x80", { flags: 0x80 }],
    ["all flag bits", { flags: 0xff }],
    ...Array.from({ length: 8 }, (_, bit): [string, Partial<Fields>] => [
      `bit ${bit} of the reserved byte`,
      { reserved: 1 << bit },
    ]),
    ["name length 0", { nameLength: 0 }],
    ["name length 65", { sender: "x".repeat(65) }],
    ["name length 255", { sender: "x".repeat(255) }],
    ["a name that is longer than the frame", { sender: "alice", nameLength: 6 }],
  ];
  test.each(outOfRange)("%s is malformed", (_, fields) => {
    expect(readHeader(headerOf(fields))).toBe("malformed");
  });

  test("every known flag is read, alone and with all others", () => {
    for (const flags of [...Object.values(FLAGS), 0x7f]) {
      expect(readHeader(headerOf({ flags }))).toMatchObject({ flags });
    }
  });

  test.each([1, 2, 63, 64])("a name of %i bytes is read", (length) => {
    const sender = "x".repeat(length);
    expect(readHeader(headerOf({ sender }))).toMatchObject({ sender });
  });

  test.each([0x21, 0x7e, 0x22, 0x7d, 0x41])("the byte %i may stand in a name", (byte) => {
    const sender = `a${String.fromCharCode(byte)}b`;
    expect(readHeader(headerOf({ sender }))).toMatchObject({ sender });
  });

  test.each([0x00, 0x0a, 0x20, 0x7f, 0x80, 0xc1, 0xff])(
    "the byte %i may not stand anywhere in a name",
    (byte) => {
      const bad = String.fromCharCode(byte);
      for (const sender of [bad, `${bad}bc`, `a${bad}c`, `ab${bad}`]) {
        expect(readHeader(headerOf({ sender })), JSON.stringify(sender)).toBe("malformed");
      }
    },
  );

  test("a name does not begin with ~: the key of an instance belongs to somebody", () => {
    for (const sender of ["~", "~a", "~~"]) expect(readHeader(headerOf({ sender }))).toBe("malformed");
    for (const sender of ["a~", "a~b", "a~~b"])
      expect(readHeader(headerOf({ sender }))).toMatchObject({ sender });
  });

  test("what stands behind the name is not taken for a part of it", () => {
    expect(readHeader(Buffer.concat([headerOf({ sender: "abc" }), Buffer.from([0x20, 0x00])]))).toMatchObject(
      {
        sender: "abc",
      },
    );
  });

  test("attack 2: a frame cut anywhere is malformed", () => {
    const whole = written(HEADER);
    for (let length = 2; length < whole.length; length++) {
      expect(readHeader(whole.subarray(0, length)), `${length} bytes`).toBe("malformed");
    }
  });
});

describe("the magic", () => {
  test("is C1 53 at the start of a frame", () => {
    expect(hasMagic(Buffer.from([0xc1, 0x53]))).toBe(true);
    expect(hasMagic(headerOf({}))).toBe(true);
  });

  test.each([
    ["no frame", undefined],
    ["an empty frame", Buffer.alloc(0)],
    ["one byte", Buffer.from([0xc1])],
    ["another first byte", Buffer.from([0xc0, 0x53])],
    ["another second byte", Buffer.from([0xc1, 0x52])],
    ["the bytes swapped", Buffer.from([0x53, 0xc1])],
    ["the magic further back", Buffer.from([0, 0xc1, 0x53])],
  ])("is not in %s", (_, frame) => {
    expect(hasMagic(frame)).toBe(false);
  });
});

test("names that are alike are told apart, however often each was read before", () => {
  // As long as one another, with the same end: what readers take for the same at a first glance.
  const senders = ["alice-0007", "bobby-0007", "alicf-0007", "blice-0007"];
  for (let round = 0; round < 3; round++) {
    for (const sender of senders) expect(readHeader(headerOf({ sender }))).toMatchObject({ sender });
  }
  const broken = headerOf({ sender: "alice-0007" });
  broken[40] = 0x20;
  expect(readHeader(broken)).toBe("malformed");
});
