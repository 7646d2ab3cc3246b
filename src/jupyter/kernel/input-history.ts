// The inputs of one session (Jupyter messaging, "History"), of which the oldest are forgotten.

import type { HistoryEntry, HistoryRequest } from "./contents.js";

const MOST_ENTRIES = 10_000;
/** The number of this session: there is no other. */
const SESSION = 1;

/** Remembers what was executed. */
export class InputHistory {
  #entries: HistoryEntry[] = [];

  /** One more. */
  add(line: number, input: string, output: string | undefined): void {
    this.#entries.push({ session: SESSION, line, input, output });
    if (this.#entries.length > 2 * MOST_ENTRIES) this.#entries = this.#entries.slice(-MOST_ENTRIES);
  }

  /** Those that are asked for, in order. */
  find(request: HistoryRequest): readonly HistoryEntry[] {
    if (request.access === "tail") return last(this.#entries, request.n);
    if (request.access === "range") {
      // 0 is this session, and negative numbers are earlier ones, of which nothing is known.
      if (request.session !== 0 && request.session !== SESSION) return [];
      return this.#entries.filter(({ line }) => line >= request.start && line < request.stop);
    }
    const found = this.#entries.filter(({ input }) => matches(input, request.pattern));
    return last(request.unique ? unique(found) : found, request.n ?? found.length);
  }
}

function last<Value>(values: readonly Value[], count: number): readonly Value[] {
  return count <= 0 ? [] : values.slice(-count);
}

/** The last of each that are alike. */
function unique(entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const lines = new Map(entries.map((entry) => [entry.input, entry.line]));
  return entries.filter(({ input, line }) => lines.get(input) === line);
}

/** A pattern of `*` and `?`. Goes back to the last star alone, so its time is at most the product of both lengths. */
function matches(text: string, pattern: string): boolean {
  let [at, in_, star, from] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[in_] === "*") {
      star = in_++;
      from = at;
    } else if (in_ < pattern.length && (pattern[in_] === "?" || pattern[in_] === text[at])) {
      at++;
      in_++;
    } else if (star >= 0) {
      in_ = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[in_] === "*") in_++;
  return in_ === pattern.length;
}
