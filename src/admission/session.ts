// Admission by session: the handshake was the evidence, for both directions. What comes under a session's keys was signed after
// it, and is live as long as its stream was not forgotten; the verifier asks that of its memory (docs/handshake.md, section 9).

import type { Micros } from "../clock.js";
import type { Admission, Evidence } from "./admission.js";

const NOTHING: Evidence = { signedAfter: -Infinity, freshNameCounts: false, unproven: "not-live" };

/** @param maxAge  the greatest age of any message by its signed time; `undefined` for no bound */
export function admitBySession(maxAge: Micros | undefined): Admission {
  return ({ header, now }) => (maxAge !== undefined && now - header.sentAt > maxAge ? "too-old" : NOTHING);
}
