// HMAC-SHA256 (RFC 2104) that spends no set-up on a message: the states behind a key's inner and outer block are kept,
// and the way the rest is hashed goes by its length.
//
//   short   in WebAssembly (wasm/sha256.ts), inner and outer hash in one call
//   medium  the inner hash by node:crypto's one-shot hash over a copy, the outer one in WebAssembly
//   long    the inner hash by node:crypto's createHash, without a copy, the outer one in WebAssembly
//
// docs/decisions.md says why; `npm run bench -- engines` measures where one overtakes the other.

import { createHash, hash } from "node:crypto";
import { type MacEngine, type PreparedKey, partsAround } from "./engine.js";
import { LAYOUT, type Sha256 } from "./sha256.js";

/** Most bytes that are hashed in each way. */
export interface Lengths {
  readonly short: number;
  readonly medium: number;
}

const TAG_BYTES = 32;
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * In words: a block; and of one key, the states behind its inner and outer block, and itself. Derived keys have 32 bytes; a
 * longer one, up to a block, stands alone in an array of its own.
 */
const BLOCK_WORDS = BLOCK_BYTES / 4;
const STATE_WORDS = 16;
const SHORT_KEY = 32;
const KEY_WORDS = STATE_WORDS + SHORT_KEY / 4;
const LONG_KEY_WORDS = STATE_WORDS + BLOCK_WORDS;
const INNER_PAD_WORD = INNER_PAD * 0x01010101;
/**
 * Keys share memory in groups, because typed arrays of its own would cost each key several hundred bytes. A group
 * lives as long as one of its keys, which can hold on to so much.
 */
const GROUP = 256;

const STATES = LAYOUT.states / 4;

/** The engine over one instance of the module. */
export function fastHmacSha256(sha256: Sha256, lengths: Lengths): MacEngine {
  if (lengths.medium > LAYOUT.capacity - BLOCK_BYTES)
    throw new RangeError(`At most ${LAYOUT.capacity - BLOCK_BYTES} bytes fit into the module's memory.`);
  const hmac = new Hmac(sha256, lengths);
  return {
    name: "WebAssembly and node:crypto",
    tagBytes: TAG_BYTES,
    prepare: (key) => hmac.prepare(key),
    once: (key, parts) => hmac.once(key, parts),
  };
}

/** Makes tags in the module's memory, under one key after another. */
class Hmac {
  readonly #sha256: Sha256;
  readonly #lengths: Lengths;
  readonly #tag: Uint8Array;
  /** The place of a key that is used once. */
  readonly #passing = new Int32Array(KEY_WORDS);
  #group: Group = this.#newGroup(0);
  #used = 0;

  constructor(sha256: Sha256, lengths: Lengths) {
    this.#sha256 = sha256;
    this.#lengths = { short: Math.min(lengths.short, lengths.medium), medium: lengths.medium };
    this.#tag = sha256.bytes.subarray(LAYOUT.tag, LAYOUT.tag + TAG_BYTES);
  }

  prepare(key: Uint8Array): PreparedKey {
    const fitting = key.length > BLOCK_BYTES ? hash("sha256", key, "buffer") : key;
    const isLong = fitting.length > SHORT_KEY;
    const at = isLong ? 0 : this.#place();
    const group = isLong ? this.#newGroup(LONG_KEY_WORDS) : this.#group;
    this.#expand(fitting, group.words, at);
    return new FastKey(group, at);
  }

  once(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
    if (key.length > SHORT_KEY) {
      const tag = Buffer.alloc(TAG_BYTES);
      this.prepare(key).mac(parts, tag, 0);
      return tag;
    }
    this.#expand(key, this.#passing, 0);
    const tag = Buffer.from(this.over(this.#passing, 0, parts));
    this.#passing.fill(0);
    return tag;
  }

  /** Writes the states behind a key's inner and outer block, and the key. */
  #expand(key: Uint8Array, group: Int32Array, at: number): void {
    const { bytes, words, absorb, resident } = this.#sha256;
    const { initial, message, states } = LAYOUT;
    const block = bytes.subarray(message, message + BLOCK_BYTES);

    block.fill(0);
    block.set(key);
    group.set(words.subarray(message / 4, message / 4 + keyWords(group)), at + STATE_WORDS);
    for (let i = 0; i < BLOCK_BYTES; i++) block[i]! ^= INNER_PAD;
    resident.group = undefined;
    absorb(initial, message, 1, states);
    for (let i = 0; i < BLOCK_BYTES; i++) block[i]! ^= INNER_PAD ^ OUTER_PAD;
    absorb(initial, message, 1, states + TAG_BYTES);
    group.set(words.subarray(STATES, STATES + STATE_WORDS), at);
  }

  /** The tag over these parts, until the next is made. */
  over(group: Int32Array, key: number, parts: readonly Uint8Array[]): Uint8Array {
    const length = totalLength(parts);
    if (length > this.#lengths.medium) return this.#long(group, key, parts);
    this.#gather(parts, LAYOUT.message);
    return this.#gathered(group, key, LAYOUT.message, length);
  }

  /**
   * The same over a frame around the tag at `at`, with `between` in its place, and `rest`: one copy of the frame, and no
   * view of it.
   */
  overFrame(
    group: Int32Array,
    key: number,
    frame: Uint8Array,
    at: number,
    between: Uint8Array | undefined,
    rest: readonly Uint8Array[],
  ): Uint8Array {
    const inserted = between === undefined ? 0 : between.length;
    const length = frame.length - TAG_BYTES + inserted + totalLength(rest);
    if (at + TAG_BYTES > frame.length) throw new RangeError("The frame has no place for a tag there.");
    if (length > this.#lengths.medium) {
      return this.#long(group, key, partsAround(TAG_BYTES, frame, at, between, rest));
    }
    const { bytes } = this.#sha256;
    // What is hashed begins on a whole word: a medium message gets the key's block in front, in words.
    const copy = LAYOUT.message + (inserted > TAG_BYTES ? inserted - TAG_BYTES : inserted % 4);
    const start = copy + TAG_BYTES - inserted;
    bytes.set(frame, copy);
    if (between === undefined) this.#sha256.closeUp(copy, at);
    else {
      bytes.copyWithin(start, copy, copy + at);
      bytes.set(between, start + at);
    }
    this.#gather(rest, copy + frame.length);
    return this.#gathered(group, key, start, length);
  }

  /** The next place in the group, which may be a new one. */
  #place(): number {
    if (this.#used === this.#group.words.length) {
      this.#group = this.#newGroup(GROUP * KEY_WORDS);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += KEY_WORDS;
    return at;
  }

  #newGroup(words: number): Group {
    return { hmac: this, words: new Int32Array(words) };
  }

  #gather(parts: readonly Uint8Array[], at: number): void {
    const { bytes } = this.#sha256;
    let end = at;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      bytes.set(part, end);
      end += part.length;
    }
  }

  /** Short or medium, from the module's memory. */
  #gathered(group: Int32Array, key: number, at: number, length: number): Uint8Array {
    this.#loadStates(group, key);
    if (length > this.#lengths.short) return this.#medium(group, key, at, length);
    this.#sha256.mac(at, length);
    return this.#tag;
  }

  #medium(group: Int32Array, key: number, at: number, length: number): Uint8Array {
    const { bytes, words } = this.#sha256;
    const start = at - BLOCK_BYTES;
    writeInnerBlock(group, key, words, start / 4);
    return this.#outer(hash("sha256", bytes.subarray(start, at + length), "binary"));
  }

  #long(group: Int32Array, key: number, parts: readonly Uint8Array[]): Uint8Array {
    const block = new Int32Array(BLOCK_WORDS);
    writeInnerBlock(group, key, block, 0);
    const inner = createHash("sha256").update(block);
    for (const part of parts) inner.update(part);
    this.#loadStates(group, key);
    return this.#outer(inner.digest("binary"));
  }

  #loadStates(group: Int32Array, key: number): void {
    const { words, resident } = this.#sha256;
    if (resident.group === group && resident.key === key) return;
    resident.group = group;
    resident.key = key;
    for (let i = 0; i < STATE_WORDS; i++) words[STATES + i] = group[key + i]!;
  }

  /** @param innerDigest  its bytes as characters: node:crypto makes a string in half the time of a buffer */
  #outer(innerDigest: string): Uint8Array {
    const { bytes } = this.#sha256;
    for (let i = 0; i < TAG_BYTES; i++) bytes[LAYOUT.digest + i] = innerDigest.charCodeAt(i);
    this.#sha256.outer();
    return this.#tag;
  }
}

/** Keys that share memory. */
interface Group {
  readonly hmac: Hmac;
  readonly words: Int32Array;
}

/** One of them. There may be a million: it holds no more than it must. */
class FastKey implements PreparedKey {
  readonly #group: Group;
  readonly #at: number;

  constructor(group: Group, at: number) {
    this.#group = group;
    this.#at = at;
  }

  mac(parts: readonly Uint8Array[], out: Uint8Array, offset: number): void {
    const { hmac, words } = this.#group;
    out.set(hmac.over(words, this.#at, parts), offset);
  }

  seal(frame: Uint8Array, at: number, between: Uint8Array | undefined, rest: readonly Uint8Array[]): void {
    frame.set(this.#around(frame, at, between, rest), at);
  }

  matches(
    frame: Uint8Array,
    at: number,
    between: Uint8Array | undefined,
    rest: readonly Uint8Array[],
  ): boolean {
    const tag = this.#around(frame, at, between, rest);
    let difference = 0;
    for (let i = 0; i < TAG_BYTES; i++) difference |= tag[i]! ^ frame[at + i]!;
    return difference === 0;
  }

  #around(
    frame: Uint8Array,
    at: number,
    between: Uint8Array | undefined,
    rest: readonly Uint8Array[],
  ): Uint8Array {
    const { hmac, words } = this.#group;
    return hmac.overFrame(words, this.#at, frame, at, between, rest);
  }
}

/** A key's inner block: the key and zeros, under the pad. */
function writeInnerBlock(group: Int32Array, key: number, to: Int32Array, at: number): void {
  const words = keyWords(group);
  for (let i = 0; i < words; i++) to[at + i] = group[key + STATE_WORDS + i]! ^ INNER_PAD_WORD;
  for (let i = words; i < BLOCK_WORDS; i++) to[at + i] = INNER_PAD_WORD;
}

/** How many words the keys in this array have. */
function keyWords({ length }: Int32Array): number {
  return length === LONG_KEY_WORDS ? BLOCK_WORDS : SHORT_KEY / 4;
}

function totalLength(parts: readonly Uint8Array[]): number {
  let total = 0;
  for (let i = 0; i < parts.length; i++) total += (parts[i] as Uint8Array).length;
  return total;
}
