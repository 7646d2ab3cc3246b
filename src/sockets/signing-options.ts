// The options of a signed socket: zeromq's own, `signing`, `codec`. Ours are taken out before zeromq.js sees them: it
// refuses names it does not know.

import type { Codec } from "../codec/codec.js";
import { misuse } from "../errors.js";
import type { AcceptMechanism, LoginMechanism } from "../handshake/mechanism.js";
import type { KeySource } from "../keys/keyring.js";
import type { ReceivingOptions } from "../session/options.js";
import type { MessageLike } from "../wire/frames.js";
import type { Pattern } from "../wire/patterns.js";
import type { BatchOptions } from "./batches.js";
import type { SessionSettings } from "./session-options.js";
import type { SessionEvent } from "./sessions.js";

/** How a socket signs and verifies. One object for both directions; what a socket type cannot use, it ignores. */
export interface SigningOptions extends Omit<ReceivingOptions, "key"> {
  /** At least 32 secret bytes, a {@link Key}, a {@link Keyring}, or a function that returns one; or `login`, or `accept`. */
  readonly key?: KeySource | undefined;
  /**
   * DEALER, REQ, PAIR: log in, and sign with the keys of the session; in the place of `key`. Such as
   * `scram({ user, password })` or `psk({ key })` of countersign/handshake.
   */
  readonly login?: LoginMechanism | undefined;
  /** ROUTER, REP, PAIR: let in whoever logs in by one of these; in the place of `key`. Such as `scram({ users })`. */
  readonly accept?: AcceptMechanism | readonly AcceptMechanism[] | undefined;
  /** When keys are renewed, and how many handshakes may be under way for how long. */
  readonly sessions?: SessionSettings | undefined;
  /** Called when a session is established, renewed or lost, and when a handshake is refused. */
  readonly onSession?: ((event: SessionEvent) => void) | undefined;
  /**
   * Whom to address: a name, or a function from a message (frames as given to `send`) to one. A ROUTER asks it only
   * for return addresses that no verified message came from.
   */
  readonly to?: string | ((message: MessageLike) => string | undefined) | undefined;
  /**
   * Under `admit: "challenge"`: "one" (default) receiver hears what a DEALER or REQ sends; or "shared": several do, behind a
   * broker or several connections, that share one `state`.
   */
  readonly receivers?: "one" | "shared" | undefined;
  /**
   * Whether messages that are sent while earlier ones wait leave as one batch, under one tag: many small messages cost
   * far less then. Per peer on a ROUTER, per topic on a PUB or XPUB; the order of messages to different peers, or under
   * different topics, may change. Do not await each send: what is awaited waits alone, for one turn of the event loop.
   * Receivers take batches always. Ignored by REQ and REP, which speak one message at a time.
   */
  readonly batch?: boolean | BatchOptions | undefined;
  /** Under `policy: "report"`: "signed" (default) signs answers to unsigned messages too, "as-received" does not. */
  readonly reply?: "signed" | "as-received" | undefined;
}

/** What a signed socket takes besides zeromq's own options. */
export interface SignedOptions<Out, In> {
  /** Key, name, channel, and how strict to be. Required: there is no unsigned mode to slip into. */
  readonly signing: SigningOptions;
  /** Turns the body of each message into one value and back, after verification. */
  readonly codec?: Codec<Out, In> | undefined;
}

/** A socket's options, taken apart. */
export interface SplitOptions {
  readonly signing: SigningOptions;
  readonly codec: Codec<unknown> | undefined;
  readonly sendTimeout: number;
  readonly conflate: boolean;
  /** ROUTER: a message that leads nowhere is refused, not dropped. */
  readonly mandatory: boolean;
  /** REQ: may ask again before it was answered. */
  readonly relaxed: boolean;
  /** PUB: a message that a subscriber has no room for is refused, not dropped. */
  readonly noDrop: boolean;
  /** What zeromq.js gets. */
  readonly zeromq: object;
}

/**
 * Takes a socket's options apart; the caller's object is left as it is.
 *
 * @param queues  whether the socket type sends, so that `sendTimeout` is ours
 */
export function splitOptions(options: unknown, queues: boolean, pattern: Pattern): SplitOptions {
  if (options !== undefined && typeof options !== "object") throw new TypeError("Options must be an object");
  const { signing, codec, ...zeromq } = { ...options } as Record<string, unknown>;
  if (typeof signing !== "object" || signing === null) throw misuse("ERR_COUNTERSIGN_OPTIONS", NO_SIGNING);
  assertCodec(codec);
  assertWorkable(zeromq, pattern);
  if (zeromq.conflate && (signing as SigningOptions).admit === "challenge") {
    throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", NOT_SUPPORTED.conflateGreetings);
  }
  const { login, accept } = signing as SigningOptions;
  if (zeromq.conflate && (login !== undefined || accept !== undefined)) {
    throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", NOT_SUPPORTED.conflateSessions);
  }
  if (zeromq.conflate && (signing as SigningOptions).batch) {
    throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", NOT_SUPPORTED.conflateBatches);
  }
  const { conflate, mandatory, noDrop, relaxed, sendTimeout = -1 } = zeromq;
  if (typeof sendTimeout !== "number") throw new TypeError("Option value must be a number");
  if (queues) delete zeromq.sendTimeout;
  return {
    signing: signing as SigningOptions,
    codec,
    sendTimeout,
    conflate: Boolean(conflate),
    mandatory: Boolean(mandatory),
    noDrop: Boolean(noDrop),
    relaxed: Boolean(relaxed),
    zeromq,
  };
}

const NO_SIGNING =
  "Every socket of countersign signs: pass signing: { key, sender, channel } among its options. For a plain socket, " +
  "import it from zeromq.";

function assertCodec(codec: unknown): asserts codec is Codec<unknown> | undefined {
  if (codec === undefined) return;
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode !== "function" || typeof decode !== "function") {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      "codec must have encode and decode: pass msgpack(), json() or your own.",
    );
  }
}

/** Options of zeromq's that put unsigned bytes on the wire, or tear signed messages apart. */
function assertWorkable(zeromq: Record<string, unknown>, pattern: Pattern): void {
  if (zeromq.probeRouter) throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", NOT_SUPPORTED.probeRouter);
  if (zeromq.welcomeMessage) throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", NOT_SUPPORTED.welcomeMessage);
  if (zeromq.conflate && CONFLATE_LOSES_TOPICS.includes(pattern)) {
    throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", NOT_SUPPORTED.conflate);
  }
}

const CONFLATE_LOSES_TOPICS: readonly Pattern[] = ["pub", "sub", "xpub", "xsub"];

const NOT_SUPPORTED = {
  probeRouter:
    "probeRouter sends an empty message that cannot be signed: a signed ROUTER would refuse it. Send a message of your own after connecting.",
  welcomeMessage:
    "welcomeMessage is sent by libzmq, unsigned: a signed SUB would refuse it. Publish a message when a subscription arrives.",
  conflate:
    "conflate keeps the last frame of a message, and on this socket type that parts topic and signature. Conflate after receiving, or use PUSH/PULL.",
  conflateGreetings:
    'conflate keeps the last message alone, and that may be a greeting, or what came before it. Use admit: "clock", or conflate after receiving.',
  conflateSessions:
    "conflate keeps the last message alone, and that may be one of the session's own, or what came before it. Sign with a key, or conflate after receiving.",
  conflateBatches:
    "conflate keeps the last message alone, and a batch is one message to it: leave out batch, or conflate after receiving.",
} as const;

/** Options that only the constructor can take: once signing has begun they would come too late to be checked. */
export const CONSTRUCTOR_ONLY = ["probeRouter", "welcomeMessage", "conflate"] as const;
