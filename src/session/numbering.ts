// A sender's epoch, sequence number and signing time (docs/wire.md, section 8.1): the epoch is strictly greater at
// every start, the sequence number goes up by one a message from 1, the time never decreases within an epoch.

import type { Clock, Micros } from "../clock.js";
import { CLOCK_STEP, WIRE } from "../wire/limits.js";

/** The highest epoch that any sender of this process was given. */
let highestEpoch = 0;

/** Numbers for one stream. */
export class Numbering {
  #epoch: number;
  #sequence = 0;
  #sentAt: Micros;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sentAt = clock();
    this.#epoch = nextEpoch(this.#sentAt);
  }

  /** When this sender started, in microseconds. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The signing time of the last message, in microseconds. */
  get sentAt(): Micros {
    return this.#sentAt;
  }

  /** Takes the next `count` sequence numbers; returns the first. May begin a new epoch. */
  take(count: number): number {
    const now = this.#clock();
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

  #restart(now: Micros): void {
    this.#epoch = nextEpoch(now);
    this.#sequence = 0;
    this.#sentAt = now;
  }
}

function nextEpoch(now: Micros): number {
  highestEpoch = Math.max(now, highestEpoch + 1);
  return highestEpoch;
}
