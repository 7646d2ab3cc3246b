// Signing and verifying beside a bare createHmac: one table a size.

import { sizeTitle } from "../cases.js";
import type { Micro } from "../micro.js";
import { groupBy, range, table } from "./table.js";

const COLUMNS = ["CPU µs a message", "of the bare HMAC"];

export function microTables(micro: readonly Micro[]): string {
  return [...groupBy(micro, ({ bytes }) => sizeTitle(bytes))]
    .map(([size, own]) => {
      const rows = own.map(({ action, micros, ratio }) => [action, [range(micros), range(ratio)]] as const);
      return table(`${size}, no socket`, COLUMNS, rows);
    })
    .join("\n\n");
}
