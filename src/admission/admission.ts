// Question 3: is it live? A policy says what a message proves of the time when it was signed. A memory that does not know
// the message's stream and epoch demands that this is after everything it may have forgotten (docs/wire.md, section 8).

import type { Micros } from "../clock.js";
import type { Reason } from "../reasons.js";
import type { Header } from "../wire/header.js";

/** A verified message that asks to be let in. */
export interface Candidate {
  readonly header: Header;
  /** Whether it is bound to my request, which is younger than any recording. */
  readonly answersMe: boolean;
  /** This receiver's clock. */
  readonly now: Micros;
}

/** What a message proves. */
export interface Evidence {
  /** The latest moment, on this receiver's clock, that it is known to have been signed after. */
  readonly signedAfter: Micros;
  /** Whether being addressed to a name that I made at this start counts too. */
  readonly freshNameCounts: boolean;
  /** Why it is refused where evidence is needed and this is too little. */
  readonly unproven: Reason;
}

/** What a candidate proves, or why it is refused even where its stream is known. Changes nothing. */
export type Admission = (candidate: Candidate) => Evidence | Reason;

/** What is bound to my request: live by construction. */
export const LIVE: Evidence = { signedAfter: Infinity, freshNameCounts: true, unproven: "not-live" };
