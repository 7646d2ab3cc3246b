// Admission by challenge: no message proves anything by itself. Its stream must have been begun by its sender's answer to
// a nonce of this receiver's; no clock is trusted (docs/wire.md, section 8.6).

import type { Micros } from "../clock.js";
import type { Header } from "../wire/header.js";
import { type Admission, type Evidence, LIVE } from "./admission.js";

const NOTHING: Evidence = { signedAfter: -Infinity, freshNameCounts: true, unproven: "not-live" };

/** How old a message can be at the most, in microseconds, by what its sender answered; Infinity where nothing is known. */
export type AgeOf = (header: Header) => Micros;

/**
 * Lets in only what answers this receiver itself.
 *
 * @param maxAge  the greatest age of any message in microseconds; `undefined` for no bound
 * @param ageOf   how the age is known: by answers to nonces, or by the message's own time
 */
export function admitByChallenge(maxAge: Micros | undefined, ageOf: AgeOf | undefined): Admission {
  return ({ header, answersMe, now }) => {
    if (maxAge !== undefined) {
      const age = ageOf === undefined ? now - header.sentAt : ageOf(header);
      if (age > maxAge) return "too-old";
    }
    return answersMe ? LIVE : NOTHING;
  };
}
