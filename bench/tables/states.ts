// What a message costs its verifier, by admission policy and memory.

import type { StatesResult } from "../states.js";
import { type Row, range, table } from "./table.js";

const COLUMNS = ["µs a message", "of the first", "µs a new stream"];

export function statesTable({ ways, leftOut }: StatesResult): string {
  const rows = ways.map(({ admit, state, detail, micros, ratio, first }): Row => {
    const figures = [range(micros, 1), range(ratio), range(first, 0)];
    return [`${`${admit}, ${state}`.padEnd(19)}${detail}`, figures];
  });
  return [table("verify 64 B", COLUMNS, rows), ...leftOut].join("\n");
}
