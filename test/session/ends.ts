// Two ends that admit each other, without sockets: what each says to the other is a list of frames in a test's hands.

import {
  type Greeting,
  Handshake,
  MemoryState,
  type Outcome,
  type Pattern,
  type Reason,
  type ReplayState,
  Signer,
  type Stranger,
  Verifier,
} from "../../src/core.js";
import { isControlMessage } from "../../src/session/verifier.js";
import { carry, ID, SECRET, type TestClock } from "./parties.js";

/** What an end is made of. */
export interface EndOptions {
  readonly pattern: Pattern;
  /** The socket type at the other end. */
  readonly peer: Pattern;
  readonly sender: string;
  readonly clock: TestClock;
  /** Whether it admits by challenge. Default true. */
  readonly demands?: boolean;
  /** The epoch that it begins with, as one whose clock was set back would. Default: its clock's time. */
  readonly epoch?: number | undefined;
  /** Most other ends remembered. Default 10. */
  readonly limit?: number;
  /** Default: none, and an epoch as told. */
  readonly state?: ReplayState;
}

/** One run of one end: a signer, a verifier and their part in admitting each other. */
export class End {
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly handshake: Handshake;
  /** Texts that its application was given. */
  readonly delivered: string[] = [];
  /** Why messages were refused, control messages among them. */
  readonly refused: Reason[] = [];
  /** What control messages led to. */
  readonly outcomes: Outcome[] = [];
  readonly #options: EndOptions;

  constructor(options: EndOptions) {
    const { pattern, sender, clock, demands = true, epoch, limit = 10 } = options;
    this.#options = options;
    const state = options.state ?? startingAt(epoch, clock);
    const common = { key: SECRET, pattern, sender, clock, state };
    this.signer = new Signer(common);
    this.verifier = new Verifier({ ...common, admit: demands ? "challenge" : "clock" });
    this.handshake = new Handshake(this.signer, this.verifier, demands, limit);
  }

  /** Whether somebody is there who can check what is said. */
  get open(): boolean {
    return this.outcomes.some(({ opens }) => opens);
  }

  /** The latest of what control messages led to. */
  get told(): Outcome {
    return this.outcomes.at(-1) ?? {};
  }

  /** A message of the application's, as it arrives at the other end. */
  say(text: string, to: string): Buffer[] {
    const { pattern, peer } = this.#options;
    const routing = pattern === "router" ? [ID] : [];
    const addressed = pattern === "router" ? { to } : {};
    return carry(pattern, peer, this.signer.sign([...routing, text], addressed));
  }

  hello(): Buffer[] {
    return this.control(this.handshake.hello());
  }

  /** A control message, as it arrives at the other end. */
  control({ kind, body, stranger }: Greeting): Buffer[] {
    const { pattern, peer } = this.#options;
    const target = { to: stranger?.origin ?? null };
    return carry(pattern, peer, this.signer.signControl(kind, body, stranger?.routing ?? [], target));
  }

  /** Takes what arrives; returns what it says to that, if anything. */
  async hear(frames: readonly Buffer[]): Promise<Buffer[] | undefined> {
    const examined = await this.verifier.examine(frames, this.signer.requestTag);
    if (isControlMessage(examined)) {
      const outcome = await this.handshake.receive(examined);
      this.outcomes.push(outcome);
      if (outcome.refused !== undefined) this.refused.push(outcome.refused);
      return outcome.reply && this.control(outcome.reply);
    }
    if (examined.ok) {
      this.delivered.push(String(examined.frames.at(-1)));
      return undefined;
    }
    this.refused.push(examined.reason);
    return examined.stranger && this.challenge(examined.reason, examined.stranger);
  }

  async challenge(reason: Reason, stranger: Stranger): Promise<Buffer[] | undefined> {
    if (reason !== "not-live" && reason !== "stale-epoch") return undefined;
    const greeting = await this.handshake.challenge({ reason, stranger });
    return greeting && this.control(greeting);
  }

  /** This run is over. */
  close(): void {
    this.signer.close();
  }
}

/** Lets what one end said, and all that follows from it, arrive in order; returns how many messages that were. */
export async function settle(from: End, to: End, first: readonly Buffer[] | undefined): Promise<number> {
  let [speaker, listener, frames, count] = [from, to, first, 0];
  for (; frames !== undefined; count++) {
    if (count > 20) throw new Error("The two ends never stop greeting each other.");
    frames = await listener.hear(frames);
    [speaker, listener] = [listener, speaker];
  }
  return count;
}

/** A state in memory, with an epoch to begin with; what is asked for later is at least what was asked. */
function startingAt(epoch: number | undefined, clock: TestClock): ReplayState {
  const memory = new MemoryState({ clock });
  if (epoch === undefined) return memory;
  let asked = false;
  return {
    asynchronous: false,
    table: (...place) => memory.table(...place),
    nextEpoch: (_, atLeast) => {
      const given = asked ? Math.max(atLeast, epoch) : epoch;
      asked = true;
      return given;
    },
  };
}
