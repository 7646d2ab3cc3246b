// Duplicate keys: parsers keep the last one, so a value with two would mean different things to different readers
// (RFC 8259 section 4; MessagePack has no rule). Found by counting: a scan counts the keys in the bytes, and here
// are counted those that the parser's result still has.

import { undecodable } from "./error.js";

/**
 * The number of keys in all objects of a decoded value. `inspect` sees every scalar, binary and date on the way.
 * Throws a CodecError for a key named `__proto__`: an own property here, but a prototype wherever it is assigned.
 * Recursive, for values whose depth is known to be within the limits.
 */
export function countMembers(value: unknown, inspect?: (scalar: unknown) => void): number {
  if (Array.isArray(value)) {
    let members = 0;
    for (const item of value) members += countMembers(item, inspect);
    return members;
  }
  if (isObject(value)) {
    const keys = Object.keys(value);
    let members = keys.length;
    for (const key of keys) {
      if (key === "__proto__") throw undecodable("a key named __proto__");
      members += countMembers(value[key], inspect);
    }
    return members;
  }
  inspect?.(value);
  return 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !(value instanceof Date)
  );
}
