// Whose memory it is. A receiver that must not see a message twice keeps one table for each channel and sender
// pattern; receivers that share a state and a name share the tables.

import { type Clock, wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import { WINDOW_MEMORY } from "../wire/limits.js";
import type { Pattern } from "../wire/patterns.js";
import { StreamTable } from "./stream-table.js";

/** How a verifier's tables are kept. */
export interface TableOptions {
  /** How many of the latest sequence numbers may come in any order; 0 for strict order. */
  readonly window: number;
  /** Streams remembered at most. */
  readonly limit: number;
}

/** Memory of streams, for one receiver or for several that share it. */
export interface ReplayState {
  /** The table of one receiver's streams on `channel` by senders of type `pattern`. */
  table(receiver: string, channel: string, pattern: Pattern, options: TableOptions): StreamTable;
}

/**
 * State in this process's memory, gone with it. Give the same one, and the same `receiver`, to several sockets that
 * must not see a message twice between them.
 */
export class MemoryState implements ReplayState {
  readonly #clock: Clock;
  readonly #tables = new Map<string, { table: StreamTable; window: number }>();

  constructor({ clock = wallClock }: { clock?: Clock } = {}) {
    this.#clock = clock;
  }

  table(receiver: string, channel: string, pattern: Pattern, { window, limit }: TableOptions): StreamTable {
    const name = JSON.stringify([receiver, channel, pattern]);
    const held = this.#tables.get(name);
    if (held === undefined) {
      // Of what was said before a receiver first asked, it knows nothing, however old the state is. Whole microseconds
      // on both sides, and admission asks for later than this: so it is rounded up, not down.
      const table = new StreamTable(this.#clock(), Math.min(limit, affordable(window)), window);
      this.#tables.set(name, { table, window });
      return table;
    }
    if (held.window !== window) {
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        `Receivers that share a state must have the same window; "${receiver}" has ${held.window} and ${window}.`,
      );
    }
    return held.table;
  }
}

/** A window of n numbers costs n / 8 bytes a stream: with large ones, fewer streams are remembered. */
function affordable(window: number): number {
  return window === 0 ? Infinity : Math.floor(WINDOW_MEMORY / (window / 8));
}
