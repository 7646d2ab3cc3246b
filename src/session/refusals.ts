// A refusal in words: the reason, what the message claims to be, and figures where they help. Never a secret, never
// the MAC that would have been right.

import { type Clock, MICROS_PER_MS, type Micros } from "../clock.js";
import { formatKeyId } from "../keys/key.js";
import { REASONS, type Reason } from "../reasons.js";
import type { Header } from "../wire/header.js";
import type { Pattern } from "../wire/patterns.js";
import type { Rejection } from "./observer.js";
import type { Origin } from "./origin.js";

/** What is known of a refused message. */
export interface Refused {
  /** The header, where it could be read. */
  readonly header?: Header | undefined;
  /** Whether its tag was verified. */
  readonly authentic?: boolean;
  /** The moment that a message which is not live would have had to be signed after. */
  readonly since?: Micros | undefined;
}

/** Describes the refusals of one receiver. */
export class Refusals {
  readonly #pattern: Pattern;
  readonly #channel: string;
  readonly #clock: Clock;
  #explainedNotLive = false;

  constructor(pattern: Pattern, channel: string, clock: Clock) {
    this.#pattern = pattern;
    this.#channel = channel;
    this.#clock = clock;
  }

  /** The refusal of a message for `reason`. */
  describe(reason: Reason, { header, authentic = false, since }: Refused = {}): Rejection {
    const detail = since !== undefined && header ? this.#explainNotLive(header, since) : REASONS[reason];
    const rejection = { reason, detail, channel: this.#channel, receiver: this.#pattern, authentic };
    if (header === undefined) return rejection;
    const { sender, pattern, keyId, epoch, sequence, sentAt } = header;
    return { ...rejection, claimed: { sender, pattern, keyId: formatKeyId(keyId), epoch, sequence, sentAt } };
  }

  /** The refusal of a message whose origin was verified. */
  ofOrigin(reason: Reason, origin: Origin): Rejection {
    const { sender, pattern, keyId, epoch, sequence, sentAt } = origin;
    const claimed = { sender, pattern, keyId, epoch, sequence, sentAt };
    return { ...this.describe(reason, { authentic: true }), claimed };
  }

  /** The first time, by how much: most often two clocks differ, or the message was signed before this receiver was up. */
  #explainNotLive({ sentAt }: Header, since: Micros): string {
    if (this.#explainedNotLive) return REASONS["not-live"];
    this.#explainedNotLive = true;
    const early = ((since - sentAt) / MICROS_PER_MS).toFixed(1);
    const age = ((this.#clock() - sentAt) / MICROS_PER_MS).toFixed(1);
    return (
      `${REASONS["not-live"]} It was signed ${early} ms before this receiver began to remember, ${age} ms ago by its ` +
      "sender's clock: an old recording, a message sent before this receiver was up, or a sender whose clock is behind."
    );
  }
}
