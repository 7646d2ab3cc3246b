// What a verifier says of a capture. It is asked as if the message had just arrived, by a clock set to the moment of
// signing and a memory that begins right before it: so an old capture is judged by its tag, and what a live receiver
// would ask besides is said in words.

import { formatKeyId } from "../keys/key.js";
import { type Keyring, validity } from "../keys/keyring.js";
import { REASONS, type Reason } from "../reasons.js";
import { type Control, isControlMessage, type Verdict, Verifier } from "../session/verifier.js";
import { FLAGS, type Header } from "../wire/header.js";
import type { Arrangement } from "./arrange.js";
import { printable } from "./terminal.js";
import { formatDate } from "./time.js";

/** What the command line says for the verifier. */
export interface Question {
  readonly keyring: Keyring;
  readonly keyFile: string;
  /** The receiver's channel; `undefined` where none was named. */
  readonly channel: string | undefined;
  /** The receiver's own name. */
  readonly sender: string | undefined;
  readonly requestTag: Buffer | undefined;
}

/** The answer, and what it means. */
export interface Judgement {
  readonly answer: "accepted" | "refused" | "undecided";
  readonly reason?: Reason;
  /** Sentences, the most important first. */
  readonly explanation: readonly string[];
}

/** Asks a verifier, if the capture holds what it needs to answer. */
export function judge(
  arranged: Arrangement,
  header: Header,
  captured: number,
  question: Question,
): Judgement {
  const { requestTag } = question;
  const receiver = completedBy(question, header);
  const lacking = findLacking(arranged, header, receiver);
  if (lacking !== undefined) return { answer: "undecided", explanation: [lacking] };
  const verdict = ask(arranged, header, receiver);
  if (isControlMessage(verdict)) {
    return { answer: "accepted", explanation: explainControl(arranged, header, receiver) };
  }
  if (verdict.ok) return { answer: "accepted", explanation: explainAccepted(arranged, header, receiver) };
  const detached = (header.flags & FLAGS.inline) === 0 && arranged.frames.length === arranged.index + 1;
  if (captured === 1 && detached && (verdict.reason === "bad-signature" || verdict.reason === "malformed")) {
    return { answer: "undecided", explanation: [LACKS_BODY] };
  }
  const explanation = [
    REASONS[verdict.reason],
    ...explainRefused(verdict.reason, arranged, header, receiver, requestTag),
  ];
  return { answer: "refused", reason: verdict.reason, explanation };
}

const LACKS_BODY =
  "The body is missing: in the detached layout it follows as frames of its own, which the tag covers. Give the whole message.";

/** A key that was derived for one name or channel says what was left out on the command line. */
function completedBy(question: Question, { flags }: Header): Question {
  const [key] = question.keyring.keys;
  const derived = key?.derived ?? { from: "master" };
  const addressed = (flags & FLAGS.addressed) !== 0; // otherwise the name may as well be the sender's
  return {
    ...question,
    channel: question.channel ?? (derived.from === "stream" ? derived.channel : undefined),
    sender: question.sender ?? (addressed && derived.from === "sender" ? derived.sender : undefined),
  };
}

/** What the tag covers and the capture does not hold. */
function findLacking(
  { lacksTopic, index, frames }: Arrangement,
  header: Header,
  question: Question,
): string | undefined {
  const has = (flag: number) => (header.flags & flag) !== 0;
  if (lacksTopic)
    return "The topic is missing: its frame stands before this one, and the tag covers it. Give the whole message.";
  if (frames[index] === undefined) return undefined;
  if (has(FLAGS.addressed) && question.sender === undefined) {
    return "It is meant for one recipient, whose name is not in the message. Say who receives it: --sender NAME.";
  }
  if (has(FLAGS.bound) && question.requestTag === undefined) {
    return "It answers one request, whose tag is not in the message. Give it: --request-tag HEX (inspect shows a request's tag).";
  }
  return undefined;
}

function ask(
  { pattern, hops, frames }: Arrangement,
  { sentAt }: Header,
  question: Question,
): Verdict | Control {
  const { keyring, channel, sender, requestTag } = question;
  let now = sentAt - 1;
  const verifier = new Verifier({ key: keyring, pattern, hops, channel, sender, clock: () => now });
  now = sentAt;
  return verifier.examine(frames, requestTag) as Verdict | Control; // its memory is here, and answers at once
}

function explainControl({ pattern }: Arrangement, header: Header, { keyring, channel }: Question): string[] {
  const place = `A ${pattern.toUpperCase()} on ${channelWords(channel)}`;
  const sentences = [
    `The tag fits under key ${formatKeyId(header.keyId)}. ${place} would take note of it, and deliver nothing.`,
    "It belongs to no stream. A live receiver would ask besides: is what it answers a nonce that I asked, and that nobody has answered yet?",
  ];
  const invalid = expiry(header, keyring);
  return invalid === undefined ? sentences : [...sentences, invalid];
}

function explainAccepted({ pattern }: Arrangement, header: Header, { keyring, channel }: Question): string[] {
  const place = `A ${pattern.toUpperCase()} on ${channelWords(channel)}`;
  const sentences = [
    `The tag fits under key ${formatKeyId(header.keyId)}. ${place} would deliver it, had it just arrived.`,
    "A live receiver would ask besides: was it signed after I began to remember (live), and is sequence " +
      `${header.sequence} of epoch ${header.epoch} one that I have not seen (new)?`,
  ];
  const invalid = expiry(header, keyring);
  return invalid === undefined ? sentences : [...sentences, invalid];
}

/** The verifier's clock stood at the signing: has the key's time passed since? */
function expiry({ keyId }: Header, keyring: Keyring): string | undefined {
  const found = keyring.find(keyId);
  if (typeof found === "string" || found.some((key) => validity(key, Date.now()) === undefined))
    return undefined;
  const { notAfter } = found[0]?.terms ?? {};
  if (notAfter === undefined) return undefined;
  return `The key has expired since (${formatDate(notAfter)}): arriving now, the message is refused as key-expired.`;
}

/** What may be behind a refusal, as far as this place can know. */
function explainRefused(
  reason: Reason,
  arranged: Arrangement,
  header: Header,
  question: Question,
  requestTag: Buffer | undefined,
): string[] {
  const { keyring, keyFile } = question;
  const keyId = formatKeyId(header.keyId);
  switch (reason) {
    case "unknown-key":
      return [
        `The message names key ${keyId}; ${printable(keyFile)} holds ${keyring.keys.map((key) => key.idText).join(", ")}.`,
      ];
    case "bad-signature":
      return [
        `Checked with key ${keyId} for ${covered(arranged, header, question, requestTag)}. If one of these is not what it was signed for, say so and ask again.`,
      ];
    case "key-out-of-scope":
      return [
        `Key ${keyId} in ${printable(keyFile)} was derived for, or is restricted to, others than sender ${header.sender} on ${channelWords(question.channel)}.`,
      ];
    case "key-expired":
    case "key-not-yet-valid":
      return [`At the moment of signing, key ${keyId} was not valid.`];
    case "reflected":
      return [
        `Its sender ${header.sender} is the receiver's own name, and both are ${arranged.pattern.toUpperCase()}s.`,
      ];
    default:
      return [];
  }
}

function covered(
  arranged: Arrangement,
  header: Header,
  { channel, sender }: Question,
  requestTag: Buffer | undefined,
): string {
  const parts = [channelWords(channel)];
  if ((header.flags & FLAGS.addressed) !== 0) parts.push(`recipient ${sender}`);
  if ((header.flags & FLAGS.bound) !== 0)
    parts.push(`the request with tag ${requestTag?.toString("hex").slice(0, 16)}…`);
  const behind = arranged.frames.length - arranged.index - 1;
  if ((header.flags & FLAGS.inline) === 0) parts.push(`${behind} body frame${behind === 1 ? "" : "s"}`);
  return parts.join(", ");
}

function channelWords(channel: string | undefined): string {
  if (channel === undefined) return "the default channel (none was given: --channel)";
  return `channel "${printable(channel)}"`;
}
