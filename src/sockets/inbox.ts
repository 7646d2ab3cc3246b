// The receiving half of a signed socket: wire, verifier, codec. A refused message never ends the loop and never
// reaches the application; only a REQ, which waits for exactly one reply, is told by an error.

import type { Codec } from "../codec/codec.js";
import { CodecError } from "../codec/error.js";
import { BadReplyError } from "../errors.js";
import type { Reason } from "../reasons.js";
import type { Origin } from "../session/origin.js";
import type { Verifier } from "../session/verifier.js";
import { REFUSED } from "../wire/form.js";
import { isSubscription, signaturePosition } from "../wire/position.js";
import { BURST } from "./burst.js";
import { type Signed, withOrigin } from "./message.js";
import type { RawSocket } from "./raw-socket.js";
import { busyReading, codeOf, timedOut } from "./zmq-errors.js";

/** A message as the application gets it. */
export type Received = Signed<unknown[]>;

/** A verified message before its codec. */
interface Verified {
  readonly frames: Buffer[];
  readonly origin: Origin | undefined;
}

/** What an inbox is made of. */
export interface InboxOptions {
  readonly codec: Codec<unknown> | undefined;
  readonly hops: number;
  /** REQ: the tag of the request that waited for a reply, and does no longer. */
  readonly takeRequestTag: () => Buffer | undefined;
  /** REQ: the reply was looked at, what waits to be asked may go. */
  readonly mayAskAgain: () => void;
  /** Called with each message right before it is handed on: who can be answered now. */
  readonly learn: (routing: readonly Buffer[], origin: Origin | undefined) => void;
}

/** Receives and verifies, one message at a time, as zeromq.js does. */
export class Inbox {
  readonly #raw: RawSocket;
  readonly #verifier: Verifier;
  readonly #options: InboxOptions;
  /** The rest of a batch. */
  readonly #ready: Verified[] = [];
  #receiving = false;

  constructor(raw: RawSocket, verifier: Verifier, options: InboxOptions) {
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
    const pending = this.#raw.open && this.hasReady ? undefined : this.#raw.receive();
    this.#receiving = true;
    return this.#next(pending);
  }

  async #next(pending: Promise<Buffer[]> | undefined): Promise<Received> {
    const began = performance.now();
    let refused = 0;
    try {
      let frames = await pending;
      for (;;) {
        const message =
          frames === undefined
            ? await this.#handOn(this.#ready.shift() as Verified)
            : await this.#judge(frames);
        if (message !== undefined) return message;
        refused++;
        const receiveMore = () => this.#receiveMore(began, refused);
        frames = this.hasReady ? undefined : await this.#whenOpen(receiveMore);
      }
    } catch (error) {
      // What zeromq.js says of a socket that was closed while a receive was put off to let the event loop in.
      throw this.#raw.closed && codeOf(error) === "ENOTSOCK" ? timedOut() : error;
    } finally {
      this.#receiving = false;
    }
  }

  /** Junk must not stretch the application's timeout: what is left of it counts from the call. */
  #receiveMore(began: number, refused: number): Promise<Buffer[]> {
    const timeout = this.#raw.receiveTimeout;
    // Whoever does not want to wait at all is not made to look through a flood of junk either.
    if (timeout === 0 && refused >= BURST) throw timedOut();
    if (timeout <= 0) return this.#raw.receive();
    const left = timeout - (performance.now() - began);
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

  /** The message for the application; `undefined` where it was refused. */
  async #judge(frames: Buffer[]): Promise<Received | undefined> {
    if (this.#verifier.pattern === "xpub" && isSubscription(frames)) return withOrigin(frames, undefined);
    const verdict = this.#verifier.verify(frames, this.#options.takeRequestTag());
    if (!verdict.ok) {
      if (this.#verifier.pattern === "req") await this.#leaveReplyBehind();
      return this.#refuse(verdict.reason);
    }
    this.#ready.push(...verdict.rest);
    return this.#handOn(verdict);
  }

  /**
   * The genuine reply may still be on its way, and would pass for the answer to the next request, and so on for ever: a
   * REQ takes whatever comes first. A new connection leaves it behind.
   */
  async #leaveReplyBehind(): Promise<void> {
    while (!this.#raw.open && !this.#raw.closed) await this.#raw.handedBack();
    if (!this.#raw.closed) this.#raw.reconnect();
  }

  async #handOn({ frames, origin }: Verified): Promise<Received | undefined> {
    const { codec, hops, learn } = this.#options;
    const { index, delimited } = signaturePosition(this.#verifier.pattern, false, hops, frames);
    const routing = frames.slice(0, index);
    let message: unknown[] = frames;
    if (codec !== undefined) {
      try {
        // A delimiter is between sockets; the application gets ids or topic, and the value, whoever sent it.
        const shown = delimited ? routing.slice(0, -1) : routing;
        message = [...shown, await codec.decode(frames.slice(index))];
      } catch (error) {
        const reason = error instanceof CodecError ? error.code : "undecodable";
        this.#verifier.withdraw(origin, reason);
        return this.#refuse(reason, error);
      }
    }
    learn(routing, origin);
    this.#options.mayAskAgain();
    return withOrigin(message, origin);
  }

  /** REQ tells its application; REP must answer something before it can receive again; the others go on. */
  async #refuse(reason: Reason, cause?: unknown): Promise<undefined> {
    if (this.#verifier.pattern === "req") {
      this.#options.mayAskAgain();
      throw new BadReplyError(reason, { cause });
    }
    if (this.#verifier.pattern === "rep") await this.#whenOpen(() => this.#raw.send([REFUSED]));
    return undefined;
  }
}
