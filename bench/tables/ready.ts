// How soon a late subscriber was ready, and what it was spared.

import type { Readiness } from "../ready.js";
import { integer, range } from "./table.js";

export function readyTable({ joins, millis, delivered, recordings, repeated }: Readiness): string {
  return [
    `A subscriber that joins late, ${joins} times: ready after ${range(millis)} ms.`,
    `${integer(delivered)} messages delivered; ${integer(repeated)} recordings repeated on the way, ${recordings} of them delivered.`,
  ].join("\n");
}
