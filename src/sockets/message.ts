// Messages as an application receives them: the array zeromq.js would give, with its verified origin attached.

import { Origin } from "../session/origin.js";

/** A received message with its origin. `origin` is not enumerable: the array compares and prints as before. */
export type Signed<Message> = Message & {
  /** Where the message comes from. `undefined` for an unsigned message under `policy: "report"` only. */
  readonly origin: Origin;
};

/** Attaches the origin to a received message. */
export function withOrigin<Message extends unknown[]>(
  message: Message,
  origin: Origin | undefined,
): Signed<Message> {
  return Object.defineProperty(message, "origin", { value: origin }) as Signed<Message>;
}

/**
 * The verified origin of a received message; `undefined` for whatever was not signed: a message let through by
 * `policy: "report"`, a subscription that an XPUB received.
 */
export function originOf(message: object): Origin | undefined {
  const origin = (message as { origin?: unknown }).origin;
  return origin instanceof Origin ? origin : undefined;
}
