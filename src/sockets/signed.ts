// A signed facade for a socket that somebody else made: the same methods, the same properties, `instanceof` included.
// The socket itself stays as it is; what is sent on it directly is not signed.

import type * as zmq from "zeromq";
import type { Codec } from "../codec/codec.js";
import { misuse } from "../errors.js";
import { PATTERN_NAMES, type Pattern, publishes, subscribes } from "../wire/patterns.js";
import { messagesOf } from "./iteration.js";
import { Line } from "./line.js";
import type { Signed } from "./message.js";
import { isSigned, markSigned, type Secured, type Synchronised } from "./secured.js";
import { type NativeSocket, SHELL_METHODS, Shell } from "./shell.js";
import type { SigningOptions } from "./signing-options.js";

/** What a receiving facade gives: messages with their origin. */
type Receiving<Socket> = Socket extends { receive(): Promise<infer M extends object> }
  ? { receive(): Promise<Signed<M>>; [Symbol.asyncIterator](): AsyncIterator<Signed<M>, undefined> }
  : unknown;

/** A facade of `Socket` that signs and verifies. */
export type SignedFacade<Socket> = Receiving<Socket> & Socket & Secured & Waiting<Socket>;

/** What a subscribing facade has besides. */
type Waiting<Socket> = Socket extends zmq.Subscriber | zmq.XSubscriber
  ? Pick<Synchronised, "ready">
  : unknown;

/**
 * Signs and verifies on a zeromq.js socket made elsewhere. Use the facade from then on, and it alone: the socket
 * behind it now rejects sends that are not possible at once. Whether it conflates cannot be read back: if it does, set
 * `limits: { inline: Infinity }`, so that every message is one frame.
 *
 * @param socket   any socket of zeromq.js but Stream and the draft types
 * @param signing  as for a socket of countersign's own
 */
export function signed<Socket extends zmq.Socket>(
  socket: Socket,
  signing: SigningOptions,
  { codec }: { codec?: Codec<unknown> } = {},
): SignedFacade<Socket> {
  const native = socket as unknown as NativeSocket & { readonly type: number };
  const pattern = patternOf(native);
  const facade = new Facade(native, pattern, signing, codec);
  const proxy = new Proxy(native, facade) as unknown as SignedFacade<Socket>;
  markSigned(proxy);
  return proxy;
}

function patternOf(native: (NativeSocket & { readonly type: number }) | null | undefined): Pattern {
  if (isSigned(native)) throw misuse("ERR_COUNTERSIGN_OPTIONS", "This socket is signed already.");
  const pattern = PATTERN_NAMES[native?.type as number];
  if (pattern === undefined) {
    throw misuse(
      "ERR_COUNTERSIGN_NOT_SUPPORTED",
      "signed() takes a zeromq.js socket; Stream and the draft types cannot be signed.",
    );
  }
  return pattern;
}

/** What the facade does not do differently goes to the socket, with the socket as `this`: native methods insist on it. */
class Facade implements ProxyHandler<NativeSocket> {
  readonly #shell: Shell;
  readonly #pattern: Pattern;

  constructor(
    native: NativeSocket,
    pattern: Pattern,
    signing: SigningOptions,
    codec: Codec<unknown> | undefined,
  ) {
    const { sendTimeout = -1 } = native;
    // Whether ROUTER's mandatory or PUB's noDrop is set cannot be read back, so there no send is taken for granted.
    const noDrop = pattern === "router" || publishes(pattern);
    this.#pattern = pattern;
    const unknown = { conflate: false, mandatory: false, noDrop, peersUnknown: true };
    const options = { pattern, signing, codec, sendTimeout, ...unknown };
    this.#shell = new Shell(native, native, (raw) => new Line(raw, options));
    if ("sendTimeout" in native) native.sendTimeout = 0;
  }

  get(native: NativeSocket, name: PropertyKey, facade: unknown): unknown {
    const { line } = this.#shell;
    if (name === "stats") return line.stats;
    if (name === "sessions") return line.sessions;
    if (name === "sendTimeout" && name in native) return line.sendTimeout;
    if (name === "ready" && subscribes(this.#pattern)) return this.#shell.ready.bind(this.#shell);
    if (name === "readable") return line.hasReady || native.readable;
    const value = Reflect.get(native, name, native) as unknown;
    if (typeof value !== "function") return value;
    if (isShellMethod(name)) return this.#shell[name].bind(this.#shell);
    // It calls `receive`: that must be the facade's.
    if (name === Symbol.asyncIterator) return () => messagesOf(facade as NativeSocket);
    return value.bind(native);
  }

  set(native: NativeSocket, name: PropertyKey, value: unknown): boolean {
    const { line } = this.#shell;
    if (name === "mandatory") line.setMayRefuse(name, Boolean(value));
    if (name !== "sendTimeout" || !(name in native)) return Reflect.set(native, name, value, native);
    line.sendTimeout = value as number;
    return true;
  }
}

function isShellMethod(name: PropertyKey): name is (typeof SHELL_METHODS)[number] {
  return (SHELL_METHODS as readonly PropertyKey[]).includes(name);
}
