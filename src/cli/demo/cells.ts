// The code cells that the clients run: real ones, with results, output and errors, and a running total that shows
// whether each ran once.

import type { ClientName } from "./cast.js";

/** A cell to run. */
export interface Cell {
  readonly id: string;
  readonly client: ClientName;
  readonly code: string;
}

/** Each adds to the total and prints at least two lines. */
const BODIES: readonly { readonly adds: number; readonly code: string }[] = [
  { adds: 3, code: 'total += 3; print("three more"); print("makes", total); total' },
  { adds: 1, code: "total += 1; [1, 2, 3].map((n) => print(n, n ** n)); total" },
  { adds: 5, code: 'total += 5; for (const w of "to be or not".split(" ")) print(w); w' },
  { adds: 2, code: 'total += 2; print(new Date(0).toISOString()); print("😀 ünïcödé"); [total]' },
];
const FIRST = 'var total = 0; print("kernel is up"); print("total", total); total';
/** Many lines: what was withheld slides out of every window. */
const LAST = "for (let i = 1; i <= 6; i++) print('line', i, 'of 6'); total";

/** `count` cells, by the two clients in turn, and the total they lead to. */
export function cells(count: number): { cells: Cell[]; total: number } {
  let total = 0;
  const made: Cell[] = [];
  for (let i = 0; i < count; i++) {
    const client = i % 2 === 0 ? "alice" : "bob";
    const body = i === 0 ? { adds: 0, code: FIRST } : (BODIES[i % BODIES.length] as (typeof BODIES)[number]);
    total += body.adds;
    made.push({ id: `${client}-${i + 1}`, client, code: body.code });
  }
  return { cells: [...made, { id: `alice-${count + 1}`, client: "alice", code: LAST }], total };
}
