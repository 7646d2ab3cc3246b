// What stands in the files beside this one (README.md explains every member), and how frames are written in them.

import type { Answered, Kind, Pattern, Ruling } from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";

/** Bytes in hexadecimal, or one byte repeated. */
type Run = string | { readonly repeat: string; readonly times: number };
/** One frame: a run of bytes, or several one behind the other. */
export type FrameText = Run | readonly Run[];

/** A key as the receiver holds it. */
export interface KeyRecord {
  readonly secret: string;
  /** The id, eight hexadecimal digits; for a derived key that of its master. */
  readonly id: string;
  readonly derived?: {
    readonly from: "sender" | "stream";
    readonly sender: string;
    readonly channel?: string;
  };
  /** Milliseconds since 1970, both ends included. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly senders?: readonly string[];
  readonly channels?: readonly string[];
}

/** The party that receives. Times in microseconds unless they say otherwise. */
export interface Receiver {
  readonly pattern: Pattern;
  readonly channel: string;
  readonly name: string;
  /** Whether the name was made at random for this start. Default false. */
  readonly fresh?: boolean;
  /** Default 0. */
  readonly hops?: number;
  /** Default 0: strict order. */
  readonly window?: number;
  readonly since: number;
  readonly now: number;
  /** Default 0. */
  readonly skew?: number;
  /** Default: no bound. */
  readonly maxAge?: number;
  readonly limits?: { readonly frames?: number; readonly bytes?: number; readonly streams?: number };
  /** Default "enforce". */
  readonly policy?: "enforce" | "report";
}

/** What is told of where a message came from; of a batch, its first message. */
export interface OriginRecord {
  readonly sender: string;
  readonly pattern: Pattern;
  readonly keyId: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly sentAt: number;
  readonly addressed: boolean;
  readonly late: boolean;
}

export type Expected =
  | {
      readonly ok: true;
      /** Each delivered message, as its frames; more than one for a batch. */
      readonly delivered: readonly (readonly FrameText[])[];
      /** `null` for an unsigned message that policy "report" lets through. */
      readonly origin: OriginRecord | null;
      /** Messages that this one shows to be lost. Default 0. */
      readonly lost?: number;
    }
  | { readonly ok: false; readonly reason: Reason; readonly authentic: boolean }
  /** A message between the two ends themselves: neither delivered nor refused. */
  | { readonly ok: false; readonly control: ControlRecord };

/** What a control message says, and who says it. Nonces in hexadecimal. */
export interface ControlRecord {
  readonly kind: Kind;
  readonly answer: string;
  readonly ask: string;
  readonly reached: number;
  readonly known: number;
  readonly sender: string;
  readonly pattern: Pattern;
  readonly keyId: string;
  readonly epoch: number;
  readonly sentAt: number;
  readonly addressed: boolean;
}

/** One message that arrives. */
export interface Arrival {
  readonly frames: readonly FrameText[];
  /** The receiver's clock at its arrival. Default: the receiver's `now`. */
  readonly now?: number;
  /** REQ: the tag of the request that waits for this reply. */
  readonly requestTag?: string;
  /** The place of a key in `keys` that is taken out just before. */
  readonly revoke?: number;
  readonly expect: Expected;
}

export interface Vector {
  readonly name: string;
  readonly keys: readonly KeyRecord[];
  readonly receiver: Receiver;
  /** In the order of their arrival, at a receiver that begins with this vector. */
  readonly messages: readonly Arrival[];
}

/** Consecutive messages of one stream whose tags have verified; live by other evidence only if told. */
export interface ClaimRecord {
  readonly stream: string;
  readonly epoch: number;
  readonly sequence: number;
  /** Default 1. */
  readonly count?: number;
  /** Default false. */
  readonly live?: boolean;
  /** Default 1. */
  readonly keyId?: number;
}

/** What happens to a memory, one thing a step, and what must come of it. */
export type Step =
  /** The sender of this stream is asked; what the nonce is called from now on, or was called before. */
  | { readonly ask: string; readonly nonce: string }
  /** He answers a nonce: his epoch, the number that he has reached. */
  | {
      readonly answered: string;
      readonly nonce: string;
      readonly epoch: number;
      readonly reached: number;
      readonly gives: Answered;
    }
  /** He answers another nonce of the receiver's, such as that of its hello. */
  | { readonly begin: string; readonly epoch: number; readonly reached: number; readonly gives: Answered }
  | { readonly claim: ClaimRecord; readonly gives: Ruling }
  /** The epoch that is remembered of a stream, 0 for none: what a control message calls known. */
  | { readonly known: string; readonly gives: number }
  | { readonly revoke: number };

/** A memory from its start, under admission by challenge. */
export interface MemoryVector {
  readonly name: string;
  /** Default 0: strict order. */
  readonly window?: number;
  /** Streams remembered at most. Default 2^20. */
  readonly streams?: number;
  /** What it finds of streams that an earlier run heard, in the order in which they were heard. */
  readonly found?: readonly {
    readonly stream: string;
    readonly epoch: number;
    readonly last: number;
    /** Whether the earlier run said that it came no further. */
    readonly certain: boolean;
  }[];
  readonly steps: readonly Step[];
}

/** The file of memories. */
export interface MemoryFile {
  readonly about: string;
  readonly memories: readonly MemoryVector[];
}

/** Everything that is derived from one secret for one sender, channel and recipient. */
export interface Derivation {
  readonly name: string;
  readonly secret: string;
  readonly prk: string;
  readonly keyId: string;
  readonly sender: string;
  readonly channel: string;
  readonly recipient: string;
  readonly senderKey: string;
  /** Of what the sender says from any socket type but PUB and XPUB. */
  readonly channelKey: string;
  /** Of what it publishes. */
  readonly streamKey: string;
  readonly recipientsSenderKey: string;
  readonly recipientKey: string;
}

/** A file of vectors. */
export interface VectorFile {
  readonly about: string;
  readonly vectors: readonly Vector[];
}

/** The file of derivations. */
export interface DerivationFile {
  readonly about: string;
  readonly derivations: readonly Derivation[];
}

const LONG = 512;

export function frameText(frame: Uint8Array): FrameText {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const runs: Run[] = [];
  let plain = 0;
  for (let at = 0; at < bytes.length; ) {
    const times = repetitions(bytes, at);
    if (times >= LONG) {
      if (at > plain) runs.push(bytes.toString("hex", plain, at));
      runs.push({ repeat: bytes.toString("hex", at, at + 1), times });
      plain = at + times;
    }
    at += times;
  }
  if (plain < bytes.length || runs.length === 0) runs.push(bytes.toString("hex", plain));
  return runs.length === 1 ? (runs[0] as Run) : runs;
}

function repetitions(bytes: Buffer, from: number): number {
  let end = from + 1;
  while (end < bytes.length && bytes[end] === bytes[from]) end++;
  return end - from;
}

export function frameBytes(text: FrameText): Buffer {
  if (typeof text === "string") return Buffer.from(text, "hex");
  if ("repeat" in text) return Buffer.alloc(text.times, Buffer.from(text.repeat, "hex"));
  return Buffer.concat(text.map(frameBytes));
}
