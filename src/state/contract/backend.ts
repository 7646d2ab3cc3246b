// What the contract suite must know of a backend: how to open it, to end it in each way that it may end, and what of the
// contract it takes on.

import type { Clock } from "../../clock.js";
import type { Eventual, ReplayState } from "../../replay/state.js";

/** One medium, and the ways in which what is open on it begins and ends. Nothing is open on it between two checks. */
export interface StateBackend {
  /**
   * Opens a state on the medium. It takes the time from `clock`, in microseconds; a backend that trusts another clock
   * (its server's) may leave it aside, for the suite's is the system's but in the check of a clock that is set back.
   */
  open(clock: Clock): Eventual<ReplayState>;
  /** Ends it cleanly: what it knows is on the medium when this returns or resolves. */
  close(state: ReplayState): Eventual<void>;
  /** Ends it as `kill -9` does: it writes nothing more. Left out where nothing outlives a process. */
  crash?(state: ReplayState): Eventual<void>;
  /** Empties the medium; nothing is open on it. */
  wipe(): Eventual<void>;
  /** Whether a state that is opened again remembers what the one before it knew. */
  readonly survives: boolean;
  /** Whether several that are open at once may have the same receiver, and share its streams. */
  readonly sharesStreams: boolean;
  /** Whether several that are open at once give no epoch twice. */
  readonly sharesEpochs: boolean;
  /** Whether it takes the time from the clock that it is given; default true. */
  readonly followsClock?: boolean;
}

/** One check of the contract. */
export interface Check {
  /** What is promised. */
  readonly name: string;
  /** Resolves if the promise is kept; rejects with an AssertionError that says what was seen instead. */
  run(): Promise<void>;
}
