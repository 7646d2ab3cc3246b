// How many messages went to each recipient or topic in this epoch, so that a receiver sees what it missed
// (docs/wire.md, section 10). Bounded: the count begun first is dropped first, and begins again at 1.

const HIGHEST = 2 ** 32 - 1;

/** Counts by recipient or topic. */
export class Ordinals {
  readonly #counts = new Map<string, number>();
  readonly #limit: number;
  #epoch = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the next `count` ordinals towards `peer` in `epoch`; returns the first. */
  take(peer: string, epoch: number, count: number): number {
    if (epoch !== this.#epoch) this.#restart(epoch);
    const taken = this.#counts.get(peer);
    if (taken === undefined) this.#makeRoom();
    const first = taken === undefined || taken + count > HIGHEST ? 1 : taken + 1;
    this.#counts.set(peer, first + count - 1);
    return first;
  }

  /** Gives back the last `count` ordinals towards `peer`. */
  giveBack(peer: string, count: number): void {
    const taken = this.#counts.get(peer);
    if (taken !== undefined) this.#counts.set(peer, taken - count);
  }

  #makeRoom(): void {
    if (this.#counts.size >= this.#limit) this.#counts.delete(this.#counts.keys().next().value as string);
  }

  #restart(epoch: number): void {
    this.#epoch = epoch;
    this.#counts.clear();
  }
}
