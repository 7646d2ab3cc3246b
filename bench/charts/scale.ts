// Logarithmic axes: twice as fast stands as far above as half as fast stands below.

export interface Scale {
  /** The pixel where a value stands. */
  (value: number): number;
  /** Values between the ends that deserve a line. */
  readonly ticks: readonly number[];
}

/** The powers of two that enclose all of `values`, and at least 1/2 to 2. */
export function doublings(values: readonly number[]): number[] {
  const low = Math.floor(Math.log2(Math.min(1 / 2, ...values)));
  const high = Math.ceil(Math.log2(Math.max(2, ...values)));
  return Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
}

/** An axis from the first of `ticks` to the last, drawn from pixel `from` to pixel `to`. */
export function throughTicks(ticks: readonly number[], from: number, to: number): Scale {
  return scale(ticks[0]!, ticks.at(-1)!, from, to, ticks);
}

const STEPS = [1, 1.5, 2, 3, 5, 7];
const MOST_TICKS = 4;
const ROOM = 1.12;

/** An axis that holds all of `values` and a little more, with round numbers among its ticks. */
export function around(values: readonly number[], from: number, to: number): Scale {
  const [low, high] = [Math.min(...values) / ROOM, Math.max(...values) * ROOM];
  const ticks = [STEPS, [1, 2, 5], [1]].map((steps) => roundNumbers(low, high, steps));
  return scale(low, high, from, to, ticks.find(({ length }) => length <= MOST_TICKS) ?? ticks.at(-1)!);
}

function roundNumbers(low: number, high: number, steps: readonly number[]): number[] {
  const tens = Array.from({ length: 13 }, (_, i) => 10 ** (i - 3));
  return tens.flatMap((ten) => steps.map((step) => step * ten)).filter((tick) => tick >= low && tick <= high);
}

function scale(low: number, high: number, from: number, to: number, ticks: readonly number[]): Scale {
  const place = (value: number) => from + (Math.log(value / low) / Math.log(high / low)) * (to - from);
  return Object.assign(place, { ticks });
}
