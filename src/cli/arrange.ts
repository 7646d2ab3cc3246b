// Which socket received the captured frames, and where its signature stands. Told by --pattern and --hops, or assumed
// from the message: a capture often lacks what ZeroMQ adds or takes away on the way to the application.

import { FLAGS, type Header, hasMagic, readHeader } from "../wire/header.js";
import { type Pattern, subscribes } from "../wire/patterns.js";
import { signaturePosition } from "../wire/position.js";

/** What the command line says of the receiver. */
export interface Place {
  readonly pattern?: Pattern | undefined;
  readonly hops?: number | undefined;
}

/** The captured frames as one socket would have received them. */
export interface Arrangement {
  readonly pattern: Pattern;
  readonly hops: number;
  /** Whether the pattern was assumed, not told. */
  readonly assumed: boolean;
  /** The frames for a verifier: the captured ones, and stand-ins for routing that no tag covers. */
  readonly frames: readonly Buffer[];
  /** Index of the signature among them, as that socket computes it. */
  readonly index: number;
  /** The topic is covered by the tag, and was not captured. */
  readonly lacksTopic: boolean;
}

/** Indexes of the frames that begin like a signature. */
export function candidates(frames: readonly Buffer[]): number[] {
  return [...frames.keys()].filter((index) => hasMagic(frames[index]));
}

/**
 * Index of the frame to look at; -1 where none begins like a signature. The place that a told receiver computes comes
 * first, then the first frame whose header reads well: ids and bodies may look like signatures too.
 */
export function findSignature(frames: readonly Buffer[], place: Place): number {
  const found = candidates(frames);
  const expected = expectedIndex(frames, place);
  if (expected !== undefined && found.includes(expected)) return expected;
  return found.find((index) => typeof readHeader(frames[index] as Buffer) === "object") ?? found[0] ?? -1;
}

/** Index at which the told receiver expects the signature; `undefined` where none was told. */
export function expectedIndex(frames: readonly Buffer[], place: Place): number | undefined {
  if (!isTold(frames, place) || place.pattern === undefined) return undefined;
  return signaturePosition(place.pattern, false, place.hops ?? 0, frames).index;
}

/** A lone frame was taken out of its message, and is completed whatever the command line says. */
function isTold(frames: readonly Buffer[], { pattern, hops }: Place): boolean {
  return frames.length > 1 && (pattern !== undefined || hops !== undefined);
}

const STAND_IN_ID = Buffer.from("id");
const DELIMITER = Buffer.alloc(0);

/** Arranges captured frames, whose signature stands at `at` and has this header, for the receiver. */
export function arrange(frames: readonly Buffer[], at: number, header: Header, place: Place): Arrangement {
  const front = frames.slice(0, at);
  const pattern = place.pattern ?? receiverOf(header, front);
  const told = isTold(frames, place);
  const routing = told ? front : completed(front, pattern, header);
  const hops = told ? (place.hops ?? 0) : hopsOf(pattern, routing);
  const arranged = [...routing, ...frames.slice(at)];
  return {
    pattern,
    hops,
    assumed: place.pattern === undefined,
    frames: arranged,
    index: signaturePosition(pattern, false, hops, arranged).index,
    lacksTopic: subscribes(pattern) && front.length === 0,
  };
}

/** The socket type that most likely received this. */
function receiverOf({ pattern, flags }: Header, front: readonly Buffer[]): Pattern {
  const bound = (flags & FLAGS.bound) !== 0;
  switch (pattern) {
    case "dealer":
      return "router";
    case "req":
      return front.length === 0 ? "rep" : "router";
    case "rep":
      return bound ? "req" : "dealer";
    case "router":
      return bound ? "req" : (flags & FLAGS.addressed) === 0 ? "router" : "dealer";
    case "pub":
    case "xpub":
      return "sub";
    case "xsub":
      return "xpub";
    case "push":
      return "pull";
    default:
      return "pair";
  }
}

/** The routing frames as the receiver sees them, where no tag tells the difference. */
function completed(front: readonly Buffer[], pattern: Pattern, { flags }: Header): readonly Buffer[] {
  const delimited = (flags & FLAGS.delimited) !== 0;
  switch (pattern) {
    case "req":
    case "rep":
      return []; // ZeroMQ takes ids and delimiter away
    case "router":
    case "dealer": {
      const whole = delimited && front.length === 0 ? [DELIMITER] : front;
      const hasId = whole.some((frame) => frame.length > 0);
      return pattern === "router" && !hasId ? [STAND_IN_ID, ...whole] : whole;
    }
    default:
      return front;
  }
}

function hopsOf(pattern: Pattern, routing: readonly Buffer[]): number {
  const ids = routing.at(-1)?.length === 0 ? routing.length - 1 : routing.length;
  if (pattern === "router") return Math.max(0, ids - 1);
  return pattern === "dealer" ? ids : 0;
}
