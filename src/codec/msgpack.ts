// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) by msgpackr, fenced in: a scan admits only
// plain data within the limits, and only what MessagePack carries unchanged is sent.

import { toUSVString } from "node:util";
import type { Packr } from "msgpackr";
// The pure JavaScript build, whose own declarations do not resolve: no native code reads what arrives, and messages of
// 58 bytes and 1.2 KB decode as fast without it (measured).
import { Packr as PurePackr } from "msgpackr/pack";
import { assertCarriable, kindOf } from "./carriable.js";
import type { Codec } from "./codec.js";
import { undecodable } from "./error.js";
import type { CodecLimits } from "./limits.js";
import { countMembers } from "./members.js";
import { scanMsgpack } from "./msgpack-scan.js";
import { type CodecOptions, type Format, singleValueCodec } from "./single-value.js";
import type { StandardSchemaV1 } from "./standard-schema.js";

/** No records (an extension that keeps state between messages), copies of binaries, and no method of the value called. */
const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  copyBuffers: true,
  useToJSON: false,
  skipValues: [undefined],
};

const packr: Packr = new PurePackr(OPTIONS);

const FORMAT: Format = { name: "msgpack", serialize, parse };

/** msgpack with its types from the schema: what it gives arrives, what it takes is sent. All else as below. */
export function msgpack<Schema extends StandardSchemaV1>(options: {
  readonly schema: Schema;
  readonly limits?: Partial<CodecLimits>;
}): Codec<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>;

/**
 * A codec for one MessagePack value in one body frame.
 *
 * | sent | on the wire | arrives as |
 * | --- | --- | --- |
 * | null, boolean, string, number | nil, bool, str, int or float | the same; -0 as 0 |
 * | bigint, −2^63 to 2^64 − 1 | int 64 or uint 64 | bigint, whatever its size |
 * | Uint8Array, Buffer | bin | Buffer, a copy of its own |
 * | Date | timestamp (extension −1) | Date; what others send finer than a millisecond is cut |
 * | array, plain object | array, map with string keys | the same; properties that are undefined are left out |
 *
 * `encode` throws a TypeError, which says where, for everything else: undefined elsewhere, larger bigints, strings
 * with lone surrogates, invalid dates, symbols, functions, Map, Set, other typed arrays and class instances,
 * `__proto__` as a key, cycles, and what is over a limit.
 *
 * `decode` throws a {@link CodecError} with code `"undecodable"` for anything but one frame with one value, strings
 * that are not UTF-8, keys that are not strings, duplicate or `__proto__` keys, other extension types, and what is
 * over a limit (by default 16 MiB, 128 levels, 1,000,000 values and keys). With a schema (Standard Schema, version 1)
 * `"invalid"` joins it, and the type follows from the schema; an asynchronous schema makes `decode` give a promise.
 * Without a schema the type argument is a claim about the sender that nothing checks.
 *
 * ```ts
 * const jobs = msgpack<{ id: number; image: Uint8Array; due: Date }>();
 * const body = jobs.encode({ id: 7, image: new Uint8Array(3), due: new Date(0) });
 * ```
 *
 * @throws TypeError for a schema that is none or a limit that there is not, RangeError for a limit out of range.
 */
export function msgpack<Out = unknown, In = Out>(options?: CodecOptions<Out>): Codec<Out, In>;
export function msgpack(options?: CodecOptions<unknown>): Codec<unknown> {
  return singleValueCodec(FORMAT, options);
}

function serialize(value: unknown, limits: CodecLimits): Uint8Array {
  assertCarriable(value, FORMAT.name, complaint, limits);
  return packr.pack(value);
}

function complaint(scalar: unknown): string | undefined {
  if (scalar === null || typeof scalar === "number" || typeof scalar === "boolean") return undefined;
  if (typeof scalar === "string") return isWellFormed(scalar) ? undefined : "a lone surrogate";
  if (typeof scalar === "bigint") return isInt64(scalar) ? undefined : "a bigint of more than 64 bits";
  if (scalar instanceof Date) return Number.isNaN(scalar.getTime()) ? "an invalid Date" : undefined;
  return scalar instanceof Uint8Array ? undefined : kindOf(scalar);
}

const isWellFormed = (text: string) => toUSVString(text) === text;

const isInt64 = (number: bigint) => number >= -(2n ** 63n) && number < 2n ** 64n;

function parse(body: Buffer, limits: CodecLimits): unknown {
  const members = scanMsgpack(body, limits);
  // A view: msgpackr hangs a property on what it reads.
  const value: unknown = packr.unpack(body.subarray());
  if (countMembers(value) !== members) throw undecodable("a key stands twice in one map");
  return value;
}
