// How old a published message can be, without clocks: what lies above the number that its publisher had reached when it
// answered a nonce was signed after the nonce was made (docs/wire.md, section 8.7).

import type { Micros } from "../clock.js";
import type { Header } from "../wire/header.js";

/** One answer of a publisher. */
interface Mark {
  readonly epoch: number;
  readonly reached: number;
  /** When the nonce was made; microseconds of a clock that never steps. */
  readonly askedAt: Micros;
}

/** Answers remembered of each stream: enough for two that lie within the greatest age, and one that is under way. */
const MOST_MARKS = 8;

/** The answers of each stream, in bounded memory; whoever answered longest ago is forgotten first. */
export class SyncAges {
  readonly #marks = new Map<string, Mark[]>();
  readonly #limit: number;
  readonly #now: () => Micros;

  /** @param now microseconds of a clock that never steps */
  constructor(limit: number, now: () => Micros = () => performance.now() * 1000) {
    this.#limit = limit;
    this.#now = now;
  }

  /** The moment, for a nonce that is made now. */
  get now(): Micros {
    return this.#now();
  }

  /** Takes note of an answer to a nonce that was made at `askedAt`. */
  note(
    { sender, pattern, epoch }: Pick<Header, "sender" | "pattern" | "epoch">,
    reached: number,
    askedAt: Micros,
  ): void {
    const stream = `${pattern} ${sender}`;
    const marks = this.#marks.get(stream) ?? [];
    this.#marks.delete(stream);
    if (this.#marks.size >= this.#limit) this.#marks.delete(this.#marks.keys().next().value as string);
    this.#marks.set(stream, [...marks, { epoch, reached, askedAt }].slice(-MOST_MARKS));
  }

  /** The greatest age of a message, in microseconds. */
  ageOf({ sender, pattern, epoch, sequence }: Header): Micros {
    const marks = this.#marks.get(`${pattern} ${sender}`) ?? [];
    let askedAt = -Infinity;
    for (const mark of marks) {
      const isAbove = epoch > mark.epoch || (epoch === mark.epoch && sequence > mark.reached);
      if (isAbove) askedAt = Math.max(askedAt, mark.askedAt);
    }
    return this.#now() - askedAt;
  }
}
