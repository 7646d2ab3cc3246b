// The msgpack codec on honest values: round trips, msgpackr itself as the peer, every format of the specification.

import fc from "fast-check";
import { Packr, pack, unpack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { msgpack } from "../../src/codec/index.js";
import { countOf, depthOf, msgpackBodies, msgpackValues } from "./bodies.js";
import { bodyOf, refusalOf } from "./hostile.js";

const codec = msgpack();
const roundTrip = (value: unknown) => codec.decode([bodyOf(codec, value)]);

describe("round trips", () => {
  test("whatever it encodes arrives as it was", () => {
    fc.assert(
      fc.property(msgpackValues, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("msgpackr's own decoder reads what it encodes", () => {
    fc.assert(
      fc.property(msgpackValues, (value) => {
        expect(unpack(bodyOf(codec, value))).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("it reads what msgpackr's own encoder makes", () => {
    fc.assert(
      fc.property(msgpackValues, (value) => {
        expect(codec.decode([Buffer.from(pack(value))])).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("it reads every format of the specification, shortest or not", () => {
    fc.assert(
      fc.property(msgpackBodies, ({ bytes, value }) => {
        expect(codec.decode([bytes])).toStrictEqual(value);
      }),
      { numRuns: 2000 },
    );
  });

  test("what it decodes, it encodes: an echo cannot fail", () => {
    fc.assert(
      fc.property(msgpackBodies, ({ bytes }) => {
        const value = codec.decode([bytes]);
        expect(msgpack({ limits: { bytes: 2 * 16 * 1024 * 1024 } }).encode(value)).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });
});

describe("kinds of values", () => {
  test("the size of a body is MessagePack's", () => {
    expect(bodyOf(codec, { id: 7 })).toStrictEqual(Buffer.from("81a2696407", "hex"));
    expect(bodyOf(codec, 2n ** 64n - 1n)).toStrictEqual(Buffer.from("cfffffffffffffffff", "hex"));
  });

  test("bigint stays bigint and number stays number, whatever the size", () => {
    const numbers = [5n, 5, 2n ** 53n, 2 ** 53, -(2n ** 63n), 2n ** 64n - 1n];
    expect(roundTrip(numbers)).toStrictEqual(numbers);
  });

  test("a Uint8Array arrives as a Buffer with the same bytes", () => {
    const arrived = roundTrip(new Uint8Array([1, 2, 3]));
    expect(arrived).toBeInstanceOf(Buffer);
    expect(arrived).toStrictEqual(Buffer.of(1, 2, 3));
  });

  test("a binary is a copy: reusing the frame changes nothing", () => {
    const frame = bodyOf(codec, { image: Buffer.alloc(200, 7), name: "x".repeat(100) });
    const arrived = codec.decode([frame]);
    frame.fill(0);
    expect(arrived).toStrictEqual({ image: Buffer.alloc(200, 7), name: "x".repeat(100) });
  });

  test("an encoded frame stays as it is while other values are encoded", () => {
    const frames = Array.from(
      { length: 500 },
      (_, index) => codec.encode({ index, text: "y".repeat(index) })[0],
    );
    frames.forEach((frame, index) => {
      expect(codec.decode([Buffer.from(frame!)])).toStrictEqual({ index, text: "y".repeat(index) });
    });
  });

  test("the frame is neither changed nor marked", () => {
    const frame = bodyOf(codec, { a: [1, "two"] });
    const before = { bytes: frame.toString("hex"), properties: Reflect.ownKeys(frame).length };
    codec.decode([frame]);
    expect({ bytes: frame.toString("hex"), properties: Reflect.ownKeys(frame).length }).toStrictEqual(before);
  });

  test("properties that are undefined are left out; -0 arrives as 0", () => {
    expect(roundTrip({ a: undefined, b: [{ c: undefined }] })).toStrictEqual({ b: [{}] });
    expect(Object.is(roundTrip(-0), 0)).toBe(true);
  });

  test("dates at the ends of their range, before and after 1970 and 2106", () => {
    const dates = [-8.64e15, -1, 0, 1, 999, 2 ** 32 * 1000 - 1, 2 ** 32 * 1000, 2 ** 34 * 1000, 8.64e15];
    expect(roundTrip(dates.map((ms) => new Date(ms)))).toStrictEqual(dates.map((ms) => new Date(ms)));
  });

  test("names that other code gives a meaning are plain keys", () => {
    const value = JSON.parse('{"constructor":"c","toJSON":"j","hasOwnProperty":1,"then":null,"length":4}');
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip([value, { constructor: null }])).toStrictEqual([value, { constructor: null }]);
  });

  test("an object without prototype, or of another realm, is plain", async () => {
    const { runInNewContext } = await import("node:vm");
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
    expect(roundTrip(runInNewContext("({ a: [1, { b: 2 }] })"))).toStrictEqual({ a: [1, { b: 2 }] });
  });

  test("small integers are not taken for the records of another msgpackr in the process", () => {
    const application = new Packr({ structures: [] });
    const record = application.pack({ x: 1, y: 2 });
    expect(application.unpack(record)).toEqual({ x: 1, y: 2 });
    const integers = Array.from({ length: 128 }, (_, index) => index);
    expect(roundTrip(integers)).toStrictEqual(integers);
  });
});

describe("what it cannot carry", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.list = [{ cyclic }];
  class Job {
    id = 7;
  }

  test.each<[string, unknown, RegExp]>([
    ["undefined", undefined, /carry undefined, at value$/],
    ["undefined in an array", [1, undefined], /undefined, at value\[1\]$/],
    ["a hole", new Array(1), /undefined, at value\[0\]$/],
    ["a function", { run: () => 1 }, /a function, at value\["run"\]$/],
    ["a symbol", Symbol("s"), /a symbol/],
    ["a bigint above", 2n ** 64n, /more than 64 bits/],
    ["a bigint below", -(2n ** 63n) - 1n, /more than 64 bits/],
    ["an invalid date", new Date(Number.NaN), /an invalid Date/],
    ["a Map", { m: new Map() }, /an instance of Map, at value\["m"\]$/],
    ["a Set", new Set(), /an instance of Set/],
    ["a RegExp", /x/, /an instance of RegExp/],
    ["an Error", new Error("x"), /an instance of Error/],
    ["a typed array of larger elements", new Float64Array(2), /an instance of Float64Array/],
    ["an ArrayBuffer", new ArrayBuffer(2), /an instance of ArrayBuffer/],
    ["an instance of a class", [new Job()], /an instance of Job, at value\[0\]$/],
    ["a boxed number", Object(1), /an instance of Number/],
    ["a lone surrogate", ["\ud800"], /a lone surrogate, at value\[0\]$/],
    ["a lone surrogate in a long string", `${"x".repeat(100)}\udc00`, /a lone surrogate/],
    ["a lone surrogate in a key", { "\ud800": 1 }, /a lone surrogate/],
    ["a key named __proto__", JSON.parse('{"__proto__":1}'), /a key named __proto__/],
    ["a cycle", cyclic, /as a cycle is, at value\["list"\]\[0\]\["cyclic"\]/],
  ])("%s: TypeError that says where", (_, value, message) => {
    expect(() => codec.encode(value)).toThrow(TypeError);
    expect(() => codec.encode(value)).toThrow(message);
  });

  test("a long path is cut, and so are its keys", () => {
    const nested = (levels: number, key: string) => {
      let value: unknown = Number;
      for (let level = 0; level < levels; level++) value = { [key]: value };
      return value;
    };
    expect(() => codec.encode(nested(8, "k"))).toThrow(`carry a function, at value${'["k"]'.repeat(8)}`);
    expect(() => codec.encode(nested(8, "k"))).not.toThrow(/…/);
    expect(() => codec.encode(nested(9, "k"))).toThrow(`value${'["k"]'.repeat(8)}…`);
    expect(() => codec.encode(nested(1, "k".repeat(1000)))).toThrow(`value["${"k".repeat(39)}]`);
  });

  test("an instance of a class without a name is said to be one", () => {
    expect(() => codec.encode(Object.create(Object.create({ constructor: 1 })))).toThrow(
      /of an unnamed class/,
    );
  });

  test("a value that holds itself many times over is refused by its count, without walking it all", () => {
    let value: unknown[] = [];
    for (let level = 0; level < 100; level++) value = [value, value];
    expect(() => codec.encode(value)).toThrow(/more than 1000000 values/);
  });
});

describe("limits", () => {
  const withLimits = (limits: { bytes?: number; depth?: number; values?: number }) => msgpack({ limits });

  test("exact at the edge, and the same for both directions", () => {
    fc.assert(
      fc.property(msgpackValues, (value) => {
        const body = bodyOf(codec, value);
        const size = { bytes: body.length, depth: depthOf(value), values: countOf(value) };
        expect(withLimits(size).decode([bodyOf(withLimits(size), value)])).toStrictEqual(value);
        for (const [name, least] of [
          ["bytes", 1],
          ["depth", 0],
          ["values", 1],
        ] as const) {
          if (size[name] === least) continue;
          const tighter = withLimits({ ...size, [name]: size[name] - 1 });
          expect(() => tighter.encode(value)).toThrow(TypeError);
          expect(refusalOf(tighter, body).code).toBe("undecodable");
        }
      }),
      { numRuns: 300 },
    );
  });
});
