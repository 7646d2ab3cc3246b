// The client's side of sessions on a socket: when to log in, what to say again, when to renew the keys, what to do when the
// server has forgotten. What the application sends waits, unsigned, until a session stands.

import { randomBytes } from "node:crypto";
import { type ClientExchange, type ClientState, clientExchange } from "../handshake/client.js";
import type { Failure } from "../handshake/failures.js";
import { type Fields, type Message, NONCE_BYTES, read } from "../handshake/messages.js";
import {
  aliveMessage,
  beginRenewal,
  endRenewal,
  idOf,
  isAlive,
  type Renewing,
} from "../handshake/renewal.js";
import type { Session } from "../handshake/session.js";
import { type Liaison, type Parley, SessionLiaison, type SessionSide } from "./liaison.js";
import type { SessionPlan } from "./session-options.js";
import type { Sessions } from "./sessions.js";
import { Ticker } from "./ticker.js";

/** What both sides need of their socket. */
export interface SessionWire {
  /** Sends a message of a handshake at once; `false` where ZeroMQ does not take it now. */
  send(routing: readonly Buffer[], frame: Buffer): Promise<boolean>;
  /** Looks at what has arrived while the application does not. */
  pump(): void;
  /** What waits may go. */
  wake(): void;
  /** A session stands: its stream begins. */
  begin(session: Session): void;
  readonly closed: boolean;
}

/** What a client needs besides. */
export interface LoginWire extends SessionWire {
  /** REQ: whether a message of this library's own waits for its answer. */
  unanswered(): boolean;
  /** Messages of the application's that wait. */
  waiting(): number;
  /** Whether the first of them has a delimiter, as a REP behind this DEALER needs. */
  delimits(): boolean;
  /** Messages that were sent and accepted so far. */
  traffic(): number;
  /** Messages that were accepted so far. */
  heard(): number;
  /** Messages that ZeroMQ was given so far. */
  handed(): number;
}

/** Who logs in, and where. */
export type LoginOptions = SessionPlan & { readonly end: "client" } & {
  readonly name: string;
  readonly pattern: "dealer" | "req" | "pair";
  readonly channel: string;
};

/** A message that waits for its answer, and is said again until then. */
interface Said {
  frame: Buffer;
  at: number;
  repeat: number;
}

interface Attempt {
  readonly exchange: ClientExchange;
  state: ClientState;
  readonly deadline: number;
  said: Said;
  /** A step may take long; what comes meanwhile is said again by the server's leave. */
  busy: boolean;
}

/** Milliseconds until a message is said again: at first, and at the most. */
const FIRST_REPEAT = 100;
const LAST_REPEAT = 2000;
/** A REQ makes a new connection for it. */
const FIRST_REPEAT_OF_REQ = 1000;
/** Milliseconds between two attempts to log in, when one has failed: at first, and at the most. */
const FIRST_PAUSE = 250;
const LAST_PAUSE = 30_000;
/** Milliseconds that a session must have stood for its loss to be no sign of a quarrel over its name. */
const STEADY = 2000;
const NOTHING_SAID: Said = { frame: Buffer.alloc(0), at: 0, repeat: 0 };
/** Milliseconds between looks at what has arrived: while an answer is expected, and otherwise. */
const EAGER = 2;
const IDLE = 25;

/** Logs in, and keeps the session. */
export class Login extends SessionLiaison implements Liaison {
  readonly sessions: SessionSide;
  readonly #wire: LoginWire;
  readonly #options: LoginOptions;
  readonly #sessions: Sessions;
  readonly #ticker = new Ticker<Login>(this, (login) => login.#tick());
  #began = false;
  #attempt: Attempt | undefined;
  #renewing: (Said & { state: Renewing; readonly deadline: number }) | undefined;
  #session: Session | undefined;
  /** The other end says that it does not know the session: what is sent would be lost if that is so. */
  #doubted = false;
  #pause = FIRST_PAUSE;
  #nextAttempt = 0;
  #establishedAt = 0;
  /** Before a session that was lost soon is made anew: another process may have this one's name, and lose it in turn. */
  #lossPause = 0;
  #renewAt = Infinity;
  #renewTraffic = 0;
  #heard = 0;
  #heardAt = 0;
  #alive: Said & { nonce: Buffer; handed: number } = { ...NOTHING_SAID, nonce: Buffer.alloc(0), handed: 0 };
  /** An answer to a sign of life shows that what was sent before that has arrived. */
  delivered = 0;
  #delimited = false;

  constructor(wire: LoginWire, options: LoginOptions, sessions: Sessions) {
    super();
    this.#wire = wire;
    this.#options = options;
    this.#sessions = sessions;
    sessions.pending = () => (this.#attempt === undefined ? 0 : 1);
    sessions.onRevoked((user) => this.#revoke(user));
    this.sessions = {
      parley: (parley) => this.#parley(parley),
      strange: async () => false,
    };
  }

  get open(): boolean {
    return this.#session !== undefined && !this.#doubted && !this.#mustGiveWay();
  }

  /** A REQ has one question at a time: that for new keys goes before the next of its application's. */
  #mustGiveWay(): boolean {
    return this.#renewing !== undefined && this.#options.pattern === "req";
  }

  begin(): void {
    this.#began = true;
    this.#ticker.start(0);
  }

  expect(): void {
    if (this.#began && !this.open) this.#ticker.start(EAGER);
  }

  close(): void {
    this.#ticker.stop();
    this.#attempt = undefined;
    this.#renewing = undefined;
  }

  #tick(): number | undefined {
    if (this.#wire.closed) return undefined;
    this.#wire.pump();
    const now = performance.now();
    const attempt = this.#attempt;
    if (attempt !== undefined) this.#pursue(attempt, now);
    else if (this.#session === undefined || this.#doubted) this.#mayBegin(now);
    else this.#keep(this.#session, now);
    const expecting = this.#attempt !== undefined || this.#renewing !== undefined || !this.open;
    return expecting ? EAGER : IDLE;
  }

  #mayBegin(now: number): void {
    if (!this.#began || now < this.#nextAttempt) return;
    const { name, pattern, channel, login: mechanism, timeout } = this.#options;
    const exchange = clientExchange({ name, pattern, channel, mechanism, random: randomBytes });
    const said = { frame: Buffer.alloc(0), at: now, repeat: FIRST_REPEAT };
    const attempt = { exchange, state: exchange.initial, deadline: now + timeout, said, busy: false };
    this.#attempt = attempt;
    this.#delimited = this.#wire.delimits();
    void this.#step(attempt, Buffer.alloc(0));
  }

  #pursue(attempt: Attempt, now: number): void {
    if (now >= attempt.deadline) {
      // Nobody was there. That is no refusal, and no reason to wait longer each time.
      if (attempt.state.phase === "hello") this.#pause = FIRST_PAUSE;
      this.#fail("timeout");
    } else if (!attempt.busy) this.#sayAgain(attempt.said, now);
  }

  /** What was not answered may have been lost, or never have been taken: it is the same bytes, and asks nothing new. */
  #sayAgain(said: Said, now: number): void {
    if (now - said.at < said.repeat) return;
    said.at = now;
    said.repeat = Math.min(said.repeat * 2, LAST_REPEAT);
    // A DEALER in front of a REP needs a delimiter, which the first message shows.
    if (this.#wire.waiting() > 0) this.#delimited = this.#wire.delimits();
    void this.#send(said);
  }

  async #send(said: Said): Promise<void> {
    const sent = await this.#wire.send(this.#delimited ? [EMPTY] : [], said.frame);
    // Not taken: nobody is there yet, or a REQ waits for something else.
    const first = this.#options.pattern === "req" ? FIRST_REPEAT_OF_REQ : FIRST_REPEAT;
    said.repeat = sent ? Math.max(said.repeat, first) : EAGER;
  }

  async #step(attempt: Attempt, frame: Buffer): Promise<void> {
    attempt.busy = true;
    try {
      const { state, send, done, error, cause } = await attempt.exchange.step(attempt.state, frame);
      if (this.#attempt !== attempt || this.#wire.closed) return;
      attempt.state = state;
      if (error !== undefined) return this.#fail(error, cause);
      if (done !== undefined) return this.#established(done);
      if (send === undefined) return;
      attempt.said = { frame: send, at: performance.now(), repeat: FIRST_REPEAT };
      await this.#send(attempt.said);
    } catch (cause) {
      // What the application gave for a password could not be had.
      if (this.#attempt === attempt) this.#fail("unavailable", cause);
    } finally {
      attempt.busy = false;
    }
  }

  #fail(failure: Failure, cause?: unknown): void {
    this.#attempt = undefined;
    this.#nextAttempt = performance.now() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
    this.#sessions.refused(failure, undefined, cause);
  }

  #established(session: Session): void {
    this.#attempt = undefined;
    this.#pause = FIRST_PAUSE;
    this.#establishedAt = performance.now();
    this.#wire.begin(session);
    this.#sessions.established(session);
    this.#use(session);
  }

  /** From now on this is what is signed with. */
  #use(session: Session): void {
    const now = performance.now();
    this.#session = session;
    this.#doubted = false;
    this.#renewing = undefined;
    this.#renewAt = now + this.#options.renewAfter;
    this.#renewTraffic = this.#wire.traffic() + this.#options.renewMessages;
    this.#heardAt = now;
    // The server must know that it may speak; a REQ asks before anything is said to it.
    if (this.#options.pattern !== "req") this.#ask(session, now);
    this.#wire.wake();
  }

  /** A session that stands: are its keys to be renewed, is the server still there? */
  #keep(session: Session, now: number): void {
    const heard = this.#wire.heard();
    if (heard !== this.#heard) {
      this.#heard = heard;
      this.#heardAt = now;
    }
    const { renewAfter: _, timeout, keepAlive } = this.#options;
    if (this.#renewing !== undefined) {
      // Over without an answer: the keys go on, and new ones are asked for anew.
      if (now < this.#renewing.deadline) this.#sayAgain(this.#renewing, now);
      else this.#giveUpRenewal();
    } else if (now >= this.#renewAt || this.#wire.traffic() >= this.#renewTraffic) {
      const { state, send } = beginRenewal(session, randomBytes);
      this.#renewing = { state, frame: send, at: now, repeat: FIRST_REPEAT, deadline: now + timeout };
      void this.#send(this.#renewing);
    } else if (now - Math.max(this.#heardAt, this.#alive.at) >= keepAlive) {
      this.#ask(session, now);
    } else if (this.#wire.unanswered()) {
      // A REQ: until it is answered, its application can ask nothing.
      if (this.#alive.frame.length === 0) this.#ask(session, now);
      else this.#sayAgain(this.#alive, now);
    }
  }

  #giveUpRenewal(): void {
    this.#renewing = undefined;
    this.#wire.wake();
  }

  #ask(session: Session, now: number): void {
    const nonce = randomBytes(NONCE_BYTES);
    const handed = this.#wire.handed();
    this.#alive = { nonce, frame: aliveMessage(session, nonce), at: now, repeat: LAST_REPEAT, handed };
    void this.#send(this.#alive);
  }

  async #parley({ frame }: Parley): Promise<boolean> {
    const message = read(frame);
    if (message === undefined) this.#sessions.refused("malformed");
    else if (message.type === "lost") this.#doubt(message);
    else if (message.type === "renewed") this.#renewed(message, frame);
    else if (message.type === "alive") this.#confirmed(message);
    else if (this.#attempt !== undefined && !this.#attempt.busy)
      await this.#advance(this.#attempt, message, frame);
    return false;
  }

  async #advance(attempt: Attempt, { type }: Message, frame: Buffer): Promise<void> {
    if (type === "refused" && attempt.state.phase === "hello") return;
    await this.#step(attempt, frame);
  }

  /**
   * Nobody has signed this: it may be an attacker's. So the session stands until a new one does, or until the server shows
   * that it knows it after all; but nothing is sent under it meanwhile, for it would be lost if it is true.
   */
  #doubt({ session: id }: Fields<"lost">): void {
    const session = this.#session;
    if (session === undefined || this.#doubted || !this.#names(session, id)) return;
    this.#doubted = true;
    this.#renewing = undefined;
    const now = performance.now();
    const soon = now - this.#establishedAt < STEADY;
    this.#lossPause = soon ? Math.min(Math.max(2 * this.#lossPause, FIRST_PAUSE), LAST_PAUSE) : 0;
    this.#nextAttempt = now + this.#lossPause;
    if (this.#options.pattern !== "req") this.#ask(session, now);
    this.#mayBegin(now);
    this.#ticker.start(EAGER);
  }

  /** Its own application wants no more of this session: what is sent waits for the next one. */
  #revoke(user: string): void {
    if (this.#session?.user !== user) return;
    this.#session = undefined;
    this.#doubted = false;
    this.#renewing = undefined;
    this.#ticker.start(EAGER);
  }

  #names(session: Session, id: Buffer): boolean {
    if (idOf(session).equals(id)) return true;
    const before = this.#sessions.book.of(session.receiveKey)?.before;
    return before !== undefined && idOf(before).equals(id);
  }

  /** The server knows the session. */
  #confirmed(alive: Fields<"alive">): void {
    const session = this.#session;
    if (session === undefined || !alive.nonce.equals(this.#alive.nonce) || !isAlive(session, alive)) return;
    this.#heardAt = performance.now();
    this.delivered = this.#alive.handed;
    this.#sessions.book.used(session.receiveKey);
    if (!this.#doubted) return;
    this.#doubted = false;
    this.#attempt = undefined;
    this.#wire.wake();
  }

  #renewed(message: Fields<"renewed">, frame: Buffer): void {
    if (this.#renewing === undefined) return;
    const { done, error } = endRenewal(this.#renewing.state, message, frame);
    if (error !== undefined) this.#sessions.refused(error);
    if (done === undefined) return;
    const standing = this.#sessions.book.of(done.receiveKey);
    if (standing === undefined) return;
    this.#sessions.renewed(standing, done, true);
    this.#use(done);
  }
}

const EMPTY = Buffer.alloc(0);
