// The server's side of sessions on a socket: cookies for whoever says hello, handshakes under way in bounded number and each
// with a time of its own, new keys for whoever asks, and a word to whoever speaks under a session that is gone.

import { randomBytes } from "node:crypto";
import type { Standing } from "../handshake/book.js";
import { Cookies } from "../handshake/cookie.js";
import type { Failure } from "../handshake/failures.js";
import { type Fields, type Message, read, write } from "../handshake/messages.js";
import { aliveMessage, answerRenewal, idOf, isAlive } from "../handshake/renewal.js";
import { type ServerExchange, serverExchange } from "../handshake/server.js";
import type { Parties, Session } from "../handshake/session.js";
import { type Liaison, type Parley, SessionLiaison, type SessionSide } from "./liaison.js";
import { type Pending, PendingTable } from "./pending.js";
import type { SessionPlan } from "./session-options.js";
import type { SessionWire } from "./session-wire.js";
import type { Sessions } from "./sessions.js";
import { Ticker } from "./ticker.js";
import { pathOf, Visitors } from "./visitors.js";

/** Who lets in, and where. */
export type AcceptorOptions = SessionPlan & { readonly end: "server" } & {
  readonly name: string;
  readonly pattern: "router" | "rep" | "pair";
  readonly channel: string;
};

/** What a client that asked for new keys was answered. */
interface Renewed {
  readonly asked: Buffer;
  readonly reply: Buffer;
}

/** Milliseconds between looks at what has arrived: while a handshake is under way, and otherwise. */
const EAGER = 2;
const IDLE = 25;

/** Lets in. */
export class Acceptor extends SessionLiaison implements Liaison {
  readonly sessions: SessionSide;
  readonly #wire: SessionWire;
  readonly #options: AcceptorOptions;
  readonly #sessions: Sessions;
  readonly #exchange: ServerExchange;
  readonly #cookies: Cookies;
  readonly #pending: PendingTable;
  readonly #visitors = new Visitors();
  readonly #renewals = new WeakMap<Standing, Renewed>();
  readonly #revoked = new Map<string, number>();
  #revocations = 0;
  readonly #ticker = new Ticker<Acceptor>(this, (acceptor) => acceptor.#tick());

  constructor(wire: SessionWire, options: AcceptorOptions, sessions: Sessions) {
    super();
    this.#wire = wire;
    this.#options = options;
    this.#sessions = sessions;
    this.#pending = new PendingTable(options.pending, {
      gaveUp: (failure, client) => sessions.refused(failure, client),
      // Nobody is left who could have begun before.
      emptied: () => this.#revoked.clear(),
    });
    this.#cookies = new Cookies(randomBytes(32), options.timeout);
    const { name, pattern, channel, accept: mechanisms } = options;
    this.#exchange = serverExchange({
      name,
      pattern,
      channel,
      mechanisms,
      random: randomBytes,
      cookies: this.#cookies,
      refuses: (parties) => this.#refuses(parties),
    });
    sessions.pending = () => this.#pending.size;
    sessions.onConfirmed = () => this.#wire.wake();
    sessions.onRevoked((user) => this.#revoke(user));
    this.sessions = {
      parley: (parley) => this.#parley(parley),
      strange: (frame, routing) => this.#tellLost(frame, routing),
    };
  }

  /** A PAIR's messages wait for somebody who can check them; the others name whom they answer. */
  get open(): boolean {
    if (this.#options.pattern !== "pair") return true;
    return this.#sessions.book.inUse;
  }

  begin(): void {
    this.#ticker.start(0);
  }

  expect(): void {}

  close(): void {
    this.#ticker.stop();
    this.#pending.clear();
  }

  #tick(): number | undefined {
    if (this.#wire.closed) return undefined;
    this.#wire.pump();
    this.#pending.expire(performance.now());
    return this.#pending.size > 0 ? EAGER : IDLE;
  }

  async #parley({ frame, routing }: Parley): Promise<boolean> {
    const message = read(frame);
    if (message === undefined) {
      this.#sessions.refused("malformed");
      return false;
    }
    switch (message.type) {
      case "hello":
        return this.#hello(frame, routing);
      case "open":
        return this.#open(message, frame, routing);
      case "step":
        return this.#goOn(message, frame, routing);
      case "renew":
        return this.#renew(message, frame, routing);
      case "alive":
        return this.#alive(message, routing);
      default:
        this.#sessions.refused("unexpected");
        return false;
    }
  }

  /** Costs two MACs and no memory. */
  async #hello(frame: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    if (!this.#visitors.mayHaveCookie()) return false;
    const { send } = await this.#exchange.step(this.#exchange.initial, frame, this.#arrival(pathOf(routing)));
    return send !== undefined && this.#wire.send(routing, send);
  }

  #arrival(path: string) {
    return { path: Buffer.from(path, "latin1"), now: performance.now() };
  }

  async #open(message: Fields<"open">, frame: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    const path = pathOf(routing);
    const name = nameOf(message, path);
    const known = this.#pending.get(name);
    if (known !== undefined) return this.#again(known, frame, routing);
    const client = message.client.toString("latin1");
    const arrival = this.#arrival(path);
    if (!this.#cookies.isGood(message.cookie, { ...message, path: arrival.path }, arrival.now)) {
      return this.#refuse("bad-cookie", message, routing, client);
    }
    if (!this.#visitors.mayBegin(path)) return this.#refuse("displaced", message, routing, client);
    const pending: Pending = {
      path,
      client,
      deadline: arrival.now + this.#options.timeout,
      began: this.#revocations,
      state: this.#exchange.initial,
      heard: frame,
      reply: undefined,
      busy: false,
    };
    this.#pending.enter(name, pending);
    this.#ticker.start(EAGER);
    return this.#step(name, pending, message, frame, routing);
  }

  async #goOn(message: Fields<"step">, frame: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    const name = nameOf(message, pathOf(routing));
    const pending = this.#pending.get(name);
    if (pending === undefined) return this.#refuse("unexpected", message, routing);
    if (pending.heard.equals(frame)) return this.#again(pending, frame, routing);
    if (pending.busy || pending.state.phase === "over") return false;
    pending.heard = frame;
    pending.reply = undefined;
    return this.#step(name, pending, message, frame, routing);
  }

  /** Said twice, answered twice, done once. */
  async #again({ heard, reply }: Pending, frame: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    return reply !== undefined && heard.equals(frame) && this.#wire.send(routing, reply);
  }

  async #step(
    name: string,
    pending: Pending,
    message: Pick<Fields<"step">, "nonce">,
    frame: Buffer,
    routing: readonly Buffer[],
  ): Promise<boolean> {
    pending.busy = true;
    try {
      const arrival = this.#arrival(pending.path);
      const step = this.#exchange.step(pending.state, frame, arrival);
      const { state, send, done, error, cause } = await this.#inTime(pending, step);
      if (this.#pending.get(name) !== pending) return false;
      if (error !== undefined) return this.#end(name, pending, error, message, routing, cause);
      if (done !== undefined) {
        // Asked again: of two that were let in at once, the first has the name by now.
        const revoked = this.#wasRevokedSince(done.user, pending.began);
        const refused = revoked ? "revoked" : this.#refuses(done);
        if (refused !== undefined) return this.#end(name, pending, refused, message, routing);
        this.#wire.begin(done);
        this.#sessions.established(done);
        this.#pending.finish(name);
      }
      pending.state = state;
      pending.reply = send;
      return send !== undefined && (await this.#wire.send(routing, send));
    } catch (cause) {
      // A mechanism or a store that breaks its contract refuses this client, and nobody else.
      if (this.#pending.get(name) !== pending) return false;
      return this.#end(name, pending, "unavailable", message, routing, cause);
    } finally {
      pending.busy = false;
    }
  }

  /** A REP waits for the answer, and must not wait for ever. */
  async #inTime<Result>({ deadline }: Pending, step: Promise<Result>): Promise<Result> {
    if (this.#options.pattern !== "rep") return step;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error("It did not answer in time.")),
        Math.max(0, deadline - performance.now()),
      );
    });
    try {
      return await Promise.race([step, over]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #end(
    name: string,
    pending: Pending,
    failure: Failure,
    message: Pick<Fields<"step">, "nonce">,
    routing: readonly Buffer[],
    cause?: unknown,
  ): Promise<boolean> {
    this.#pending.drop(name, undefined);
    return this.#refuse(failure, message, routing, pending.client, cause);
  }

  /** One word for all reasons. */
  async #refuse(
    failure: Failure,
    { nonce }: Pick<Fields<"step">, "nonce">,
    routing: readonly Buffer[],
    client?: string,
    cause?: unknown,
  ): Promise<boolean> {
    this.#sessions.refused(failure, client, cause);
    const mayHaveWord = this.#visitors.mayHaveWord(pathOf(routing));
    return mayHaveWord && this.#wire.send(routing, write("refused", { nonce }));
  }

  /** A name belongs to whoever has a session under it. */
  #refuses({ user, mechanism, client }: Parties): Failure | undefined {
    const session = this.#sessions.book.with(client)?.session;
    if (session === undefined) return undefined;
    return session.user === user && session.mechanism === mechanism ? undefined : "name-taken";
  }

  async #renew(message: Fields<"renew">, frame: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    for (const standing of this.#sessions.book.named(message.session)) {
      const renewed = this.#renewals.get(standing);
      if (renewed?.asked.equals(frame)) return this.#wire.send(routing, renewed.reply);
      const asking = [...generationsOf(standing)].find((session) => idOf(session).equals(message.session));
      if (asking === undefined) continue;
      const { send, done } = answerRenewal(asking, message, frame, randomBytes);
      if (send === undefined || done === undefined) continue;
      // It has what it asks under. Where it asks under older keys again, it never had the last new ones.
      this.#sessions.book.used(asking.receiveKey);
      this.#sessions.renewed(standing, done, false);
      this.#renewals.set(standing, { asked: Buffer.from(frame), reply: send });
      return this.#wire.send(routing, send);
    }
    return this.#tellLostSession(message.session, routing);
  }

  async #alive(message: Fields<"alive">, routing: readonly Buffer[]): Promise<boolean> {
    for (const standing of this.#sessions.book.named(message.session)) {
      for (const session of generationsOf(standing)) {
        if (!isAlive(session, message)) continue;
        this.#sessions.book.used(session.receiveKey);
        return this.#wire.send(routing, aliveMessage(session, message.nonce));
      }
    }
    return this.#tellLostSession(message.session, routing);
  }

  #tellLost(frame: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    return this.#tellLostSession(frame.subarray(8, 12), routing);
  }

  /** Unsigned, for there is no key: a client doubts its session then, and no more. */
  async #tellLostSession(id: Buffer, routing: readonly Buffer[]): Promise<boolean> {
    const path = pathOf(routing);
    // A REP answers each message, a REQ waits for its answer; of the others one in a while is enough.
    const mustAnswer = this.#options.pattern === "rep" || routing.at(-1)?.length === 0;
    if (!mustAnswer && !this.#visitors.mayBeTold(path)) return false;
    if (!this.#visitors.mayHaveWord(path)) return false;
    return this.#wire.send(routing, write("lost", { session: Buffer.from(id) }));
  }

  /** Also of those whose user is not known yet: it is asked again when it is. */
  #revoke(user: string): void {
    if (this.#pending.size > 0) this.#revoked.set(user, ++this.#revocations);
  }

  #wasRevokedSince(user: string, began: number): boolean {
    return (this.#revoked.get(user) ?? 0) > began;
  }
}

function* generationsOf({ session, before }: Standing): Iterable<Session> {
  yield session;
  if (before !== undefined) yield before;
}

function nameOf({ nonce }: Pick<Extract<Message, { type: "open" }>, "nonce">, path: string): string {
  return nonce.toString("latin1") + path;
}
