// A message of the application's, taken apart at the place of its signature, and checked: what receivers would refuse
// is refused here, with an error that says why.

import { misuse } from "../errors.js";
import type { Place } from "../wire/form.js";
import { type MessageLike, snapshot, toFrames } from "../wire/frames.js";
import { WIRE } from "../wire/limits.js";
import { publishes } from "../wire/patterns.js";
import { withinLimits } from "../wire/payload.js";
import { signaturePosition } from "../wire/position.js";

/** What a message has in front of its signature, as far as that depends on it. */
export interface Front {
  /** Ids and delimiter, or the topic. */
  readonly routing: readonly Buffer[];
  /** The topic, which the tag covers (PUB, XPUB): a snapshot. */
  readonly topic: Buffer | undefined;
  readonly delimited: boolean;
  /** Whether a body follows; a topic or a delimiter alone is a message too. */
  readonly hasBody: boolean;
}

/** The parts of a message. */
export interface Parts extends Front {
  readonly body: readonly Buffer[];
}

/** A message where it will travel: its own copy, whatever the application does with what it gave. */
export interface Prepared {
  readonly front: Front;
  /** {@link FLAGS.inline} or 0. */
  readonly layout: number;
  /** The signature frame: header and tag are yet to be written, an inline payload stands in it. */
  readonly frame: Buffer;
  /** The frames behind it, if it is detached. */
  readonly body: readonly Buffer[];
}

const NO_ROUTING: readonly Buffer[] = Object.freeze([]);

/** Takes a message apart that is sent from `place`. */
export function takeApart(message: MessageLike, { pattern, hops, limits }: Place): Parts {
  const frames = toFrames(message);
  const { index, delimited } = signaturePosition(pattern, true, hops, frames);
  const routing = index === 0 ? NO_ROUTING : frames.slice(0, index);
  const body = index === 0 ? frames : frames.slice(index);
  const topic = publishes(pattern) && routing[0] !== undefined ? snapshot(routing[0]) : undefined;
  const bodyless = topic !== undefined || (delimited && index > 0);
  if (routing.length < index || (body.length === 0 && !bodyless)) {
    throw unsendable(
      `A ${pattern} message has ${index} frame(s) of routing, then a body; got ${frames.length} frame(s).`,
    );
  }
  if (!withinLimits(body, limits)) {
    const bounds = `${limits.frames} frames, ${limits.bytes} bytes`;
    throw unsendable(
      `The message is over the limits (${bounds}): receivers would refuse it. Raise limits on both sides.`,
    );
  }
  const hasBody = body.length > 0;
  return { routing: topic === undefined ? routing : [topic], topic, delimited, hasBody, body };
}

/** The front of a message that may wait: a copy. A topic is one already. */
export function ownFront({ routing, topic, delimited, hasBody }: Front): Front {
  const own = topic === undefined && routing.length > 0 ? routing.map(snapshot) : routing;
  return { routing: own, topic, delimited, hasBody };
}

/** Throws unless these messages may travel under one tag. */
export function assertOneBatch(parts: readonly Parts[]): void {
  const [first, ...others] = parts;
  if (first === undefined || parts.length > WIRE.batch) {
    throw unsendable(`A batch holds 1 to ${WIRE.batch} messages; got ${parts.length}.`);
  }
  if (parts.some(({ delimited }) => delimited))
    throw unsendable("A message with a delimiter cannot be batched.");
  const sameRouting = ({ routing }: Parts) => routing.every((id, i) => id.equals(first.routing[i] as Buffer));
  if (!others.every(sameRouting)) throw unsendable("The messages of a batch go to one peer or topic.");
}

/** An error for a message that cannot be signed. */
export function unsendable(why: string): Error {
  return misuse("ERR_COUNTERSIGN_MESSAGE", why);
}
