// The sessions of a socket, as its application sees them: which stand, what became of the others, and how to end a user's.

import { type Loss, SessionBook, type Standing } from "../handshake/book.js";
import { isName } from "../handshake/exchange.js";
import { FAILURES, type Failure } from "../handshake/failures.js";
import type { Session } from "../handshake/session.js";
import { CHANNELS, tell } from "../session/observer.js";
import { Origin } from "../session/origin.js";

/** What happened to a session, or to a handshake that did not become one. */
export type SessionEvent =
  | {
      /** A handshake has finished; or a session has new keys. */
      readonly type: "established" | "renewed";
      /** As it is now. */
      readonly session: Session;
    }
  | {
      /** A session that stood does no longer. */
      readonly type: "lost";
      /** As it was. */
      readonly session: Session;
      /** Why. */
      readonly reason: Loss;
    }
  | {
      /** A handshake has failed. */
      readonly type: "refused";
      /** Why: known here alone, the other end hears one word for all reasons. */
      readonly reason: Failure;
      /** What the client calls itself, as far as that was heard and is a name; not verified. */
      readonly client?: string | undefined;
      /** What a store of users, or the function for a password, has thrown; of an "unavailable" alone. */
      readonly cause?: unknown;
    };

/** How often what happened. */
export interface SessionStats {
  /** Handshakes that have finished. */
  readonly established: number;
  /** Sessions that got new keys. */
  readonly renewed: number;
  /** Sessions that stood and do no longer. */
  readonly lost: number;
  /** Handshakes that have failed, by reason. */
  readonly refused: Readonly<Record<Failure, number>>;
  /** Handshakes under way. */
  readonly pending: number;
}

/** The sessions of a socket. Iterate over it for those that stand. */
export class Sessions {
  /** The sessions and their keys. @internal */
  readonly book: SessionBook;
  readonly #listener: ((event: SessionEvent) => void) | undefined;
  readonly #refused = Object.fromEntries(Object.keys(FAILURES).map((name) => [name, 0])) as Record<
    Failure,
    number
  >;
  readonly #revocations = new Set<(user: string) => void>();
  #established = 0;
  #renewed = 0;
  #lost = 0;
  /** Told when a session is used for the first time. @internal */
  onConfirmed: (standing: Standing) => void = () => {};
  /** Handshakes under way. @internal */
  pending: () => number = () => 0;

  /** @internal */
  constructor(limit: number, listener: ((event: SessionEvent) => void) | undefined) {
    this.#listener = listener;
    this.book = new SessionBook(limit, {
      lost: (session, reason) => {
        this.#lost++;
        this.#tell({ type: "lost", session, reason });
      },
      confirmed: (standing) => this.onConfirmed(standing),
    });
  }

  /** How many sessions stand. */
  get size(): number {
    return this.book.size;
  }

  /** How often what happened since the socket was made. */
  get stats(): SessionStats {
    const [established, renewed, lost] = [this.#established, this.#renewed, this.#lost];
    return { established, renewed, lost, refused: { ...this.#refused }, pending: this.pending() };
  }

  /** The sessions that stand. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.book[Symbol.iterator]();
  }

  /** The session that a message came under; `undefined` where it stands no longer, or there was none. */
  of(message: { readonly origin?: unknown }): Session | undefined {
    const { origin } = message;
    return origin instanceof Origin ? this.book.of(Origin.peerOf(origin).key)?.session : undefined;
  }

  /**
   * Ends every session of a user, and every handshake of his that is under way, at once: nothing more is accepted under
   * them, what was accepted and waits to be received is refused, nothing more is sent to him. Whether he may log in again is
   * for the store of users to say: take him out of that first. At the client's end he logs in anew.
   *
   * @returns how many sessions were ended
   */
  revoke(user: string): number {
    for (const revoked of this.#revocations) revoked(user);
    return this.book.revoke(user);
  }

  /** Calls when a user is revoked, before his sessions end. @internal */
  onRevoked(revoked: (user: string) => void): void {
    this.#revocations.add(revoked);
  }

  /** A session stands. @internal */
  established(session: Session): Standing {
    const standing = this.book.add(session);
    this.#established++;
    this.#tell({ type: "established", session });
    return standing;
  }

  /** A session has new keys. @internal */
  renewed(standing: Standing, session: Session, uses: boolean): void {
    this.book.renew(standing, session, uses);
    this.#renewed++;
    this.#tell({ type: "renewed", session });
  }

  /** A handshake has failed. @internal */
  refused(reason: Failure, client?: string, cause?: unknown): void {
    this.#refused[reason]++;
    // Anybody can send any bytes, and this is written into logs.
    const name = client !== undefined && isName(client) ? client : undefined;
    const why = cause === undefined ? {} : { cause };
    this.#tell({ type: "refused", reason, client: name, ...why });
  }

  #tell(event: SessionEvent): void {
    if (CHANNELS.session.hasSubscribers) CHANNELS.session.publish(event);
    tell(this.#listener, event);
  }
}
