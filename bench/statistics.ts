// What a list of measurements is summed up to: the median, and the whole range as its spread.

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param values  at least one */
export function summarize(values: readonly number[]): Summary {
  const sorted = sort(values);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** The smallest value that at least `percent` per cent of all do not exceed (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  return sort(values)[Math.max(0, Math.ceil((percent / 100) * values.length) - 1)]!;
}

/** Of each round, what was measured in units of the baseline's of the same round. */
export function ratios(values: readonly number[], baseline: readonly number[]): number[] {
  return values.map((value, round) => value / baseline[round]!);
}

const sort = (values: readonly number[]) => [...values].sort((a, b) => a - b);
