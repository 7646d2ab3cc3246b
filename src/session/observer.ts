// What a session tells: counters, the application's callbacks, and diagnostics channels, which cost one look at a
// flag while nobody listens (docs/observation.md). Nothing told holds a secret or an expected MAC.

import { channel } from "node:diagnostics_channel";
import { type Reason, zeroCounters } from "../reasons.js";
import type { Pattern } from "../wire/patterns.js";
import type { Origin } from "./origin.js";

/** A message that was refused. What stands in `claimed` was verified only where `authentic` is true. */
export interface Rejection {
  /** Why, for code. */
  readonly reason: Reason;
  /** The reason in a sentence, with figures where they help. */
  readonly detail: string;
  /** The channel it was refused on. */
  readonly channel: string;
  /** The socket type that refused it. */
  readonly receiver: Pattern;
  /** Whether the tag was verified before the message was refused. */
  readonly authentic: boolean;
  /** What the header says, where it could be read. */
  readonly claimed?: {
    readonly sender: string;
    readonly pattern: Pattern;
    readonly keyId: string;
    readonly epoch: number;
    readonly sequence: number;
    readonly sentAt: number;
  };
}

/** Messages of one sender that were signed for this receiver and never came. */
export interface Gap {
  /** Whose messages are missing. */
  readonly sender: string;
  /** The channel they were signed for. */
  readonly channel: string;
  /** The socket type that sent them. */
  readonly pattern: Pattern;
  /** The topic they were published under (PUB/SUB). */
  readonly topic?: Buffer;
  /** How many are missing. */
  readonly lost: number;
  /** Epoch of the message that showed it. */
  readonly epoch: number;
  /** Sequence number of the message that showed it. */
  readonly sequence: number;
}

/** Counters of a receiving session. */
export interface VerifierStats {
  /** Messages handed on after all four questions. */
  readonly accepted: number;
  /** Unsigned messages handed on under `policy: "report"`. */
  readonly unsigned: number;
  /** Refused messages by reason; a batch counts as one. */
  readonly rejected: Readonly<Record<Reason, number>>;
  /** Gaps reported. */
  readonly gaps: number;
  /** Messages missing in them. */
  readonly lost: number;
  /** Streams remembered now. */
  readonly streams: number;
}

/** Callbacks of a receiving session. What they throw goes to the process as an uncaught exception, never into the loop. */
export interface Listeners {
  /** Called for every refused message. */
  readonly onReject?: ((rejection: Rejection) => void) | undefined;
  /** Called when messages are known to be missing. */
  readonly onGap?: ((gap: Gap) => void) | undefined;
}

/** The diagnostics channels, by name. */
export const CHANNELS = {
  accepted: channel("countersign:accepted"),
  rejected: channel("countersign:rejected"),
  gap: channel("countersign:gap"),
} as const;

/** Counts and tells. */
export class Observer {
  readonly #listeners: Listeners;
  readonly #rejected = zeroCounters();
  #accepted = 0;
  #unsigned = 0;
  #gaps = 0;
  #lost = 0;
  #warned = false;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  accepted(origin: Origin): void {
    this.#accepted++;
    if (CHANNELS.accepted.hasSubscribers) CHANNELS.accepted.publish(origin);
  }

  /** A message that could not be decoded was not handed on after all. */
  withdrawn(signed: boolean): void {
    if (signed) this.#accepted--;
    else this.#unsigned--;
  }

  unsigned(): void {
    this.#unsigned++;
  }

  rejected(rejection: Rejection): Rejection {
    this.#rejected[rejection.reason]++;
    if (CHANNELS.rejected.hasSubscribers) CHANNELS.rejected.publish(rejection);
    if (rejection.reason === "not-live") this.#warnOnce(rejection);
    tell(this.#listeners.onReject, rejection);
    return rejection;
  }

  /**
   * Everybody meets this one first: messages signed before their receiver was up. Whoever listens nowhere is told by
   * a process warning, once a receiver.
   */
  #warnOnce({ detail, channel: name }: Rejection): void {
    if (this.#warned || this.#listeners.onReject !== undefined || CHANNELS.rejected.hasSubscribers) return;
    this.#warned = true;
    const options = { type: "CountersignWarning", code: "COUNTERSIGN_NOT_LIVE" };
    process.emitWarning(
      `A message on channel "${name}" was refused. ${detail} Set signing.onReject to see each.`,
      options,
    );
  }

  gap(gap: Gap): void {
    this.#gaps++;
    this.#lost += gap.lost;
    if (CHANNELS.gap.hasSubscribers) CHANNELS.gap.publish(gap);
    tell(this.#listeners.onGap, gap);
  }

  stats(streams: number): VerifierStats {
    return {
      accepted: this.#accepted,
      unsigned: this.#unsigned,
      rejected: { ...this.#rejected },
      gaps: this.#gaps,
      lost: this.#lost,
      streams,
    };
  }
}

function tell<Event>(listener: ((event: Event) => void) | undefined, event: Event): void {
  try {
    listener?.(event);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
