// Question 3: is it live? A policy looks at the first message of every stream and epoch that the state does not know
// and demands evidence that it is no recording from before the state began to remember (docs/wire.md, section 8).

import type { Micros } from "../clock.js";
import type { Reason } from "../reasons.js";
import type { Header } from "../wire/header.js";

/** A verified message that asks to be let in. */
export interface Candidate {
  readonly header: Header;
  /** Whether the state knows this stream and epoch (or a later one): then it needs no evidence. */
  readonly known: boolean;
  /** Bound to my request, or addressed to the name that I made at this start: live by construction. */
  readonly answersMe: boolean;
  /** The moment since which nothing was forgotten about its stream. */
  readonly since: Micros;
  /** This receiver's clock. */
  readonly now: Micros;
}

/** Why a candidate is not let in; `undefined` where it is. Changes nothing. */
export type Admission = (candidate: Candidate) => Reason | undefined;
