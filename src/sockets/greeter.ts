// The socket's side of the handshake (session/handshake.ts): when hello is said and said again, who is challenged how
// often, and what waits until somebody is there who can check it.

import { createHash } from "node:crypto";
import type { Reason } from "../reasons.js";
import type { Greeting, Handshake, Outcome } from "../session/handshake.js";
import type { Control, Stranger } from "../session/verifier.js";
import type { Heard, Liaison } from "./liaison.js";
import { RateLimit } from "./rate-limit.js";
import { Ticker } from "./ticker.js";

/** What a greeter needs of its socket. */
export interface GreeterWire {
  /** Signs and sends at once; `false` where ZeroMQ does not take it now. */
  send(greeting: Greeting): Promise<boolean>;
  /** Looks at what has arrived while the application does not. */
  pump(): void;
  /** REQ: whether a message of this library's own waits for its answer, and everything else for that. */
  unanswered(): boolean;
  /** Messages of the application's that wait for this greeter. */
  waiting(): number;
  /** Whether the first of them has a delimiter, as a REP behind this DEALER needs. */
  delimits(): boolean;
  /** What waits may go. */
  wake(): void;
  /** Tells of what the other end said of this one. */
  tell(outcome: Outcome, stranger: Stranger): void;
  readonly closed: boolean;
}

/** How a greeter behaves. */
export interface GreeterOptions {
  /** Whether this end admits by challenge: then it looks at what arrives also while its application does not. */
  readonly demands: boolean;
  /** Whether this socket says hello, and what it sends waits for the answer; others answer alone. */
  readonly opens: boolean;
  /** Whether it may ask at any time; a REQ may not, it asks with its requests. */
  readonly challenges: boolean;
  /** Whether it must answer each message before it hears the next: a REP. */
  readonly alternates: boolean;
  /** Most streams whose last challenge is remembered. */
  readonly limit: number;
}

/** Milliseconds between hello and hello: at first, and at the most. */
const FIRST_REPEAT = 100;
const LAST_REPEAT = 10_000;
/** Milliseconds between looks at what has arrived: while an answer is expected, and otherwise. */
const EAGER = 2;
const IDLE = 25;
/** For so long after a hello its answer is expected, in milliseconds. */
const EXPECTED = 1000;
/** Milliseconds between two challenges of one stream, over one path, that nobody asked for. */
const SAME_STREAM = 100;
/** Milliseconds between two answers to one hello: whoever said it says it again later than that. */
const SAME_HELLO = 50;
/** Answers a second to whoever asks, and challenges to whoever is unknown. */
const ANSWERS = 5000;
/** Answers that wait for ZeroMQ to take them. */
const MOST_LATE = 64;

/** Says hello, answers, challenges. */
export class Greeter implements Liaison {
  readonly #handshake: Handshake;
  readonly #wire: GreeterWire;
  readonly #options: GreeterOptions;
  readonly #answers = new RateLimit(ANSWERS, ANSWERS);
  /** When whom was challenged, and which hello answered, over which path. */
  readonly #doneAt: Map<string, number> = new Map();
  readonly #ticker = new Ticker<Greeter>(this, (greeter) => greeter.#tick());
  readonly #late: Greeting[] = [];
  #open: boolean;
  #began = false;
  #hearing = 0;
  #greetedAt = -Infinity;
  /** When anything was said. */
  #saidAt = -Infinity;
  #repeat = FIRST_REPEAT;
  #delimited = false;

  constructor(handshake: Handshake, wire: GreeterWire, options: GreeterOptions) {
    this.#handshake = handshake;
    this.#wire = wire;
    this.#options = options;
    this.#open = !options.opens;
  }

  /** Only of what was never sent is anything known here. */
  get delivered(): number | undefined {
    return this.#options.opens ? 0 : undefined;
  }

  /** While a control message is being answered, what is sent must come behind the answer. */
  get open(): boolean {
    if (!this.#options.opens) return true;
    return this.#open && this.#late.length === 0 && this.#hearing === 0;
  }

  begin(): void {
    if (!this.#options.demands) return;
    this.#began = true;
    this.#ticker.start(0);
    if (this.#mayGreet()) void this.#greet();
  }

  expect(): void {
    if (this.open || !this.#began) return;
    if (this.#wire.delimits() !== this.#delimited) void this.#greet();
    this.#ticker.start(EAGER);
  }

  close(): void {
    this.#ticker.stop();
  }

  async hear(control: Control): Promise<Heard> {
    // A recording that is repeated and repeated must not use up the answers that others wait for.
    if (this.#isRepeated(control)) return { answered: false, refused: undefined };
    this.#hearing++;
    try {
      const outcome = await this.#handshake.receive(control);
      this.#wire.tell(outcome, control);
      const reply = outcome.reply ?? (await this.#inLockStep(control, outcome.refused));
      const answered = reply !== undefined && this.#answers.take() && (await this.#answer(reply));
      if (outcome.opens) this.#opened(control);
      return { answered, refused: outcome.refused };
    } catch {
      // The epoch could not be stored: nothing is signed until it is, and whoever asked asks again.
      return { answered: false, refused: undefined };
    } finally {
      this.#hearing--;
      if (this.open && this.#wire.waiting() > 0) this.#wire.wake();
    }
  }

  /** A REQ and a REP cannot go on without an answer: to what led to nothing it is another question. */
  async #inLockStep(control: Control, refused: Reason | undefined): Promise<Greeting | undefined> {
    if (!this.#options.alternates && control.origin.pattern !== "req") return undefined;
    if (refused === undefined) return this.#handshake.acknowledge(control);
    return this.#handshake.challenge({ reason: "not-live", stranger: control });
  }

  async challenge(reason: Reason, stranger: Stranger): Promise<boolean> {
    if (!this.#options.challenges || (reason !== "not-live" && reason !== "stale-epoch")) return false;
    if (!this.#mayChallenge(reason, stranger) || !this.#answers.take()) return false;
    const greeting = await this.#handshake.challenge({ reason, stranger });
    return greeting !== undefined && (await this.#answer(greeting));
  }

  failed(): void {
    this.#open = !this.#options.opens;
  }

  subscribed(): boolean {
    return false;
  }

  /** Whoever has answered and is unknown again has been forgotten since: he is asked at once. */
  #opened(stranger: Stranger): void {
    this.#doneAt.delete(`not-live ${pathOf(stranger)}`);
    this.#open = true;
    this.#repeat = FIRST_REPEAT;
  }

  async #answer(greeting: Greeting): Promise<boolean> {
    this.#saidAt = performance.now();
    if (await this.#wire.send(greeting)) return true;
    if (this.#late.length < MOST_LATE) this.#late.push(greeting);
    this.#ticker.start(EAGER);
    return false;
  }

  #tick(): number | undefined {
    if (this.#wire.closed) return undefined;
    this.#wire.pump();
    void this.#sendLate();
    if (this.#mustGreet()) void this.#greet();
    const expecting = !this.open && performance.now() - this.#greetedAt < EXPECTED;
    return expecting ? EAGER : IDLE;
  }

  #mayGreet(): boolean {
    return this.#began && this.#options.opens && !this.#open;
  }

  /** A REQ whose greeting, or the answer to it, got lost can neither go on nor wait for long. */
  #mustGreet(): boolean {
    const now = performance.now();
    if (this.#wire.unanswered()) {
      return this.#hearing === 0 && now - this.#saidAt >= Math.max(this.#repeat, EXPECTED);
    }
    return this.#mayGreet() && now - this.#greetedAt >= this.#repeat;
  }

  async #greet(): Promise<void> {
    this.#repeat = this.#greetedAt === -Infinity ? FIRST_REPEAT : Math.min(this.#repeat * 2, LAST_REPEAT);
    this.#greetedAt = performance.now();
    this.#saidAt = this.#greetedAt;
    this.#delimited = this.#wire.delimits();
    // Not taken: nobody is there yet, and asking again costs nothing.
    if (!(await this.#wire.send(this.#handshake.hello()))) this.#repeat = FIRST_REPEAT;
  }

  async #sendLate(): Promise<void> {
    for (let [first] = this.#late; first !== undefined; [first] = this.#late) {
      this.#late.shift();
      if (await this.#wire.send(first)) continue;
      this.#late.unshift(first);
      return;
    }
    if (this.open && this.#wire.waiting() > 0) this.#wire.wake();
  }

  /**
   * One stream that goes on and on is not challenged for each of its messages. It is over one path: whoever repeats its
   * messages over another must not keep its sender from being asked, nor what is stale keep what is unknown from it. A REP answers each anyway.
   */
  #mayChallenge(reason: Reason, stranger: Stranger): boolean {
    return this.#options.alternates || this.#isDue(`${reason} ${pathOf(stranger)}`, SAME_STREAM);
  }

  #isRepeated(control: Control): boolean {
    if (control.kind !== "hello" || this.#options.alternates) return false;
    return !this.#isDue(`${control.body.ask.toString("hex")} ${pathOf(control)}`, SAME_HELLO);
  }

  /** Whether this was not done in so many milliseconds; then it counts as done now. */
  #isDue(what: string, pause: number): boolean {
    const now = performance.now();
    if (now - (this.#doneAt.get(what) ?? -Infinity) < pause) return false;
    this.#doneAt.delete(what);
    if (this.#doneAt.size >= this.#options.limit) {
      this.#doneAt.delete(this.#doneAt.keys().next().value as string);
    }
    this.#doneAt.set(what, now);
    return true;
  }
}

/** A stream and the way back to it, in a few bytes: the frames that lead there are unsigned, and of any size. */
function pathOf({ origin: { sender, pattern }, routing }: Stranger): string {
  const hash = createHash("sha256");
  for (const frame of routing) hash.update(`${frame.length}:`).update(frame);
  return `${pattern} ${sender} ${hash.digest("base64")}`;
}
