// Questions 3 and 4: is it live, is it new? What one receiver remembers of every stream it hears: epoch and last sequence
// number, or a window. Bounded: the least recently heard stream is forgotten first, and `since` rises to when it was last
// heard, so that nothing recorded before can come in as new (docs/wire.md, section 8).

import type { Micros } from "../clock.js";
import type { Reason } from "../reasons.js";
import type { Answered, Claim, Numbers, Reached, Ruling } from "./state.js";
import { ReplayWindow } from "./window.js";

/** A place in the table; {@link UNKNOWN} where a stream has none. */
export type Slot = number;
/** The slot of a stream that is not remembered. */
export const UNKNOWN: Slot = -1;

const NONE = -1;
/** Below every number, that of nothing (0) included: nothing is in doubt. */
const NO_DOUBT = -1;
const FIRST_CAPACITY = 16;

/** What outlives a process of one stream: the columns of its row. */
export interface StreamRow {
  readonly epoch: number;
  readonly last: number;
  readonly since: Micros;
  readonly heardAt: Micros;
  readonly keyId: number;
}

/**
 * Streams by name, in columns rather than objects: a million senders cost some 100 bytes each (`npm run bench --
 * memory`). Neither looking up nor checking changes anything; only {@link remember} and {@link begin} do.
 */
export class StreamTable {
  /** The moment since which no unknown stream was forgotten. */
  since: Micros;
  /** Whether any stream was ever forgotten. */
  forgot = false;
  /** Called with each stream that is forgotten. */
  onForgotten: ((stream: string) => void) | undefined;
  /** When the one of them that was heard last had been heard. */
  #forgotUpTo: Micros = -Infinity;
  /** What is heard from now on is heard at this moment or later, whatever the clock says. */
  #floor: Micros = -Infinity;
  readonly #limit: number;
  readonly #window: number;

  readonly #slots = new Map<string, Slot>();
  readonly #names: string[] = [];
  readonly #windows: ReplayWindow[] = [];
  readonly #free: Slot[] = [];
  // Up to here numbers of the epoch may have been delivered by a run that ended without saying how far it came: none in
  // a stream that this one has heard, and so no column.
  readonly #doubts = new Map<Slot, number>();
  #epochs = new Float64Array(FIRST_CAPACITY);
  #lasts = new Float64Array(FIRST_CAPACITY);
  #heardAt = new Float64Array(FIRST_CAPACITY);
  #sinces = new Float64Array(FIRST_CAPACITY);
  #keyIds = new Uint32Array(FIRST_CAPACITY);
  // A doubly linked list from the most to the least recently heard.
  #newer = new Int32Array(FIRST_CAPACITY);
  #older = new Int32Array(FIRST_CAPACITY);
  #newest = NONE;
  #oldest = NONE;

  /**
   * @param since   the moment from which the table forgets nothing: its birth
   * @param limit   most streams remembered
   * @param window  numbers in each stream's window; 0 for strict order
   */
  constructor(since: Micros, limit: number, window: number) {
    this.since = since;
    this.#limit = limit;
    this.#window = window;
  }

  /** How many streams are remembered. */
  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a stream, or {@link UNKNOWN}. */
  find(stream: string): Slot {
    return this.#slots.get(stream) ?? UNKNOWN;
  }

  /** The epoch that is remembered of a stream; 0 where none is. */
  epochOf(stream: string): number {
    const slot = this.find(stream);
    return slot === UNKNOWN ? 0 : (this.#epochs[slot] as number);
  }

  /** The stream that was heard least recently: the next to be forgotten. */
  get oldest(): string | undefined {
    return this.#oldest === NONE ? undefined : this.#names[this.#oldest];
  }

  /** The streams that are remembered, in no order. */
  streams(): IterableIterator<string> {
    return this.#slots.keys();
  }

  /** Is it live, is it new? Remembers it if so. */
  admit(claim: Claim, now: Micros): Ruling {
    const slot = this.find(claim.stream);
    const ruling = this.judge(slot, claim);
    if (ruling === "new" || ruling === "late") this.remember(claim.stream, slot, claim, claim.keyId, now);
    return ruling;
  }

  /** What {@link admit} says, and nothing is remembered: for a memory that writes it down first. */
  judge(slot: Slot, claim: Claim): Ruling {
    // 3. Is it live?
    if (!this.knows(slot, claim) && !this.#isProven(slot, claim)) return claim.unproven;
    // 4. Is it new?
    return this.check(slot, claim) ?? (this.isLate(slot, claim) ? "late" : "new");
  }

  /** Evidence is of a signature after everything that was forgotten: later than `since`, or live by construction. */
  #isProven(slot: Slot, { signedAfter, toFreshName }: Claim): boolean {
    return signedAfter > this.sinceFor(slot) || (toFreshName && !this.forgot);
  }

  /**
   * Begins a stream where its live sender has arrived: what it signed up to there is never taken. Where the epoch is
   * known without doubt, nothing changes.
   */
  begin(stream: string, { epoch, sequence, keyId }: Reached, now: Micros): Answered {
    const slot = this.find(stream);
    if (slot !== UNKNOWN && epoch < (this.#epochs[slot] as number)) return "stale-epoch";
    const certain = this.knows(slot, { epoch, sequence: 0, count: 1 });
    if (certain) return "begun";
    this.#write(stream, slot, { epoch, sequence: sequence + 1, count: 0 }, keyId, now);
    return "begun";
  }

  /** Is this an epoch that is remembered, or an older one, and a number of which there is no doubt? */
  knows(slot: Slot, { epoch, sequence }: Numbers): boolean {
    if (slot === UNKNOWN || epoch > (this.#epochs[slot] as number)) return false;
    return sequence > this.#doubtIn(slot, epoch);
  }

  #doubtIn(slot: Slot, epoch: number): number {
    return slot !== UNKNOWN && epoch === this.#epochs[slot] ? this.#doubtOf(slot) : NO_DOUBT;
  }

  #doubtOf(slot: Slot): number {
    return this.#doubts.size === 0 ? NO_DOUBT : (this.#doubts.get(slot) ?? NO_DOUBT);
  }

  /** The moment since which nothing was forgotten about this stream. */
  sinceFor(slot: Slot): Micros {
    return slot === UNKNOWN ? this.since : (this.#sinces[slot] as number);
  }

  /** Why these numbers are refused; `undefined` where each of them is new. */
  check(slot: Slot, { epoch, sequence, count }: Numbers): Reason | undefined {
    if (slot === UNKNOWN || epoch > (this.#epochs[slot] as number)) return undefined;
    if (epoch < (this.#epochs[slot] as number)) return "stale-epoch";
    if (sequence <= this.#doubtOf(slot)) return undefined;
    if (this.#window === 0) return sequence > (this.#lasts[slot] as number) ? undefined : "replayed";
    const window = this.#windows[slot] as ReplayWindow;
    for (let i = 0; i < count; i++) {
      const reason = window.check(sequence + i);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Does a number that passed {@link check} come after a later one? Only a window lets it. */
  isLate(slot: Slot, numbers: Numbers): boolean {
    return this.knows(slot, numbers) && numbers.sequence < (this.#lasts[slot] as number);
  }

  /**
   * Remembers numbers that passed {@link check}, of a message that has answered every question.
   *
   * @param keyId  the key that vouched for them
   * @param now    this receiver's clock
   */
  remember(stream: string, slot: Slot, numbers: Numbers, keyId: number, now: Micros): void {
    this.#write(stream, slot, numbers, keyId, now);
  }

  #write(stream: string, slot: Slot, numbers: Numbers, keyId: number, now: Micros): void {
    const heardAt = Math.max(now, this.lastHeard);
    const at = slot === UNKNOWN ? this.#add(stream) : slot;
    const begins = slot === UNKNOWN || numbers.epoch > (this.#epochs[at] as number);
    // A number of which there was doubt and for which there is evidence begins the epoch again, and one above the
    // doubt leaves it behind: either way nothing below can come any more.
    if (begins || this.#doubtOf(at) !== NO_DOUBT) this.#begin(at, numbers);
    const last = numbers.sequence + numbers.count - 1;
    if (this.#window > 0) this.#mark(at, numbers);
    this.#lasts[at] = Math.max(this.#lasts[at] as number, last);
    this.#keyIds[at] = keyId;
    this.#heardAt[at] = heardAt;
    this.#moveToFront(at);
  }

  /** When a stream was heard last. A clock that steps back must not make one look as if it had been heard less recently. */
  get lastHeard(): Micros {
    const last = this.#newest === NONE ? this.since : (this.#heardAt[this.#newest] as number);
    return Math.max(last, this.#floor);
  }

  /** This moment: whatever is heard from now on is heard at it or after it. */
  mark(now: Micros): Micros {
    this.#floor = Math.max(now, this.lastHeard);
    return this.#floor;
  }

  /** Was a stream forgotten that may have been heard since then? */
  forgotSince(mark: Micros): boolean {
    return this.#forgotUpTo >= mark;
  }

  /**
   * Takes over a stream from a memory that outlived its process. Rows come in the order in which they were heard.
   *
   * @param certain  whether `last` was delivered; else anything up to it may have been, and nothing above it was
   * @returns its slot
   */
  load(stream: string, row: StreamRow, certain: boolean): Slot {
    const slot = this.#add(stream);
    this.#begin(slot, { epoch: row.epoch, sequence: row.last + 1, count: 0 });
    this.#lasts[slot] = row.last;
    if (!certain) this.#doubts.set(slot, row.last);
    this.#sinces[slot] = row.since;
    this.#heardAt[slot] = row.heardAt;
    this.#keyIds[slot] = row.keyId;
    return slot;
  }

  /** What is remembered of a stream, for a memory that outlives this process. */
  row(slot: Slot): StreamRow {
    return {
      epoch: this.#epochs[slot] as number,
      last: this.#lasts[slot] as number,
      since: this.#sinces[slot] as number,
      heardAt: this.#heardAt[slot] as number,
      keyId: this.#keyIds[slot] as number,
    };
  }

  /** The keys that vouched for the latest of each stream. */
  keyIds(): ReadonlySet<number> {
    const ids = new Set<number>();
    for (const slot of this.#slots.values()) ids.add(this.#keyIds[slot] as number);
    return ids;
  }

  /** Forgets the streams that this key moved last: it was revoked, and may have moved them for a thief. */
  forgetKey(keyId: number, now: Micros): void {
    const since = Math.max(this.since, now, this.lastHeard);
    for (const slot of [...this.#slots.values()]) if (this.#keyIds[slot] === keyId) this.#remove(slot);
    this.since = since;
  }

  #begin(slot: Slot, { epoch, sequence }: Numbers): void {
    this.#epochs[slot] = epoch;
    this.#lasts[slot] = 0;
    this.#doubts.delete(slot);
    if (this.#window > 0) this.#windows[slot] = new ReplayWindow(this.#window, sequence);
  }

  #mark(slot: Slot, { sequence, count }: Numbers): void {
    const window = this.#windows[slot] as ReplayWindow;
    for (let i = 0; i < count; i++) window.accept(sequence + i);
  }

  #add(stream: string): Slot {
    if (this.#slots.size >= this.#limit) this.#evict();
    const slot = this.#free.pop() ?? this.#slots.size;
    if (slot >= this.#epochs.length) this.#grow();
    this.#slots.set(stream, slot);
    this.#names[slot] = stream;
    this.#sinces[slot] = this.since;
    this.#link(slot);
    return slot;
  }

  #evict(): void {
    const heardAt = this.#heardAt[this.#oldest] as number;
    this.#remove(this.#oldest);
    this.since = Math.max(this.since, heardAt);
  }

  #remove(slot: Slot): void {
    const stream = this.#names[slot] as string;
    this.forgot = true;
    this.#forgotUpTo = Math.max(this.#forgotUpTo, this.#heardAt[slot] as number);
    this.onForgotten?.(stream);
    this.#slots.delete(stream);
    this.#names[slot] = "";
    this.#doubts.delete(slot);
    delete this.#windows[slot];
    this.#unlink(slot);
    this.#free.push(slot);
  }

  #moveToFront(slot: Slot): void {
    if (this.#newest === slot) return;
    this.#unlink(slot);
    this.#link(slot);
  }

  #link(slot: Slot): void {
    this.#newer[slot] = NONE;
    this.#older[slot] = this.#newest;
    if (this.#newest !== NONE) this.#newer[this.#newest] = slot;
    this.#newest = slot;
    if (this.#oldest === NONE) this.#oldest = slot;
  }

  #unlink(slot: Slot): void {
    const newer = this.#newer[slot] as number;
    const older = this.#older[slot] as number;
    if (newer === NONE) this.#newest = older;
    else this.#older[newer] = older;
    if (older === NONE) this.#oldest = newer;
    else this.#newer[older] = newer;
  }

  #grow(): void {
    const capacity = this.#epochs.length * 2;
    this.#epochs = enlarged(this.#epochs, new Float64Array(capacity));
    this.#lasts = enlarged(this.#lasts, new Float64Array(capacity));
    this.#heardAt = enlarged(this.#heardAt, new Float64Array(capacity));
    this.#sinces = enlarged(this.#sinces, new Float64Array(capacity));
    this.#keyIds = enlarged(this.#keyIds, new Uint32Array(capacity));
    this.#newer = enlarged(this.#newer, new Int32Array(capacity));
    this.#older = enlarged(this.#older, new Int32Array(capacity));
  }
}

/** What a column held, in a larger one. */
export function enlarged<Column extends { set(from: Column): void }>(column: Column, larger: Column): Column {
  larger.set(column);
  return larger;
}
