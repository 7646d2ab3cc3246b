// Admission by clock: a message is live if it says that it was signed after this receiver began to remember. Safe as
// far as the sender's clock is at most `skew` ahead of the receiver's (docs/wire.md, section 8.2).

import type { Micros } from "../clock.js";
import { EPOCH_AHEAD } from "../wire/limits.js";
import { type Admission, type Evidence, LIVE } from "./admission.js";

/** Bounds of admission by clock, in microseconds. */
export interface ClockBounds {
  /** How far a sender's clock may be ahead of this one. */
  readonly skew: Micros;
  /** The greatest age of any message by its signed time; `undefined` for no bound. */
  readonly maxAge: Micros | undefined;
}

const FUTURE: Evidence = { signedAfter: -Infinity, freshNameCounts: false, unproven: "future-epoch" };

/** Takes a message's own time for evidence, less `skew`. */
export function admitByClock({ skew, maxAge }: ClockBounds): Admission {
  return ({ header, answersMe, now }) => {
    if (maxAge !== undefined && now - header.sentAt > maxAge) return "too-old";
    if (header.epoch > now + EPOCH_AHEAD) return FUTURE;
    if (answersMe) return LIVE;
    return { signedAfter: header.sentAt - skew, freshNameCounts: true, unproven: "not-live" };
  };
}
