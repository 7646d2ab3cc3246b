// The json codec on honest values: round trips, and the runtime's own parser and writer as the peers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { json } from "../../src/codec/index.js";
import { countOf, depthOf, jsonValues } from "./bodies.js";
import { bodyOf, refusalOf } from "./hostile.js";

const codec = json();
const roundTrip = (value: unknown) => codec.decode([bodyOf(codec, value)]);

describe("round trips", () => {
  test("whatever it encodes arrives as it was", () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("it reads and writes what others do, however they set it out", () => {
    fc.assert(
      fc.property(jsonValues, fc.constantFrom("", " ", "\t", "\n \r"), (value, indent) => {
        expect(codec.decode([Buffer.from(JSON.stringify(value, null, indent))])).toStrictEqual(value);
        expect(JSON.parse(bodyOf(codec, value).toString())).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  test("the size of a body is that of its UTF-8 text, without spaces", () => {
    expect(bodyOf(codec, { id: 7 }).toString()).toBe('{"id":7}');
    expect(bodyOf(codec, "é")).toHaveLength(4);
  });

  test("strings that look like structure", () => {
    const value = { '"]}': ['[[{{,,::"\\', "\\", '\\"', "\\\\"], ",": ":" };
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test("lone surrogates travel as escapes", () => {
    expect(bodyOf(codec, "\ud800").toString()).toBe('"\\ud800"');
    expect(roundTrip({ "\ud800": "\udc00" })).toStrictEqual({ "\ud800": "\udc00" });
  });

  test("properties that are undefined are left out; -0 arrives as 0", () => {
    expect(roundTrip({ a: undefined, b: [{ c: undefined }] })).toStrictEqual({ b: [{}] });
    expect(Object.is(roundTrip(-0), 0)).toBe(true);
  });

  test("names that other code gives a meaning are plain keys", () => {
    const value = JSON.parse('{"constructor":"c","toJSON":"j","hasOwnProperty":1,"then":null,"length":4}');
    expect(roundTrip([value, value])).toStrictEqual([value, value]);
  });
});

describe("what it cannot carry", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.list = [{ cyclic }];

  test.each<[string, unknown, RegExp]>([
    ["undefined", undefined, /undefined, at value$/],
    ["undefined in an array", [1, undefined], /undefined, at value\[1\]$/],
    ["NaN", { x: [Number.NaN] }, /NaN, at value\["x"\]\[0\]$/],
    ["an infinity", Number.NEGATIVE_INFINITY, /-Infinity/],
    ["a bigint", 1n, /a bigint/],
    ["a function", [() => 1], /a function, at value\[0\]$/],
    ["a symbol", Symbol("s"), /a symbol/],
    ["a Date", { at: new Date(0) }, /an instance of Date, at value\["at"\]$/],
    ["a binary", Buffer.of(1), /an instance of Buffer/],
    ["a Map", new Map(), /an instance of Map/],
    ["something with toJSON", new URL("tcp://127.0.0.1"), /an instance of URL/],
    ["a key named __proto__", [JSON.parse('{"__proto__":1}')], /a key named __proto__, at value\[0\]$/],
    ["a cycle", cyclic, /as a cycle is/],
  ])("%s: TypeError that says where", (_, value, message) => {
    expect(() => codec.encode(value)).toThrow(TypeError);
    expect(() => codec.encode(value)).toThrow(message);
  });
});

describe("limits", () => {
  test("exact at the edge, and the same for both directions", () => {
    fc.assert(
      fc.property(jsonValues, fc.constantFrom("", "\n"), (value, indent) => {
        const body = Buffer.from(JSON.stringify(value, null, indent));
        const size = { bytes: body.length, depth: depthOf(value), values: countOf(value) };
        const exact = json({ limits: size });
        expect(exact.decode([body])).toStrictEqual(value);
        expect(exact.decode([bodyOf(exact, value)])).toStrictEqual(value);
        for (const [name, least] of [
          ["depth", 0],
          ["values", 1],
        ] as const) {
          if (size[name] === least) continue;
          const tighter = json({ limits: { ...size, [name]: size[name] - 1 } });
          expect(() => tighter.encode(value)).toThrow(TypeError);
          expect(refusalOf(tighter, body).code).toBe("undecodable");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("bytes, exact at the edge", () => {
    const exact = json({ limits: { bytes: 8 } });
    expect(exact.decode([bodyOf(exact, { id: 7 })])).toStrictEqual({ id: 7 });
    expect(() => exact.encode({ id: 77 })).toThrow(/^json: the value takes 9 bytes, over 8$/);
    expect(refusalOf(exact, Buffer.from('{"id":77}')).message).toMatch(/9 bytes, over 8/);
  });
});
