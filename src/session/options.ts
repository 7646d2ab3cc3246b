// The `signing` options, checked when something is built from them: each wrong one says what to write instead.

import type { Clock } from "../clock.js";
import { misuse } from "../errors.js";
import type { KeyBook, KeySource } from "../keys/keyring.js";
import { assertChannel, randomName } from "../keys/names.js";
import { MemoryState } from "../replay/memory.js";
import type { ReplayState } from "../replay/state.js";
import { DEFAULT_LIMITS, type Limits, WIRE } from "../wire/limits.js";
import { PATTERNS, type Pattern } from "../wire/patterns.js";
import type { Identity } from "./identity.js";
import type { Listeners } from "./observer.js";

/** What signing and verifying have in common. */
export interface SessionOptions {
  /** At least 32 secret bytes, a {@link Key}, a {@link Keyring}, or a function that returns one. */
  readonly key: KeySource | KeyBook;
  /** This party's name: 1 to 64 visible ASCII characters. A random one, made at this start, if left out. */
  readonly sender?: string | Identity | undefined;
  /** What the messages are for, such as "shell": a message signed for one channel is refused on any other. Default "". */
  readonly channel?: string | undefined;
  /** Broker ids in the envelope: of a ROUTER besides its own, of a DEALER at all. Exact. Default 0. */
  readonly hops?: number | undefined;
  /** Bounds; see {@link Limits} for each and its default. */
  readonly limits?: Partial<Limits> | undefined;
  /** Wall clock in microseconds since the Unix epoch. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Where streams are remembered, and this sender's epochs. Default: this process's own memory, gone with it. */
  readonly state?: ReplayState | undefined;
}

/** Options of a {@link Signer}. */
export interface SignerOptions extends SessionOptions {
  /** The socket type that sends: "router", "dealer", "pub", … */
  readonly pattern: Pattern;
  /** The recipient of every message that names no other. */
  readonly to?: string | undefined;
}

/** Options of receiving, on sockets and off them. */
export interface ReceivingOptions extends SessionOptions, Listeners {
  /** How many of the latest sequence numbers of a stream may come in any order, 0 to 65,536. Default 0: strict order. */
  readonly window?: number | undefined;
  /**
   * The evidence that a stream's first message is no recording. "clock" (default): signed after this receiver's start, by
   * a clock at most `skew` ahead. "challenge": its sender answered a nonce of this receiver's; no clock is trusted. On
   * two-way sockets and subscribers; both ends need it.
   */
  readonly admit?: "clock" | "challenge" | undefined;
  /** Milliseconds that senders' clocks may be ahead of this one. Default 0. */
  readonly skew?: number | undefined;
  /** Milliseconds after its signing at which a message is refused. Default: no bound. */
  readonly maxAge?: number | undefined;
  /**
   * Whose memory it is: receivers that share a state and this name never accept a message twice between them. Left out, it is
   * this receiver's own, and gone with it: a state that outlives the process keeps its sender's epochs then, and no more.
   */
  readonly receiver?: string | undefined;
  /**
   * "enforce" (default) refuses unsigned messages. "report" hands them on without an origin while a deployment is
   * moved over; a bad signature is refused all the same.
   */
  readonly policy?: "enforce" | "report" | undefined;
}

/** Options of a {@link Verifier}. */
export interface VerifierOptions extends ReceivingOptions {
  /** The socket type that received the frames. */
  readonly pattern: Pattern;
}

const KNOWN =
  "key sender channel hops limits clock pattern to window admit skew maxAge state receiver receivers batch policy reply login accept sessions onSession onReject onGap onForgotten onTwin".split(
    " ",
  );

/** Throws unless the options are an object with a key and no name that nobody would read. */
export function assertOptions(options: unknown): asserts options is SessionOptions {
  if (typeof options !== "object" || options === null) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "Signing options are missing: pass { key, sender, channel }.");
  }
  const stranger = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (stranger !== undefined) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `signing.${stranger} does not exist; there are ${KNOWN.join(", ")}.`,
    );
  }
  const { key, login, accept } = options as Record<string, unknown>;
  if (key === undefined && login === undefined && accept === undefined) {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      "signing.key is missing: pass at least 32 secret bytes, such as generateKey(), or a mechanism to log in or let in by: " +
        "login, or accept.",
    );
  }
  for (const name of ["onReject", "onGap", "onForgotten", "onTwin"] as const) {
    const listener = (options as Partial<Listeners>)[name];
    if (listener !== undefined && typeof listener !== "function") {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `signing.${name} must be a function; got ${typeof listener}.`);
    }
  }
}

/** The options that say what remembers. */
type MemoryOptions = Pick<ReceivingOptions, "state" | "receiver">;

/** The memory of streams and epochs that the application gave, checked. */
export function stateOf({ state }: MemoryOptions): ReplayState | undefined {
  if (state === undefined || typeof (state as Partial<ReplayState> | null)?.table === "function")
    return state;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    "signing.state must be a memory of streams: new MemoryState(), new LmdbState({ path }) or new RedisState({ client }).",
  );
}

/** Whose memory it is, checked. */
function receiverOf({ receiver }: MemoryOptions): string | undefined {
  if (receiver === undefined || (typeof receiver === "string" && receiver !== "")) return receiver;
  throw misuse("ERR_COUNTERSIGN_OPTIONS", 'signing.receiver must be a name, such as "kernel".');
}

/**
 * Whose memory it is, and where. What has no name that it will have again is this socket's own: in a memory that outlives
 * it, nobody would find it, and nobody would remove it.
 */
export function memoryOf(options: MemoryOptions, clock: Clock): { state: ReplayState; receiver: string } {
  const [state, receiver] = [stateOf(options), receiverOf(options)];
  const outlives = state?.nextEpoch !== undefined;
  if (state === undefined || (outlives && receiver === undefined)) {
    return { state: new MemoryState({ clock }), receiver: randomName() };
  }
  return { state, receiver: receiver ?? randomName() };
}

/** The channel, checked. */
export function channelOf({ channel = "" }: SessionOptions): string {
  assertChannel(channel);
  return channel;
}

/** The number of hops, checked. */
export function hopsOf({ hops = 0 }: SessionOptions): number {
  return inRange("hops", hops, 0, 255);
}

/** The window, checked. */
export function windowOf({ window = 0 }: ReceivingOptions): number {
  return inRange("window", window, 0, WIRE.window);
}

/** The limits in force, checked. */
export function limitsOf({ limits = {} }: SessionOptions): Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      const known = Object.keys(DEFAULT_LIMITS).join(", ");
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `limits.${name} does not exist; the limits are ${known}.`);
    }
    if (typeof value !== "number" || !(value >= 0)) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `limits.${name} must be a number of 0 or more.`);
    }
  }
  const merged = { ...DEFAULT_LIMITS, ...limits };
  if (merged.streams < 1 || merged.peers < 1) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "limits.streams and limits.peers must be at least 1.");
  }
  const { frames, bytes } = merged;
  return { ...merged, frames: Math.min(frames, WIRE.maxLength), bytes: Math.min(bytes, WIRE.maxLength) };
}

/** The socket type, checked. */
export function patternOf({ pattern }: { pattern: Pattern }): Pattern {
  if (typeof pattern !== "string" || !Object.hasOwn(PATTERNS, pattern)) {
    const known = Object.keys(PATTERNS).join(", ");
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `pattern must be one of ${known}; got ${String(pattern)}.`);
  }
  return pattern;
}

/** A span in milliseconds, checked, as microseconds. */
export function microsOf(name: string, milliseconds: number): number {
  if (typeof milliseconds !== "number" || !(milliseconds >= 0)) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `${name} must be milliseconds, 0 or more; got ${String(milliseconds)}.`,
    );
  }
  return milliseconds * 1000;
}

function inRange(name: string, value: unknown, low: number, high: number): number {
  if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `${name} must be a whole number from ${low} to ${high}; got ${String(value)}.`,
    );
  }
  return value as number;
}
