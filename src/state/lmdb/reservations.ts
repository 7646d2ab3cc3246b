// Up to which number the row on disk lets each stream go, and when that is renewed: by the rate at which its numbers rise.
// In columns, by the slots of the table in memory.

import { type Slot, UNKNOWN } from "../../replay/stream-table.js";
import { WIRE } from "../../wire/limits.js";
import { ROOM } from "./loaded.js";

/** Most numbers that one reservation holds, however fast they rise. */
const MOST_AHEAD = 2 ** 20;
const FIRST_CAPACITY = 16;

/** Where a stream stands. */
interface Place {
  readonly epoch: number;
  readonly last: number;
  readonly keyId: number;
}

/** What is reserved for each stream. */
export class Reservations {
  readonly #aheadMs: number;
  #epochs = new Float64Array(FIRST_CAPACITY);
  #keyIds = new Float64Array(FIRST_CAPACITY);
  #reserved = new Float64Array(FIRST_CAPACITY);
  /** Numbers from here on ask for more. */
  #low = new Float64Array(FIRST_CAPACITY);
  /** The version of the row on disk. */
  #versions = new Float64Array(FIRST_CAPACITY);
  /** The number and the moment, in milliseconds, of the last reservation. */
  #from = new Float64Array(FIRST_CAPACITY);
  #at = new Float64Array(FIRST_CAPACITY);
  /** Whether this run has moved it. */
  #moved = new Uint8Array(FIRST_CAPACITY);
  /** Whether more is being written. */
  #waiting = new Uint8Array(FIRST_CAPACITY);

  /** @param aheadMs  milliseconds of traffic that are reserved */
  constructor(aheadMs: number) {
    this.#aheadMs = aheadMs;
  }

  /** What is on disk of a slot that was empty, or was written at once. */
  begin(slot: Slot, place: Place, reserved: number, version: number, moved: boolean): void {
    while (slot >= this.#epochs.length) this.#grow();
    this.#epochs[slot] = place.epoch;
    this.#keyIds[slot] = place.keyId;
    this.#moved[slot] = moved ? 1 : 0;
    this.#write(slot, place.last, reserved, version);
  }

  /** Does the row on disk say all that needs to be said before this is delivered? */
  covers(slot: Slot, { epoch, last, keyId }: Place): boolean {
    if (slot === UNKNOWN || last > (this.#reserved[slot] as number)) return false;
    return epoch === this.#epochs[slot] && keyId === this.#keyIds[slot];
  }

  /** This run has moved it, within what is reserved. */
  moved(slot: Slot): void {
    this.#moved[slot] = 1;
  }

  /** Whether this run has moved it. */
  hasMoved(slot: Slot): boolean {
    return this.#moved[slot] === 1;
  }

  /** Is it time to reserve more? */
  runsLow(slot: Slot, last: number): boolean {
    return last >= (this.#low[slot] as number) && this.#waiting[slot] === 0;
  }

  /**
   * Up to where to reserve for a stream that has come to `last`: as far as it comes in `ahead` milliseconds by the last
   * measure, and never less far than it may go already, for it does while this is being written.
   */
  next(slot: Slot, { epoch, last }: Place): number {
    const isSame = slot !== UNKNOWN && epoch === this.#epochs[slot];
    const ahead = Math.min(last + (isSame ? this.#ahead(slot, last) : ROOM), WIRE.maxNumber);
    return isSame ? Math.max(ahead, this.#reserved[slot] as number) : ahead;
  }

  #ahead(slot: Slot, last: number): number {
    const elapsed = Math.max(1, performance.now() - (this.#at[slot] as number));
    const rate = (last - (this.#from[slot] as number)) / elapsed;
    return Math.min(MOST_AHEAD, Math.max(ROOM, Math.ceil(rate * this.#aheadMs)));
  }

  /** Up to which number a stream may go. */
  reserved(slot: Slot): number {
    return this.#reserved[slot] as number;
  }

  /** The version of the row on disk, as far as this thread knows. */
  version(slot: Slot): number {
    return this.#versions[slot] as number;
  }

  /** More is being written, and nothing else until it is. */
  wait(slot: Slot): void {
    this.#waiting[slot] = 1;
  }

  /** More was written: as was done beyond `from`. */
  settle(slot: Slot, from: number, reserved: number, version: number): void {
    this.#write(slot, from, reserved, version);
  }

  /** More could not be written in good time: what is reserved is used up, and then it is written at once. */
  giveUp(slot: Slot): void {
    this.#low[slot] = Infinity;
    this.#waiting[slot] = 0;
  }

  #write(slot: Slot, from: number, reserved: number, version: number): void {
    this.#reserved[slot] = reserved;
    this.#low[slot] = reserved - Math.floor((reserved - from) / 2);
    this.#versions[slot] = version;
    this.#from[slot] = from;
    this.#at[slot] = performance.now();
    this.#waiting[slot] = 0;
  }

  #grow(): void {
    const capacity = this.#epochs.length * 2;
    this.#epochs = enlarged(this.#epochs, new Float64Array(capacity));
    this.#keyIds = enlarged(this.#keyIds, new Float64Array(capacity));
    this.#reserved = enlarged(this.#reserved, new Float64Array(capacity));
    this.#low = enlarged(this.#low, new Float64Array(capacity));
    this.#versions = enlarged(this.#versions, new Float64Array(capacity));
    this.#from = enlarged(this.#from, new Float64Array(capacity));
    this.#at = enlarged(this.#at, new Float64Array(capacity));
    this.#moved = enlarged(this.#moved, new Uint8Array(capacity));
    this.#waiting = enlarged(this.#waiting, new Uint8Array(capacity));
  }
}

function enlarged<Column extends { set(from: Column): void }>(column: Column, larger: Column): Column {
  larger.set(column);
  return larger;
}
