// Round trips: one table a transport, a column a variant, and for each size p50 and p99 with what they are of plain's.

import { sizeTitle } from "../cases.js";
import type { Latency } from "../latency.js";
import { variants } from "../variants/table.js";
import { groupBy, type Row, range, table } from "./table.js";

export function latencyTables(results: readonly Latency[]): string {
  return [...groupBy(results, ({ transport }) => transport)]
    .map(([transport, own]) => {
      const columns = new Set(own.map(({ variant }) => variants[variant].title));
      const rows = [...groupBy(own, ({ bytes }) => sizeTitle(bytes))].flatMap(([size, group]): Row[] => [
        [`${size}, p50`, cells(group, "p50")],
        ["", shares(group, "p50Ratio")],
        [`${size}, p99`, cells(group, "p99")],
        ["", shares(group, "p99Ratio")],
      ]);
      return table(`round trip, ${transport}`, [...columns], rows);
    })
    .join("\n\n");
}

const cells = (group: readonly Latency[], which: "p50" | "p99") =>
  group.map((each) => `${each[which].median.toFixed(0)} µs`);

const shares = (group: readonly Latency[], which: "p50Ratio" | "p99Ratio") =>
  group.map((each) => range(each[which]));
