// The rows that a run begins with, judged: what earlier runs said of each, and whether they lived to say it. A million of
// them are read at once, so they stand in one column of numbers rather than in objects.

import type { Micros } from "../../clock.js";
import type { StreamRow } from "../../replay/stream-table.js";
import type { StoredRow, StoredTable } from "./records.js";

/**
 * Numbers beyond its last that a row leaves room for though it does not say so: a stream that went on in a new run need
 * not be written at once. Part of the format.
 */
export const ROOM = 64;

/** What a run begins with of one stream. */
export interface Loaded {
  readonly stream: string;
  readonly row: StreamRow;
  /** Whether `row.last` was delivered; else anything up to it may have been. */
  readonly certain: boolean;
  /** Of the row on disk. */
  readonly version: number;
}

const COLUMNS = 8;

/** Rows as they come from the disk. */
export class LoadedRows {
  readonly #streams: string[] = [];
  readonly #numbers: number[] = [];
  #order = new Uint32Array();
  #record: Pick<StoredTable, "crashed" | "doubtSince"> = { crashed: 0, doubtSince: 0 };

  get size(): number {
    return this.#streams.length;
  }

  add(stream: string, row: StoredRow, version: number): void {
    const { epoch, last, since, heardAt, keyId, exact, run } = row;
    this.#streams.push(stream);
    this.#numbers.push(epoch, last, since, heardAt, keyId, exact ? 1 : 0, run, version);
  }

  /** The latest moment at which any was written, and the highest version. */
  highest(): { heardAt: Micros; version: number } {
    const [heardAt, version] = [3, 7].map((column) => {
      let highest = -Infinity;
      for (let i = column; i < this.#numbers.length; i += COLUMNS)
        highest = Math.max(highest, this.#numbers[i] as number);
      return highest;
    }) as [number, number];
    return { heardAt, version };
  }

  /** Judges them by what is known of the runs before, and puts the least recently heard first. */
  judge(record: Pick<StoredTable, "crashed" | "doubtSince">): void {
    this.#record = record;
    this.#order = Uint32Array.from(this.#streams.keys());
    const written = (i: number) => this.#numbers[i * COLUMNS + 3] as number;
    // Of those in doubt, all of which may have been heard until the crash, the one that was written first goes first.
    const heardAt = (i: number) =>
      this.#isCertain(i) ? written(i) : Math.max(written(i), record.doubtSince);
    this.#order.sort((a, b) => heardAt(a) - heardAt(b) || written(a) - written(b));
  }

  /** Takes out those that are too many, the least recently heard first. */
  takeExcess(limit: number): Loaded[] {
    const excess = Math.max(0, this.#order.length - limit);
    const taken = Array.from(this.#order.subarray(0, excess), (i) => this.#at(i));
    this.#order = this.#order.subarray(excess);
    return taken;
  }

  *[Symbol.iterator](): Iterator<Loaded> {
    for (const i of this.#order) yield this.#at(i);
  }

  #isCertain(i: number): boolean {
    const [exact, run] = [this.#numbers[i * COLUMNS + 5], this.#numbers[i * COLUMNS + 6] as number];
    return exact === 1 && run > this.#record.crashed;
  }

  #at(i: number): Loaded {
    const from = i * COLUMNS;
    const [epoch, last, since, heardAt, keyId, exact, , version] = this.#numbers.slice(
      from,
      from + COLUMNS,
    ) as [number, number, number, number, number, number, number, number];
    const stream = this.#streams[i] as string;
    if (this.#isCertain(i))
      return { stream, row: { epoch, last, since, heardAt, keyId }, certain: true, version };
    const { doubtSince } = this.#record;
    const row = {
      epoch,
      keyId,
      last: exact === 1 ? Math.min(last + ROOM, Number.MAX_SAFE_INTEGER) : last,
      since: Math.max(since, doubtSince),
      heardAt: Math.max(heardAt, doubtSince),
    };
    return { stream, row, certain: false, version };
  }
}
