// One MAC by length and way, and where one way overtakes another.

import type { Engines } from "../engines.js";
import { integer, type Row, table } from "./table.js";

export function enginesTable({ ways, lengths, crossovers }: Engines): string {
  const rows = lengths.map(({ bytes, micros }): Row => {
    const cells = micros.map(({ median, min }) => `${median.toFixed(2)} (${min.toFixed(2)}–)`);
    return [`${integer(bytes)} B`, cells];
  });
  const places = crossovers.map(({ faster, than, from }) =>
    from === undefined
      ? `${faster} overtakes ${than} nowhere`
      : `${faster} overtakes ${than} at ${integer(from)} bytes`,
  );
  return [table("one MAC, CPU µs", ways, rows), "", ...places].join("\n");
}
