// Every bound in one place: sizes on the wire, which are part of the format, and limits that an application may
// set. All are checked before any cryptography.

/** Sizes and bounds that wire version 1 fixes. */
export const WIRE = {
  /** Bytes of the header before the sender's name. */
  headerBytes: 40,
  /** Bytes of a tag: HMAC-SHA256, never truncated. */
  tagBytes: 32,
  /** Longest sender name, in bytes. */
  senderBytes: 64,
  /** Longest channel name, in bytes of UTF-8. */
  channelBytes: 255,
  /** Highest number in any 64-bit field: 2^53 - 1, what a double holds exactly. */
  maxNumber: Number.MAX_SAFE_INTEGER,
  /** Highest epoch that a sender takes another end's word for: above it there is room for its own starts, 2^40 epochs. */
  highestKnown: Number.MAX_SAFE_INTEGER - 2 ** 40,
  /** Highest number in any 32-bit count or length. */
  maxLength: 2 ** 32 - 1,
  /** Most messages in one batch. */
  batch: 256,
  /** Largest window, in sequence numbers. */
  window: 65_536,
  /** Bytes of a nonce in a control message. */
  nonceBytes: 16,
} as const;

/** Most bytes that the windows of one receiver and sender pattern may take: streams beyond are forgotten (256 MiB). */
export const WINDOW_MEMORY = 2 ** 28;

/** Most senders of one table that may be asked for evidence at once; whoever was asked first is forgotten first. */
export const MOST_NONCES = 65_536;

/** Most ranges of missing ordinals that one receiver remembers with a window (about 50 MiB): counts beyond are forgotten. */
export const GAP_RANGES = 2 ** 20;

/** How far ahead of the receiver's clock an epoch may lie under `admit: "clock"`, in microseconds (24 hours). */
export const EPOCH_AHEAD = 24 * 3600 * 1_000_000;

/** A wall clock that steps back by more than this begins a new epoch, in microseconds (100 ms). */
export const CLOCK_STEP = 100_000;

/** Bounds that an application may change: `signing: { limits: { … } }`. */
export interface Limits {
  /** Most frames in one message, its body alone. Default 65,536. */
  readonly frames: number;
  /** Most bytes in one message, its body alone. Default 2^30. */
  readonly bytes: number;
  /** Bodies up to this many bytes travel inside the signature frame, larger ones as frames behind it. Default 32,768. */
  readonly inline: number;
  /** Most streams remembered; the least recently heard is forgotten first. Default 2^20. */
  readonly streams: number;
  /** Most return addresses (ROUTER) and most recipients or topics counted for gap detection. Default 65,536. */
  readonly peers: number;
  /** Most bytes that wait in front of `send`; a single larger message may still wait alone. Default 64 MiB. */
  readonly queueBytes: number;
}

/** The limits in force where an application sets none. */
export const DEFAULT_LIMITS: Limits = {
  frames: 65_536,
  bytes: 2 ** 30,
  inline: 32_768,
  streams: 2 ** 20,
  peers: 65_536,
  queueBytes: 64 * 2 ** 20,
};
