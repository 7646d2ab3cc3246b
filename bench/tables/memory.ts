// What a verifier holds for so many senders, and what one more message costs it.

import type { Crowd } from "../crowd.js";
import { integer, type Row, table } from "./table.js";

export function memoryTable(crowds: readonly Crowd[]): string {
  const rows = crowds.map(({ senders, bytes, micros }): Row => {
    const label = `${integer(senders)} sender${senders === 1 ? "" : "s"}`;
    return [label, [integer(bytes), integer(bytes / senders), micros.median.toFixed(1)]];
  });
  return table("verifier's memory", ["bytes", "bytes a sender", "µs a verify"], rows);
}
