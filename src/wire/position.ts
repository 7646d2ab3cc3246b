// Where the signature frame stands: computed from the socket type, never searched for, by one function for both
// directions (docs/wire.md, section 4). What stands before it is routing: ids, a delimiter, a topic.

import type { Pattern } from "./patterns.js";

/** Where the signature of a message stands among its frames. */
export interface Position {
  /** Index of the signature frame on the wire; of the first body frame in what an application hands over. */
  readonly index: number;
  /** Whether an empty delimiter frame stands right before it, as far as this socket type sees one. */
  readonly delimited: boolean;
}

const AT_0: Position = { index: 0, delimited: false };
const AT_1: Position = { index: 1, delimited: false };
/** REQ and REP: ZeroMQ itself adds and strips the delimiter, so it is always there and never seen. */
const BEHIND_HIDDEN_DELIMITER: Position = { index: 0, delimited: true };

/**
 * The position of the signature.
 *
 * @param pattern  The socket's own type.
 * @param sending  Whether the socket sends (`true`) or received (`false`) these frames.
 * @param hops     Ids of brokers in the envelope, besides a ROUTER's own first id.
 * @param frames   The frames; only their lengths are looked at.
 */
export function signaturePosition(
  pattern: Pattern,
  sending: boolean,
  hops: number,
  frames: readonly { readonly length: number }[],
): Position {
  switch (pattern) {
    case "router":
      return behindEnvelope(1 + hops, frames);
    case "dealer":
      return behindEnvelope(hops, frames);
    case "req":
    case "rep":
      return BEHIND_HIDDEN_DELIMITER;
    case "pub":
    case "sub":
      return AT_1;
    case "xpub":
      return sending ? AT_1 : AT_0;
    case "xsub":
      return sending ? AT_0 : AT_1;
    default:
      return AT_0;
  }
}

function behindEnvelope(ids: number, frames: readonly { readonly length: number }[]): Position {
  if (frames[ids]?.length === 0) return { index: ids + 1, delimited: true };
  return ids === 0 ? AT_0 : ids === 1 ? AT_1 : { index: ids, delimited: false };
}

/** Subscriptions are ZeroMQ's own: one frame that begins with 0 or 1, which XPUB receives and XSUB sends. */
export function isSubscription(frames: readonly Uint8Array[]): boolean {
  const first = frames[0];
  return frames.length === 1 && first !== undefined && first.length > 0 && (first[0] === 0 || first[0] === 1);
}
