// WebAssembly's text format as functions: each returns an expression or an instruction, and nests like one.

export type Code = string;

/** An operator of two operands, for as many as there are, from left to right. */
const fold =
  (operator: string) =>
  (first: Code, ...rest: readonly Code[]): Code =>
    rest.reduce((left, right) => `(${operator} ${left} ${right})`, first);

export const number = (value: number): Code => `(i32.const ${value})`;
export const get = (name: string): Code => `(local.get $${name})`;
export const set = (name: string, value: Code): Code => `(local.set $${name} ${value})`;
export const parameters = (...names: readonly string[]) =>
  names.map((name) => `(param $${name} i32)`).join(" ");
export const locals = (type: "i32" | "v128", ...names: readonly string[]) =>
  names.map((name) => `(local $${name} ${type})`).join(" ");

export const add = fold("i32.add");
export const sub = fold("i32.sub");
export const xor = fold("i32.xor");
export const and = fold("i32.and");
export const or = fold("i32.or");
export const shiftLeft = (value: Code, by: number): Code => `(i32.shl ${value} ${number(by)})`;
export const shiftRight = (value: Code, by: number): Code => `(i32.shr_u ${value} ${number(by)})`;
export const rotateRight = (value: Code, by: number): Code => `(i32.rotr ${value} ${number(by)})`;
export const load = (from: Code, offset = 0): Code => `(i32.load offset=${offset} ${from})`;
export const store = (to: Code, offset: number, value: Code): Code =>
  `(i32.store offset=${offset} ${to} ${value})`;

/** Four words. */
export const vector = (words: readonly number[]): Code => `(v128.const i32x4 ${words.join(" ")})`;
export const addVector = fold("i32x4.add");
export const xorVector = fold("v128.xor");
export const shiftVectorLeft = (value: Code, by: number): Code => `(i32x4.shl ${value} ${number(by)})`;
export const shiftVectorRight = (value: Code, by: number): Code => `(i32x4.shr_u ${value} ${number(by)})`;
export const shiftPairsRight = (value: Code, by: number): Code => `(i64x2.shr_u ${value} ${number(by)})`;
export const loadVector = (from: Code, offset = 0): Code => `(v128.load offset=${offset} ${from})`;
export const storeVector = (to: Code, offset: number, value: Code): Code =>
  `(v128.store offset=${offset} ${to} ${value})`;

/** Picks words: 0 to 3 are those of `left`, 4 to 7 those of `right`. */
export const pick = (words: readonly number[], left: Code, right = left): Code =>
  pickBytes(
    words.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)),
    left,
    right,
  );

const pickBytes = (bytes: readonly number[], left: Code, right: Code): Code =>
  `(i8x16.shuffle ${bytes.join(" ")} ${left} ${right})`;

/** The word with its four bytes in the opposite order: WebAssembly counts from the low end, SHA-256 from the high. */
export const reversed = (word: Code): Code =>
  or(and(rotateRight(word, 24), number(0x00ff00ff)), and(rotateRight(word, 8), number(0xff00ff00)));

/** The same for each of four words. */
export const reversedVector = (words: Code): Code =>
  pickBytes([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12], words, words);

/** Bytes that are in memory from the start. */
export const data = (at: number, bytes: readonly number[]): Code =>
  `(data ${number(at)} "${bytes.map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}")`;
