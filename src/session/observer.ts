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

/** The other end does not remember this sender any more: what was on its way to it is lost. */
export interface Forgotten {
  /** Who forgot. */
  readonly peer: string;
  /** The channel it was signed for. */
  readonly channel: string;
  /** How many messages were signed since it last knew of this sender: at most so many are lost. */
  readonly lost: number;
}

/** Another process signs with this one's name, and was started later: it is heard, this one no longer. */
export interface Twin {
  /** The name. */
  readonly sender: string;
  /** The channel. */
  readonly channel: string;
  /** Who said so. */
  readonly peer: string;
  /** The other's epoch. */
  readonly epoch: number;
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
  /** How often another end had forgotten this sender. */
  readonly forgotten: number;
  /** How often another end has heard a later process of this name. */
  readonly twins: number;
}

/** Callbacks of a receiving session. What they throw goes to the process as an uncaught exception, never into the loop. */
export interface Listeners {
  /** Called for every refused message. */
  readonly onReject?: ((rejection: Rejection) => void) | undefined;
  /** Called when messages are known to be missing. */
  readonly onGap?: ((gap: Gap) => void) | undefined;
  /** Called when the other end has forgotten this sender (admission by challenge). */
  readonly onForgotten?: ((forgotten: Forgotten) => void) | undefined;
  /** Called when the other end has heard another, later process of this sender's name (admission by challenge). */
  readonly onTwin?: ((twin: Twin) => void) | undefined;
}

/** The diagnostics channels, by name. */
export const CHANNELS = {
  accepted: channel("countersign:accepted"),
  rejected: channel("countersign:rejected"),
  gap: channel("countersign:gap"),
  forgotten: channel("countersign:forgotten"),
  twin: channel("countersign:twin"),
  session: channel("countersign:session"),
} as const;

/** Counts and tells. */
export class Observer {
  readonly #listeners: Listeners;
  readonly #byClock: boolean;
  readonly #rejected = zeroCounters();
  #accepted = 0;
  #unsigned = 0;
  #gaps = 0;
  #lost = 0;
  #forgotten = 0;
  #twins = 0;
  readonly #warned = new Set<string>();

  /** @param byClock  whether a message that is not live is lost for good: under challenge its sender is asked */
  constructor(listeners: Listeners, byClock: boolean) {
    this.#listeners = listeners;
    this.#byClock = byClock;
  }

  accepted(origin: Pick<Origin, keyof Origin>): void {
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
    if (rejection.reason === "not-live" && this.#byClock) this.#warnOnce(rejection);
    tell(this.#listeners.onReject, rejection);
    return rejection;
  }

  /**
   * Everybody meets this one first: messages signed before their receiver was up. Whoever listens nowhere is told by
   * a process warning, once a receiver.
   */
  #warnOnce({ detail, channel: name }: Rejection): void {
    if (this.#listeners.onReject !== undefined || CHANNELS.rejected.hasSubscribers) return;
    this.#warn(
      "NOT_LIVE",
      `A message on channel "${name}" was refused. ${detail} Set signing.onReject to see each.`,
    );
  }

  #warn(code: string, text: string): void {
    if (this.#warned.has(code)) return;
    this.#warned.add(code);
    process.emitWarning(text, { type: "CountersignWarning", code: `COUNTERSIGN_${code}` });
  }

  forgotten(forgotten: Forgotten): void {
    this.#forgotten++;
    if (CHANNELS.forgotten.hasSubscribers) CHANNELS.forgotten.publish(forgotten);
    tell(this.#listeners.onForgotten, forgotten);
  }

  /** Whoever listens nowhere is told by a process warning: his messages are refused from now on. */
  twin(twin: Twin): void {
    this.#twins++;
    if (CHANNELS.twin.hasSubscribers) CHANNELS.twin.publish(twin);
    else if (this.#listeners.onTwin === undefined) {
      this.#warn(
        "TWIN",
        `Another process signs as "${twin.sender}" on channel "${twin.channel}" and was started later: "${twin.peer}" ` +
          "hears that one alone. Give each process a name of its own, such as an instance (name~1, name~2).",
      );
    }
    tell(this.#listeners.onTwin, twin);
  }

  gap(gap: Gap): void {
    this.#gaps++;
    this.#lost += gap.lost;
    if (CHANNELS.gap.hasSubscribers) CHANNELS.gap.publish(gap);
    tell(this.#listeners.onGap, gap);
  }

  /** Messages handed on so far. */
  get messages(): number {
    return this.#accepted;
  }

  stats(streams: number): VerifierStats {
    return {
      accepted: this.#accepted,
      unsigned: this.#unsigned,
      rejected: { ...this.#rejected },
      gaps: this.#gaps,
      lost: this.#lost,
      streams,
      forgotten: this.#forgotten,
      twins: this.#twins,
    };
  }
}

/** Tells a listener; what it throws goes to the process, not to whoever tells. */
export function tell<Event>(listener: ((event: Event) => void) | undefined, event: Event): void {
  try {
    listener?.(event);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
