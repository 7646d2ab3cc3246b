// A timer that keeps neither the process nor its owner alive: a socket that nobody holds can still be collected.

/** Asks `owner` to do what is due; returns the milliseconds until it wants to be asked again, or `undefined` for never. */
export type Due<Owner> = (owner: Owner) => number | undefined;

/** Calls {@link Due} again and again, as long as the owner lives and wants it. */
export class Ticker<Owner extends object> {
  readonly #owner: WeakRef<Owner>;
  readonly #due: Due<Owner>;
  #timer: NodeJS.Timeout | undefined;

  /** @param due  must not hold the owner itself */
  constructor(owner: Owner, due: Due<Owner>) {
    this.#owner = new WeakRef(owner);
    this.#due = due;
  }

  /** Asks after so many milliseconds, instead of whenever it would have been. */
  start(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = after(milliseconds, this.#owner, (owner) => {
      const next = this.#due(owner);
      if (next !== undefined) this.start(next);
    });
  }

  /** Asks no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** The closure of the timer holds the reference and nothing else of the owner's. */
function after<Owner extends object>(
  milliseconds: number,
  owner: WeakRef<Owner>,
  call: (owner: Owner) => void,
): NodeJS.Timeout {
  const timer = setTimeout(() => {
    const alive = owner.deref();
    if (alive !== undefined) call(alive);
  }, milliseconds);
  timer.unref();
  return timer;
}
