// Hello, challenge, echo: how two ends admit each other without clocks (docs/wire.md, section 9). Messages in, messages out:
// no socket, no timer. Each end asks with a nonce; whoever answers it tells how far he has come, and only what he signs
// from then on is taken.

import { randomBytes } from "node:crypto";
import type { Reason } from "../reasons.js";
import { type ControlBody, isNonce, NO_NONCE } from "../wire/control.js";
import type { Kind } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import type { Origin } from "./origin.js";
import type { Signer } from "./signer.js";
import type { Control, Marks, Stranger, Verifier } from "./verifier.js";

/** A message to the other end itself: what {@link Signer.signControl} makes of it. */
export interface Greeting {
  /** "hello", "challenge" or "echo". */
  readonly kind: Kind;
  /** What it asks, answers and remembers; how far its sender has come is filled in when it is signed. */
  readonly body: Omit<ControlBody, "reached">;
  /** Whom it answers; `undefined` for a hello, which goes to whoever is there. */
  readonly stranger: Stranger | undefined;
}

/** What a control message led to. */
export interface Outcome {
  /** What to send back. */
  readonly reply?: Greeting;
  /** Whether, once that is sent, somebody is there who can check what is signed. */
  readonly opens?: boolean;
  /** Why it led to nothing, and is counted as refused. */
  readonly refused?: Reason;
  /** The other end does not remember this sender any more; at most so many messages were lost on their way. */
  readonly forgotten?: number;
  /** The other end has heard a later start of this sender's name, which is not this process. */
  readonly twin?: number;
}

/** How far I had come. */
interface Position {
  readonly epoch: number;
  readonly reached: number;
}

/** What is known of one other end. */
interface Acquaintance {
  /** Whether it has answered a nonce of mine: anything else may be a recording. */
  readonly proven: boolean;
  /** The epoch and time of the latest of its messages that did. */
  readonly epoch: number;
  readonly sentAt: number;
  /** How far I had come when he heard of it last, as far as I know. */
  readonly told: Position;
  /** The same, when I said so last. */
  readonly said: Position;
  /** His nonce that I answered last, and when he asked it. */
  readonly asked: { readonly nonce: Buffer; readonly epoch: number; readonly sentAt: number };
  /** His nonce that I answered last and that waits until he takes the answer: not that of a hello. */
  readonly answered: Buffer;
}

/** A control message, and whether it answered a nonce of mine. */
interface Heard {
  readonly control: Control;
  readonly proven: boolean;
  /** What was known of its sender before. */
  readonly before: Acquaintance | undefined;
}

const NOTHING: Outcome = {};

/** One end's part in admitting each other. */
export class Handshake {
  readonly #signer: Signer;
  readonly #verifier: Verifier;
  readonly #demands: boolean;
  readonly #limit: number;
  readonly #acquaintances = new Map<string, Acquaintance>();
  /** The nonce of the hello that waits for its answer. */
  #hello: { readonly nonce: Buffer; readonly made: Marks } | undefined;

  /**
   * @param demands  whether this end admits by challenge; an end that does not still answers
   * @param limit    most other ends remembered
   */
  constructor(signer: Signer, verifier: Verifier, demands: boolean, limit: number) {
    this.#signer = signer;
    this.#verifier = verifier;
    this.#demands = demands;
    this.#limit = limit;
  }

  /** The opening; the same nonce until it is answered, so that repeating it asks nothing new. */
  hello(): Greeting {
    this.#hello ??= { nonce: randomBytes(WIRE.nonceBytes), made: this.#verifier.mark() };
    return {
      kind: "hello",
      body: { answer: NO_NONCE, ask: this.#hello.nonce, known: 0 },
      stranger: undefined,
    };
  }

  /** Takes note of a control message. */
  async receive(control: Control): Promise<Outcome> {
    const { answer, ask } = control.body;
    const before = this.#acquaintances.get(nameOf(control.origin));
    const refused = isNonce(answer) ? await this.#takeAnswer(control) : undefined;
    const heard = { control, proven: isNonce(answer) && refused === undefined, before };
    const { twin } = this.#learnOwnEpoch(heard);
    const answered = mustAnswer(heard, refused)
      ? await this.#answer(heard)
      : isNonce(ask)
        ? NOTHING
        : refusal(refused);
    this.#remember(heard, answered.reply);
    return { ...answered, opens: heard.proven, ...(twin === undefined ? {} : { twin }) };
  }

  /**
   * What to send to the signer of a message that was refused for want of evidence, or as of an earlier start. A twin is
   * only told; he is asked nothing, for the answer is the other's to give.
   */
  async challenge({
    reason,
    stranger,
  }: {
    reason: Reason;
    stranger: Stranger;
  }): Promise<Greeting | undefined> {
    if (!this.#demands) return undefined;
    const known = await this.#verifier.epochOf(stranger.origin);
    if (reason === "stale-epoch") return challengeOf(NO_NONCE, NO_NONCE, known, stranger);
    const ask = await this.#verifier.ask(stranger.origin);
    return ask && challengeOf(NO_NONCE, ask, known, stranger);
  }

  /** An answer that says nothing, for whoever cannot go on without one: a REQ, a REP. */
  acknowledge(stranger: Stranger): Greeting {
    return { kind: "echo", body: { answer: NO_NONCE, ask: NO_NONCE, known: 0 }, stranger };
  }

  /** Begins the stream of whoever answered; why not, if not. */
  async #takeAnswer(control: Control): Promise<Reason | undefined> {
    const hello = this.#hello?.nonce.equals(control.body.answer) ? this.#hello : undefined;
    if (hello !== undefined) this.#hello = undefined;
    const result = await this.#verifier.begin(control, hello?.made);
    return result === "begun" ? undefined : result;
  }

  /** Answers a nonce: whoever asked knows from then on how far this sender has come. */
  async #answer(heard: Heard): Promise<Outcome> {
    const { control } = heard;
    const { ask: answer } = control.body;
    const known = await this.#verifier.epochOf(control.origin);
    const mustAsk = this.#demands && (control.kind === "hello" || known !== control.origin.epoch);
    const ask = (mustAsk ? await this.#verifier.ask(control.origin) : undefined) ?? NO_NONCE;
    await this.#signer.ready;
    const body = { answer, ask, known };
    const kind = control.kind === "hello" ? "challenge" : "echo";
    const reply: Greeting = { kind, body, stranger: control };
    const lost = isUnexpected(heard) ? this.#unheard(heard) : 0;
    return lost > 0 ? { reply, forgotten: lost } : { reply };
  }

  /** How many messages were signed since the other end was told last how far this sender had come: in this epoch. */
  #unheard({ before }: Heard): number {
    const { epoch, reached } = this.#signer;
    return before?.told.epoch === epoch ? reached - before.told.reached : reached;
  }

  /**
   * How late it is for whoever is live, and how far he was told that this sender has come. What others ask again tells
   * nobody anything: it may be a recording.
   */
  #remember(heard: Heard, reply: Greeting | undefined): void {
    const { control, proven, before } = heard;
    const { epoch, sentAt } = control.origin;
    const said = { epoch: this.#signer.epoch, reached: this.#signer.reached };
    const name = nameOf(control.origin);
    if (reply !== undefined && (proven || isNew(heard))) {
      const asked = { nonce: control.body.ask, epoch, sentAt };
      // Whoever says hello has not heard the answer yet, and may have to refuse what was on its way to him.
      const mayLose = control.kind === "hello" && before?.told.epoch === said.epoch;
      const answered = control.kind === "hello" ? (before?.answered ?? NO_NONCE) : control.body.ask;
      this.#keep(name, { ...latestOf(heard), told: mayLose ? before.told : said, said, asked, answered });
    } else if (proven) {
      // He is live, and so he has heard what was said to him last.
      const { said: heardOf = said, asked = { nonce: NO_NONCE, epoch, sentAt } } = before ?? {};
      const { answered = NO_NONCE } = before ?? {};
      this.#keep(name, { ...latestOf(heard), told: heardOf, said: heardOf, asked, answered });
    }
  }

  #keep(name: string, acquaintance: Acquaintance): void {
    this.#acquaintances.delete(name);
    if (this.#acquaintances.size >= this.#limit) {
      this.#acquaintances.delete(this.#acquaintances.keys().next().value as string);
    }
    this.#acquaintances.set(name, acquaintance);
  }

  /**
   * Whoever is asked learns what the other end has heard of his name. Not admitted there yet, he starts above it: his
   * clock was set back, or he is the newer one. Admitted there already, he has a twin.
   */
  #learnOwnEpoch({ control, before }: Heard): Outcome {
    const { known, ask } = control.body;
    const { epoch } = this.#signer;
    // Whoever claims an epoch at the end of them does not get this sender to run out of epochs.
    if (known <= epoch || known > WIRE.highestKnown) return NOTHING;
    // Who asks again what was answered has not taken the answer.
    const asksAgain = isNonce(ask) && (before?.answered.equals(ask) ?? false);
    if (!before?.proven || before.told.epoch !== epoch || asksAgain) {
      this.#signer.startAbove(known);
      return NOTHING;
    }
    return isRecording(control.origin, before) ? NOTHING : { twin: known };
  }
}

/**
 * Of two answers to one hello that was said twice, the second asks what is answered already. (If that answer was lost, the
 * next message is refused, and asked about in so many words.) Whoever is of an earlier epoch than is known must be told of it.
 */
function mustAnswer({ control: { body }, proven, before }: Heard, refused: Reason | undefined): boolean {
  if (!isNonce(body.ask)) return false;
  return (
    proven ||
    refused === "stale-epoch" ||
    !isNonce(body.answer) ||
    !(before?.asked.nonce.equals(body.ask) ?? false)
  );
}

function nameOf({ sender, pattern }: Origin): string {
  return `${pattern} ${sender}`;
}

function refusal(refused: Reason | undefined): Outcome {
  return refused === undefined ? NOTHING : { refused };
}

function challengeOf(answer: Buffer, ask: Buffer, known: number, stranger: Stranger): Greeting {
  return { kind: "challenge", body: { answer, ask, known }, stranger };
}

/** The latest that he is known to have said himself, with this. */
function latestOf({
  control: { origin },
  proven,
  before,
}: Heard): Pick<Acquaintance, "proven" | "epoch" | "sentAt"> {
  if (proven && !isRecording(origin, before)) return { proven, epoch: origin.epoch, sentAt: origin.sentAt };
  const { epoch, sentAt } = before ?? { epoch: 0, sentAt: 0 };
  return { proven: proven || (before?.proven ?? false), epoch, sentAt };
}

/** A challenge in the middle of a conversation: what was said since the last answer was refused. */
function isUnexpected(heard: Heard): boolean {
  const { kind, body } = heard.control;
  if (heard.before === undefined) return false;
  return kind === "challenge" && isNonce(body.ask) && !isNonce(body.answer) && isNew(heard);
}

/** Does he ask something that was not asked before? The same nonce counts, if what was answered got lost. */
function isNew({ control: { origin, body }, before }: Heard): boolean {
  if (before === undefined) return true;
  if (isRecording(origin, before) || isRecording(origin, before.asked)) return false;
  const { nonce, epoch, sentAt } = before.asked;
  return !nonce.equals(body.ask) || origin.epoch > epoch || origin.sentAt > sentAt;
}

/** Time never goes back within an epoch, and epochs never do: what is older than the latest was recorded. */
function isRecording(
  { epoch, sentAt }: Origin,
  latest: Pick<Acquaintance, "epoch" | "sentAt"> | undefined,
): boolean {
  if (latest === undefined) return false;
  return epoch < latest.epoch || (epoch === latest.epoch && sentAt < latest.sentAt);
}
