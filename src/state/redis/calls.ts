// The way to one table: calls go in batches, one batch under way at a time, so that they are carried out in the order in
// which they were made whatever the client does (resend, redirect, reconnect), and none of them is made twice.

import type { Outage } from "./outage.js";

/** One call of the table's script, by name. */
export type Call = readonly [name: string, ...args: unknown[]];

/** When a batch was called for, on the server's clock: what the script needs to know of time. */
export interface Timing {
  /** The moment at which its oldest call was made, at the earliest. */
  readonly called: number;
  /** The moment after which nobody waits for the answer, at the latest. */
  readonly deadline: number;
  /** The latest moment of the server's that is known. */
  readonly seen: number;
}

/** What the table's script answers. */
export type Reply =
  | { readonly status: "done"; readonly now: number; readonly answers: readonly string[] }
  | { readonly status: "overdue"; readonly now: number };

/** Carries out a batch. Rejects where that fails; then nobody knows whether it was carried out. */
export type CarryOut = (batch: readonly Call[], timing: Timing) => Promise<Reply>;

/** Calls to a batch, at most: what Redis does in about a millisecond. */
const BATCH = 256;
/** Calls that may wait, at most: more are refused at once. */
const MOST_WAITING = 65_536;
/** Milliseconds between a failure and the next attempt. */
const PAUSE = 100;
/** How many times the timeout a client may keep a batch before it is taken for lost. */
const PATIENCE = 10;
/** Milliseconds that one reading of the server's clock is good for. */
const READING_LIFE = 60_000;
const MICROS = 1000;

interface Waiting {
  readonly call: Call;
  /** Whether it must be carried out before anything after it is, however long that takes. */
  readonly lasting: boolean;
  readonly calledAt: number;
  readonly timer: NodeJS.Timeout;
  settled: boolean;
  readonly settle: (answer: string | undefined) => void;
}

/** A reading of the server's clock. */
interface Reading {
  readonly now: number;
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** Calls to one table. */
export class Calls {
  readonly #queue: Waiting[] = [];
  #underWay = false;
  #reading: Reading | undefined;
  /** The server's clock when it first answered: calls made before that are taken to be made then. */
  #opened = 0;
  readonly #carryOut: CarryOut;
  readonly #timeout: number;
  readonly #outage: Outage;

  /** @param timeout  milliseconds that a call may take */
  constructor(carryOut: CarryOut, timeout: number, outage: Outage) {
    this.#carryOut = carryOut;
    this.#timeout = timeout;
    this.#outage = outage;
  }

  /** Sees to it that the table exists: what is said from now on is heard. */
  open(): void {
    void this.#run();
  }

  /** This moment on the server's clock, at the earliest; 0 while it has not answered yet. */
  get moment(): number {
    if (this.#reading === undefined) return 0;
    const { now, receivedAt } = this.#reading;
    return Math.max(Math.floor(now + (performance.now() - receivedAt) * MICROS), this.#opened);
  }

  /** What the server answers; `undefined` where it does not answer in time. */
  make(call: Call, lasting = false): Promise<string | undefined> {
    if (this.#queue.length >= MOST_WAITING && !lasting) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      // A process that was busy itself reads first what came meanwhile.
      const timer = setTimeout(() => setImmediate(() => this.#giveUp(waiting)), this.#timeout);
      const waiting: Waiting = {
        call,
        lasting,
        calledAt: performance.now(),
        timer,
        settled: false,
        settle: (answer) => {
          clearTimeout(timer);
          waiting.settled = true;
          resolve(answer);
        },
      };
      this.#queue.push(waiting);
      void this.#run();
    });
  }

  #giveUp(waiting: Waiting): void {
    if (waiting.settled) return;
    this.#failed(new Error(`no answer within ${this.#timeout} ms`));
    waiting.settle(undefined);
  }

  async #run(): Promise<void> {
    if (this.#underWay) return;
    this.#underWay = true;
    // What is called in this turn goes together.
    await undefined;
    do {
      if (!(await this.#next())) await pause(PAUSE);
    } while (this.#queue.length > 0 || this.#opened === 0);
    this.#underWay = false;
  }

  /** Carries out the next batch; returns whether it was. */
  async #next(): Promise<boolean> {
    if (this.#isOutdated()) {
      if ((await this.#attempt([])) !== undefined) return true;
      this.#refuse(this.#queue.splice(0));
      return false;
    }
    const batch = this.#takeBatch();
    if (batch.length === 0) return true;
    const reply = await this.#attempt(batch);
    if (reply?.status === "done") {
      for (const [at, waiting] of batch.entries()) waiting.settle(reply.answers[at]);
      return true;
    }
    // Overdue calls were not made, and with a new reading of the clock they can be.
    if (reply !== undefined) this.#queue.unshift(...batch);
    else this.#refuse(batch);
    return reply !== undefined;
  }

  /** Nobody knows whether these were carried out. What must be, is called again. */
  #refuse(calls: readonly Waiting[]): void {
    this.#queue.unshift(...calls.filter(({ lasting }) => lasting));
    for (const waiting of calls) waiting.settle(undefined);
  }

  async #attempt(batch: readonly Waiting[]): Promise<Reply | undefined> {
    const sentAt = performance.now();
    try {
      const calls = batch.map(({ call }) => call);
      const reply = await this.#patiently(this.#carryOut(calls, this.#timing(batch, sentAt)));
      this.#reading = { now: reply.now, sentAt, receivedAt: performance.now() };
      if (this.#opened === 0) this.#opened = reply.now;
      if (performance.now() - sentAt < this.#timeout) this.#outage.answered();
      return reply;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #isOutdated(): boolean {
    return this.#reading === undefined || performance.now() - this.#reading.receivedAt > READING_LIFE;
  }

  #takeBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let taken = 0;
    while (taken < this.#queue.length && batch.length < BATCH) {
      const waiting = this.#queue[taken++] as Waiting;
      if (waiting.lasting || !waiting.settled) batch.push(waiting);
    }
    this.#queue.splice(0, taken);
    return batch;
  }

  #timing(batch: readonly Waiting[], sentAt: number): Timing {
    if (this.#reading === undefined) return { called: 0, deadline: 0, seen: 0 };
    const { now, receivedAt, sentAt: askedAt } = this.#reading;
    const oldest = batch.find(({ lasting }) => !lasting)?.calledAt ?? sentAt;
    const called = Math.floor(now + (oldest - receivedAt) * MICROS);
    const deadline = Math.ceil(now + (sentAt - askedAt + this.#timeout) * MICROS);
    return { called: Math.max(called, this.#opened), deadline, seen: now };
  }

  /** A client keeps what it cannot send, and sends it when it can: until then nothing more is given to it. */
  #patiently(reply: Promise<Reply>): Promise<Reply> {
    const patience = this.#timeout * PATIENCE;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no answer within ${patience} ms`));
      }, patience).unref();
      reply.finally(() => clearTimeout(timer)).then(resolve, reject);
    });
  }

  #failed(cause: unknown): void {
    this.#outage.failed(cause, "messages are refused as state-unavailable until it answers.");
  }
}

/** Does not keep the process alive: whoever waits for an answer does. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
