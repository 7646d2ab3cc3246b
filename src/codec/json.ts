// JSON (RFC 8259) by the runtime's own parser, fenced in: strict UTF-8, bounded, one meaning only (RFC 7493,
// "I-JSON": no duplicate keys, no numbers that overflow), and only what JSON carries unchanged is sent.

import { assertCarriable, kindOf } from "./carriable.js";
import type { Codec } from "./codec.js";
import { undecodable } from "./error.js";
import { scanJson } from "./json-scan.js";
import type { CodecLimits } from "./limits.js";
import { countMembers } from "./members.js";
import { type CodecOptions, type Format, singleValueCodec } from "./single-value.js";
import type { StandardSchemaV1 } from "./standard-schema.js";

/** Keeps the byte order mark, so that the parser refuses it (RFC 8259 section 8.1), and replaces nothing. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const FORMAT: Format = { name: "json", serialize, parse };

/** json with its types from the schema: what it gives arrives, what it takes is sent. All else as below. */
export function json<Schema extends StandardSchemaV1>(options: {
  readonly schema: Schema;
  readonly limits?: Partial<CodecLimits>;
}): Codec<StandardSchemaV1.InferOutput<Schema>, StandardSchemaV1.InferInput<Schema>>;

/**
 * A codec for one JSON value (RFC 8259), UTF-8, in one body frame.
 *
 * What `encode` takes arrives as it was, with two exceptions: properties that are undefined are left out, and -0
 * arrives as 0. It throws a TypeError, which says where, for what JSON cannot carry: NaN and infinities, undefined
 * anywhere else, bigint, symbols, functions, dates, binary, Map, Set and every other class instance (`toJSON` is not
 * called), `__proto__` as a key, cycles, and what is over a limit. Numbers are doubles: an integer beyond 2^53 − 1 in
 * another sender's text loses digits.
 *
 * `decode` throws a {@link CodecError} with code `"undecodable"` for anything but one frame with one value, bytes that
 * are not UTF-8, a byte order mark, duplicate or `__proto__` keys, numbers beyond ±1.8e308, and what is over a limit
 * (by default 16 MiB, 128 levels, 1,000,000 values and keys). With a schema (Standard Schema, version 1) `"invalid"`
 * joins it, and the type follows from the schema; an asynchronous schema makes `decode` give a promise. Without
 * a schema the type argument is a claim about the sender that nothing checks.
 *
 * ```ts
 * const jobs = json<{ id: number }>();
 * const [body] = jobs.encode({ id: 7 }); // 8 bytes: {"id":7}
 * ```
 *
 * @throws TypeError for a schema that is none or a limit that there is not, RangeError for a limit out of range.
 */
export function json<Out = unknown, In = Out>(options?: CodecOptions<Out>): Codec<Out, In>;
export function json(options?: CodecOptions<unknown>): Codec<unknown> {
  return singleValueCodec(FORMAT, options);
}

function serialize(value: unknown, limits: CodecLimits): Uint8Array {
  assertCarriable(value, FORMAT.name, complaint, limits);
  return Buffer.from(JSON.stringify(value));
}

function complaint(scalar: unknown): string | undefined {
  if (scalar === null || typeof scalar === "string" || typeof scalar === "boolean") return undefined;
  if (typeof scalar !== "number") return kindOf(scalar);
  return Number.isFinite(scalar) ? undefined : String(scalar);
}

function parse(body: Buffer, limits: CodecLimits): unknown {
  const members = scanJson(body, limits);
  const value: unknown = JSON.parse(utf8.decode(body));
  if (countMembers(value, assertFinite) !== members) throw undecodable("a key stands twice in one object");
  return value;
}

/** A literal such as 1e400 overflows to Infinity, which could not be sent back (RFC 8259 section 6). */
function assertFinite(scalar: unknown): void {
  if (typeof scalar === "number" && !Number.isFinite(scalar)) throw undecodable("a number overflows");
}
