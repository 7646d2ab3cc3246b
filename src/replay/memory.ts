// State in this process's memory: one table for each receiver, channel and sender pattern. Receivers that share a state
// and a name share the tables.

import { type Clock, wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import { MOST_NONCES, WINDOW_MEMORY } from "../wire/limits.js";
import type { Pattern } from "../wire/patterns.js";
import { Nonces } from "./nonces.js";
import type { Answered, Claim, Reached, ReplayState, Ruling, Streams, TableOptions } from "./state.js";
import { StreamTable } from "./stream-table.js";

/**
 * State in this process's memory, gone with it. Give the same one, and the same `receiver`, to several sockets that
 * must not see a message twice between them.
 */
export class MemoryState implements ReplayState {
  /** Rulings are given at once. */
  readonly asynchronous = false;
  readonly #clock: Clock;
  readonly #tables = new Map<string, { streams: MemoryStreams; window: number }>();

  constructor({ clock = wallClock }: { clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** The table of one receiver's streams on `channel` by senders of type `pattern`. */
  table(receiver: string, channel: string, pattern: Pattern, { window, limit }: TableOptions): MemoryStreams {
    const name = JSON.stringify([receiver, channel, pattern]);
    const held = this.#tables.get(name);
    if (held === undefined) {
      // Of what was said before a receiver first asked, it knows nothing, however old the state is. Whole microseconds
      // on both sides, and admission asks for later than this: so it is rounded up, not down.
      const table = new StreamTable(this.#clock(), affordable(limit, window), window);
      const streams = new MemoryStreams(table, this.#clock);
      this.#tables.set(name, { streams, window });
      return streams;
    }
    assertSameWindow(receiver, held.window, window);
    return held.streams;
  }
}

/** A table and the nonces that its senders have yet to answer, on one clock. */
export class MemoryStreams implements Streams {
  readonly #table: StreamTable;
  readonly #nonces = new Nonces(MOST_NONCES);
  readonly #clock: Clock;

  constructor(table: StreamTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
    table.onForgotten = (stream) => this.#nonces.drop(stream);
  }

  get size(): number {
    return this.#table.size;
  }

  admit(claim: Claim): Ruling {
    return this.#table.admit(claim, claim.now ?? this.#clock());
  }

  ask(stream: string): Buffer {
    return this.#nonces.ask(stream);
  }

  answered(stream: string, answer: Uint8Array, reached: Reached): Answered {
    return this.#nonces.take(stream, answer) ? this.begin(stream, reached) : "unasked";
  }

  mark(): number {
    return this.#table.mark(this.#clock());
  }

  begin(stream: string, reached: Reached, mark?: number): Answered {
    if (mark !== undefined && this.#table.forgotSince(mark)) return "unasked";
    return this.#table.begin(stream, reached, this.#clock());
  }

  epochOf(stream: string): number {
    return this.#table.epochOf(stream);
  }

  forgetKey(keyId: number): void {
    this.#table.forgetKey(keyId, this.#clock());
  }

  sinceOf(stream: string): number {
    return this.#table.sinceFor(this.#table.find(stream));
  }
}

/** A window of n numbers costs n / 8 bytes a stream: with large ones, fewer streams are remembered. */
export function affordable(limit: number, window: number): number {
  return window === 0 ? limit : Math.min(limit, Math.floor(WINDOW_MEMORY / (window / 8)));
}

/** Throws unless a table that exists was made for this window. */
export function assertSameWindow(receiver: string, held: number, asked: number): void {
  if (held === asked) return;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    `Receivers that share a state must have the same window; "${receiver}" has ${held} and ${asked}.`,
  );
}
