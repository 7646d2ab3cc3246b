// Questions 3 and 4 of a plain Jupyter message: is it live, is it new? Its tag is remembered after it was verified, in
// entries of one size, and what is oldest by its signed date is forgotten first. Nothing dated at or before what was
// forgotten can come in any more, and neither can what is dated before the memory began: so neither an eviction nor a new
// session lets a recording in.

import type { Micros } from "../clock.js";
import type { Reason } from "../reasons.js";
import { enlarged } from "../replay/stream-table.js";

/** Bytes of a tag that are kept: MD5's are no longer. */
const TAG_BYTES = 16;
const TAG_WORDS = TAG_BYTES / 4;
/** Places of the hash table for each entry: at most half are taken. */
const PLACES = 2;
const EMPTY = -1;
const FIRST_CAPACITY = 256;

/** Bytes that one entry takes: tag, date, place in the heap, places in the hash table. */
export const ENTRY_BYTES = TAG_BYTES + 8 + 4 + 4 * 2 * PLACES;

/** Tags by date, in columns: a heap with the oldest on top, and a hash table over the same slots. */
export class TagHistory {
  /** Nothing dated at or before this is taken: the memory's beginning, or the latest date that was forgotten. */
  since: Micros;
  readonly #most: number;
  #capacity = 0;
  #size = 0;
  #tags = new Uint32Array();
  #dates = new Float64Array();
  #heap = new Uint32Array();
  #table = new Int32Array([EMPTY]);
  #mask = 0;

  /**
   * @param since  the moment from which nothing is forgotten
   * @param bytes  most bytes that entries take together; at least one entry is kept
   */
  constructor(since: Micros, bytes: number) {
    this.since = since;
    this.#most = Math.max(1, Math.floor(bytes / ENTRY_BYTES));
  }

  /** How many tags are remembered. */
  get size(): number {
    return this.#size;
  }

  /** Is this tag remembered? Changes nothing. */
  has(tag: Buffer): boolean {
    return this.#table[this.#find(tag)] !== EMPTY;
  }

  /**
   * Why a verified message is refused; "new" otherwise, and then it is remembered.
   *
   * @param signedAfter  the date that the message bears, less what clocks may be ahead
   */
  admit(tag: Buffer, date: Micros, signedAfter: Micros): "new" | Extract<Reason, "not-live" | "replayed"> {
    if (this.has(tag)) return "replayed";
    if (!(signedAfter > this.since)) return "not-live";
    this.#insert(tag, date);
    return "new";
  }

  /** Remembers a tag, unless it is; the one with the oldest date makes room, be it this one. */
  remember(tag: Buffer, date: Micros): void {
    if (!this.has(tag)) this.#insert(tag, date);
  }

  #insert(tag: Buffer, date: Micros): void {
    if (this.#size === this.#capacity && this.#capacity < this.#most) this.#grow();
    if (this.#size < this.#capacity) this.#add(this.#size, tag, date);
    else this.#replaceOldest(tag, date);
  }

  #replaceOldest(tag: Buffer, date: Micros): void {
    const oldest = this.#heap[0] as number;
    const oldestDate = this.#dates[oldest] as number;
    if (date <= oldestDate) {
      this.since = Math.max(this.since, date);
      return;
    }
    this.since = Math.max(this.since, oldestDate);
    this.#removeOldest();
    this.#add(oldest, tag, date);
  }

  /** Twice as many places, up to the most there may be: a session that hears little takes little. */
  #grow(): void {
    this.#capacity = Math.min(this.#most, Math.max(FIRST_CAPACITY, 2 * this.#capacity));
    this.#tags = enlarged(this.#tags, new Uint32Array(this.#capacity * TAG_WORDS));
    this.#dates = enlarged(this.#dates, new Float64Array(this.#capacity));
    this.#heap = enlarged(this.#heap, new Uint32Array(this.#capacity));
    const places = 2 ** Math.ceil(Math.log2(this.#capacity * PLACES));
    this.#table = new Int32Array(places).fill(EMPTY);
    this.#mask = places - 1;
    for (let slot = 0; slot < this.#size; slot++) {
      let place = this.#homeOf(slot);
      while (this.#table[place] !== EMPTY) place = (place + 1) & this.#mask;
      this.#table[place] = slot;
    }
  }

  #add(slot: number, tag: Buffer, date: Micros): void {
    for (let i = 0; i < TAG_WORDS; i++) this.#tags[slot * TAG_WORDS + i] = tag.readUInt32LE(4 * i);
    this.#dates[slot] = date;
    this.#table[this.#find(tag)] = slot;
    this.#siftUp(this.#size++, slot);
  }

  #removeOldest(): void {
    const oldest = this.#heap[0] as number;
    this.#size--;
    if (this.#size > 0) this.#siftDown(this.#heap[this.#size] as number);
    this.#vacate(this.#placeOf(oldest));
  }

  #siftUp(from: number, slot: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as number;
      if ((this.#dates[above] as number) <= (this.#dates[slot] as number)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = slot;
  }

  #siftDown(slot: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#dateAt(child + 1) < this.#dateAt(child)) child++;
      if (this.#dateAt(child) >= (this.#dates[slot] as number)) break;
      this.#heap[at] = this.#heap[child] as number;
      at = child;
    }
    this.#heap[at] = slot;
  }

  #dateAt(at: number): number {
    return this.#dates[this.#heap[at] as number] as number;
  }

  /** The place in the table where this tag is, or would be put. */
  #find(tag: Buffer): number {
    let place = tag.readUInt32LE(0) & this.#mask;
    for (;;) {
      const slot = this.#table[place] as number;
      if (slot === EMPTY || this.#isAt(slot, tag)) return place;
      place = (place + 1) & this.#mask;
    }
  }

  #isAt(slot: number, tag: Buffer): boolean {
    for (let i = 0; i < TAG_WORDS; i++) {
      if (this.#tags[slot * TAG_WORDS + i] !== tag.readUInt32LE(4 * i)) return false;
    }
    return true;
  }

  #placeOf(slot: number): number {
    let place = this.#homeOf(slot);
    while (this.#table[place] !== slot) place = (place + 1) & this.#mask;
    return place;
  }

  #homeOf(slot: number): number {
    return (this.#tags[slot * TAG_WORDS] as number) & this.#mask;
  }

  /** Empties a place and moves up what was put behind it because it was taken (linear probing without tombstones). */
  #vacate(vacated: number): void {
    let hole = vacated;
    let place = vacated;
    for (;;) {
      this.#table[hole] = EMPTY;
      let slot: number;
      do {
        place = (place + 1) & this.#mask;
        slot = this.#table[place] as number;
        if (slot === EMPTY) return;
      } while (this.#isBetween(hole, this.#homeOf(slot), place));
      this.#table[hole] = slot;
      hole = place;
    }
  }

  /** Does `home` lie behind `hole` on the way to `place`, around the end of the table? Then what is there stays. */
  #isBetween(hole: number, home: number, place: number): boolean {
    return ((home - hole - 1) & this.#mask) < ((place - hole) & this.#mask);
  }
}
