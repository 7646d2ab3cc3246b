// Random messages from a seed: unusual Unicode, nested metadata, numbers at their edges, buffers.

import type { Dict } from "countersign/jupyter";

const TEXTS = [
  "",
  "plain",
  "\u0000\u0001\u001f",
  "\u2028\u2029",
  "\ufeffbom",
  "\u{1f469}\u200d\u{1f52c}",
  "e\u0301",
  "\uffff\ufdd0",
  '"quoted\\" \\u0041',
  "<IDS|MSG>",
  "__proto__",
  "\u202eright to left",
  "lone \ud83d",
  "lone \udc80",
];
const NUMBERS = [
  0,
  -1,
  0.5,
  1e21,
  -1.25e-300,
  1.7e308,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  123_456.789,
  2 ** 31,
  2 ** 32,
];

/** Numbers from a seed, the same every time (xorshift, 32 bits). */
export class Roll {
  #state: number;
  readonly #texts: readonly string[];

  /** @param loneSurrogates  whether texts may hold some: MessagePack carries none, and jupyter_client sends none */
  constructor(seed: number, loneSurrogates: boolean) {
    this.#state = seed || 1;
    this.#texts = loneSurrogates ? TEXTS : TEXTS.slice(0, -2);
  }

  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  dict(depth = 0): Dict {
    const entries = Array.from({ length: this.below(4) }, (_, i) => {
      const suffix = ["", " ", "é", '"', "."][this.below(5)];
      return [`k${i}${suffix}`, this.#value(depth + 1)];
    });
    return Object.fromEntries(entries);
  }

  buffers(): Buffer[] {
    const bytes = () =>
      Buffer.from(Array.from({ length: [0, 1, 50, 300][this.below(4)]! }, () => this.below(256)));
    return Array.from({ length: [0, 0, 1, 3][this.below(4)]! }, bytes);
  }

  #value(depth: number): unknown {
    const kind = this.below(depth < 5 ? 8 : 5);
    if (kind === 0) return null;
    if (kind === 1) return this.below(2) === 0;
    if (kind === 2) return NUMBERS[this.below(NUMBERS.length)];
    if (kind < 5) return `${this.#texts[this.below(this.#texts.length)]}${this.#letters()}`;
    if (kind < 7) return this.dict(depth);
    return Array.from({ length: this.below(4) }, () => this.#value(depth + 1));
  }

  #letters(): string {
    const letter = () => (this.below(2) ? 32 + this.below(0xd7e0) : 0xe000 + this.below(0x102000));
    return String.fromCodePoint(...Array.from({ length: this.below(4) }, letter));
  }
}
