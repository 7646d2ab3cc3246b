// What stands between the two ends beside their messages: who admits whom, and how. A two-way socket greets (greeter.ts), a
// subscriber asks by subscribing (synchroniser.ts), a publisher answers that (sync-answers.ts); the others do nothing.

import type { Reason } from "../reasons.js";
import type { Control, Stranger } from "../session/verifier.js";

/** What became of a control message. */
export interface Heard {
  /** Whether something was sent back. */
  readonly answered: boolean;
  /** Why it led to nothing, and was counted as refused. */
  readonly refused: Reason | undefined;
}

/** A message of a handshake, and the frames in front of it. */
export interface Parley {
  /** Nothing for the application. */
  readonly ok: false;
  /** Nor a refusal, nor signed. */
  readonly reason: "parley";
  readonly frame: Buffer;
  readonly routing: readonly Buffer[];
}

/** What a socket with sessions does besides (login.ts, acceptor.ts). */
export interface SessionSide {
  /** Takes a message of a handshake; tells whether something was sent back. */
  parley(parley: Parley): Promise<boolean>;
  /** A message came under no session that stands, with this signature frame; tells whether that was sent back. */
  strange(frame: Buffer, routing: readonly Buffer[]): Promise<boolean>;
}

/** One socket's part in admission. */
export interface Liaison {
  /** Whether what is signed now finds somebody who can check it. */
  readonly open: boolean;
  /**
   * How many of the messages that ZeroMQ was given for the application the other end is known to have had, where this side says
   * anything unasked.
   */
  readonly delivered?: number | undefined;
  /** The socket connected or bound. */
  begin(): void;
  /** A message waits until {@link open}. */
  expect(): void;
  /** Takes note of a control message. */
  hear(control: Control): Promise<Heard>;
  /** Asks whoever is unknown for evidence; tells whether he was asked. */
  challenge(reason: Reason, stranger: Stranger): Promise<boolean>;
  /** REQ: a message of this library's own had no genuine reply. */
  failed(): void;
  /** A subscription arrived; `true` where it is none of the application's. */
  subscribed(subscription: Buffer): boolean;
  /** The socket is closed. */
  close(): void;
  /** Set where sessions take the place of hello, challenge and echo. */
  readonly sessions?: SessionSide;
}

/** What either side of sessions makes of hello, challenge and echo: nothing, for sessions take their place. */
export abstract class SessionLiaison {
  async hear(): Promise<Heard> {
    return { answered: false, refused: undefined };
  }

  async challenge(): Promise<boolean> {
    return false;
  }

  failed(): void {}

  subscribed(): boolean {
    return false;
  }
}

/** Nobody to admit, and nothing to wait for. */
export const NO_LIAISON: Liaison = {
  open: true,
  begin() {},
  expect() {},
  hear: async () => ({ answered: false, refused: undefined }),
  challenge: async () => false,
  failed() {},
  subscribed: () => false,
  close() {},
};
