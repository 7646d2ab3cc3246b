// How tables are set on a terminal: a heading, a rule, and a row a line; figures with their range.

import type { Summary } from "../statistics.js";

/** A label, and a cell for each column. */
export type Row = readonly [label: string, cells: readonly string[]];

const GAP = 3;

export function table(heading: string, columns: readonly string[], rows: readonly Row[]): string {
  const lines: readonly Row[] = [[heading, columns], ...rows];
  const label = Math.max(...lines.map(([text]) => text.length));
  const widths = columns.map((_, i) => GAP + Math.max(...lines.map(([, cells]) => cells[i]?.length ?? 0)));
  const set = ([text, cells]: Row) =>
    text.padEnd(label) + cells.map((cell, i) => cell.padStart(widths[i]!)).join("");
  const [first, ...others] = lines.map(set);
  return [first, "-".repeat(first!.length), ...others].join("\n");
}

/** "1,234". */
export const integer = (value: number) => Math.round(value).toLocaleString("en-US");

/** "1.23 (1.10–1.30)": the median, with the lowest and the highest. */
export function range({ median, min, max }: Summary, digits = 2): string {
  if (min === max) return median.toFixed(digits);
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** Lists of those that have the same key, in the order of the first of each. */
export function groupBy<T>(list: readonly T[], keyOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}
