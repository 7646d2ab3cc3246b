// What may be sent: plain data that arrives as it was. Checked before encoding, because the encoders underneath
// change what they cannot carry (a Map becomes an object, NaN becomes null, a lone surrogate another character).

import type { CodecLimits } from "./limits.js";

/** Says what is wrong with a value that is neither array nor plain object, or nothing when the format carries it. */
type ScalarCheck = (scalar: unknown) => string | undefined;

interface Walk {
  readonly format: string;
  readonly check: ScalarCheck;
  readonly limits: CodecLimits;
  /** Keys and indices from the outermost value to the present one: its length is the depth. */
  readonly path: (string | number)[];
  values: number;
}

/**
 * Throws a TypeError, which says where, unless `value` is made of arrays, plain objects and what `check` lets pass,
 * within the limits. Properties that are undefined count as absent. A cycle is deeper than any limit.
 */
export function assertCarriable(
  value: unknown,
  format: string,
  check: ScalarCheck,
  limits: CodecLimits,
): void {
  visit(value, { format, check, limits, path: [], values: 0 });
}

function visit(value: unknown, walk: Walk): void {
  count(walk);
  if (Array.isArray(value)) {
    enter(walk);
    for (let index = 0; index < value.length; index++) visitAt(index, value[index], walk);
  } else if (isPlainObject(value)) {
    enter(walk);
    for (const key of Object.keys(value)) visitMember(key, value[key], walk);
  } else {
    visitScalar(value, walk);
  }
}

function visitMember(key: string, value: unknown, walk: Walk): void {
  if (value === undefined) return;
  if (key === "__proto__") refuse("a key named __proto__", walk);
  count(walk);
  visitScalar(key, walk);
  visitAt(key, value, walk);
}

function visitAt(step: string | number, value: unknown, walk: Walk): void {
  walk.path.push(step);
  visit(value, walk);
  walk.path.pop();
}

function visitScalar(scalar: unknown, walk: Walk): void {
  const complaint = walk.check(scalar);
  if (complaint !== undefined) refuse(complaint, walk);
}

function count(walk: Walk): void {
  if (++walk.values > walk.limits.values) refuse(`more than ${walk.limits.values} values`, walk);
}

function enter(walk: Walk): void {
  const { depth } = walk.limits;
  if (walk.path.length >= depth) refuse(`anything nested deeper than ${depth}, as a cycle is`, walk);
}

function refuse(what: string, { format, path }: Walk): never {
  throw new TypeError(`${format} cannot carry ${what}, at ${shown(path)}`);
}

/** The path as it would be written in code, cut where it gets long. */
function shown(path: readonly (string | number)[]): string {
  const steps = path.slice(0, 8).map((step) => `[${JSON.stringify(step).slice(0, 40)}]`);
  return `value${steps.join("")}${path.length > 8 ? "…" : ""}`;
}

/** An object literal or one without prototype, of any realm: what a `vm` context evaluates is plain as well. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Names the kind of a value that a format does not carry. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const maker: unknown = value.constructor;
  return `an instance of ${typeof maker === "function" ? maker.name : "an unnamed class"}`;
}
