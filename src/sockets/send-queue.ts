// The FIFO in front of zeromq.js's `send`, which takes one message at a time. A message is signed when it goes to
// the wire and not before, so numbers and wire order cannot part and a message that times out spends none.

import { BURST, nextTurn } from "./burst.js";
import { Fifo, type Member } from "./fifo.js";
import { codeOf, timedOut, type ZmqError } from "./zmq-errors.js";

/** A message that waits to be signed and sent; or several, which go together. */
interface Entry<Job> extends Member<Entry<Job>>, Ticket {
  readonly job: Job;
  bytes: number;
  messages: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined;
  /** Whether it is in zeromq.js's hands. */
  tried: boolean;
  /** Whether it is given up where zeromq.js does not take it. */
  lastTry: boolean;
}

/** A place in the queue. */
export interface Ticket {
  /** Settles when zeromq.js has taken what stands there, or cannot. */
  readonly settled: Promise<void>;
}

/** What the queue needs of its socket. */
export interface Wire<Job> {
  /** Signs and sends now. Rejects with a code of `blocking` when that is not possible yet; then nothing was spent. */
  transmit(job: Job): Promise<void>;
  /** Whether this may go yet. Who says no wakes the queue when it may. */
  mayGo(job: Job): boolean;
  /** It was sent, or given up. */
  done(job: Job): void;
  /** Whether what was done in this turn may still change what is first in line: then it will within a tick. */
  unsettled(): boolean;
  /** Whether ZeroMQ takes messages now: then what waits does so for a tick alone, and any number may. */
  flows(): boolean;
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
  #messages = 0;
  /** Most messages that may wait, as it was when it was asked last: libzmq is asked when the first one waits, and at it. */
  #most = 0;
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
    return this.#messages;
  }

  /** What is next. */
  get first(): Job | undefined {
    return this.#entries.first?.job;
  }

  /** Puts a message at the end, or first where it was before. */
  push(job: Job, bytes: number, place: "first" | "last" = "last"): Ticket {
    const timeout = this.#wire.timeout();
    const entry = newEntry(job, bytes);
    if (timeout > 0) entry.timer = setTimeout(() => this.#expire(entry), timeout);
    this.#entries.add(entry, place);
    this.#bytes += bytes;
    this.#messages++;
    if (this.#entries.length > 1) return entry;
    this.#most = 0;
    this.wake();
    return entry;
  }

  /** Takes note that one more message stands in a place. */
  join(ticket: Ticket, bytes: number): void {
    const entry = ticket as Entry<Job>;
    entry.bytes += bytes;
    entry.messages++;
    this.#bytes += bytes;
    this.#messages++;
  }

  /** Whether another message of so many bytes would be too much. */
  isFull(bytes: number): boolean {
    if (this.#entries.length === 0) return false;
    if (this.#bytes + bytes > this.#wire.mostBytes) return true;
    if (this.#messages < this.#most) return false;
    this.#most = this.#wire.mostMessages();
    return this.#most > 0 && this.#messages >= this.#most && !this.#wire.flows();
  }

  /** Tries again now: something changed that may let the first message through. */
  wake(): void {
    clearTimeout(this.#paused);
    if (!this.#pumping) void this.#pump();
  }

  /** Gives up everything that waits. What is in zeromq.js's hands has come to something already: taken, or given up. */
  abandon(): void {
    clearTimeout(this.#paused);
    const { first } = this.#entries;
    if (first?.tried) first.lastTry = true;
    for (const entry of this.#untried()) this.#take(entry, timedOut());
  }

  /** Sends what waits, in order, as long as it `may` be sent now: the socket is about to be closed. */
  drain(may: () => boolean): void {
    for (const entry of this.#untried()) {
      if (!may()) return;
      this.#entries.remove(entry);
      void this.#try(entry).then((error) => this.#settle(entry, error));
    }
  }

  #untried(): Entry<Job>[] {
    const entries: Entry<Job>[] = [];
    for (let entry = this.#entries.first; entry !== undefined; entry = entry.next) {
      if (!entry.tried) entries.push(entry);
    }
    return entries;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    for (;;) {
      if (this.#wire.unsettled()) await undefined;
      const { first } = this.#entries;
      if (first === undefined || !this.#wire.mayGo(first.job)) break;
      const error = await this.#try(first);
      if (error !== undefined && first.lastTry) {
        this.#take(first, timedOut());
        break;
      }
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
    const { first } = this.#entries;
    if (first === undefined || !this.#wire.mayGo(first.job)) return;
    this.#paused = setTimeout(() => this.wake(), this.#nextPause());
  }

  #nextPause(): number {
    const pause = this.#pause;
    this.#pause = Math.min(pause * 1.1, LONGEST_PAUSE);
    return Math.floor(pause);
  }

  async #try(entry: Entry<Job>): Promise<unknown> {
    entry.tried = true;
    try {
      await this.#wire.transmit(entry.job);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      entry.tried = false;
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
    this.#messages -= entry.messages;
    this.#wire.done(entry.job);
    if (error === undefined) entry.resolve();
    else entry.reject(error as ZmqError);
  }
}

function newEntry<Job>(job: Job, bytes: number): Entry<Job> {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const settled = new Promise<void>((...functions) => {
    [resolve, reject] = functions;
  });
  const links = { previous: undefined, next: undefined };
  return {
    job,
    bytes,
    messages: 1,
    settled,
    resolve,
    reject,
    timer: undefined,
    tried: false,
    lastTry: false,
    ...links,
  };
}
