// Attack 60 on the json codec: hostile bodies are refused with a CodecError, in bounded work, and the codec goes on.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError, json } from "../../src/codec/index.js";
import { jsonValues } from "./bodies.js";
import { bodyOf, hex, refusalOf } from "./hostile.js";

const codec = json();
const honest = { id: 7, tags: ["a"] };
const honestBody = bodyOf(codec, honest);

/** Refused, in the words that follow "does not decode:", and the next honest message decodes. */
function refused(body: Buffer | string, why: RegExp): void {
  const error = refusalOf(codec, Buffer.from(body));
  expect(error.code).toBe("undecodable");
  expect(error.message).toMatch(why);
  expect(codec.decode([honestBody])).toStrictEqual(honest);
}

describe("attack 60: many and deep", () => {
  test.each([
    ["arrays", "[".repeat(200_000)],
    ["objects", '{"a":'.repeat(200_000)],
    ["well-formed arrays", "[".repeat(200_000) + "]".repeat(200_000)],
    ["one level too deep", `${"[".repeat(129)}${"]".repeat(129)}`],
    ["behind closing brackets", `${"]".repeat(1000)}${"[".repeat(1129)}`],
  ])("nested: %s", (_, body) => {
    refused(body, /: nested deeper than 128|: it is not well-formed/);
  });

  test("128 levels decode", () => {
    let value = codec.decode([Buffer.from(`${"[".repeat(128)}${"]".repeat(128)}`)]);
    for (let level = 0; level < 127; level++) value = (value as unknown[])[0];
    expect(value).toStrictEqual([]);
  });

  test("brackets in strings are no nesting", () => {
    expect(codec.decode([Buffer.from(`["${"[".repeat(1000)}\\"${"{".repeat(1000)}"]`)])).toHaveLength(1);
  });

  test.each([
    ["numbers", "0"],
    ["arrays", "[]"],
    ["objects", "{ }"],
    ["strings", '""'],
  ])("a million %s in an array", (_, item) => {
    refused(`[${`${item},`.repeat(999_999)}${item}]`, /: more than 1000000 values/);
  });

  test("half a million members", () => {
    refused(`{${'"a":1,'.repeat(499_999)}"b":1}`, /: more than 1000000 values/);
  });

  test("more than 16 MiB, spaces counted", () => {
    refused(`1${" ".repeat(2 ** 24)}`, /: 16777217 bytes, over 16777216/);
    expect(codec.decode([Buffer.from(`1${" ".repeat(2 ** 24 - 1)}`)])).toBe(1);
  });
});

describe("attack 60: keys", () => {
  test.each([
    ["plain", '{"__proto__":{"polluted":true}}'],
    ["escaped", '{"\\u005f_proto__":{"polluted":true}}'],
    ["inside", '[{"a":{"__proto__":null}}]'],
    ["twice", '{"__proto__":1,"__proto__":2}'],
  ])("__proto__, %s", (_, body) => {
    refused(body, /: a key named __proto__|: a key stands twice/);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("constructor and prototype are properties and no more", () => {
    const value = codec.decode([Buffer.from('{"constructor":{"prototype":{"polluted":true}},"toString":1}')]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ["side by side", '{"a":1,"a":2}'],
    ["one of them escaped", '{"a":1,"\\u0061":2}'],
    ["inside", '[{"b":{"a":1,"b":2,"a":3}}]'],
    ["both empty", '{"":1,"":2}'],
    ["with objects as values", '{"a":{"b":1},"a":{"c":1}}'],
  ])("one twice, %s", (_, body) => {
    refused(body, /: a key stands twice/);
  });
});

describe("attack 60: text and frames", () => {
  test.each([
    ["a lone byte", hex("22 ff 22")],
    ["overlong", hex("22 c080 22")],
    ["a surrogate", hex("22 eda080 22")],
    ["cut short", hex("22 e282 22")],
    ["Latin-1", Buffer.from('"é"', "latin1")],
    ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
    ["UTF-8 with a byte order mark", Buffer.from('\ufeff{"a":1}')],
    ["UTF-16 with a byte order mark", Buffer.from('\ufeff{"a":1}', "utf16le")],
  ])("bytes that are not plain UTF-8: %s", (_, body) => {
    refused(body, /: it is not well-formed json/);
  });

  test.each([
    "",
    " ",
    "nul",
    "undefined",
    "NaN",
    "Infinity",
    "-",
    "01",
    "1.",
    "+1",
    "0x10",
    "'a'",
    "{a:1}",
    "[1,]",
    '{"a":1,}',
    '{"a"}',
    "[1 2]",
    "1 2",
    "[]]",
    "[}",
    '"\n"',
    '"\\x41"',
    '"\\u12"',
    '"open',
    '"open\\',
    "// comment\n1",
    "1/**/",
    "\u00a01",
    "\0",
    "[1]\0",
  ])("what RFC 8259 does not allow: %j", (body) => {
    refused(body, /: it is not well-formed json/);
  });

  test.each(["1e400", "-1e400", '{"a":[1,2e308]}'])("a number that overflows: %s", (body) => {
    refused(body, /: a number overflows/);
  });

  test.each([
    ["none", []],
    ["two", [honestBody, honestBody]],
    ["one and an empty one", [honestBody, Buffer.alloc(0)]],
  ])("%s instead of one frame", (_, frames) => {
    expect(refusalOf(codec, ...frames).message).toMatch(/: \d body frames instead of one/);
  });
});

describe("attack 60: anything at all", () => {
  const decodesOrRefuses = (body: Buffer) => {
    try {
      const value = codec.decode([body]);
      expect(value).toStrictEqual(JSON.parse(body.toString()));
      expect(codec.encode(value)).toHaveLength(1);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
  };

  test("texts made of JSON's own pieces decode as the runtime would, or are refused", () => {
    const pieces = [
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"',
      "\\",
      '"a"',
      '"b":',
      "1",
      "-",
      "e9",
      "null",
      " ",
      "\\u0061",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (text) => {
        decodesOrRefuses(Buffer.from(text.join("")));
      }),
      { numRuns: 20_000 },
    );
  });

  test("bodies with some bytes changed decode as the runtime would, or are refused", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(jsonValues, changes, (value, edits) => {
        const body = Buffer.from(JSON.stringify(value));
        for (const [at, byte] of edits) body[at % body.length] = byte;
        decodesOrRefuses(body);
      }),
      { numRuns: 5000 },
    );
  });

  test("no byte of the payload stands in an error", () => {
    const secret = '"s3cret-in-the-payload"';
    const bodies = [
      `{${secret}:${secret}`,
      `${secret}${secret}`,
      `[${secret},`,
      `{${secret}:1,${secret}:2}`,
      secret.slice(1),
    ];
    for (const hostile of bodies) {
      const { message, stack, cause, issues } = refusalOf(codec, Buffer.from(hostile));
      expect(`${message} ${stack} ${String(cause)} ${JSON.stringify(issues)}`).not.toContain("s3cret");
    }
  });
});
