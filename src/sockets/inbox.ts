// The receiving half of a signed socket: wire, verifier, codec. A refused message never ends the loop and never
// reaches the application; only a REQ, which waits for exactly one reply, is told by an error.

import type { Codec } from "../codec/codec.js";
import { CodecError } from "../codec/error.js";
import { BadReplyError } from "../errors.js";
import { isHandshake } from "../handshake/messages.js";
import type { Reason } from "../reasons.js";
import type { Eventual } from "../replay/state.js";
import type { Origin } from "../session/origin.js";
import {
  type Control,
  type Delivery,
  isControlMessage,
  type Verdict,
  type Verifier,
} from "../session/verifier.js";
import { REFUSED } from "../wire/form.js";
import { isSubscription, type Position, signaturePosition } from "../wire/position.js";
import { BURST } from "./burst.js";
import type { Liaison, Parley, SessionSide } from "./liaison.js";
import { type Signed, withOrigin } from "./message.js";
import type { RawSocket } from "./raw-socket.js";
import { busyReading, codeOf, timedOut } from "./zmq-errors.js";

/** A message as the application gets it. */
export type Received = Signed<unknown[]>;

/** A verified message before its codec. */
interface Verified {
  readonly frames: Buffer[];
  readonly origin: Origin | undefined;
  /** Its user was revoked while it waited. */
  expelled?: boolean;
}

/** What a received message turned out to be, whenever that is known; nothing where it was not for this level at all. */
type Examined = Eventual<Verdict | Control | Parley | Strange | undefined>;

/** A message that came under no session that stands. */
type Strange = Extract<Verdict, { ok: false }> & { readonly strange: Pick<Parley, "frame" | "routing"> };

/** What an inbox is made of. */
export interface InboxOptions {
  readonly codec: Codec<unknown> | undefined;
  readonly hops: number;
  /** REQ: the tag of the request that waited for a reply, and does no longer. */
  readonly takeRequestTag: () => Buffer | undefined;
  /** REQ: the reply was looked at, what waits to be asked may go. */
  readonly mayAskAgain: () => void;
  /** Called with each message right before it is handed on: who can be answered, by the frames before `index`. */
  readonly learn: (frames: readonly Buffer[], index: number, origin: Origin | undefined) => void;
  /** Who admits whom. */
  readonly liaison: Liaison;
  /** REQ: whether what waits for a reply is a message of this library's own. */
  readonly asksControl: () => boolean;
}

/** What an inbox needs of a verifier. */
export type InboxVerifier = Pick<
  Verifier,
  "pattern" | "examine" | "withdraw" | "refuseControl" | "refuseUnsigned"
>;

/** Messages that are received ahead of the application, while it does not ask: so many, or so many bytes. */
const MOST_AHEAD = 64;
const MOST_BYTES_AHEAD = 2 ** 20;
/** Messages that may wait together for a memory elsewhere. */
const MOST_IN_FLIGHT = 256;

/** Receives and verifies, one message at a time, as zeromq.js does. */
export class Inbox {
  readonly #raw: RawSocket;
  readonly #verifier: InboxVerifier;
  readonly #options: InboxOptions;
  /** Verified, and not yet asked for: the rest of a batch, what came while the application did something else. */
  readonly #ready: Verified[] = [];
  #readyBytes = 0;
  /** In the hands of the codec. */
  #decoding: Verified | undefined;
  #receiving = false;
  /** When the application asked for the message that it is waiting for. */
  #began = 0;
  #pumping: Promise<undefined> | undefined;
  /** REQ: whether the reply that is being examined is to a message of this library's own. */
  #asksControl = false;

  constructor(raw: RawSocket, verifier: InboxVerifier, options: InboxOptions) {
    this.#raw = raw;
    this.#verifier = verifier;
    this.#options = options;
  }

  /** Whether a verified message is here already. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** The next genuine message. Throws and rejects as zeromq.js does, and with {@link BadReplyError} on a REQ. */
  receive(): Promise<Received> {
    if (this.#receiving) throw busyReading();
    const isReady = this.hasReady && this.#raw.open;
    if (isReady && this.#pumping === undefined) return this.#receiveReady();
    const pending = this.#pumping === undefined ? this.#raw.receive() : undefined;
    this.#receiving = true;
    this.#began = performance.now();
    if (pending !== undefined) return pending.then(this.#onArrival, this.#onFailure);
    return this.#search(this.#pumping);
  }

  /** What zeromq.js gave: nearly always one message for the application, which it gets without another tick. */
  readonly #onArrival = (frames: Buffer[]): Received | Promise<Received> => {
    let message: Eventual<Received | undefined>;
    try {
      const examined = this.#examine(frames);
      if (!isDelivery(examined)) return this.#search(this.#accept(examined));
      for (const delivery of examined.rest) this.#addReady(delivery);
      message = this.#handOn(examined);
    } catch (error) {
      this.#receiving = false;
      throw error;
    }
    if (message === undefined || message instanceof Promise) return this.#search(message);
    this.#receiving = false;
    return message;
  };

  readonly #onFailure = (error: unknown): Promise<Received> => this.#search(this.#failed(error));

  /** What is ready is handed on at once, as what arrives. */
  #receiveReady(): Promise<Received> {
    this.#receiving = true;
    const message = this.#handOnNext();
    if (message === undefined || message instanceof Promise) {
      this.#began = performance.now();
      return this.#search(message);
    }
    this.#receiving = false;
    return Promise.resolve(message);
  }

  /** Of a user who was revoked, nothing that waits is handed on: whichever of his sessions it came under, and when that ended. */
  expel(user: string): void {
    const waiting = this.#decoding === undefined ? this.#ready : [this.#decoding, ...this.#ready];
    for (const verified of waiting) if (verified.origin?.user === user) verified.expelled = true;
  }

  /** Looks at what has arrived, while nobody has asked for it: a control message must not wait until somebody does. */
  pump(): void {
    if (this.#receiving || this.#pumping !== undefined) return;
    this.#pumping = this.#lookAhead().finally(() => {
      this.#pumping = undefined;
    });
  }

  async #lookAhead(): Promise<undefined> {
    while (!this.#receiving && !this.#isFull() && this.#raw.open && this.#raw.readable) {
      try {
        await this.#take(await this.#raw.receive());
      } catch {
        // The socket was closed meanwhile: whoever asks next is told by zeromq.js.
        return;
      }
    }
  }

  /** A REQ has one reply to look at, and looks ahead only for those to its own messages. */
  #isFull(): boolean {
    if (this.#verifier.pattern === "req" && !this.#options.asksControl()) return true;
    return this.#ready.length >= MOST_AHEAD || this.#readyBytes >= MOST_BYTES_AHEAD;
  }

  /** Goes on until there is a message for the application, once what is under way has come to something. */
  async #search(underWay: Eventual<Received | undefined>): Promise<Received> {
    let refused = 0;
    try {
      const found = await underWay;
      if (found) return found;
      for (;;) {
        const message = await this.#handOnNext();
        if (message !== undefined) return message;
        if (this.hasReady) continue;
        refused++;
        const frames = await this.#arrived(this.#whenOpen(() => this.#receiveMore(refused)));
        if (frames !== undefined) await this.#take(frames);
      }
    } catch (error) {
      // What zeromq.js says of a socket that was closed while a receive was put off to let the event loop in.
      throw this.#raw.closed && codeOf(error) === "ENOTSOCK" ? timedOut() : error;
    } finally {
      this.#receiving = false;
    }
  }

  async #arrived(pending: Promise<Buffer[]>): Promise<Buffer[] | undefined> {
    try {
      return await pending;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /**
   * A REP's or REQ's libzmq drops what has no delimiter, and zeromq.js, which was woken by it, rejects as if the time were
   * over. Anybody can send that: it is one more message that was refused.
   */
  async #failed(error: unknown): Promise<undefined> {
    const timeout = this.#raw.closed ? 0 : this.#raw.receiveTimeout;
    const isOver = timeout === 0 || (timeout > 0 && performance.now() - this.#began >= timeout);
    if (isOver || codeOf(error) !== "EAGAIN") throw error;
  }

  /** Junk must not stretch the application's timeout: what is left of it counts from the call. */
  #receiveMore(refused: number): Promise<Buffer[]> {
    const timeout = this.#raw.receiveTimeout;
    // Whoever does not want to wait at all is not made to look through a flood of junk either.
    if (timeout === 0 && refused >= BURST) throw timedOut();
    if (timeout <= 0) return this.#raw.receive();
    const left = timeout - (performance.now() - this.#began);
    if (left <= 0) throw timedOut();
    this.#raw.receiveTimeout = Math.ceil(left);
    try {
      return this.#raw.receive();
    } finally {
      this.#raw.receiveTimeout = timeout;
    }
  }

  /** A receive that is pending outlives a bind, and ends with EAGAIN when the socket is closed, as with zeromq.js. */
  async #whenOpen<Result>(operation: () => Promise<Result>): Promise<Result> {
    while (!this.#raw.open && !this.#raw.closed) await this.#raw.handedBack();
    if (this.#raw.closed) throw timedOut();
    return operation();
  }

  /** Verifies a message and puts it among those that are ready. */
  #take(frames: Buffer[]): Promise<undefined> {
    return this.#accept(this.#examine(frames));
  }

  /**
   * Where the memory is elsewhere, all that have arrived are asked about before the first answer is waited for: they are
   * ruled on in order, and taken in order. Not behind a message to this end itself: it may be what admits those that come
   * after it.
   */
  async #accept(first: Examined): Promise<undefined> {
    if (!(first instanceof Promise)) return this.#settle(first);
    const inFlight: Examined[] = [first];
    let last: Examined = first;
    while (
      last instanceof Promise &&
      inFlight.length < MOST_IN_FLIGHT &&
      this.#raw.open &&
      this.#raw.readable
    ) {
      last = this.#examine(await this.#raw.receive());
      inFlight.push(last);
    }
    for (const examined of inFlight) await this.#settle(await examined);
  }

  #examine(frames: Buffer[]): Examined {
    if (this.#isSubscription(frames)) {
      if (this.#options.liaison.subscribed(frames[0] as Buffer)) return undefined;
      return { ok: true, frames, origin: undefined, rest: [] };
    }
    this.#asksControl = this.#options.asksControl();
    const requestTag = this.#options.takeRequestTag();
    if (this.#options.liaison.sessions !== undefined) return this.#examineInSession(frames, requestTag);
    return this.#verifier.examine(frames, requestTag);
  }

  /** Messages of a handshake stand where a signature frame would, alone. Sessions are kept in this process: no waiting. */
  #examineInSession(frames: Buffer[], requestTag: Buffer | undefined): Examined {
    const { pattern } = this.#verifier;
    const { index } = signaturePosition(pattern, false, this.#options.hops, frames);
    const frame = frames[index];
    const routing = () => frames.slice(0, index);
    if (isHandshake(frame) && frames.length === index + 1) {
      return { ok: false, reason: "parley", frame, routing: routing() };
    }
    const examined = this.#verifier.examine(frames, requestTag) as Verdict | Control;
    if (examined.ok || frame === undefined || !STRANGE.includes(examined.reason)) return examined;
    return { ...(examined as Strange), strange: { frame, routing: routing() } };
  }

  #isSubscription(frames: Buffer[]): boolean {
    return this.#verifier.pattern === "xpub" && isSubscription(frames);
  }

  /** Sees to it that whatever was examined has its consequence: it is ready, refused, or was for this end itself. */
  async #settle(examined: Awaited<Examined>): Promise<undefined> {
    if (examined === undefined) return;
    if (!examined.ok && examined.reason === "parley") return this.#parley(examined);
    if (isControlMessage(examined)) {
      await this.#hear(examined);
      return;
    }
    if (examined.ok) {
      for (const delivery of [examined, ...examined.rest]) this.#addReady(delivery);
      return;
    }
    const { reason, stranger } = examined;
    const { sessions } = this.#options.liaison;
    if ("strange" in examined && (await this.#tellStrange(sessions as SessionSide, examined))) return;
    if (this.#verifier.pattern === "req") await this.#leaveReplyBehind();
    if (stranger !== undefined && (await this.#options.liaison.challenge(reason, stranger))) return;
    await this.#refuse(reason);
  }

  /**
   * A message of a handshake. What it leads to may take long (a password, a store), and nobody else waits for it: but a REP
   * must answer before it can hear another.
   */
  async #parley(parley: Parley): Promise<undefined> {
    const { pattern } = this.#verifier;
    const asked = this.#asksControl;
    const answered = (this.#options.liaison.sessions as SessionSide).parley(parley).catch(() => false);
    if (pattern === "rep" && !(await answered)) await this.#whenOpen(() => this.#raw.send([REFUSED]));
    if (pattern !== "req") return;
    this.#options.mayAskAgain();
    if (!asked) throw new BadReplyError(this.#verifier.refuseUnsigned("challenged").reason);
  }

  /** Whoever speaks under a session that is gone is told so. A REP answers with that, and a REQ can tell nobody. */
  async #tellStrange(sessions: SessionSide, { strange: { frame, routing } }: Strange): Promise<boolean> {
    if (this.#verifier.pattern === "req") return false;
    const told = sessions.strange(frame, routing).catch(() => false);
    return this.#verifier.pattern === "rep" && (await told);
  }

  /** A message to this end itself. A REP must answer something; a REQ that waits for its own reply is told of another. */
  async #hear(control: Control): Promise<void> {
    const { pattern } = this.#verifier;
    const asked = this.#asksControl;
    const { answered, refused } = await this.#options.liaison.hear(control);
    if (pattern === "rep" && !answered) await this.#whenOpen(() => this.#raw.send([REFUSED]));
    if (pattern !== "req") return;
    this.#options.mayAskAgain();
    if (asked) return;
    throw new BadReplyError(refused ?? this.#verifier.refuseControl("challenged", control.origin).reason);
  }

  #addReady(verified: Delivery | Verified): void {
    this.#ready.push(verified);
    this.#readyBytes += bytesOf(verified.frames);
  }

  /** The first message that is ready, for the application; `undefined` where there is none, or it was refused. */
  #handOnNext(): Eventual<Received | undefined> {
    const first = this.#ready.shift();
    if (first === undefined) return undefined;
    this.#readyBytes -= bytesOf(first.frames);
    return first.expelled ? this.#turnAway(first) : this.#handOn(first);
  }

  #turnAway({ origin }: Verified): Promise<undefined> {
    return this.#refuse(this.#verifier.withdraw(origin, "revoked-key").reason);
  }

  /**
   * The genuine reply may still be on its way, and would pass for the answer to the next request, and so on for ever: a
   * REQ takes whatever comes first. A new connection leaves it behind.
   */
  async #leaveReplyBehind(): Promise<void> {
    while (!this.#raw.open && !this.#raw.closed) await this.#raw.handedBack();
    if (!this.#raw.closed) this.#raw.reconnect();
  }

  #handOn(verified: Verified): Eventual<Received | undefined> {
    const { frames, origin } = verified;
    if (origin === undefined && this.#isSubscription(frames)) return withOrigin(frames, undefined);
    const position = signaturePosition(this.#verifier.pattern, false, this.#options.hops, frames);
    if (this.#options.codec !== undefined) return this.#decode(this.#options.codec, verified, position);
    this.#options.learn(frames, position.index, origin);
    this.#options.mayAskAgain();
    return withOrigin(frames, origin);
  }

  async #decode(
    codec: Codec<unknown>,
    verified: Verified,
    { index, delimited }: Position,
  ): Promise<Received | undefined> {
    const { frames, origin } = verified;
    let message: unknown[];
    this.#decoding = verified;
    try {
      // A delimiter is between sockets; the application gets ids or topic, and the value, whoever sent it.
      const shown = frames.slice(0, delimited ? index - 1 : index);
      message = [...shown, await codec.decode(frames.slice(index))];
    } catch (error) {
      const reason = error instanceof CodecError ? error.code : "undecodable";
      this.#verifier.withdraw(origin, reason);
      return this.#refuse(reason, error);
    } finally {
      this.#decoding = undefined;
    }
    if (verified.expelled) return this.#turnAway(verified);
    this.#options.learn(frames, index, origin);
    this.#options.mayAskAgain();
    return withOrigin(message, origin);
  }

  /** REQ tells its application; REP must answer something before it can receive again; the others go on. */
  async #refuse(reason: Reason, cause?: unknown): Promise<undefined> {
    if (this.#verifier.pattern === "req") {
      this.#options.mayAskAgain();
      // The application has asked nothing yet: the library did, and asks again.
      if (this.#asksControl) this.#options.liaison.failed();
      else throw new BadReplyError(reason, { cause });
    }
    if (this.#verifier.pattern === "rep") await this.#whenOpen(() => this.#raw.send([REFUSED]));
    return undefined;
  }
}

/** Reasons that a message is refused for when its session is gone: here, or at its sender's. */
const STRANGE: readonly (Reason | "control")[] = [
  "unknown-key",
  "revoked-key",
  "key-out-of-scope",
  "bad-signature",
  "not-live",
];

function isDelivery(examined: Examined): examined is Verdict & { ok: true } {
  return examined !== undefined && !(examined instanceof Promise) && examined.ok;
}

function bytesOf(frames: readonly Buffer[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
