// What msgpack and json have in common: one body frame, one value, limits in both directions, and a schema behind
// the parser. Whatever a parser throws is one error with a fixed message: parsers quote what they could not read.

import type { Codec } from "./codec.js";
import { CodecError, undecodable } from "./error.js";
import { type CodecLimits, resolveLimits } from "./limits.js";
import type { StandardSchemaV1 } from "./standard-schema.js";
import { assertSchema, validate } from "./validate.js";

/** Options of `msgpack` and `json`. */
export interface CodecOptions<Out> {
  /** Checks what arrives, and gives it its type. What is sent is not checked. */
  readonly schema?: StandardSchemaV1<unknown, Out>;
  /** Bounds for what is sent and for what arrives. */
  readonly limits?: Partial<CodecLimits>;
}

/** An encoding of single values, limits given. `parse` may throw anything. */
export interface Format {
  readonly name: string;
  readonly serialize: (value: unknown, limits: CodecLimits) => Uint8Array;
  readonly parse: (body: Buffer, limits: CodecLimits) => unknown;
}

/** The codec that carries one value in one body frame. */
export function singleValueCodec<Out, In>(format: Format, options: CodecOptions<Out> = {}): Codec<Out, In> {
  assertOptions(options);
  const { schema } = options;
  const limits = resolveLimits(options.limits);
  return {
    name: format.name,
    encode: (value) => [serialized(format, value, limits)],
    decode: (frames) => {
      const value = parsed(format, onlyFrame(frames, limits), limits);
      return schema === undefined ? (value as Out) : validate(schema, value);
    },
  };
}

/** An option misspelt, or a schema that turned out undefined, would mean that nothing is validated. */
function assertOptions(options: CodecOptions<unknown>): void {
  for (const name of Object.keys(options)) {
    if (name !== "schema" && name !== "limits") throw new TypeError(`there is no codec option "${name}"`);
  }
  if ("schema" in options) assertSchema(options.schema);
}

function serialized(format: Format, value: unknown, limits: CodecLimits): Uint8Array {
  const body = format.serialize(value, limits);
  if (body.byteLength > limits.bytes) {
    throw new TypeError(`${format.name}: the value takes ${body.byteLength} bytes, over ${limits.bytes}`);
  }
  return body;
}

function onlyFrame(frames: readonly Buffer[], limits: CodecLimits): Buffer {
  const [body, ...more] = frames;
  if (body === undefined || more.length > 0) throw undecodable(`${frames.length} body frames instead of one`);
  if (body.byteLength > limits.bytes) throw undecodable(`${body.byteLength} bytes, over ${limits.bytes}`);
  return body;
}

function parsed(format: Format, body: Buffer, limits: CodecLimits): unknown {
  try {
    return format.parse(body, limits);
  } catch (error) {
    throw error instanceof CodecError ? error : undecodable(`it is not well-formed ${format.name}`);
  }
}
