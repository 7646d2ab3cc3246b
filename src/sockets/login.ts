// The client's side of sessions on a socket: when to log in (attempts.ts), when to renew the keys, what to do when the
// server has forgotten. What the application sends waits, unsigned, until a session stands.

import { randomBytes } from "node:crypto";
import { type Fields, NONCE_BYTES, read } from "../handshake/messages.js";
import {
  aliveMessage,
  beginRenewal,
  endRenewal,
  idOf,
  isAlive,
  type Renewing,
} from "../handshake/renewal.js";
import type { Session } from "../handshake/session.js";
import { Attempts, FIRST_PAUSE, LAST_PAUSE, type LoginOptions } from "./attempts.js";
import { type Liaison, type Parley, SessionLiaison, type SessionSide } from "./liaison.js";
import type { LoginWire } from "./session-wire.js";
import type { Sessions } from "./sessions.js";
import { LAST_REPEAT, type Said, Speaker } from "./speaker.js";
import { Ticker } from "./ticker.js";

/** New keys that were asked for. */
interface Renewal {
  readonly state: Renewing;
  readonly deadline: number;
  readonly said: Said;
}

/** A sign of life that was asked for. */
interface Question {
  readonly nonce: Buffer;
  readonly said: Said;
  /** Messages that ZeroMQ had been given before. */
  readonly handed: number;
}

/** Milliseconds that a session must have stood for its loss to be no sign of a quarrel over its name. */
const STEADY = 2000;
/** Milliseconds between looks at what has arrived: while an answer is expected, and otherwise. */
const EAGER = 2;
const IDLE = 25;

/** Logs in, and keeps the session. */
export class Login extends SessionLiaison implements Liaison {
  readonly sessions: SessionSide;
  readonly #wire: LoginWire;
  readonly #options: LoginOptions;
  readonly #sessions: Sessions;
  readonly #speaker: Speaker;
  readonly #attempts: Attempts;
  readonly #ticker = new Ticker<Login>(this, (login) => login.#tick());
  #began = false;
  #session: Session | undefined;
  /** The other end says that it does not know the session: what is sent would be lost if that is so. */
  #doubted = false;
  #establishedAt = 0;
  /** Before a session that was lost soon is made anew: another process may have this one's name, and lose it in turn. */
  #lossPause = 0;
  #renewal: Renewal | undefined;
  #renewAt = Infinity;
  #renewTraffic = 0;
  #heard = 0;
  #heardAt = 0;
  #question: Question | undefined;
  /** An answer to a sign of life shows that what was sent before that has arrived. */
  delivered = 0;

  constructor(wire: LoginWire, options: LoginOptions, sessions: Sessions) {
    super();
    this.#wire = wire;
    this.#options = options;
    this.#sessions = sessions;
    this.#speaker = new Speaker(wire, options.pattern);
    this.#attempts = new Attempts(this.#speaker, options, {
      established: (session) => this.#established(session),
      failed: (failure, cause) => sessions.refused(failure, undefined, cause),
    });
    sessions.pending = () => (this.#attempts.underWay ? 1 : 0);
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
    return this.#renewal !== undefined && this.#options.pattern === "req";
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
    this.#attempts.abandon();
    this.#renewal = undefined;
  }

  #tick(): number | undefined {
    if (this.#wire.closed) return undefined;
    this.#wire.pump();
    const now = performance.now();
    const session = this.#session;
    if (this.#attempts.underWay || session === undefined || this.#doubted) this.#attempts.pursue(now);
    else this.#keep(session, now);
    const expecting = this.#attempts.underWay || this.#renewal !== undefined || !this.open;
    return expecting ? EAGER : IDLE;
  }

  #established(session: Session): void {
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
    this.#renewal = undefined;
    this.#renewAt = now + this.#options.renewAfter;
    this.#renewTraffic = this.#wire.traffic() + this.#options.renewMessages;
    this.#heardAt = now;
    this.#question = undefined;
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
    const quietSince = Math.max(this.#heardAt, this.#question?.said.at ?? 0);
    if (this.#renewal !== undefined) {
      // Over without an answer: the keys go on, and new ones are asked for anew.
      if (now < this.#renewal.deadline) this.#speaker.sayAgain(this.#renewal.said, now);
      else this.#giveUpRenewal();
    } else if (now >= this.#renewAt || this.#wire.traffic() >= this.#renewTraffic) {
      this.#renew(session, now);
    } else if (now - quietSince >= this.#options.keepAlive) {
      this.#ask(session, now);
    } else if (this.#wire.unanswered()) {
      // A REQ: until it is answered, its application can ask nothing.
      if (this.#question === undefined) this.#ask(session, now);
      else this.#speaker.sayAgain(this.#question.said, now);
    }
  }

  #renew(session: Session, now: number): void {
    const { state, send } = beginRenewal(session, randomBytes);
    const deadline = now + this.#options.timeout;
    this.#renewal = { state, deadline, said: this.#speaker.say(send, now) };
  }

  #giveUpRenewal(): void {
    this.#renewal = undefined;
    this.#wire.wake();
  }

  #ask(session: Session, now: number): void {
    const nonce = randomBytes(NONCE_BYTES);
    const handed = this.#wire.handed();
    this.#question = {
      nonce,
      handed,
      said: this.#speaker.say(aliveMessage(session, nonce), now, LAST_REPEAT),
    };
  }

  async #parley({ frame }: Parley): Promise<boolean> {
    const message = read(frame);
    if (message === undefined) this.#sessions.refused("malformed");
    else if (message.type === "lost") this.#doubt(message);
    else if (message.type === "renewed") this.#renewed(message, frame);
    else if (message.type === "alive") this.#confirmed(message);
    else await this.#attempts.hear(message, frame);
    return false;
  }

  /**
   * Nobody has signed this: it may be an attacker's. So the session stands until a new one does, or until the server shows
   * that it knows it after all; but nothing is sent under it meanwhile, for it would be lost if it is true.
   */
  #doubt({ session: id }: Fields<"lost">): void {
    const session = this.#session;
    if (session === undefined || this.#doubted || !this.#names(session, id)) return;
    this.#doubted = true;
    this.#renewal = undefined;
    const now = performance.now();
    const soon = now - this.#establishedAt < STEADY;
    this.#lossPause = soon ? Math.min(Math.max(2 * this.#lossPause, FIRST_PAUSE), LAST_PAUSE) : 0;
    this.#attempts.putOff(now, this.#lossPause);
    if (this.#options.pattern !== "req") this.#ask(session, now);
    this.#attempts.pursue(now);
    this.#ticker.start(EAGER);
  }

  /** Its own application wants no more of this session: what is sent waits for the next one. */
  #revoke(user: string): void {
    if (this.#session?.user !== user) return;
    this.#session = undefined;
    this.#doubted = false;
    this.#renewal = undefined;
    this.#ticker.start(EAGER);
  }

  #names(session: Session, id: Buffer): boolean {
    if (idOf(session).equals(id)) return true;
    const before = this.#sessions.book.of(session.receiveKey)?.before;
    return before !== undefined && idOf(before).equals(id);
  }

  /** The server knows the session. */
  #confirmed(alive: Fields<"alive">): void {
    const [session, question] = [this.#session, this.#question];
    if (session === undefined || question === undefined) return;
    if (!alive.nonce.equals(question.nonce) || !isAlive(session, alive)) return;
    this.#heardAt = performance.now();
    this.delivered = question.handed;
    this.#sessions.book.used(session.receiveKey);
    if (!this.#doubted) return;
    this.#doubted = false;
    this.#attempts.abandon();
    this.#wire.wake();
  }

  #renewed(message: Fields<"renewed">, frame: Buffer): void {
    if (this.#renewal === undefined) return;
    const { done, error } = endRenewal(this.#renewal.state, message, frame);
    if (error !== undefined) this.#sessions.refused(error);
    if (done === undefined) return;
    const standing = this.#sessions.book.of(done.receiveKey);
    if (standing === undefined) return;
    this.#sessions.renewed(standing, done, true);
    this.#use(done);
  }
}
