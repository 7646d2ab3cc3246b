// The body of a control message: hello, challenge, echo and sync (docs/wire.md, section 9). 48 bytes, fixed; they travel
// inline, behind the tag.

import { WIRE } from "./limits.js";

/** What one end asks of the other, and answers. */
export interface ControlBody {
  /** The nonce that is answered; all zero for none. */
  readonly answer: Buffer;
  /** The nonce that the other end must answer; all zero for none. */
  readonly ask: Buffer;
  /** The last sequence number that the sender has used in its epoch. */
  readonly reached: number;
  /** The highest epoch that the sender remembers of the other end's stream; 0 for none. */
  readonly known: number;
}

/** Bytes of a control message's body. */
export const CONTROL_BYTES = 2 * WIRE.nonceBytes + 16;
/** In the place of a nonce: nothing is asked, or answered. */
export const NO_NONCE: Buffer = Buffer.alloc(WIRE.nonceBytes);

/** Is there a nonce? */
export function isNonce(nonce: Buffer): boolean {
  return !nonce.equals(NO_NONCE);
}

/** The 48 bytes of a control message's body. */
export function writeControl({ answer, ask, reached, known }: ControlBody): Buffer {
  const bytes = Buffer.alloc(CONTROL_BYTES);
  bytes.set(answer, 0);
  bytes.set(ask, WIRE.nonceBytes);
  bytes.writeBigUInt64BE(BigInt(reached), 2 * WIRE.nonceBytes);
  bytes.writeBigUInt64BE(BigInt(known), 2 * WIRE.nonceBytes + 8);
  return bytes;
}

/** The body in these bytes, as copies; `undefined` where they are none. */
export function readControl(bytes: Buffer): ControlBody | undefined {
  if (bytes.length !== CONTROL_BYTES) return undefined;
  const reached = bytes.readBigUInt64BE(2 * WIRE.nonceBytes);
  const known = bytes.readBigUInt64BE(2 * WIRE.nonceBytes + 8);
  if (reached > WIRE.maxNumber || known > WIRE.maxNumber) return undefined;
  return {
    answer: Buffer.from(bytes.subarray(0, WIRE.nonceBytes)),
    ask: Buffer.from(bytes.subarray(WIRE.nonceBytes, 2 * WIRE.nonceBytes)),
    reached: Number(reached),
    known: Number(known),
  };
}

/** What a reserved topic begins with: the magic, the version and the kind of a sync. The nonce follows. */
const SYNC_PREFIX = Buffer.from([0xc1, 0x53, 1, 6]);
/** Bytes of a reserved topic. */
const SYNC_TOPIC_BYTES = SYNC_PREFIX.length + WIRE.nonceBytes;

/** The topic under which a publisher answers this nonce. */
export function syncTopic(nonce: Buffer): Buffer {
  return Buffer.concat([SYNC_PREFIX, nonce]);
}

/** The nonce in a reserved topic; `undefined` for any other topic. */
export function nonceOfTopic(topic: Buffer): Buffer | undefined {
  if (topic.length !== SYNC_TOPIC_BYTES || !topic.subarray(0, SYNC_PREFIX.length).equals(SYNC_PREFIX)) {
    return undefined;
  }
  return Buffer.from(topic.subarray(SYNC_PREFIX.length));
}
