// Types from end to end: from a type argument or a schema to what decode gives and encode takes. The compiler is the
// judge (`npm run check:types` covers tests); running them shows that the calls themselves are sound.

import type { StandardSchemaV1 as PublishedSchema } from "@standard-schema/spec";
import * as v from "valibot";
import { expectTypeOf, test } from "vitest";
import {
  type Codec,
  type CodecError,
  json,
  msgpack,
  raw,
  type StandardSchemaV1,
} from "../../src/codec/index.js";

interface Job {
  readonly id: number;
}
interface Outcome {
  readonly ok: boolean;
}

const Timestamp = v.object({
  at: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
  note: v.optional(v.string(), ""),
});

test("a type argument types both directions", () => {
  expectTypeOf(msgpack<Job>()).toEqualTypeOf<Codec<Job>>();
  expectTypeOf(json<Job>({ limits: { depth: 4 } })).toEqualTypeOf<Codec<Job, Job>>();
  expectTypeOf(msgpack()).toEqualTypeOf<Codec<unknown>>();
});

test("two of them type each", () => {
  expectTypeOf(msgpack<Outcome, Job>()).toEqualTypeOf<Codec<Outcome, Job>>();
  expectTypeOf(json<Outcome, Job>().encode).parameter(0).toEqualTypeOf<Job>();
});

test("a schema types both directions: its output arrives, its input is sent", () => {
  expectTypeOf(msgpack({ schema: Timestamp })).toEqualTypeOf<
    Codec<{ at: Date; note: string }, { at: string; note?: string | undefined }>
  >();
  expectTypeOf(json({ schema: Timestamp }).decode).returns.toEqualTypeOf<
    { at: Date; note: string } | Promise<{ at: Date; note: string }>
  >();
});

test("a type argument and a schema must agree", () => {
  const schema = v.object({ id: v.number() });
  expectTypeOf(msgpack<{ id: number }>({ schema })).toEqualTypeOf<Codec<{ id: number }>>();
  expectTypeOf(json<{ id: number }, Job>({ schema })).toEqualTypeOf<Codec<{ id: number }, Job>>();
  // @ts-expect-error: the schema gives { id: number }, not a string
  msgpack<string>({ schema });
});

test("a schema declared with the published types fits", () => {
  expectTypeOf<PublishedSchema<string, number>>().toExtend<StandardSchemaV1<string, number>>();
  const schema = v.number() as PublishedSchema<unknown, number>;
  expectTypeOf(json({ schema })).toEqualTypeOf<Codec<number, unknown>>();
});

test("raw is a codec of frames", () => {
  expectTypeOf(raw).toEqualTypeOf<Codec<Buffer[], readonly Uint8Array[]>>();
});

test("what is not an option does not compile", () => {
  const misspelt = () => {
    // @ts-expect-error: there is no such limit
    msgpack({ limits: { size: 1 } });
    // @ts-expect-error: a schema has ~standard
    json({ schema: {} });
  };
  expectTypeOf(misspelt).toBeFunction();
});

test("the code of an error is a closed union", () => {
  expectTypeOf<CodecError["code"]>().toEqualTypeOf<"undecodable" | "invalid">();
});
