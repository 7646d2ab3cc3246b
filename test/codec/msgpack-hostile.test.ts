// Attack 60 on the msgpack codec: hostile bodies are refused with a CodecError, in bounded work, and the codec goes on.

import fc from "fast-check";
import { addExtension, Packr, pack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { CodecError, msgpack } from "../../src/codec/index.js";
import { msgpackBodies, uint } from "./bodies.js";
import { bodyOf, hex, refusalOf } from "./hostile.js";

const codec = msgpack();
const honest = { id: 7, tags: ["a"] };
const honestBody = bodyOf(codec, honest);

/** Refused, in the words that follow "does not decode:", and the next honest message decodes. */
function refused(body: Buffer, why: RegExp): void {
  const error = refusalOf(codec, body);
  expect(error.code).toBe("undecodable");
  expect(error.message).toMatch(why);
  expect(codec.decode([honestBody])).toStrictEqual(honest);
}

describe("attack 60: lengths that lie", () => {
  const MOST = "ffffffff";
  test.each([
    ["map32", hex(`df ${MOST}`)],
    ["array32", hex(`dd ${MOST}`)],
    ["bin32", hex(`c6 ${MOST}`)],
    ["str32", hex(`db ${MOST}`)],
    ["ext32", hex(`c9 ${MOST} ff`)],
    ["map32 with some entries", hex(`df ${MOST} a161 01 a162 02`)],
    ["array32 of array32", Buffer.concat(Array.from({ length: 100 }, () => hex(`dd ${MOST}`)))],
    ["array16 of array16, each within what is left", Buffer.concat(nestedArrays(20_000, 127))],
    ["map16", hex("de ffff")],
    ["array16", hex("dc 0002 01")],
    ["bin8", hex("c4 02 00")],
    ["bin16", hex("c5 0001")],
    ["str8", hex("d9 05 61626364")],
    ["fixstr", hex("a2 61")],
    ["fixmap", hex("81 a161")],
    ["fixarray", hex("92 01")],
    ["float64", hex("cb 00000000000000")],
    ["uint16", hex("cd 00")],
    ["a length field cut short", hex("dd 0000")],
    ["a string across the end of its array", hex("91 db 00000002 61")],
  ])("%s", (_, body) => {
    refused(body, /: it ends inside/);
  });

  /** Every array says that it has as many elements as there are bytes left, which a parser might set aside at once. */
  function nestedArrays(bytes: number, levels: number): Buffer[] {
    const heads = Array.from({ length: levels }, (_, level) => {
      return Buffer.concat([Buffer.of(0xdc), uint(bytes - 3 * (level + 1), 2)]);
    });
    return [...heads, Buffer.alloc(bytes - 3 * levels, 0xc0)];
  }

  test.each(["dd ffffffff", "df ffffffff", "dc 0002 01", "81 a1", "92 92 01"])(
    "a count that cannot be met is refused where it stands: %s",
    (body) => {
      refused(hex(body), /: it ends inside an array or map/);
    },
  );

  test("every prefix of a body is refused, and so is every longer one", () => {
    fc.assert(
      fc.property(msgpackBodies, fc.nat(), fc.uint8Array({ minLength: 1 }), ({ bytes }, cut, more) => {
        refused(bytes.subarray(0, cut % bytes.length), /: it ends inside/);
        refused(Buffer.concat([bytes, more]), new RegExp(`: ${more.length} bytes behind the value`));
      }),
      { numRuns: 500 },
    );
  });
});

describe("attack 60: many and deep", () => {
  test.each([
    ["arrays", Buffer.alloc(200_000, 0x91)],
    ["maps", Buffer.concat(Array.from({ length: 200_000 }, () => hex("81 a161")))],
    ["a well-formed one, one level too deep", Buffer.concat([Buffer.alloc(129, 0x91), Buffer.of(0xc0)])],
  ])("nested %s", (_, body) => {
    refused(body, /: nested deeper than 128/);
  });

  test("128 levels decode", () => {
    let value = codec.decode([Buffer.concat([Buffer.alloc(128, 0x91), Buffer.of(0xc0)])]);
    for (let level = 0; level < 128; level++) value = (value as unknown[])[0];
    expect(value).toBeNull();
  });

  test.each([
    ["arrays", hex("90")],
    ["maps", hex("80")],
    ["binaries", hex("c400")],
    ["numbers", hex("00")],
  ])("a million and one %s, and the array around them", (_, item) => {
    const count = 1_000_000;
    const items = Buffer.alloc(count * item.length, item);
    refused(Buffer.concat([Buffer.of(0xdd), uint(count, 4), items]), /: more than 1000000 values/);
  });

  test("16 MiB decode, one byte more is refused", () => {
    const binaryOf = (size: number) => Buffer.concat([Buffer.of(0xc6), uint(size, 4), Buffer.alloc(size)]);
    expect(codec.decode([binaryOf(2 ** 24 - 5)])).toHaveLength(2 ** 24 - 5);
    refused(binaryOf(2 ** 24 - 4), /: 16777217 bytes, over 16777216/);
  });
});

describe("attack 60: extension types", () => {
  test.each([
    ["undefined (0)", hex("d4 00 00")],
    ["a record definition (0x72)", hex("d4 72 40 91a161 01")],
    ["a record with two id bytes", hex("d5 72 40 00 91a161 01")],
    ["a record from msgpackr's default instance", Buffer.from(new Packr().pack({ a: 1 }))],
    ["a RegExp", Buffer.from(new Packr({ moreTypes: true, useRecords: false }).pack(/(a+)+$/))],
    ["an Error", Buffer.from(new Packr({ moreTypes: true, useRecords: false }).pack(new Error("x")))],
    ["a Set", Buffer.from(new Packr({ moreTypes: true, useRecords: false }).pack(new Set([1])))],
    [
      "a typed array",
      Buffer.from(new Packr({ moreTypes: true, useRecords: false }).pack(new Float32Array(4))),
    ],
    [
      "a large bigint",
      Buffer.from(new Packr({ useBigIntExtension: true, useRecords: false }).pack(2n ** 100n)),
    ],
    ["a cycle", Buffer.from(new Packr({ structuredClone: true, useRecords: false }).pack(cycle()))],
    ["an id (0x69) without a cycle", hex("d6 69 00000001 90")],
    ["a pointer to nothing (0x70)", hex("d6 70 00000001")],
    [
      "bundled strings (0x62)",
      Buffer.from(new Packr({ bundleStrings: true, useRecords: false }).pack(texts())),
    ],
    ["a type nobody defined", hex("c7 03 05 010203")],
    ["a negative type beside the timestamp", hex("d6 fe 00000000")],
    ["fixext 16", Buffer.concat([hex("d8 01"), Buffer.alloc(16)])],
    ["ext16 within an array", hex("91 c8 0001 2a 00")],
  ])("%s", (_, body) => {
    refused(body, /: an extension type that is not the timestamp/);
  });

  test("a type that the application taught msgpackr, for all of the process", () => {
    class Account {
      balance = 1e9;
    }
    addExtension({ Class: Account, type: 0x11, pack: () => Buffer.of(1), unpack: () => new Account() });
    const body = Buffer.from(pack([new Account()]));
    expect(new Packr({ useRecords: false }).unpack(body)).toStrictEqual([new Account()]);
    refused(body, /: an extension type that is not the timestamp/);
    expect(() => codec.encode([new Account()])).toThrow(/an instance of Account/);
  });

  test("the byte that MessagePack never uses", () => {
    refused(hex("c1"), /: a byte that MessagePack never uses/);
    refused(hex("92 c1 01"), /: a byte that MessagePack never uses/);
  });

  test.each([
    ["of no size that there is", hex("c7 05 ff 0000000000")],
    ["of one byte", hex("d4 ff ff")],
    ["of no byte", hex("c7 00 ff")],
  ])("a timestamp %s", (_, body) => {
    refused(body, /: a timestamp of no defined size/);
  });

  test.each([
    ["with a billion nanoseconds, 64 bits", hex("d7 ff ee6b2800 00000000")],
    ["with a billion nanoseconds, 96 bits", hex("c7 0c ff 3b9aca00 0000000000000000")],
    ["beyond the last date", hex("c7 0c ff 00000000 000007dba8218001")],
    ["a millisecond beyond the last date", hex("c7 0c ff 000f4240 000007dba8218000")],
    ["before the first date", hex("c7 0c ff 00000000 fffff82457de7fff")],
    ["so large that its low bytes look like a date", hex("c7 0c ff 00000000 0001000000000001")],
    ["at the least of 64 bits", hex("c7 0c ff 00000000 8000000000000000")],
  ])("a timestamp %s", (_, body) => {
    refused(body, /: a timestamp out of range/);
  });

  test("the last and the first date decode, and the last nanosecond of a second", () => {
    expect(codec.decode([hex("c7 0c ff 3b9ac9ff 0000000000000001")])).toStrictEqual(new Date(1999));
    expect(codec.decode([hex("d7 ff ee6b27fc 00000001")])).toStrictEqual(new Date(1999));
    expect(codec.decode([hex("c7 0c ff 00000000 000007dba8218000")])).toStrictEqual(new Date(8.64e15));
    expect(codec.decode([hex("c7 0c ff 00000000 fffff82457de8000")])).toStrictEqual(new Date(-8.64e15));
  });

  function cycle(): object {
    const value: Record<string, unknown> = {};
    value.self = value;
    return value;
  }

  function texts(): string[] {
    return ["some text", "some more text"];
  }
});

describe("attack 60: keys", () => {
  test.each([
    ["fixstr", "a9"],
    ["str8", "d9 09"],
    ["str16", "da 0009"],
    ["str32", "db 00000009"],
  ])("__proto__ as %s, outside and inside", (_, head) => {
    const member = `${head} ${Buffer.from("__proto__").toString("hex")} 81 a8 ${Buffer.from("polluted").toString("hex")} c3`;
    refused(hex(`81 ${member}`), /: a key named __proto__/);
    refused(hex(`91 82 a161 01 ${member}`), /: a key named __proto__/);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("__proto__ as a value is a string like any other, and longer keys are no prototypes", () => {
    for (const value of ["__proto__", ["__proto__"], { a: "__proto__" }, { __proto___: 1, _proto__: 2 }]) {
      expect(codec.decode([bodyOf(codec, value)])).toStrictEqual(value);
    }
  });

  test("constructor and prototype are properties and no more", () => {
    const value = codec.decode([
      Buffer.from(pack({ constructor: { prototype: { polluted: true } }, toString: 1, valueOf: [] })),
    ]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value as object)).toStrictEqual(["constructor", "toString", "valueOf"]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("every object and array that arrives has the prototype of a literal", () => {
    fc.assert(
      fc.property(msgpackBodies, ({ bytes }) => {
        const visit = (value: unknown): void => {
          if (typeof value !== "object" || value === null) return;
          const expected = [Array, Date, Buffer, Object].find((type) => value instanceof type)!;
          expect(Object.getPrototypeOf(value)).toBe(expected.prototype);
          if (expected === Array || expected === Object) Object.values(value).forEach(visit);
        };
        visit(codec.decode([bytes]));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["a number", "01"],
    ["nil", "c0"],
    ["a boolean", "c3"],
    ["a binary", "c4 01 61"],
    ["an array", "91 a161"],
    ["a map", "80"],
    ["a float", "cb 3ff0000000000000"],
    ["a uint64", "cf 0000000000000001"],
    ["a timestamp", "d6 ff 00000000"],
  ])("%s", (_, key) => {
    refused(hex(`81 ${key} 01`), /: a key that is not a string/);
    refused(hex(`82 a161 01 ${key} 01`), /: a key that is not a string/);
  });

  test.each([
    ["side by side", hex("82 a161 01 a161 02")],
    ["in another format", hex("82 a161 01 d901 61 02")],
    ["apart, and inside", hex("91 83 a161 01 a162 02 a161 03")],
    ["both empty", hex("82 a0 01 a0 02")],
  ])("one twice, %s", (_, body) => {
    refused(body, /: a key stands twice/);
  });
});

describe("attack 60: text and frames", () => {
  test.each([
    ["a lone byte", "a1 ff"],
    ["overlong", "a2 c080"],
    ["a surrogate", "a3 eda080"],
    ["cut short", "a2 e282"],
    ["beyond Unicode", "a4 f4908080"],
    ["as a key", "81 a1 80 01"],
    ["long", `d9 46 ${"61".repeat(69)} ff`],
    ["at the end of a short one", `d9 20 ${"61".repeat(31)} c3`],
  ])("bytes that are not UTF-8: %s", (_, body) => {
    refused(hex(body), /: a string that is not UTF-8/);
  });

  test.each([
    ["none", []],
    ["two", [honestBody, honestBody]],
    ["one and an empty one", [honestBody, Buffer.alloc(0)]],
  ])("%s instead of one frame", (_, frames) => {
    expect(refusalOf(codec, ...frames).message).toMatch(/: \d body frames instead of one/);
  });

  test("an empty frame", () => {
    refused(Buffer.alloc(0), /: it ends inside a value/);
  });
});

describe("attack 60: anything at all", () => {
  const decodesOrRefuses = (body: Buffer) => {
    try {
      // What the scan lets pass the parser reads, and what is read can be sent again.
      expect(codec.encode(codec.decode([body]))).toHaveLength(1);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      expect(error.message).not.toMatch(/well-formed/);
    }
  };

  test("random bytes decode or are refused, and nothing else happens", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodesOrRefuses(Buffer.from(bytes))),
      { numRuns: 5000 },
    );
  });

  test("bodies with some bytes changed decode or are refused, and nothing else happens", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(msgpackBodies, changes, ({ bytes }, edits) => {
        const body = Buffer.from(bytes);
        for (const [at, byte] of edits) body[at % body.length] = byte;
        decodesOrRefuses(body);
      }),
      { numRuns: 5000 },
    );
  });

  test("no byte of the payload stands in an error", () => {
    const secret = "s3cret-in-the-payload";
    const body = Buffer.from(pack({ [secret]: secret, list: [secret] }));
    const bodies = [
      Buffer.concat([body, body]),
      body.subarray(0, -1),
      Buffer.concat([hex("82 a161"), body, hex("a161"), body]),
      Buffer.concat([hex("92"), body, hex("c1")]),
    ];
    for (const hostile of bodies) {
      const { message, stack, cause, issues } = refusalOf(codec, hostile);
      expect(`${message} ${stack} ${String(cause)} ${JSON.stringify(issues)}`).not.toContain("s3cret");
    }
  });
});
