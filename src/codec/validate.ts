// Standard Schema, version 1: asking a schema, at once or in its own time, and failing closed whatever it does.

import { CodecError } from "./error.js";
import type { StandardSchemaV1 } from "./standard-schema.js";

/** Refuses, when the codec is made, what is no schema. */
export function assertSchema(schema: unknown): asserts schema is StandardSchemaV1 {
  const standard = (schema as Partial<StandardSchemaV1> | null)?.["~standard"];
  if (standard?.version !== 1 || typeof standard.validate !== "function") {
    throw new TypeError("schema does not implement Standard Schema, version 1");
  }
}

/** What the schema makes of `value`; a promise when the schema is asynchronous. Throws, or rejects with, a CodecError. */
export function validate<Out>(schema: StandardSchemaV1<unknown, Out>, value: unknown): Out | Promise<Out> {
  const result = attempt(() => schema["~standard"].validate(value));
  return isThenable(result) ? Promise.resolve(result).then(accepted, schemaFailed) : accepted(result);
}

function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    return schemaFailed(error);
  }
}

/** The one value of a result that has one. A result with neither issues nor a value is no consent. */
function accepted<Out>(result: StandardSchemaV1.Result<Out>): Out {
  if (typeof result !== "object" || result === null) return schemaFailed(undefined);
  if (result.issues) {
    throw new CodecError("invalid", "The schema does not accept the value.", { issues: result.issues });
  }
  return "value" in result ? result.value : schemaFailed(undefined);
}

function schemaFailed(cause: unknown): never {
  throw new CodecError("invalid", "The schema failed to judge the value.", { cause });
}

/** Any promise, whatever library or realm it is from: taken for a result, it would be one without a value. */
function isThenable<T>(result: T | Promise<T>): result is Promise<T> {
  return typeof (result as { then?: unknown } | null)?.then === "function";
}
