// One login after another until there is a session: what to say next, how long to wait for an answer, and how long to pause
// when one has failed.

import { randomBytes } from "node:crypto";
import { type ClientExchange, type ClientState, clientExchange } from "../handshake/client.js";
import type { Failure } from "../handshake/failures.js";
import type { Message } from "../handshake/messages.js";
import type { Session } from "../handshake/session.js";
import type { SessionPlan } from "./session-options.js";
import type { Said, Speaker } from "./speaker.js";

/** Who logs in, and where. */
export type LoginOptions = SessionPlan & { readonly end: "client" } & {
  readonly name: string;
  readonly pattern: "dealer" | "req" | "pair";
  readonly channel: string;
};

/** What attempts lead to. */
export interface AttemptListeners {
  readonly established: (session: Session) => void;
  readonly failed: (failure: Failure, cause: unknown) => void;
}

interface Attempt {
  readonly exchange: ClientExchange;
  state: ClientState;
  readonly deadline: number;
  said: Said | undefined;
  /** A step may take long; what comes meanwhile is said again by the server's leave. */
  busy: boolean;
}

/** Milliseconds between two attempts, when one has failed: at first, and at the most. */
export const FIRST_PAUSE = 250;
export const LAST_PAUSE = 30_000;
const NOTHING = Buffer.alloc(0);

/** Attempts to log in: at most one is under way. */
export class Attempts {
  readonly #speaker: Speaker;
  readonly #options: LoginOptions;
  readonly #listeners: AttemptListeners;
  #current: Attempt | undefined;
  #pause = FIRST_PAUSE;
  #next = 0;

  constructor(speaker: Speaker, options: LoginOptions, listeners: AttemptListeners) {
    this.#speaker = speaker;
    this.#options = options;
    this.#listeners = listeners;
  }

  get underWay(): boolean {
    return this.#current !== undefined;
  }

  /** Goes on with the one that is under way, or begins one if the pause is over. */
  pursue(now: number): void {
    const attempt = this.#current;
    if (attempt === undefined) this.#begin(now);
    else if (now >= attempt.deadline) {
      // Nobody was there. That is no refusal, and no reason to wait longer each time.
      if (attempt.state.phase === "hello") this.#pause = FIRST_PAUSE;
      this.#fail("timeout");
    } else if (attempt.said !== undefined && !attempt.busy) this.#speaker.sayAgain(attempt.said, now);
  }

  /** None before `now + pause`. */
  putOff(now: number, pause: number): void {
    this.#next = now + pause;
  }

  /** There is a session after all. */
  abandon(): void {
    this.#current = undefined;
  }

  /** What the server says of it. */
  async hear({ type }: Message, frame: Buffer): Promise<void> {
    const attempt = this.#current;
    if (attempt === undefined || attempt.busy) return;
    // Of an earlier attempt: this one has not asked for anything yet.
    if (type === "refused" && attempt.state.phase === "hello") return;
    await this.#step(attempt, frame);
  }

  #begin(now: number): void {
    if (now < this.#next) return;
    const { name, pattern, channel, login: mechanism, timeout } = this.#options;
    const exchange = clientExchange({ name, pattern, channel, mechanism, random: randomBytes });
    const deadline = now + timeout;
    const attempt = { exchange, state: exchange.initial, deadline, said: undefined, busy: false };
    this.#current = attempt;
    void this.#step(attempt, NOTHING);
  }

  async #step(attempt: Attempt, frame: Buffer): Promise<void> {
    attempt.busy = true;
    try {
      const { state, send, done, error, cause } = await attempt.exchange.step(attempt.state, frame);
      if (this.#current !== attempt) return;
      attempt.state = state;
      if (error !== undefined) this.#fail(error, cause);
      else if (done !== undefined) this.#establish(done);
      else if (send !== undefined) attempt.said = this.#speaker.say(send, performance.now());
    } catch (cause) {
      // What the application gave for a password could not be had.
      if (this.#current === attempt) this.#fail("unavailable", cause);
    } finally {
      attempt.busy = false;
    }
  }

  #establish(session: Session): void {
    this.#current = undefined;
    this.#pause = FIRST_PAUSE;
    this.#listeners.established(session);
  }

  #fail(failure: Failure, cause?: unknown): void {
    this.#current = undefined;
    this.#next = performance.now() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
    this.#listeners.failed(failure, cause);
  }
}
