// A sender's epoch, sequence number and signing time (docs/wire.md, section 8.1): the epoch is strictly greater at
// every start, the sequence number goes up by one a message from 1, the time never decreases within an epoch.

import { randomInt } from "node:crypto";
import type { Clock, Micros } from "../clock.js";
import { misuse } from "../errors.js";
import { EPOCHS_AHEAD, type Eventual } from "../replay/state.js";
import { CLOCK_STEP, WIRE } from "../wire/limits.js";

/** The highest epoch that any sender of this process was given by the clock. */
let highestEpoch = 0;
/** Epochs above one that was heard of, among which one is chosen: about an hour, in microseconds. */
const EPOCH_CHANCE = 2 ** 32;

/** Gives an epoch that is at least this one and above every earlier one of its sender; stored before it is given. */
export type EpochStore = (atLeast: number) => Eventual<number>;

/** Numbers for one stream. */
export class Numbering {
  #epoch = 0;
  /** Epochs below this one may be begun without asking the store. */
  #stored = 0;
  #sequence = 0;
  #sentAt: Micros;
  readonly #clock: Clock;
  readonly #store: EpochStore | undefined;
  #pending: Promise<void> | undefined;

  /** @param store  where epochs outlive this process, if anywhere */
  constructor(clock: Clock, store?: EpochStore) {
    this.#clock = clock;
    this.#store = store;
    this.#sentAt = clock();
    this.#begin(nextEpoch(this.#sentAt));
  }

  /** Resolves when the epoch is stored; `undefined` where it is, and numbers may be taken. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /** The last number that was taken in this epoch. */
  get reached(): number {
    return this.#sequence;
  }

  /** When this sender started, in microseconds. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The signing time of the last message, in microseconds. */
  get sentAt(): Micros {
    return this.#sentAt;
  }

  /** Takes the next `count` sequence numbers at this time; returns the first. May begin a new epoch. */
  take(count: number, now: Micros = this.#clock()): number {
    const exhausted = this.#sequence + count > WIRE.maxNumber;
    if (exhausted || now < this.#sentAt - CLOCK_STEP) this.#restart(now);
    this.#sentAt = Math.max(this.#sentAt, now);
    this.#sequence += count;
    return this.#sequence - count + 1;
  }

  /** Gives back the last `count` numbers, which never left this process. */
  giveBack(count: number): void {
    this.#sequence -= count;
  }

  /** Continues at this number in this epoch; for test vectors, which must come out the same every time. */
  resume(epoch: number, sequence: number): void {
    this.#epoch = epoch;
    this.#sequence = sequence;
  }

  /**
   * Begins an epoch above this one, which somebody has heard of: at a distance by chance, for an earlier start may have
   * begun above the same one, and was not heard. Other senders of this process are not led along.
   */
  startAbove(epoch: number): void {
    this.#restart(this.#clock(), epoch + 1 + randomInt(EPOCH_CHANCE));
  }

  /** Of epochs that were stored ahead the next one is taken, whatever the clock says: it will do after a crash, too. */
  #restart(now: Micros, atLeast = 0): void {
    this.#sequence = 0;
    this.#sentAt = now;
    const next = Math.max(this.#epoch + 1, atLeast);
    if (next < this.#stored) this.#epoch = next;
    else this.#begin(Math.max(nextEpoch(now), next));
  }

  #begin(atLeast: number): void {
    const given = this.#store === undefined ? atLeast : this.#store(atLeast);
    if (!isPromise(given)) this.#use(given);
    else {
      this.#pending = given.then((epoch) => {
        this.#use(epoch);
        this.#pending = undefined;
      });
      // Told to whoever awaits it, and to whoever signs; nobody need do either.
      this.#pending.catch(() => {});
    }
  }

  #use(epoch: number): void {
    if (!Number.isSafeInteger(epoch) || epoch <= this.#epoch) throw noEpoch(epoch);
    this.#epoch = epoch;
    if (this.#store !== undefined) this.#stored = epoch + EPOCHS_AHEAD;
  }
}

function isPromise(given: Eventual<number>): given is Promise<number> {
  return typeof given === "object" && given !== null;
}

/** Signed under another one, messages would be refused everywhere, or be taken for those of an earlier start. */
function noEpoch(epoch: unknown): Error {
  return misuse(
    "ERR_COUNTERSIGN_STATE",
    `signing.state gave ${String(epoch)} for an epoch, which must be a whole number up to 2^53-1 and above the last: what it ` +
      "holds of this sender is damaged. Remove it there, or sign under another name.",
  );
}

function nextEpoch(now: Micros): number {
  highestEpoch = Math.max(now, highestEpoch + 1);
  return highestEpoch;
}
