// Options of the codecs: what is wrong with them shows when the codec is made, not when a message arrives.

import { describe, expect, test } from "vitest";
import { json, msgpack } from "../../src/codec/index.js";

describe.each([
  ["msgpack", msgpack],
  ["json", json],
] as const)("%s", (name, codec) => {
  // What a JavaScript caller may write, past the types.
  const make = codec as (options?: unknown) => { readonly name: string };

  test("names itself", () => {
    expect(make().name).toBe(name);
    expect(make({}).name).toBe(name);
  });

  test.each([
    ["one more", { depth: 1025 }],
    ["negative", { depth: -1 }],
    ["a fraction", { values: 1.5 }],
    ["none at all", { values: 0 }],
    ["no bytes", { bytes: 0 }],
    ["NaN", { bytes: Number.NaN }],
    ["text", { bytes: "1024" }],
    ["infinite", { bytes: Number.POSITIVE_INFINITY }],
  ])("a limit out of range, %s: RangeError", (_, limits) => {
    expect(() => make({ limits })).toThrow(RangeError);
    expect(() => make({ limits })).toThrow(/^limits\.\w+ must be a whole number from [01] to \d+$/);
  });

  test("limits at the ends of their ranges", () => {
    expect(make({ limits: { bytes: 1, depth: 0, values: 1 } }).name).toBe(name);
    expect(make({ limits: { bytes: 2 ** 32 - 1, depth: 1024, values: 2 ** 32 - 1 } }).name).toBe(name);
  });

  test("a name that there is not: TypeError", () => {
    expect(() => make({ limits: { size: 1 } })).toThrow(/no limit "size"/);
    expect(() => make({ limits: { constructor: 1 } })).toThrow(TypeError);
    expect(() => make({ scheme: {} })).toThrow(/no codec option "scheme"/);
  });

  test.each([
    ["undefined, as a misspelt import is", undefined],
    ["null", null],
    ["an object", {}],
    ["another version", { "~standard": { version: 2, validate: () => ({ value: 1 }) } }],
    ["without validate", { "~standard": { version: 1, vendor: "x" } }],
  ])("a schema that is none, %s: TypeError", (_, schema) => {
    expect(() => make({ schema })).toThrow(/does not implement Standard Schema/);
  });
});
