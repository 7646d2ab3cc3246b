// The Standard Schema hook, with valibot as the library and, for what no good library does, schemas by hand.

import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { CodecError, json, msgpack, type StandardSchemaV1 } from "../../src/codec/index.js";
import { bodyOf, refusalOf } from "./hostile.js";

const Job = v.object({ id: v.pipe(v.number(), v.integer()), name: v.string() });
const anything = msgpack();

/** A schema that answers as told. */
function schemaOf<Out>(validate: (value: unknown) => unknown): StandardSchemaV1<unknown, Out> {
  return { "~standard": { version: 1, vendor: "test", validate: validate as never } };
}

describe.each([
  ["msgpack", msgpack],
  ["json", json],
] as const)("%s", (_, make) => {
  const codec = make({ schema: Job });

  test("what the schema accepts arrives at once", () => {
    expect(codec.decode([bodyOf(codec, { id: 7, name: "a" })])).toStrictEqual({ id: 7, name: "a" });
  });

  test("what it does not accept is invalid, and says where", () => {
    const { code, message, issues } = refusalOf(codec, bodyOf(make(), { id: "s3cret", name: "a" }));
    expect(code).toBe("invalid");
    expect(message).toBe("The schema does not accept the value.");
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatchObject({ path: ["id"], message: expect.stringContaining("Expected number") });
  });

  test("what does not decode never reaches the schema", () => {
    let asked = 0;
    const counting = make({ schema: schemaOf(() => ({ value: ++asked })) });
    expect(refusalOf(counting, Buffer.from("{]")).code).toBe("undecodable");
    expect(asked).toBe(0);
    expect(counting.decode([bodyOf(make(), 1)])).toBe(1);
  });

  test("what the schema makes of the value is what arrives", () => {
    const schema = v.pipe(
      v.string(),
      v.isoTimestamp(),
      v.transform((text) => new Date(text)),
    );
    const dates = make({ schema });
    expect(dates.decode([bodyOf(dates, "2026-01-02T03:04:05Z")])).toStrictEqual(
      new Date("2026-01-02T03:04:05Z"),
    );
  });

  test("an asynchronous schema gives a promise that resolves, or rejects with the same error", async () => {
    const known = v.pipeAsync(
      v.string(),
      v.checkAsync(async (name) => name === "known", "not known"),
    );
    const names = make({ schema: known });
    await expect(names.decode([bodyOf(names, "known")])).resolves.toBe("known");
    const refusal = names.decode([bodyOf(names, "other")]);
    await expect(refusal).rejects.toBeInstanceOf(CodecError);
    await expect(refusal).rejects.toMatchObject({ code: "invalid", issues: [{ message: "not known" }] });
    expect(refusalOf(names, Buffer.from("{]")).code).toBe("undecodable");
  });
});

describe("a schema that fails fails closed", () => {
  const body = bodyOf(anything, { id: 1 });
  const failure = new Error("the database is gone");

  test("one that throws, or rejects: invalid, with what it threw as the cause", async () => {
    const throwing = msgpack({
      schema: schemaOf(() => {
        throw failure;
      }),
    });
    const error = refusalOf(throwing, body);
    expect(error).toMatchObject({ code: "invalid", cause: failure, issues: [] });
    expect(String(error)).toBe("CodecError: The schema failed to judge the value.");
    const rejecting = msgpack({ schema: schemaOf(() => Promise.reject(failure)) });
    await expect(rejecting.decode([body])).rejects.toMatchObject({ code: "invalid", cause: failure });
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["true", true],
    ["an empty object", {}],
  ])("one that answers %s", async (_, answer) => {
    expect(refusalOf(msgpack({ schema: schemaOf(() => answer) }), body).code).toBe("invalid");
    const late = msgpack({ schema: schemaOf(async () => answer) });
    await expect(late.decode([body])).rejects.toMatchObject({ code: "invalid" });
  });

  test("one with a promise of its own kind is waited for", async () => {
    const schema = schemaOf(() =>
      Object.create(Promise.resolve({ issues: [{ message: "no" }] }), {
        [`th${"en"}`]: {
          value: (accept: (result: unknown) => void) => accept({ issues: [{ message: "no" }] }),
        },
      }),
    );
    await expect(msgpack({ schema }).decode([body])).rejects.toMatchObject({ code: "invalid" });
  });

  test("an empty list of issues is no consent", () => {
    expect(refusalOf(msgpack({ schema: schemaOf(() => ({ issues: [], value: 1 })) }), body).code).toBe(
      "invalid",
    );
  });
});

describe("what is kept of the issues is bounded", () => {
  const issuesOf = (issues: readonly unknown[]) =>
    refusalOf(msgpack({ schema: schemaOf(() => ({ issues })) }), bodyOf(anything, 1)).issues;

  test("16 of them", () => {
    const many = Array.from({ length: 100_000 }, (_, index) => ({ message: `issue ${index}` }));
    expect(issuesOf(many).map(({ message }) => message)).toStrictEqual(
      Array.from({ length: 16 }, (_, index) => `issue ${index}`),
    );
  });

  test("200 characters of a message, 32 steps of a path, 100 characters of a step", () => {
    const symbol = Symbol("s");
    const path = [symbol, 3, { key: "k" }, { key: {} }, "x".repeat(1000), ...Array(100).fill("y")];
    const [issue, ...more] = issuesOf([{ message: "m".repeat(1000), path }]);
    expect(more).toHaveLength(0);
    expect(issue?.message).toBe("m".repeat(200));
    expect(issue?.path).toHaveLength(32);
    expect(issue?.path.slice(0, 5)).toStrictEqual([symbol, 3, "k", "[object]", "x".repeat(100)]);
  });

  test("an array class that does not survive slice()", () => {
    class Issues extends Array<{ message: string }> {
      static override get [Symbol.species](): never {
        throw new Error("not to be constructed");
      }
    }
    expect(issuesOf(Issues.from([{ message: "a" }]))).toStrictEqual([{ message: "a", path: [] }]);
  });
});
