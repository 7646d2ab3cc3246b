// Lost messages, seen as gaps in the ordinals that a sender counts for each recipient or topic (docs/wire.md,
// section 10). A gap is reported once the missing number is out of reach: at once in strict order, with a window when
// it has slid past.

import { GAP_RANGES } from "../wire/limits.js";
import { NumberRanges } from "./number-ranges.js";

/** What was heard of one sender's count towards one peer or topic. */
interface Count {
  epoch: number;
  /** One more than the highest ordinal heard. */
  next: number;
  /** Ordinals below `next` that may still come, ascending. */
  readonly missing: NumberRanges;
}

/** An ordinal claim of a message, or of a batch of `count`. */
export interface OrdinalClaim {
  readonly epoch: number;
  readonly ordinal: number;
  readonly count: number;
  /** Whether its sequence number came after a later one. */
  readonly late: boolean;
}

/** Finds gaps in bounded memory: the counts begun first are forgotten first, which can only hide a gap. */
export class GapTracker {
  readonly #counts = new Map<string, Count>();
  readonly #limit: number;
  readonly #window: number;
  readonly #mostRanges: number;
  /** Ranges held by all counts together. */
  #ranges = 0;

  /**
   * @param limit       most counts
   * @param window      how far behind the highest ordinal one may still come
   * @param mostRanges  most ranges of missing ordinals in all counts together
   */
  constructor(limit: number, window: number, mostRanges: number = GAP_RANGES) {
    this.#limit = limit;
    this.#window = window;
    this.#mostRanges = mostRanges;
  }

  /** Takes note of a claim; returns how many messages are now known to be lost. */
  observe(counter: string, claim: OrdinalClaim): number {
    const count = this.#counts.get(counter);
    if (count === undefined) return this.#baseline(counter, claim);
    const before = count.missing.ranges;
    const lost = this.#continue(count, claim);
    this.#ranges += count.missing.ranges - before;
    // Whoever drops every other message makes a range of each: with a large window and many topics they add up.
    while (this.#ranges > this.#mostRanges) this.#forgetFirst();
    return lost;
  }

  #continue(count: Count, claim: OrdinalClaim): number {
    if (claim.epoch !== count.epoch) return this.#restart(count, claim);
    // A stream has many topics: what is late in the stream may still be the latest of its own.
    if (claim.ordinal >= count.next) return this.#advance(count, claim);
    return claim.late ? this.#fill(count, claim) : this.#restart(count, claim);
  }

  /** Forgets every count: the next claim of each is its baseline. */
  reset(): void {
    this.#counts.clear();
    this.#ranges = 0;
  }

  #baseline(counter: string, { epoch, ordinal, count }: OrdinalClaim): number {
    if (this.#counts.size >= this.#limit) this.#forgetFirst();
    this.#counts.set(counter, { epoch, next: ordinal + count, missing: new NumberRanges() });
    return 0;
  }

  #forgetFirst(): void {
    const [counter, { missing }] = this.#counts.entries().next().value as [string, Count];
    this.#ranges -= missing.ranges;
    this.#counts.delete(counter);
  }

  #fill(count: Count, claim: OrdinalClaim): number {
    for (let i = 0; i < claim.count; i++) count.missing.delete(claim.ordinal + i);
    return 0;
  }

  /** The sender counts from 1 again: what was still missing is lost, and what precedes this ordinal is missing. */
  #restart(count: Count, claim: OrdinalClaim): number {
    const lost = count.missing.clear();
    count.epoch = claim.epoch;
    count.next = 1;
    return lost + this.#advance(count, claim);
  }

  #advance(count: Count, { ordinal, count: messages }: OrdinalClaim): number {
    const next = ordinal + messages;
    const reach = Math.max(count.next, next - this.#window);
    const outOfReach = Math.max(0, Math.min(reach, ordinal) - count.next);
    count.missing.append(reach, ordinal);
    count.next = next;
    return outOfReach + count.missing.deleteBelow(next - this.#window);
  }
}
