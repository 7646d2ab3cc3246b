// What a mechanism is: two state machines, one for each end, without sockets, clocks or randomness of their own. Bytes in,
// bytes out. The exchange around them (client.ts, server.ts) carries names, nonces, X25519 and the transcript; a mechanism
// only proves who is there, and that the proof is for this transcript.

import type { Eventual } from "../replay/state.js";
import { type Failure, StepFailed } from "./failures.js";

/** Source of random bytes; injected, so that vectors come out the same every time. */
export type Random = (bytes: number) => Buffer;

/** What a step leads to. */
export interface Step<State, Done> {
  /** Where the machine is now; give it to the next step. */
  readonly state: State;
  /** What to send to the other end. */
  readonly send?: Buffer;
  /** It has finished: whoever is there is who it says. */
  readonly done?: Done;
  /** It has failed, for good; nothing of this goes on the wire. */
  readonly error?: Failure;
  /** What was thrown where the application's own code failed: a store of users, a password's function. Told here alone. */
  readonly cause?: unknown;
}

/** Who was authenticated, and what both ends know now that nobody else does. */
export interface Proven {
  /** Who logged in. */
  readonly user: string;
  /** At least 32 secret bytes that both ends hold: they go into the session's keys. */
  readonly secret: Buffer;
}

/** What the exchange around a mechanism gives to each step. */
export interface Context {
  /**
   * Hash of everything that both ends had said before what is received in this step, 32 bytes: what a proof in that must be
   * for. Roles, both names, both nonces, both shares, mechanism, channel and options are in it.
   */
  readonly theirs: Buffer;
  /** The same with what is received in this step: what a proof that is sent now must be for. */
  readonly ours: Buffer;
  /** The client's name. */
  readonly client: string;
  /** Random bytes. */
  readonly random: Random;
}

/**
 * One end of a mechanism. Its client's first step is given no bytes, and begins. A step may answer later where it has to
 * compute or to look up something for long: the machine does not run ahead meanwhile.
 */
export interface Role<State, Done> {
  /** Where it begins. */
  readonly initial: State;
  /** Takes what the other end sent. Does not throw for what came from outside. */
  step(state: State, received: Buffer, context: Context): Eventual<Step<State, Done>>;
}

/** A role whose state is its own affair. */
export type AnyRole<Done> = Role<unknown, Done>;

/** How a client logs in. Made by `psk()`, `scram()`, or by you. */
export interface LoginMechanism {
  /** As it stands on the wire: 1 to 64 visible ASCII characters. */
  readonly name: string;
  /** Whether X25519 is mixed into the session's keys. Both ends must want the same. */
  readonly forwardSecrecy: boolean;
  /** One login. It sends first, and it must have the server's proof before it is done. */
  client(): AnyRole<Proven>;
}

/** How a server lets clients in. */
export interface AcceptMechanism {
  /** As it stands on the wire. */
  readonly name: string;
  /** Whether X25519 is mixed into the session's keys. */
  readonly forwardSecrecy: boolean;
  /** One login. It answers; with its last answer it is done, and must have had the client's proof. */
  server(): AnyRole<Proven>;
}

/** Runs a step whose inside may {@link fail}; whatever else is thrown is a defect, or a store's, and passes. */
export function guarded<State, Done>(state: State, step: () => Step<State, Done>): Step<State, Done> {
  try {
    return step();
  } catch (error) {
    return failed(state, error);
  }
}

/** The same for a step that takes its time. */
export async function guardedLater<State, Done>(
  state: State,
  step: () => Promise<Step<State, Done>>,
): Promise<Step<State, Done>> {
  try {
    return await step();
  } catch (error) {
    return failed(state, error);
  }
}

function failed<State>(state: State, error: unknown): Step<State, never> {
  if (!(error instanceof StepFailed)) throw error;
  const { failure, cause } = error;
  return cause === undefined ? { state, error: failure } : { state, error: failure, cause };
}
