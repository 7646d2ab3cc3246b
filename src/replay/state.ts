// Whose memory it is, and the one contract that every memory meets: this process's own (memory.ts), LMDB's, Redis's, and
// those of third parties. Questions 3 and 4 are asked in one step, for whoever shares a memory must not let another in
// between asking and remembering.

import type { Micros } from "../clock.js";
import type { Reason } from "../reasons.js";
import type { Pattern } from "../wire/patterns.js";

/** Consecutive messages of one stream: one, or the messages of a batch. */
export interface Numbers {
  /** The epoch of its sender. */
  readonly epoch: number;
  /** The first sequence number. */
  readonly sequence: number;
  /** How many there are. */
  readonly count: number;
}

/** A message whose tag has verified, and the evidence that it is no old recording. */
export interface Claim extends Numbers {
  /** The sender's name: the stream, within its table. */
  readonly stream: string;
  /** The id of the key that vouched for it. */
  readonly keyId: number;
  /**
   * The latest moment, on the receiver's clock in microseconds, that the message is known to have been signed after:
   * -Infinity where nothing is known, Infinity where it is live by construction.
   */
  readonly signedAfter: Micros;
  /** Whether it is addressed to a name made at this start: live as long as the table has forgotten no stream. */
  readonly toFreshName: boolean;
  /** Why it is refused where evidence is needed and this is too little. */
  readonly unproven: Reason;
  /** This moment on the receiver's clock, where it was read already. */
  readonly now?: Micros | undefined;
}

/** What a memory says of a claim: "new", "late" (new, but behind a later one; only with a window), or why it is refused. */
export type Ruling = "new" | "late" | Reason;

/** Where a live sender has arrived, as it said in answer to a nonce of this receiver's. */
export interface Reached {
  /** The epoch of its sender. */
  readonly epoch: number;
  /** The last sequence number that it had used: only higher ones can pass. */
  readonly sequence: number;
  /** The id of the key that vouched for it. */
  readonly keyId: number;
}

/**
 * What an answer to a nonce has led to: the stream begins there ("begun"), nothing in it had been asked ("unasked"), an
 * epoch above it is remembered ("stale-epoch"), or the medium failed ("state-unavailable"): then nothing was begun.
 */
export type Answered = "begun" | Extract<Reason, "unasked" | "stale-epoch" | "state-unavailable">;

/** A result at once, or a promise of it where the memory is elsewhere. */
export type Eventual<T> = T | Promise<T>;

/**
 * One receiver's memory of the streams of one channel and sender pattern. Nothing here throws or rejects: where the
 * medium fails, a ruling is "state-unavailable" and nothing was remembered.
 */
export interface Streams {
  /** How many streams are remembered, as far as this process knows. */
  readonly size: number;
  /** Is it live, is it new? Remembers it if so; atomic among all that share this memory. */
  admit(claim: Claim): Eventual<Ruling>;
  /**
   * The nonce that this stream's sender must answer to be admitted: the same until it is answered, 16 bytes. One a
   * stream, in bounded memory; `undefined` where the medium fails. Whoever forgets a stream forgets its nonce with it: the
   * answer may be older than what was heard.
   */
  ask(stream: string): Eventual<Buffer | undefined>;
  /** Begins a stream where its sender has arrived, if `answer` is the nonce that it was asked; used once. */
  answered(stream: string, answer: Uint8Array, reached: Reached): Eventual<Answered>;
  /**
   * The same, for a sender whose answer is known to be live already: it answers what was asked after `mark`. "unasked" if
   * a stream that was heard after that has been forgotten: it may be this one, and the answer older than what was heard.
   * Never lowers what is remembered.
   */
  begin(stream: string, reached: Reached, mark?: number): Eventual<Answered>;
  /** A moment of this memory's own, which {@link begin} understands; left out where no stream is ever forgotten. */
  mark?(): number;
  /** The epoch that is remembered of a stream; 0 where none is. */
  epochOf(stream: string): Eventual<number>;
  /** Forgets the streams that this key moved last: it was revoked, and may have moved them for a thief. */
  forgetKey(keyId: number): Eventual<void>;
  /**
   * The keys that moved the streams which are remembered: a verifier forgets those that it does not hold when it is made, for
   * they were revoked while it was not running. Left out where others, who may hold them, have the memory in use meanwhile.
   */
  keyIds?(): Iterable<number>;
  /** The moment since which nothing was forgotten about a stream, where this process knows it: for a log. */
  sinceOf(stream: string): Micros | undefined;
}

/** How a verifier's tables are kept. */
export interface TableOptions {
  /** How many of the latest sequence numbers may come in any order; 0 for strict order. */
  readonly window: number;
  /** Streams remembered at most. */
  readonly limit: number;
}

/** Who signs, where: what an epoch is stored for. */
export interface SenderStream {
  /** The sender's name. */
  readonly sender: string;
  /** The channel it signs for. */
  readonly channel: string;
  /** Its socket type. */
  readonly pattern: Pattern;
}

/** Memory of streams, for one receiver or for several that share it; and of senders' epochs, where it outlives them. */
export interface ReplayState {
  /** Whether rulings come as promises: then `Verifier.verifyAsync` must be used. */
  readonly asynchronous: boolean;
  /** The table of one receiver's streams on `channel` by senders of type `pattern`. */
  table(receiver: string, channel: string, pattern: Pattern, options: TableOptions): Streams;
  /**
   * An epoch above every one that this sender was given before, and at least `atLeast`; stored before it is returned,
   * with {@link EPOCHS_AHEAD} more that the sender may go on to by itself. Left out where nothing outlives the process.
   *
   * @throws CountersignError ("ERR_COUNTERSIGN_STATE") where the medium fails: nobody may sign then
   */
  nextEpoch?(stream: SenderStream, atLeast: number): Eventual<number>;
}

/** How many epochs beyond the one it was given a sender may begin without asking its state again. */
export const EPOCHS_AHEAD = 1000;
