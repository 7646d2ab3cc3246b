// Where a message's time goes: one table a size, a column for each side of each variant.

import { sizeTitle } from "../cases.js";
import type { Profile } from "../profile.js";
import { parts } from "../profiler.js";
import { variants } from "../variants/table.js";
import { groupBy, type Row, table } from "./table.js";

export function profileTables(profiles: readonly Profile[]): string {
  return [...groupBy(profiles, ({ bytes }) => sizeTitle(bytes))]
    .map(([size, own]) => {
      const columns = own.flatMap(({ variant }) => {
        const { title } = variants[variant];
        return [`${title}: sender`, "receiver"];
      });
      const sides = own.flatMap(({ sender, receiver }) => [sender, receiver]);
      const rows = parts.map((part): Row => [part, sides.map((side) => side[part].toFixed(2))]);
      const sums = sides.map((side) => parts.reduce((sum, part) => sum + side[part], 0).toFixed(2));
      return table(`${size}, µs a message`, columns, [...rows, ["together", sums]]);
    })
    .join("\n\n");
}
