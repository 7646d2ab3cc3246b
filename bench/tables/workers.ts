// Workers that share a stream, beside the same ones with a memory each.

import type { WorkersResult } from "../workers.js";
import { integer, type Row, table } from "./table.js";

const COLUMNS = ["one Redis", "a memory each", "ratio", "delivered", "twice"];

export function workersTable(results: readonly WorkersResult[]): string {
  const rows = results.map(({ workers, messages, shared, memory, delivered, twice }): Row => {
    const rates = [`${integer(shared)}/s`, `${integer(memory)}/s`, (shared / memory).toFixed(2)];
    return [
      `${workers} workers`,
      [...rates, `${integer(delivered)} of ${integer(messages)}`, integer(twice)],
    ];
  });
  const replays = results.map(({ workers, refused }) => `${integer(refused)} with ${workers}`).join(", ");
  return `${table("workers behind one broker", COLUMNS, rows)}

Handed to another worker as well, and refused: ${replays}.`;
}
