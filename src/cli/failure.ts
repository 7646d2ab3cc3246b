// What the command line answers with: three exit codes, and errors for the operator that say what to do.

/** 0: done, or the answer is yes. 1: the answer is no. 2: wrong usage, or something the operator must mend. */
export const EXIT = { ok: 0, no: 1, failed: 2 } as const;
/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something the operator must mend: a file, a folder, an input. Ends the command with exit code 2. */
export class OperatorError extends Error {
  override readonly name: string = "OperatorError";
}

/** A command written wrongly: the help is worth pointing at. */
export class UsageError extends OperatorError {
  override readonly name = "UsageError";
}

const MOST_EDITS = 3;

/** " Did you mean x?" for the nearest of `known`, written behind `prefix`; nothing where none is near. */
export function suggestion(typed: string, known: readonly string[], prefix = ""): string {
  const near = known
    .map((name) => ({
      name,
      edits: name.startsWith(typed) && typed.length > 1 ? 0 : editDistance(typed, name),
    }))
    .filter(({ name, edits }) => edits <= Math.min(MOST_EDITS, Math.floor(name.length / 2)))
    .sort((a, b) => a.edits - b.edits)[0];
  return near === undefined ? "" : ` Did you mean ${prefix}${near.name}?`;
}

/** Insertions, deletions, replacements and swaps of neighbors between two words (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const [above, before] = [rows[i - 1] as number[], rows[i - 2]];
      const replaced = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before?.[j - 2] ?? Infinity) + 1 : Infinity;
      row.push(Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, replaced, swapped));
    }
    rows.push(row);
  }
  return (rows[a.length] as number[])[b.length] as number;
}
