// A set of numbers as ascending ranges: a gap of a thousand costs as much as a gap of one, so that nobody who counts
// in leaps can make a receiver remember each number he left out.

interface Range {
  from: number;
  /** One more than the last. */
  to: number;
}

/** Numbers in ranges; new ones are added above all others. */
export class NumberRanges {
  #ranges: Range[] = [];

  /** How many numbers there are. */
  get size(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** How many ranges they make: what they cost. */
  get ranges(): number {
    return this.#ranges.length;
  }

  /** Adds `from` up to, not including, `to`; all above what is held. */
  append(from: number, to: number): void {
    if (from < to) this.#ranges.push({ from, to });
  }

  /** Takes one number out, if it is held. */
  delete(number: number): void {
    const at = this.#rangeAt(number);
    const range = this.#ranges[at];
    if (range === undefined || number < range.from) return;
    const rest = { from: number + 1, to: range.to };
    range.to = number;
    const kept = [range, rest].filter(({ from, to }) => from < to);
    this.#ranges.splice(at, 1, ...kept);
  }

  /** Takes out all numbers below `limit`; returns how many there were. */
  deleteBelow(limit: number): number {
    let deleted = 0;
    let whole = 0;
    for (const range of this.#ranges) {
      if (range.from >= limit) break;
      const to = Math.min(range.to, limit);
      deleted += to - range.from;
      range.from = to;
      if (range.from === range.to) whole++;
    }
    if (whole > 0) this.#ranges.splice(0, whole);
    return deleted;
  }

  /** Takes out everything; returns how many there were. */
  clear(): number {
    const { size } = this;
    this.#ranges = [];
    return size;
  }

  /** The index of the first range that ends above `number`. */
  #rangeAt(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as Range).to > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
