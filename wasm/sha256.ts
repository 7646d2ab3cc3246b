// SHA-256 (FIPS 180-4) and HMAC from two key states (RFC 2104), as the text of a WebAssembly module. The rounds are
// written out, so that the eight working variables change places by name; four words of the message schedule at a
// time are computed in a vector. No branch and no address depends on the data.

import { INITIAL_STATE, ROUND_CONSTANTS } from "./constants.js";
import {
  add,
  addVector,
  and,
  type Code,
  data,
  get,
  load,
  loadVector,
  locals,
  number,
  or,
  parameters,
  pick,
  reversed,
  reversedVector,
  rotateRight,
  set,
  shiftLeft,
  shiftPairsRight,
  shiftRight,
  shiftVectorLeft,
  shiftVectorRight,
  store,
  storeVector,
  sub,
  vector,
  xor,
  xorVector,
} from "./text.js";

/** Where in the module's memory things are, in bytes. */
export const LAYOUT = {
  /** The state behind the key's inner block; the one behind its outer block follows. */
  states: 0,
  /** The state before any block. */
  initial: 64,
  /** The tag that was computed last. */
  tag: 96,
  /** The outer hash's last block: the inner digest, and the padding that always follows it. */
  digest: 128,
  /** What is to be hashed. */
  message: 1024,
  /** Most bytes of it. */
  capacity: 65_536,
} as const;

/** The words of the message schedule, with the round constants added. */
const SCHEDULE = 256;
/** Bytes that the padding may take behind a message, in whole vectors. */
const PADDING = 80;
const PAGES = Math.ceil((LAYOUT.message + LAYOUT.capacity + PADDING) / 65_536);
const BLOCK = 64;
const ZERO = vector([0, 0, 0, 0]);

type Eight<T> = readonly [T, T, T, T, T, T, T, T];
const EIGHT: Eight<number> = [0, 1, 2, 3, 4, 5, 6, 7];
const VARIABLES: Eight<string> = ["a", "b", "c", "d", "e", "f", "g", "h"];

const state = (i: number) => `state${i}`;
const words = (i: number) => `words${i % 4}`;

/** Σ of section 4.1.2, as rotations within rotations: fewer copies in the machine code. */
function sum(x: Code, p: number, q: number, r: number): Code {
  return rotateRight(xor(rotateRight(xor(rotateRight(x, r - q), x), q - p), x), p);
}

/** One round of section 6.2.2, step 3: instead of the values, the names move on. */
function round(i: number): Code[] {
  const [a, b, c, d, e, f, g, h] = EIGHT.map(
    (place) => VARIABLES[(place + 64 - i) % 8],
  ) as unknown as Eight<string>;
  const choice = xor(get(g), and(get(e), xor(get(f), get(g))));
  const majority = or(and(get(a), get(b)), and(get(c), or(get(a), get(b))));
  const scheduled = load(number(SCHEDULE), 4 * i);
  return [
    set("t", add(get(h), scheduled, choice, sum(get(e), 6, 11, 25))),
    set(d, add(get(d), get("t"))),
    set(h, add(get("t"), sum(get(a), 2, 13, 22), majority)),
  ];
}

/** Four words of the message as they are, into a vector and into the schedule. */
function takeWords(i: number): Code[] {
  return [set(words(i), reversedVector(loadVector(get("at"), 16 * i))), schedule(i)];
}

function schedule(i: number): Code {
  const constants = vector(ROUND_CONSTANTS.slice(4 * i, 4 * i + 4));
  return storeVector(number(SCHEDULE), 16 * i, addVector(get(words(i)), constants));
}

/** Four words of the schedule from the sixteen before (section 6.2.2, step 1), over the four oldest of these. */
function makeWords(i: number): Code[] {
  const [w0, w4, w8, w12] = [words(i), words(i + 1), words(i + 2), words(i + 3)] as const;
  const [w1to4, w9to12] = [pick([1, 2, 3, 4], get(w0), get(w4)), pick([1, 2, 3, 4], get(w8), get(w12))];
  return [
    set("x", w1to4),
    set(w0, addVector(get(w0), w9to12, smallSum0(get("x")))),
    // σ1 takes the two words before: the first two of the new four give the other two.
    set("x", pick([2, 2, 3, 3], get(w12))),
    set("x", smallSum1(get("x"))),
    set(w0, addVector(get(w0), pick([0, 2, 4, 4], get("x"), ZERO))),
    set("x", pick([0, 0, 1, 1], get(w0))),
    set("x", smallSum1(get("x"))),
    set(w0, addVector(get(w0), pick([4, 4, 0, 2], get("x"), ZERO))),
    schedule(i),
  ];
}

/** σ0 of four words. Vectors cannot rotate. */
function smallSum0(x: Code): Code {
  return xorVector(
    shiftVectorRight(x, 7),
    shiftVectorLeft(x, 25),
    shiftVectorRight(x, 18),
    shiftVectorLeft(x, 14),
    shiftVectorRight(x, 3),
  );
}

/** σ1 of two words, each of which stands there twice: a shift of both as one number rotates the lower. */
function smallSum1(x: Code): Code {
  return xorVector(shiftPairsRight(x, 17), shiftPairsRight(x, 19), shiftVectorRight(x, 10));
}

/** The rounds of one block, with the schedule made sixteen rounds ahead. */
function block(): Code[] {
  const code = [0, 1, 2, 3].flatMap(takeWords);
  for (const i of EIGHT) code.push(set(VARIABLES[i] as string, get(state(i))));
  for (let i = 0; i < 64; i++) {
    if (i % 4 === 0 && i < 48) code.push(...makeWords(i / 4 + 4));
    code.push(...round(i));
  }
  for (const i of EIGHT) code.push(set(state(i), add(get(state(i)), get(VARIABLES[i] as string))));
  return code;
}

/** Takes `blocks` blocks, one at least, from `at` into the state at `from`, and writes what it becomes to `to`. */
const absorb = `
(func $absorb (export "absorb") ${parameters("from", "at", "blocks", "to")}
  ${locals("i32", "end", "t", ...EIGHT.map(state), ...VARIABLES)}
  ${locals("v128", "x", ...[0, 1, 2, 3].map(words))}
  ${set("end", add(get("at"), shiftLeft(get("blocks"), 6)))}
  ${EIGHT.map((i) => set(state(i), load(get("from"), 4 * i))).join("\n  ")}
  (loop $next
    ${block().join("\n    ")}
    ${set("at", add(get("at"), number(BLOCK)))}
    (br_if $next (i32.lt_u ${get("at")} ${get("end")})))
  ${EIGHT.map((i) => store(get("to"), 4 * i, get(state(i)))).join("\n  ")})`;

/** The state at `at` as the bytes of a digest, in place. */
function toBytes(at: number): Code {
  return [0, 16]
    .map((offset) => storeVector(number(at), offset, reversedVector(loadVector(number(at), offset))))
    .join("\n  ");
}

/** HMAC's outer hash: from the inner digest to the tag. */
const outer = `
(func $outer (export "outer")
  (call $absorb ${number(LAYOUT.states + 32)} ${number(LAYOUT.digest)} ${number(1)} ${number(LAYOUT.tag)})
  ${toBytes(LAYOUT.tag)})`;

/** The tag of `length` bytes from `at`. They follow the key's block in the inner hash, so 64 more are counted. */
const mac = `
(func (export "mac") ${parameters("at", "length")} ${locals("i32", "end", "blocks")}
  ${set("end", add(get("at"), get("length")))}
  ${[0, 16, 32, 48, 64].map((offset) => storeVector(get("end"), offset, vector([offset === 0 ? 0x80 : 0, 0, 0, 0]))).join("\n  ")}
  ${set("blocks", shiftRight(add(get("length"), number(8 + BLOCK)), 6))}
  ${store(
    sub(add(get("at"), shiftLeft(get("blocks"), 6)), number(4)),
    0,
    reversed(shiftLeft(add(get("length"), number(BLOCK)), 3)),
  )}
  (call $absorb ${number(LAYOUT.states)} ${get("at")} ${get("blocks")} ${number(LAYOUT.digest)})
  ${toBytes(LAYOUT.digest)}
  (call $outer))`;

/**
 * Moves `length` bytes at `at` 32 bytes on, over a tag that stands behind them: from their end, so that none is
 * overwritten before it has moved. Up to 15 bytes before them are copied too, into where the first of them were.
 */
const closeUp = `
(func (export "closeUp") ${parameters("at", "length")} ${locals("i32", "from")}
  ${set("from", sub(add(get("at"), get("length")), number(16)))}
  (loop $next
    ${storeVector(get("from"), 32, loadVector(get("from")))}
    ${set("from", sub(get("from"), number(16)))}
    (br_if $next (i32.gt_s (i32.add ${get("from")} ${number(16)}) ${get("at")}))))`;

const littleEndian = (word: number) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
/** Behind the key's outer block and a digest: 96 bytes. */
const OUTER_PADDING = [0x80, ...new Array(29).fill(0), ((64 + 32) * 8) >>> 8, ((64 + 32) * 8) & 0xff];

/** The module's text. */
export const MODULE = `(module
(memory (export "memory") ${PAGES})
${data(LAYOUT.initial, INITIAL_STATE.flatMap(littleEndian))}
${data(LAYOUT.digest + 32, OUTER_PADDING)}
${absorb}
${outer}
${mac}
${closeUp}
)`;
