// Admission by challenge on SUB and XSUB (docs/wire.md, section 8.7): the subscriber asks by subscribing to a topic that holds
// its nonce, and every publisher of this library answers there how far it has come. It passes through XPUB/XSUB brokers.

import { randomBytes } from "node:crypto";
import { misuse } from "../errors.js";
import type { Reason } from "../reasons.js";
import type { Control, Marks, Verifier } from "../session/verifier.js";
import { syncTopic } from "../wire/control.js";
import { WIRE } from "../wire/limits.js";
import type { Heard, Liaison } from "./liaison.js";
import { Ticker } from "./ticker.js";

/** What a synchroniser needs of its socket. Unsubscribing is its own too: nonces are not the application's topics. */
export interface SynchroniserWire {
  /** Subscribes to a topic, or ends that; `false` where the socket is in other hands just now. */
  subscribe(topic: Buffer, wanted: boolean): boolean;
  /** Looks at what has arrived while the application does not. */
  pump(): void;
  readonly closed: boolean;
}

/** What `ready` waits for. */
export interface ReadyOptions {
  /** How many publishers must have answered. Default 1. */
  readonly publishers?: number | undefined;
  /** Milliseconds to wait for them. Default 10,000. */
  readonly timeout?: number | undefined;
}

/** A nonce that publishers may answer, each once. */
interface Question {
  readonly nonce: Buffer;
  readonly askedAt: number;
  /** When it was made, as the memory of streams knows it. */
  readonly made: Marks;
  /** The subscriptions that were in place before it. */
  readonly generation: number;
  readonly answeredBy: Set<string>;
  /** When it is withdrawn, in milliseconds; not before it is answered or replaced. */
  until: number;
}

interface Waiter {
  readonly publishers: number;
  readonly generation: number;
  readonly resolve: () => void;
}

/** Milliseconds between two questions while too few have answered: at first, and at the most. */
const FIRST_REPEAT = 50;
const LAST_REPEAT = 5000;
/** Milliseconds between two questions that unknown publishers give rise to. */
const SUSPECT_PAUSE = 100;
/** For so long after its first answer, or its successor, a question can be answered, in milliseconds. */
const KEPT = 2000;
/** Questions that can be answered at once. */
const MOST_QUESTIONS = 16;
/** Milliseconds between looks at what has arrived: while an answer is expected, and otherwise. */
const EAGER = 2;
const IDLE = 25;
const DEFAULT_TIMEOUT = 10_000;

/** Asks publishers how far they have come. */
export class Synchroniser implements Liaison {
  readonly open = true;
  readonly #verifier: Verifier;
  readonly #wire: SynchroniserWire;
  readonly #demands: boolean;
  readonly #period: number;
  readonly #limit: number;
  readonly #ticker = new Ticker<Synchroniser>(this, (synchroniser) => synchroniser.#tick());
  readonly #questions = new Map<string, Question>();
  /** Who has answered, and which subscriptions were in place then. */
  readonly #synchronised = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  #began = false;
  #askedAt = -Infinity;
  #repeat = FIRST_REPEAT;
  #generation = 0;
  #suspects = false;
  #lastRefusal: Reason | undefined;

  /**
   * @param demands  whether this end admits by challenge; an end that does not asks only for {@link ready}
   * @param maxAge   milliseconds; how often to ask follows from it
   * @param limit    most publishers remembered
   */
  constructor(
    verifier: Verifier,
    wire: SynchroniserWire,
    { demands, maxAge, limit }: { demands: boolean; maxAge: number | undefined; limit: number },
  ) {
    this.#verifier = verifier;
    this.#wire = wire;
    this.#demands = demands;
    this.#period = demands && maxAge !== undefined ? maxAge / 2 : Infinity;
    this.#limit = limit;
  }

  begin(): void {
    this.#began = true;
    this.#repeat = FIRST_REPEAT;
    if (this.#demands || this.#waiters.size > 0) this.#ask();
  }

  /** The application's subscriptions changed: an answer to an older question says nothing of them. */
  resubscribed(): void {
    this.#generation++;
  }

  /** Resolves when so many publishers have answered since the subscriptions are what they are. */
  ready({ publishers = 1, timeout = DEFAULT_TIMEOUT }: ReadyOptions = {}): Promise<void> {
    if (!Number.isInteger(publishers) || publishers < 1) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", "publishers must be a whole number of 1 or more.");
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(this.#notReady(waiter, timeout));
      }, timeout);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      const waiter: Waiter = { publishers, generation: this.#generation, resolve: done };
      this.#waiters.add(waiter);
      this.#settle();
      if (this.#waiters.has(waiter) && this.#began) this.#ask();
    });
  }

  expect(): void {}

  failed(): void {}

  subscribed(): boolean {
    return false;
  }

  async hear(control: Control): Promise<Heard> {
    const refused = await this.#take(control);
    if (refused !== undefined) {
      this.#lastRefusal = refused;
      this.#verifier.refuseControl(refused, control.origin);
    }
    return { answered: false, refused };
  }

  /** An unknown publisher, or a recording of one: whoever is live answers. */
  async challenge(reason: Reason): Promise<boolean> {
    if (!this.#demands || reason !== "not-live") return false;
    this.#suspects = true;
    this.#ticker.start(this.#untilSuspectsCount());
    return true;
  }

  close(): void {
    this.#ticker.stop();
  }

  async #take({ origin, body, routing: [topic] }: Control): Promise<Reason | undefined> {
    const question = this.#questions.get(body.answer.toString("hex"));
    const who = `${origin.pattern} ${origin.sender}`;
    if (question === undefined || !topic?.equals(syncTopic(question.nonce))) return "unasked";
    // Each publisher answers once: repeated after the stream was forgotten, its answer would begin it in the past.
    if (question.answeredBy.has(who) || question.answeredBy.size >= this.#limit) return "unasked";
    question.answeredBy.add(who);
    const result = await this.#verifier.begin({ origin, body }, question.made);
    if (result !== "begun") return result;
    this.#verifier.ages.note(origin, body.reached, question.askedAt);
    question.until = Math.min(question.until, performance.now() + KEPT);
    if (this.#synchronised.size >= this.#limit && !this.#synchronised.has(who)) {
      this.#synchronised.delete(this.#synchronised.keys().next().value as string);
    }
    this.#synchronised.set(who, Math.max(question.generation, this.#synchronised.get(who) ?? 0));
    this.#settle();
    return undefined;
  }

  #settle(): void {
    for (const waiter of this.#waiters) {
      if (this.#countOf(waiter) < waiter.publishers) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #countOf({ generation }: Waiter): number {
    let count = 0;
    for (const answered of this.#synchronised.values()) if (answered >= generation) count++;
    return count;
  }

  #tick(): number | undefined {
    if (this.#wire.closed) return undefined;
    this.#wire.pump();
    const now = performance.now();
    this.#withdraw(now);
    if (this.#mustAsk(now)) this.#ask();
    const expecting = this.#isWanting() && now - this.#askedAt < KEPT;
    return Math.min(expecting ? EAGER : IDLE, this.#period);
  }

  #mustAsk(now: number): boolean {
    if (!this.#began) return false;
    const passed = now - this.#askedAt;
    if (passed >= this.#period) return true;
    if (this.#suspects && passed >= SUSPECT_PAUSE) return true;
    return this.#isWanting() && passed >= this.#repeat;
  }

  /** Whether fewer publishers have answered than somebody waits for. */
  #isWanting(): boolean {
    return this.#waiters.size > 0 || (this.#demands && this.#synchronised.size === 0);
  }

  #untilSuspectsCount(): number {
    return Math.max(0, this.#askedAt + SUSPECT_PAUSE - performance.now());
  }

  #ask(): void {
    const nonce = randomBytes(WIRE.nonceBytes);
    const now = performance.now();
    this.#ticker.start(EAGER);
    if (!this.#wire.subscribe(syncTopic(nonce), true)) return;
    this.#repeat = Math.min(this.#repeat * 2, LAST_REPEAT);
    this.#askedAt = now;
    this.#suspects = false;
    for (const question of this.#questions.values()) question.until = Math.min(question.until, now + KEPT);
    const generation = this.#generation;
    const answeredBy = new Set<string>();
    const made = this.#verifier.mark();
    const question = {
      nonce,
      askedAt: this.#verifier.ages.now,
      made,
      generation,
      answeredBy,
      until: Infinity,
    };
    this.#questions.set(nonce.toString("hex"), question);
    this.#withdraw(now);
  }

  /** Unsubscribes what nobody needs to answer any more: brokers and reconnections repeat what is subscribed. */
  #withdraw(now: number): void {
    for (const [name, question] of this.#questions) {
      const isOver = question.until <= now || this.#questions.size > MOST_QUESTIONS;
      if (isOver && this.#wire.subscribe(syncTopic(question.nonce), false)) this.#questions.delete(name);
    }
  }

  #notReady(waiter: Waiter, timeout: number): Error {
    const count = this.#countOf(waiter);
    const why =
      this.#lastRefusal === undefined ? NOBODY : `The last answer was refused (${this.#lastRefusal}).`;
    return misuse(
      "ERR_COUNTERSIGN_NOT_READY",
      `${count} of ${waiter.publishers} publishers answered within ${timeout} ms. ${why}`,
    );
  }
}

const NOBODY =
  "Either no publisher is up or reachable, or it is none of Countersign's Publisher or XPublisher, or it has another key " +
  "or channel (see stats.rejected), or a broker on the way does not carry subscriptions to it, as an XPUB/XSUB proxy does.";
