// The FIFO in front of zeromq.js's `send`, which takes one message at a time. A message is signed when it goes to
// the wire and not before, so numbers and wire order cannot part and a message that times out spends none.

import { BURST, nextTurn } from "./burst.js";
import { Fifo, type Member } from "./fifo.js";
import { codeOf, timedOut, type ZmqError } from "./zmq-errors.js";

/** A message that waits to be signed and sent. Its frames are a snapshot. */
export interface Waiting<Job> {
  readonly job: Job;
  readonly bytes: number;
}

interface Entry<Job> extends Waiting<Job>, Member<Entry<Job>> {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined;
}

/** What the queue needs of its socket. */
export interface Wire<Job> {
  /** Signs and sends now. Rejects with a code of `blocking` when that is not possible yet; then nothing was spent. */
  transmit(job: Job): Promise<void>;
  /** Whether what was done in this turn may still change what is first in line: then it will within a tick. */
  unsettled(): boolean;
  /** Codes that mean "not now". */
  readonly blocking: readonly string[];
  /** Most messages that may wait; 0 for no bound. */
  mostMessages(): number;
  readonly mostBytes: number;
  /** Milliseconds from the call until a message that still waits is given up; -1 for never. */
  timeout(): number;
}

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 20;

/** Messages in the order of their `send` calls. */
export class SendQueue<Job> {
  readonly #wire: Wire<Job>;
  readonly #entries = new Fifo<Entry<Job>>();
  #bytes = 0;
  #pumping = false;
  #taken = 0;
  #paused: NodeJS.Timeout | undefined;
  #pause = FIRST_PAUSE;
  #lastError: unknown;

  constructor(wire: Wire<Job>) {
    this.#wire = wire;
  }

  /** Messages that wait. */
  get length(): number {
    return this.#entries.length;
  }

  /** The message that is next. */
  get first(): Job | undefined {
    return this.#entries.first?.job;
  }

  /** Puts a message at the end, or first where it was before; settles when zeromq.js has taken it, or cannot. */
  push({ job, bytes }: Waiting<Job>, place: "first" | "last"): Promise<void> {
    const timeout = this.#wire.timeout();
    if (this.#isFull(bytes)) return Promise.reject(timedOut());
    return new Promise((resolve, reject) => {
      const links = { previous: undefined, next: undefined };
      const entry: Entry<Job> = { job, bytes, resolve, reject, timer: undefined, ...links };
      if (timeout > 0) entry.timer = setTimeout(() => this.#expire(entry), timeout);
      this.#entries.add(entry, place);
      this.#bytes += bytes;
      if (this.#entries.length === 1) this.wake();
    });
  }

  /** Tries again now: something changed that may let the first message through. */
  wake(): void {
    clearTimeout(this.#paused);
    if (!this.#pumping) void this.#pump();
  }

  /** Gives up everything that waits. */
  abandon(): void {
    clearTimeout(this.#paused);
    for (let { first } = this.#entries; first !== undefined; { first } = this.#entries) {
      this.#take(first, timedOut());
    }
  }

  #isFull(bytes: number): boolean {
    if (this.#entries.length === 0) return false;
    const most = this.#wire.mostMessages();
    return (most > 0 && this.#entries.length >= most) || this.#bytes + bytes > this.#wire.mostBytes;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (;;) {
      if (this.#wire.unsettled()) await undefined;
      const { first } = this.#entries;
      if (first === undefined) break;
      const error = await this.#try(first.job);
      if (error !== undefined && this.#wire.blocking.includes(codeOf(error) ?? "")) {
        this.#lastError = error;
        if (this.#wire.timeout() === 0) this.#take(first, error);
        else break;
      } else {
        this.#pause = FIRST_PAUSE;
        this.#take(first, error);
        if (++this.#taken % BURST === 0) await nextTurn();
      }
    }
    this.#pumping = false;
    // zeromq.js tells nobody when a socket becomes writable without a message in its hands, and a message in its
    // hands is already signed: so ask again, soon at first, then every 20 ms.
    if (this.#entries.length > 0) this.#paused = setTimeout(() => this.wake(), this.#nextPause());
  }

  #nextPause(): number {
    const pause = this.#pause;
    this.#pause = Math.min(pause * 1.1, LONGEST_PAUSE);
    return Math.floor(pause);
  }

  async #try(job: Job): Promise<unknown> {
    try {
      await this.#wire.transmit(job);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Takes an entry out and settles it, unless it was given up while it was being tried. */
  #take(entry: Entry<Job>, error: unknown): void {
    if (this.#entries.remove(entry)) this.#settle(entry, error);
  }

  #expire(entry: Entry<Job>): void {
    // The first in line knows what stood in its way (EFSM, say); the others never got to try.
    this.#take(entry, this.#entries.first === entry ? (this.#lastError ?? timedOut()) : timedOut());
  }

  #settle(entry: Entry<Job>, error: unknown): void {
    clearTimeout(entry.timer);
    this.#bytes -= entry.bytes;
    if (error === undefined) entry.resolve();
    else entry.reject(error as ZmqError);
  }
}
