// The answer to the one question that an inspection is asked: is the message well formed, or with a key, is it genuine?

import { REASONS, type Reason } from "../reasons.js";
import { isControl, readForm } from "../wire/form.js";
import { FLAGS, type Header } from "../wire/header.js";
import { DEFAULT_LIMITS } from "../wire/limits.js";
import { greets, type Pattern, sends, subscribes } from "../wire/patterns.js";
import { isSubscription } from "../wire/position.js";
import { type Arrangement, candidates, expectedIndex, type Place } from "./arrange.js";
import { hasControlBody } from "./control.js";
import { type Judgement, judge, type Question } from "./judge.js";
import type { Signed } from "./signed.js";

/** What is answered; `well-formed` where no key was given. */
export interface Answer extends Omit<Judgement, "answer"> {
  readonly answer: Judgement["answer"] | "well-formed";
}

/** The answer where no frame begins like a signature. */
export function answerUnsigned(captured: readonly Buffer[]): Answer {
  const explanation = ["A signature frame begins with c1 53; no frame here does."];
  if (isSubscription(captured)) {
    explanation.push("It looks like a subscription, which is ZeroMQ's own and passes unsigned.");
  }
  return refused("unsigned", ...explanation);
}

/** The answer for a message that was taken apart. */
export function answerSigned(
  captured: readonly Buffer[],
  signed: Signed,
  place: Place,
  question: Question | undefined,
): Answer {
  const answer = decide(captured, signed, place, question);
  return { ...answer, explanation: [...answer.explanation, ...ambiguity(captured, signed.at, place)] };
}

function decide(
  captured: readonly Buffer[],
  signed: Signed,
  place: Place,
  question: Question | undefined,
): Answer {
  const { at, dissection } = signed;
  const { header } = dissection;
  const expected = expectedIndex(captured, place);
  if (expected !== undefined && expected !== at) {
    return misplaced(captured, at, {
      pattern: place.pattern as Pattern,
      hops: place.hops ?? 0,
      index: expected,
    });
  }
  if (typeof header === "string") return refused(header);
  const receiver = signed.receiver as Arrangement; // where the header reads well, there is one
  const reason = formReason(captured, signed, receiver);
  if (reason === "unsigned") return misplaced(captured, at, receiver);
  if (reason !== undefined) return refused(reason, ...explainForm(reason, header, receiver));
  if (question === undefined) return { answer: "well-formed", explanation: [NOT_VERIFIED] };
  return judge(receiver, header, captured.length, question);
}

const NOT_VERIFIED =
  "Nothing above is verified: anybody could have written it. Ask a verifier with --key FILE.";

/** The answer that refuses for this reason. */
export function refused(reason: Reason, ...explanation: readonly string[]): Answer {
  return { answer: "refused", reason, explanation: [REASONS[reason], ...explanation] };
}

/** The signature stands somewhere else than this receiver looks for it. */
function misplaced(
  captured: readonly Buffer[],
  at: number,
  { pattern, hops, index }: Pick<Arrangement, "pattern" | "hops" | "index">,
): Answer {
  const looks = `A ${pattern.toUpperCase()} with ${hops} hop${hops === 1 ? "" : "s"} expects it as frame ${index + 1}`;
  const stands = `frame ${at + 1} of ${captured.length} begins like one`;
  return refused("unsigned", `${looks}; ${stands}. See --pattern and --hops.`);
}

/** More than one frame begins like a signature, and nobody said which one the receiver looks at. */
function ambiguity(captured: readonly Buffer[], at: number, { pattern }: Place): string[] {
  const found = candidates(captured).map((index) => index + 1);
  if (found.length < 2 || pattern !== undefined) return [];
  return [
    `Frames ${found.join(", ")} begin like a signature frame; frame ${at + 1} was taken. --pattern decides.`,
  ];
}

/** Why the form is refused. What the capture lacks stands for itself: a lone frame's body, a topic. */
function formReason(
  captured: readonly Buffer[],
  { layout }: Signed,
  receiver: Arrangement,
): Reason | undefined {
  const { pattern, hops, lacksTopic } = receiver;
  const lacksBody = captured.length === 1 && layout === "detached";
  const topic = lacksTopic ? [Buffer.from("topic")] : [];
  const frames = [...topic, ...receiver.frames, ...(lacksBody ? [Buffer.from("body")] : [])];
  const form = readForm(frames, { pattern, hops, limits: DEFAULT_LIMITS });
  return typeof form === "string" ? form : undefined;
}

function explainForm(reason: Reason, header: Header, receiver: Arrangement): string[] {
  const sender = header.pattern.toUpperCase();
  if (reason === "wrong-pattern" && !sends(header.pattern)) return [`A ${sender} signs nothing.`];
  if (reason === "wrong-pattern")
    return [`It was signed by a ${sender}, which a ${receiver.pattern.toUpperCase()} never hears.`];
  if (reason === "unsupported") return [unsupported(header, receiver)];
  return [];
}

function unsupported(header: Header, receiver: Arrangement): string {
  const { kind, flags } = header;
  const pattern = receiver.pattern.toUpperCase();
  if (isControl(header) && !hasControlBody(header))
    return `This version knows no message of the kind ${kind}.`;
  if (kind === "sync" ? !subscribes(receiver.pattern) : isControl(header) && !greets(receiver.pattern)) {
    return `A ${pattern} has no use for a message of the kind ${kind}.`;
  }
  if ((flags & FLAGS.sealed) !== 0) return "This version carries no sealed bodies.";
  return isControl(header)
    ? `A ${pattern} has no use for a message of the kind ${kind}.`
    : `What a ${pattern} receives answers no single request.`;
}
