// One signed socket's machinery: who it is, its outbox and its inbox, and whom it answers. The classes in classes.ts
// and the facade in signed.ts are thin shells around it.

import type { Codec } from "../codec/codec.js";
import { misuse } from "../errors.js";
import type { Session } from "../handshake/session.js";
import { Keyring, type KeySource } from "../keys/keyring.js";
import { assertSender } from "../keys/names.js";
import { zeroCounters } from "../reasons.js";
import { type Greeting, Handshake, type Outcome } from "../session/handshake.js";
import { identity } from "../session/identity.js";
import type { VerifierStats } from "../session/observer.js";
import { assertOptions, hopsOf, limitsOf } from "../session/options.js";
import { Origin } from "../session/origin.js";
import { Signer } from "../session/signer.js";
import { type Stranger, Verifier } from "../session/verifier.js";
import { NO_NONCE } from "../wire/control.js";
import type { MessageLike } from "../wire/frames.js";
import { greets, type Pattern, publishes, receives, sends, subscribes } from "../wire/patterns.js";
import { Acceptor, type AcceptorOptions } from "./acceptor.js";
import type { LoginOptions } from "./attempts.js";
import { batchOptionsOf } from "./batches.js";
import { Greeter } from "./greeter.js";
import { Inbox, type Received } from "./inbox.js";
import { type Liaison, NO_LIAISON } from "./liaison.js";
import { Login } from "./login.js";
import { type Addressed, Outbox } from "./outbox.js";
import type { RawSocket } from "./raw-socket.js";
import { type Addressee, type ReturnAddress, ReturnAddresses, type Unclear } from "./return-addresses.js";
import { type SessionPlan, sessionPlanOf } from "./session-options.js";
import { Sessions } from "./sessions.js";
import type { SigningOptions } from "./signing-options.js";
import { SyncAnswers } from "./sync-answers.js";
import { type ReadyOptions, Synchroniser } from "./synchroniser.js";
import { WayTable } from "./ways.js";
import { notSupported, unreachable } from "./zmq-errors.js";

/** Counters of a signed socket. */
export interface SocketStats extends VerifierStats {
  /** Messages signed and handed to ZeroMQ. */
  readonly sent: number;
  /** Messages that wait in front of `send`. */
  readonly queued: number;
}

/** What a line is made of. */
export interface LineOptions {
  readonly pattern: Pattern;
  readonly signing: SigningOptions;
  readonly codec: Codec<unknown> | undefined;
  readonly sendTimeout: number;
  /** Whether the socket keeps only the last message: then every message must be one frame. */
  readonly conflate: boolean;
  /** ROUTER's option; see {@link MAY_REFUSE}. */
  readonly mandatory: boolean;
  /** PUB's option; see {@link MAY_REFUSE}. */
  readonly noDrop: boolean;
  /** REQ's option. */
  readonly relaxed?: boolean;
  /** Whether the socket may have been connected or bound before: then nobody knows whether it has one peer. */
  readonly peersUnknown?: boolean;
}

/** The options with which a writable socket may still not take a message. */
export const MAY_REFUSE = ["mandatory", "noDrop"] as const;

/** The machinery between an application and a zeromq.js socket. */
export class Line {
  /** REQ: whether the application has relaxed it; libzmq does not say. */
  relaxed: boolean;
  readonly #raw: RawSocket;
  readonly #pattern: Pattern;
  readonly #signing: SigningOptions;
  readonly #conflate: boolean;
  readonly #hops: number;
  readonly #outbox: Outbox | undefined;
  readonly #inbox: Inbox | undefined;
  readonly #verifier: Verifier | undefined;
  readonly #returnAddresses: ReturnAddresses;
  readonly #mayRefuse: Record<(typeof MAY_REFUSE)[number], boolean>;
  /** REP: who waits for the answer. */
  #asker: Addressee | undefined;
  #endpoints = 0;
  #liaison: Liaison = NO_LIAISON;
  readonly #synchroniser: Synchroniser | undefined;
  #sessions: Sessions | undefined;
  /** ROUTER: where each session was heard from last. */
  readonly #ways: WayTable | undefined;

  constructor(raw: RawSocket, options: LineOptions) {
    const { pattern, signing, codec, sendTimeout, conflate } = options;
    assertOptions(signing);
    this.relaxed = options.relaxed ?? false;
    this.#raw = raw;
    this.#pattern = pattern;
    this.#signing = signing;
    this.#conflate = conflate;
    this.#hops = hopsOf(signing);
    const limits = limitsOf(signing);
    this.#returnAddresses = new ReturnAddresses(limits.peers);
    this.#mayRefuse = { mandatory: options.mandatory, noDrop: options.noDrop };
    const { to, reply, batch, login: _, accept: __, sessions: ___, onSession, ...session } = signing;
    if (to !== undefined && typeof to !== "function") assertSender(to, "to");
    assertReply(reply);
    const gathers = !ONE_BY_ONE.includes(pattern);
    const bounds = batchOptionsOf(batch);
    const plan = sessionPlanOf(signing, pattern);
    if (plan !== undefined) {
      this.#sessions = new Sessions(limits.peers, onSession);
      this.#sessions.onRevoked((user) => this.#inbox?.expel(user));
      this.#ways = pattern === "router" ? new WayTable(limits.peers) : undefined;
    }
    const key = this.#sessions?.book ?? Keyring.from(signing.key as KeySource);
    const common = { ...session, pattern, key, sender: identity(signing.sender) };
    // The signer last: it claims its stream's name, which nobody would release if anything here threw after it.
    if (receives(pattern)) this.#verifier = new Verifier(common);
    if (sends(pattern)) {
      const signer = new Signer(conflate ? { ...common, limits: { ...limits, inline: Infinity } } : common);
      const address = (given: MessageLike, frames: readonly Buffer[]) => this.#address(given, frames);
      this.#outbox = new Outbox(raw, signer, {
        codec,
        address,
        hops: this.#hops,
        queueBytes: limits.queueBytes,
        sendTimeout,
        batch: gathers ? bounds : undefined,
        mayRefuse: () => this.#mayRefuse.mandatory || this.#mayRefuse.noDrop,
        resubscribed: () => this.resubscribed(),
        liaison: () => this.#liaison,
      });
      if (plan !== undefined) {
        this.#liaison = this.#sessionLiaison(raw, plan, signer.identity.name, this.#verifier as Verifier);
      } else if (this.#verifier !== undefined && greets(pattern)) {
        this.#liaison = this.#greeter(raw, signer, this.#verifier, limits.peers);
      }
      if (publishes(pattern)) this.#liaison = this.#syncAnswers(raw);
    }
    if (this.#verifier !== undefined && subscribes(pattern)) {
      this.#synchroniser = this.#newSynchroniser(raw, this.#verifier, limits.peers);
      this.#liaison = this.#synchroniser;
    }
    if (this.#verifier !== undefined) {
      this.#inbox = new Inbox(raw, this.#verifier, {
        codec,
        hops: this.#hops,
        takeRequestTag: () => this.#outbox?.takeRequestTag(),
        mayAskAgain: () => pattern === "req" && this.wake(),
        learn: (frames, index, origin) => this.#learn(frames, index, origin),
        liaison: this.#liaison,
        asksControl: () => this.#outbox?.asksControl ?? false,
      });
    }
    if (options.peersUnknown) this.addEndpoint("bind");
  }

  /** Resolves when publishers have answered; only on a SUB or XSUB. */
  ready(options?: ReadyOptions): Promise<void> {
    return (this.#synchroniser as Synchroniser).ready(options);
  }

  #newSynchroniser(raw: RawSocket, verifier: Verifier, limit: number): Synchroniser {
    const wire = {
      subscribe(topic: Buffer, wanted: boolean) {
        if (raw.open) raw.subscribe(topic, wanted);
        return raw.open;
      },
      pump: () => this.#inbox?.pump(),
      get closed() {
        return raw.closed;
      },
    };
    const { admit, maxAge } = this.#signing;
    return new Synchroniser(verifier, wire, { demands: admit === "challenge", maxAge, limit });
  }

  #syncAnswers(raw: RawSocket): SyncAnswers {
    const body = (answer: Buffer) => ({ answer, ask: NO_NONCE, known: 0 });
    const wire = {
      answer: (nonce: Buffer, topic: Buffer) => {
        const greeting = { kind: "sync" as const, body: body(nonce), stranger: undefined };
        void this.#outbox?.sendControl(greeting, [topic], null);
      },
      pump: () => this.#inbox?.pump(),
      get readable() {
        return raw.open && raw.readable;
      },
      receive: () => raw.receive(),
      get closed() {
        return raw.closed;
      },
    };
    return new SyncAnswers(wire, this.#pattern === "pub");
  }

  #greeter(raw: RawSocket, signer: Signer, verifier: Verifier, limit: number): Greeter {
    const pattern = this.#pattern;
    const demands = this.#signing.admit === "challenge";
    const wire = {
      send: (greeting: Greeting) => this.#greet(greeting),
      pump: () => this.#inbox?.pump(),
      unanswered: () => this.#outbox?.asksControl ?? false,
      waiting: () => this.#outbox?.queued ?? 0,
      delimits: () => this.#outbox?.delimits ?? false,
      wake: () => this.wake(),
      tell: (outcome: Outcome, { origin }: Stranger) => {
        if (outcome.refused !== undefined) verifier.refuseControl(outcome.refused, origin);
        verifier.tell(outcome, origin);
      },
      get closed() {
        return raw.closed;
      },
    };
    const opens = demands && OPENS.includes(pattern) && this.#hops === 0;
    const options = { demands, opens, challenges: pattern !== "req", alternates: pattern === "rep", limit };
    return new Greeter(new Handshake(signer, verifier, demands, limit), wire, options);
  }

  /** Sessions take the place of hello, challenge and echo. */
  #sessionLiaison(raw: RawSocket, plan: SessionPlan, name: string, verifier: Verifier): Liaison {
    const outbox = this.#outbox as Outbox;
    const sessions = this.#sessions as Sessions;
    const at = { name, channel: verifier.channel };
    const wire = {
      send: (routing: readonly Buffer[], frame: Buffer) => outbox.sendUnsigned([...routing, frame]),
      pump: () => this.#inbox?.pump(),
      wake: () => this.wake(),
      begin: ({ receiveKey, peerPattern }: Session) => verifier.beginSession(receiveKey, peerPattern),
      unanswered: () => outbox.asksControl,
      waiting: () => outbox.queued,
      delimits: () => this.#pattern === "dealer" && outbox.delimits,
      traffic: () => outbox.sent + verifier.accepted,
      heard: () => verifier.accepted,
      handed: () => outbox.handed,
      get closed() {
        return raw.closed;
      },
    };
    const pattern = this.#pattern as LoginOptions["pattern"] & AcceptorOptions["pattern"];
    return plan.end === "client"
      ? new Login(wire, { ...plan, ...at, pattern }, sessions)
      : new Acceptor(wire, { ...plan, ...at, pattern }, sessions);
  }

  /** The sessions of this socket; none on one that signs with keys of its own. */
  get sessions(): Sessions {
    this.#sessions ??= new Sessions(1, undefined);
    return this.#sessions;
  }

  async #greet(greeting: Greeting): Promise<boolean> {
    const { to } = this.#signing;
    const routing = this.#pattern === "dealer" && this.#outbox?.delimits ? [EMPTY] : [];
    return (await this.#outbox?.sendControl(greeting, routing, typeof to === "string" ? to : null)) ?? false;
  }

  /** Signs and sends, or queues. */
  send(message: unknown): Promise<void> | undefined {
    return this.#outbox?.send(message);
  }

  /** The next genuine message; `undefined` on a socket that receives none. */
  receive(): Promise<Received> | undefined {
    // zeromq.js has the method on every class. What the XPUB underneath a PUB receives is not its application's.
    if (this.#pattern === "pub") return Promise.reject(notSupported());
    return this.#inbox?.receive();
  }

  /** The rest of a batch is ready without asking ZeroMQ. */
  get hasReady(): boolean {
    return this.#inbox?.hasReady ?? false;
  }

  get stats(): SocketStats {
    return {
      ...(this.#verifier?.stats ?? NOTHING_RECEIVED),
      sent: this.#outbox?.sent ?? 0,
      queued: this.#outbox?.queued ?? 0,
    };
  }

  get sendTimeout(): number {
    return this.#outbox?.sendTimeout ?? -1;
  }

  set sendTimeout(milliseconds: number) {
    if (typeof milliseconds !== "number") throw new TypeError("Option value must be a number");
    if (this.#outbox !== undefined) this.#outbox.sendTimeout = milliseconds;
  }

  /** `mandatory` or `noDrop` was set on the socket. */
  setMayRefuse(option: (typeof MAY_REFUSE)[number], value: boolean): void {
    this.#mayRefuse[option] = value;
  }

  /** Throws where a second connection would spread what is said over receivers that do not know of each other. */
  assertMayConnectAgain(): void {
    const { admit, receivers } = this.#signing;
    const hasOnePeer = this.#pattern === "dealer" || this.#pattern === "req";
    if (hasOnePeer && this.#signing.login !== undefined)
      throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", ONE_SERVER);
    if (admit !== "challenge" || receivers === "shared" || !hasOnePeer) return;
    throw misuse(
      "ERR_COUNTERSIGN_NOT_SUPPORTED",
      `With admit: "challenge" a ${this.#pattern} has one peer: a second connection would spread its messages, and the ` +
        'answers to a challenge, over both. Make a socket for each, or, where both receivers share one state, say so: receivers: "shared".',
    );
  }

  /** The socket connected (one more peer) or bound (any number). */
  addEndpoint(kind: "connect" | "bind"): void {
    this.#endpoints += kind === "connect" ? 1 : 2;
    this.#liaison.begin();
  }

  /** The subscription changed: what was not asked for is not lost. */
  resubscribed(): void {
    this.#verifier?.resetGaps();
    this.#synchroniser?.resubscribed();
  }

  /** A bind or unbind has ended: what waits may go. */
  wake(): void {
    this.#outbox?.wake();
  }

  /**
   * The socket is about to be closed. What this library said unasked is not worth waiting for: with nobody there it would keep
   * the process for ever, as no message of the application's does that has arrived, or was never sent.
   */
  flush(): void {
    this.#outbox?.flush();
    const { delivered } = this.#liaison;
    const nothingIsLeft = delivered !== undefined && delivered === this.#outbox?.handed;
    if (nothingIsLeft && this.#raw.open) this.#raw.leave();
  }

  /** The socket is closed. */
  close(): void {
    this.#liaison.close();
    this.#outbox?.close();
  }

  /** Who can be answered from now on: by the frames in front of the signature at `index`. */
  #learn(frames: readonly Buffer[], index: number, origin: Origin | undefined): void {
    if (this.#pattern === "rep") this.#asker = origin ?? null;
    if (this.#pattern !== "router") return;
    const ids = 1 + this.#hops;
    this.#returnAddresses.learn(frames, ids, origin ?? null, index > ids);
    if (origin !== undefined) this.#ways?.learn(origin, frames, ids);
  }

  #address(given: MessageLike, frames: readonly Buffer[]): Addressed {
    if (this.#pattern === "rep") return this.#answer({ addressee: this.#asker ?? null, delimited: false });
    if (this.#pattern === "router") return this.#routed(given, frames);
    return { target: { to: this.#named(given), onePeer: this.#hasOnePeer() }, delimited: false };
  }

  /**
   * A ROUTER answers whom it received the id buffers from. Anything else that looks like such an id is a claim, and
   * whom `to` names is asked first.
   */
  #routed(given: MessageLike, frames: readonly Buffer[]): Addressed {
    const ids = 1 + this.#hops;
    const received = this.#returnAddresses.ofBuffers(Array.isArray(given) ? given.slice(0, ids) : [given]);
    if (received !== undefined) return this.#answer(received);
    const to = this.#named(given);
    const found = this.#returnAddresses.ofBytes(frames.slice(0, ids));
    const clear = typeof found !== "string";
    if (clear && (to === undefined || to === found.addressee?.sender)) return this.#answer(found);
    if (to !== undefined) return { target: { to }, delimited: false };
    const error = misuse("ERR_COUNTERSIGN_RECIPIENT", NO_RECIPIENT[found as Unclear]);
    throw found === "unknown" && this.#mayRefuse.mandatory ? unreachable(error) : error;
  }

  #answer({ addressee, delimited }: ReturnAddress): Addressed {
    const { policy, reply } = this.#signing;
    const plain = addressee === null && policy === "report" && reply === "as-received";
    const way = addressee === null ? undefined : this.#wayTo(addressee);
    return { target: plain ? "plain" : { to: addressee }, delimited, way };
  }

  /** With sessions an answer goes where the session, or a newer one of that peer, was heard from last. */
  #wayTo(addressee: Origin): readonly Buffer[] | undefined {
    if (this.#ways === undefined) return undefined;
    const { book } = this.#sessions as Sessions;
    const standing = book.answered(Origin.peerOf(addressee).key, addressee.sender);
    return standing && this.#ways.to(standing.session.lineage);
  }

  #named(given: MessageLike): string | undefined {
    const { to } = this.#signing;
    if (typeof to !== "function") return to;
    const name = to(given);
    if (name !== undefined) assertSender(name, "to");
    return name;
  }

  #hasOnePeer(): boolean {
    const oneByNature = this.#pattern === "pair" || (this.#pattern === "dealer" && this.#endpoints === 1);
    return oneByNature && !this.#conflate;
  }
}

/** Whose messages have nothing to wait for: they alternate with those of the other end. */
const ONE_BY_ONE: readonly Pattern[] = ["req", "rep"];
/** Who says hello: whoever has one other end, and speaks first. */
const OPENS: readonly Pattern[] = ["dealer", "req", "pair"];
const EMPTY = Buffer.alloc(0);

const ONE_SERVER =
  "A socket that logs in has one server: a second connection would spread its messages over both. Make a socket for each.";

const NO_RECIPIENT = {
  unknown:
    "No verified message came from this routing id, so there is no name to address. Answer with the id buffer that " +
    "you received, or set signing.to to a name or a function that gives it.",
  ambiguous:
    "Messages of more than one sender, or a request while another was unanswered, came from this routing id. Answer " +
    "with the id buffer that you received instead of a copy, or set signing.to to a function that gives the name.",
} as const;

const NOTHING_RECEIVED: VerifierStats = {
  accepted: 0,
  unsigned: 0,
  rejected: zeroCounters(),
  gaps: 0,
  lost: 0,
  streams: 0,
  forgotten: 0,
  twins: 0,
};

function assertReply(reply: unknown): void {
  if (reply === undefined || reply === "signed" || reply === "as-received") return;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    `signing.reply must be "signed" or "as-received"; got ${String(reply)}.`,
  );
}
