// What the two sides of sessions need of the socket that they are on.

import type { Session } from "../handshake/session.js";

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
