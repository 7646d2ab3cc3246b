// The way to one table: calls go in batches, one batch under way at a time, so that they are carried out in the order in
// which they were made whatever the client does (resend, redirect, reconnect). Batches are numbered, and the script
// carries none out twice.

/** One call of the table's script, by name. */
export type Call = readonly [name: string, ...args: unknown[]];

/** Calls that are carried out together. */
export interface Batch {
  /** Its number: each is higher than the one before. */
  readonly number: number;
  readonly calls: readonly Call[];
}

/** When a batch was called for, in the table's moments: what the script needs to know of time. */
export interface Timing {
  /** When its oldest call was made, at the earliest, if the server's clock has run on since. */
  readonly called: number;
  /** When it was sent: the same. */
  readonly sent: number;
  /** The moment after which nobody waits for the answer, at the latest. */
  readonly deadline: number;
  /** The latest moment that is known. */
  readonly seen: number;
  /** The first moment that is known of this life of the table's. */
  readonly opened: number;
}

/** What the table's script answers. */
export interface Reply {
  /** Overdue calls were not made. */
  readonly status: "done" | "overdue";
  /** A moment before all that are still to come. */
  readonly now: number;
  /** The life of the table: memory was lost between two of them. */
  readonly life: string;
  readonly answers: readonly string[];
}

/** Carries out a batch. Rejects where that fails; then nobody knows whether it was carried out. */
export type CarryOut = (batch: Batch, timing: Timing) => Promise<Reply>;

/** Calls to a batch, at most: what Redis does in about a millisecond. */
const BATCH = 256;
/** Calls that may wait, at most: more are refused at once. */
const MOST_WAITING = 65_536;
/** Milliseconds between a failure and the next attempt. */
const PAUSE = 100;
/** How many times the timeout a client may keep a batch before it is taken for lost. */
export const PATIENCE = 10;
/** Milliseconds that one reading is good for. */
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

/** A moment of the table's, and when it was read. */
interface Reading {
  readonly now: number;
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** Calls to one table. */
export class Calls {
  readonly #queue: Waiting[] = [];
  #underWay = false;
  #batches = 0;
  /** How many calls were given up, for no answer came in time. */
  #givenUp = 0;
  #reading: Reading | undefined;
  #life: string | undefined;
  #isFirstLife = true;
  /** The first moment that is known of this life. */
  #opened = 0;
  readonly #carryOut: CarryOut;
  readonly #timeout: number;
  readonly #failed: (cause: unknown) => void;
  readonly #answered: () => void;

  /**
   * @param timeout   milliseconds that a call may take
   * @param failed    told that the server did not answer, or with an error
   * @param answered  told that it did, and nobody was left waiting meanwhile
   */
  constructor(carryOut: CarryOut, timeout: number, failed: (cause: unknown) => void, answered: () => void) {
    this.#carryOut = carryOut;
    this.#timeout = timeout;
    this.#failed = failed;
    this.#answered = answered;
  }

  /** Sees to it that the table exists: what is said from now on is heard. */
  open(): void {
    void this.#run();
  }

  /**
   * A moment before all that are still to come; 0 while none is known. Nothing is added for the time since it was read:
   * the server's clock may have been set back.
   */
  get moment(): number {
    return this.#reading?.now ?? 0;
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
    this.#givenUp++;
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
    const givenUp = this.#givenUp;
    try {
      const numbered = { number: ++this.#batches, calls: batch.map(({ call }) => call) };
      const reply = await this.#patiently(this.#carryOut(numbered, this.#timing(batch, sentAt)));
      this.#note(reply, sentAt);
      if (this.#givenUp === givenUp) this.#answered();
      return reply;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #note({ now, life }: Reply, sentAt: number): void {
    this.#reading = { now, sentAt, receivedAt: performance.now() };
    if (life === this.#life) return;
    this.#isFirstLife = this.#life === undefined;
    this.#life = life;
    this.#opened = now;
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
    if (this.#reading === undefined) return { called: 0, sent: 0, deadline: 0, seen: 0, opened: 0 };
    const { now: seen, receivedAt, sentAt: askedAt } = this.#reading;
    const oldest = batch.find(({ lasting }) => !lasting)?.calledAt ?? sentAt;
    const momentAt = (at: number) => Math.floor(seen + (at - receivedAt) * MICROS);
    // What was called before the server first answered is taken to be called then.
    const called = Math.max(momentAt(oldest), this.#isFirstLife ? this.#opened : 0);
    const deadline = Math.ceil(seen + (sentAt - askedAt + this.#timeout) * MICROS);
    return { called, sent: momentAt(sentAt), deadline, seen, opened: this.#opened };
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
}

/** Does not keep the process alive: whoever waits for an answer does. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
