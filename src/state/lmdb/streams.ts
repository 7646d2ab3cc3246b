// The streams of one receiver: a table in memory, and on disk how far each may have come. A number within what is reserved
// costs no write; the reservation is renewed on another thread before it is used up, and at once where it is passed.

import type { Clock, Micros } from "../../clock.js";
import { Nonces } from "../../replay/nonces.js";
import type { Answered, Claim, Reached, Ruling, Streams } from "../../replay/state.js";
import { type Slot, StreamTable, UNKNOWN } from "../../replay/stream-table.js";
import { MOST_NONCES, WIRE } from "../../wire/limits.js";
import { ROOM } from "./loaded.js";
import type { Medium } from "./medium.js";
import { Reservations } from "./reservations.js";
import { type Change, Lost, type TableStore } from "./table-store.js";

/** A message or a beginning, as far as it moves a stream. */
interface Move {
  readonly stream: string;
  readonly epoch: number;
  /** The last number that it uses up. */
  readonly last: number;
  readonly keyId: number;
}

/** What a table needs to know besides its rows. */
export interface StreamsOptions {
  readonly medium: Medium;
  readonly clock: Clock;
  readonly limit: number;
  readonly window: number;
  /** Milliseconds of a stream's traffic that are reserved. */
  readonly ahead: number;
  /** Told when another process has taken the table over. */
  readonly tell: (error: Lost) => void;
}

/** {@link Streams} of which each ruling is given at once. */
export class LmdbStreams implements Streams {
  readonly #store: TableStore;
  readonly #options: StreamsOptions;
  readonly #table: StreamTable;
  readonly #nonces = new Nonces(MOST_NONCES);
  readonly #slots: Reservations;
  #generation: number;
  #ended = false;
  /** Whether the disk knows less than was forgotten, or than was written to it. */
  #owed = false;
  /** What is left of writing everything again. */
  #rewriting: Iterator<void, void> | undefined;

  constructor(store: TableStore, options: StreamsOptions) {
    this.#store = store;
    this.#options = options;
    this.#generation = options.medium.generation;
    this.#table = new StreamTable(store.since, options.limit, options.window);
    this.#table.onForgotten = (stream) => this.#nonces.drop(stream);
    this.#slots = new Reservations(options.ahead);
    for (const { stream, row, certain, version } of store.takeLoaded()) {
      const slot = this.#table.load(stream, row, certain);
      const reserved = certain ? Math.min(row.last + ROOM, WIRE.maxNumber) : row.last;
      this.#slots.begin(slot, row, reserved, version, false);
    }
    this.#table.forgot = store.forgot;
    // Where nobody writes to this table for now, it must be on the disk all the same.
    options.medium.onReopened(() => this.#usable());
  }

  get size(): number {
    return this.#table.size;
  }

  admit(claim: Claim): Ruling {
    if (!this.#usable()) return "state-unavailable";
    const slot = this.#table.find(claim.stream);
    const ruling = this.#table.judge(slot, claim);
    if (ruling !== "new" && ruling !== "late") return ruling;
    const { stream, epoch, keyId } = claim;
    const move = { stream, epoch, keyId, last: claim.sequence + claim.count - 1 };
    const now = this.#options.clock();
    const kept = this.#move(slot, move, now, () => this.#table.remember(stream, slot, claim, keyId, now));
    return kept ? ruling : "state-unavailable";
  }

  ask(stream: string): Buffer | undefined {
    return this.#usable() ? this.#nonces.ask(stream) : undefined;
  }

  answered(stream: string, answer: Uint8Array, reached: Reached): Answered {
    if (!this.#usable()) return "state-unavailable";
    return this.#nonces.take(stream, answer) ? this.begin(stream, reached) : "unasked";
  }

  mark(): number {
    return this.#table.mark(this.#options.clock());
  }

  begin(stream: string, reached: Reached, mark?: number): Answered {
    if (!this.#usable()) return "state-unavailable";
    if (mark !== undefined && this.#table.forgotSince(mark)) return "unasked";
    const { epoch, sequence, keyId } = reached;
    const slot = this.#table.find(stream);
    const now = this.#options.clock();
    const changesNothing =
      epoch < this.#table.epochOf(stream) || this.#table.knows(slot, { epoch, sequence: 0, count: 1 });
    if (changesNothing) return this.#table.begin(stream, reached, now);
    const kept = this.#move(slot, { stream, epoch, keyId, last: sequence }, now, () =>
      this.#table.begin(stream, reached, now),
    );
    return kept ? "begun" : "state-unavailable";
  }

  epochOf(stream: string): number {
    return this.#table.epochOf(stream);
  }

  keyIds(): ReadonlySet<number> {
    return this.#table.keyIds();
  }

  /** What was revoked is forgotten here at once; on the disk too, or before anything is accepted again. */
  forgetKey(keyId: number): void {
    const now = this.#options.clock();
    const since = Math.max(this.#table.since, now, this.#table.lastHeard);
    const streams = [...this.#table.streams()].filter((stream) => this.#keyOf(stream) === keyId);
    this.#owed = !this.#usable() || !this.#save([], { streams, since });
    this.#table.forgetKey(keyId, now);
    // What is being written again has them in it.
    if (this.#owed) this.#usable();
  }

  sinceOf(stream: string): Micros {
    return this.#table.sinceFor(this.#table.find(stream));
  }

  /** Writes down exactly how far each stream came; nothing is accepted any more. */
  end(): void {
    if (this.#ended) return;
    this.#usable();
    while (this.#rewriting !== undefined) this.#rewritePart(this.#rewriting);
    const usable = this.#usable();
    this.#ended = true;
    if (usable) this.#attempt(() => this.#store.end(this.#exact(), this.size));
  }

  /** Within what is reserved nothing is written first; else all is written, or nothing is done. */
  #move(slot: Slot, move: Move, now: Micros, remember: () => void): boolean {
    if (this.#slots.covers(slot, move)) {
      remember();
      this.#slots.moved(slot);
      if (this.#slots.runsLow(slot, move.last)) this.#reserveSoon(slot, move.stream);
      return true;
    }
    const reserved = this.#slots.next(slot, move);
    const version = this.#store.nextVersion();
    if (!this.#reserve(slot, move, reserved, version, now)) return false;
    remember();
    this.#slots.begin(this.#table.find(move.stream), move, reserved, version, true);
    return true;
  }

  #reserve(slot: Slot, { stream, epoch, keyId }: Move, last: number, version: number, now: Micros): boolean {
    const heardAt = Math.max(now, this.#table.lastHeard);
    const isKnown = slot !== UNKNOWN;
    const evicted = isKnown || this.#table.size < this.#options.limit ? undefined : this.#table.oldest;
    const forgotten =
      evicted === undefined ? undefined : { streams: [evicted], since: this.#rowOf(evicted).heardAt };
    const since = isKnown
      ? this.#table.sinceFor(slot)
      : Math.max(this.#table.since, forgotten?.since ?? -Infinity);
    const row = { epoch, last, since, heardAt, keyId };
    return this.#save([{ stream, row, exact: false, version }], forgotten);
  }

  #reserveSoon(slot: Slot, stream: string): void {
    const row = this.#table.row(slot);
    const last = this.#slots.next(slot, row);
    const ifVersion = this.#slots.version(slot);
    const version = this.#store.nextVersion();
    const change = { stream, row: { ...row, last }, exact: false, version };
    this.#slots.wait(slot);
    void this.#store.saveSoon(change, ifVersion).then((done) => {
      // Written anew, or given to another stream, meanwhile: then this says nothing any more.
      if (this.#slots.version(slot) !== ifVersion) return;
      if (done) this.#slots.settle(slot, row.last, last, version);
      else this.#slots.giveUp(slot);
    });
  }

  #usable(): boolean {
    const { medium } = this.#options;
    if (this.#ended || !medium.ready()) return false;
    if (this.#generation !== medium.generation || this.#owed) this.#rewrite();
    return this.#rewriting === undefined && !this.#owed;
  }

  /** After an outage memory is right, and the disk is not. Nothing is accepted until all is written. */
  #rewrite(): void {
    const { medium, clock } = this.#options;
    const { since, forgot, size, lastHeard } = this.#table;
    const latest = Math.max(clock(), since, lastHeard);
    this.#generation = medium.generation;
    this.#owed = false;
    this.#rewriting = this.#store.rewrite(this.#all(), { since, forgot, size, latest });
    this.#rewriteSoon(this.#rewriting);
  }

  /** Little is written at once; of much, a part each turn of the event loop. */
  #rewriteSoon(rewriting: Iterator<void, void>): void {
    if (rewriting !== this.#rewriting) return;
    this.#rewritePart(rewriting);
    setImmediate(() => this.#rewriteSoon(rewriting));
  }

  #rewritePart(rewriting: Iterator<void, void>): void {
    const isReady = this.#options.medium.ready();
    // It was opened again, and all of this has begun anew.
    if (rewriting !== this.#rewriting) return;
    let isDone = false;
    const isWritten =
      isReady &&
      this.#attempt(() => {
        isDone = rewriting.next().done === true;
      });
    this.#owed = !isWritten;
    if (isDone || !isWritten) this.#rewriting = undefined;
  }

  #save(changes: Change[], forgotten?: { streams: string[]; since: Micros }): boolean {
    return this.#attempt(() => this.#store.save(changes, forgotten));
  }

  /** A medium that failed has told so itself. */
  #attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (error instanceof Lost) this.#lose(error);
      return false;
    }
  }

  #lose(error: Lost): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.tell(error);
  }

  /** Everything that is remembered: exact where this run moved nothing, else reserved as far as it was. */
  *#all(): Iterable<Change> {
    for (const stream of this.#table.streams()) {
      const slot = this.#table.find(stream);
      const version = this.#store.nextVersion();
      const row = this.#table.row(slot);
      const moved = this.#slots.hasMoved(slot);
      const reserved = Math.max(this.#slots.reserved(slot), row.last);
      this.#slots.begin(slot, row, reserved, version, moved);
      const exact = !moved && this.#table.knows(slot, { epoch: row.epoch, sequence: 0, count: 1 });
      yield { stream, row: { ...row, last: exact ? row.last : reserved }, exact, version };
    }
  }

  *#exact(): Iterable<Change> {
    for (const stream of this.#table.streams()) {
      const slot = this.#table.find(stream);
      if (!this.#slots.hasMoved(slot)) continue;
      yield { stream, row: this.#table.row(slot), exact: true, version: this.#store.nextVersion() };
    }
  }

  #rowOf(stream: string) {
    return this.#table.row(this.#table.find(stream));
  }

  #keyOf(stream: string): number {
    return this.#rowOf(stream).keyId;
  }
}
