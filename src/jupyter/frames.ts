// Question 1: is it well formed? The frames of a message and back (Jupyter messaging, "The Wire Protocol"):
//
//   identities… <IDS|MSG> signature header parent_header metadata content buffers…

import type { Reason } from "../reasons.js";

/** What ends the identities. The first frame that is this counts. */
export const DELIMITER = Buffer.from("<IDS|MSG>");

/** Frames that may stand in front of the delimiter: brokers add one each. */
const MOST_IDENTITIES = 32;
/** Bytes of each: ZeroMQ's ids have at most 255, topics more. */
const MOST_IDENTITY_BYTES = 1024;
const SIGNED_PARTS = 4;
/** Longest signature frame that is looked at where nothing is signed. */
const MOST_UNSIGNED_BYTES = 1024;

/** A message in its parts. All are views into what was received. */
export interface Form {
  readonly identities: readonly Buffer[];
  readonly signature: Buffer;
  /** Header, parent header, metadata and content: what the signature covers. */
  readonly parts: readonly [header: Buffer, parent: Buffer, metadata: Buffer, content: Buffer];
  readonly buffers: readonly Buffer[];
}

/** Bounds that are asked before any cryptography. */
export interface FrameLimits {
  /** Most frames behind the delimiter. */
  readonly frames: number;
  /** Most bytes in all of them together. */
  readonly bytes: number;
}

/**
 * Takes a message apart, or says why not.
 *
 * @param signatureBytes  what a signature must have; 0 where nothing is signed
 */
export function split(
  frames: readonly Buffer[],
  signatureBytes: number,
  limits: FrameLimits,
): Form | Extract<Reason, "malformed" | "too-large" | "unsigned"> {
  const at = findDelimiter(frames);
  if (at < 0 || frames.length - at < 2 + SIGNED_PARTS) return "malformed";
  const signature = frames[at + 1] as Buffer;
  if (signatureBytes > 0 && signature.length === 0) return "unsigned";
  if (signatureBytes > 0 ? signature.length !== signatureBytes : signature.length > MOST_UNSIGNED_BYTES) {
    return "malformed";
  }
  if (frames.length - at - 1 > limits.frames) return "too-large";
  let bytes = 0;
  for (let i = at + 1; i < frames.length; i++) bytes += (frames[i] as Buffer).length;
  if (bytes > limits.bytes) return "too-large";
  return {
    identities: frames.slice(0, at),
    signature,
    parts: frames.slice(at + 2, at + 2 + SIGNED_PARTS) as unknown as Form["parts"],
    buffers: frames.slice(at + 2 + SIGNED_PARTS),
  };
}

/** Where the delimiter stands; -1 where none does within what may stand in front of it. */
function findDelimiter(frames: readonly Buffer[]): number {
  const end = Math.min(frames.length, MOST_IDENTITIES + 1);
  for (let i = 0; i < end; i++) {
    const frame = frames[i] as Buffer;
    if (frame.length === DELIMITER.length && frame.equals(DELIMITER)) return i;
    if (frame.length > MOST_IDENTITY_BYTES) return -1;
  }
  return -1;
}
