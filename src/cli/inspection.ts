// A captured message inspected, before anything is shown: what it is made of, and the answer to what was asked of it.

import { REFUSED } from "../wire/form.js";
import { type Answer, answerSigned, answerUnsigned, refused } from "./answer.js";
import { findSignature, type Place } from "./arrange.js";
import type { Question } from "./judge.js";
import { type Signed, takeApart } from "./signed.js";

/** Everything that `inspect` shows. */
export interface Inspection {
  readonly captured: readonly Buffer[];
  /** Where a frame begins like a signature. */
  readonly signed: Signed | undefined;
  readonly answer: Answer;
}

/** Inspects captured frames; with a question, asks a verifier. */
export function inspectFrames(
  captured: readonly Buffer[],
  place: Place,
  question: Question | undefined,
): Inspection {
  const at = findSignature(captured, place);
  const frame = captured[at];
  if (frame === undefined) return { captured, signed: undefined, answer: answerUnsigned(captured) };
  if (frame.equals(REFUSED)) return { captured, signed: undefined, answer: refused("refused") };
  const signed = takeApart(captured, at, frame, place);
  return { captured, signed, answer: answerSigned(captured, signed, place, question) };
}
