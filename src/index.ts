// countersign: what users import instead of zeromq. Signed sockets under zeromq's names, the core, and the rest of
// zeromq's exports, so that the import line is the whole change.

export {
  Context,
  capability,
  context,
  curveKeyPair,
  type Event,
  type EventOfType,
  type EventSubscriber,
  type EventType,
  type Message,
  type MessageLike,
  Observer,
  type Readable,
  type RouterConnectOptions,
  Socket,
  type SocketOptions,
  Stream,
  type StreamConnectOptions,
  version,
  type Writable,
} from "zeromq";
export * from "./core.js";
export {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  type Raw,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "./sockets/classes.js";
export type { SocketStats } from "./sockets/line.js";
export { originOf, type Signed } from "./sockets/message.js";
export { Proxy } from "./sockets/proxy.js";
export type { Secured, Synchronised } from "./sockets/secured.js";
export type { SessionSettings } from "./sockets/session-options.js";
export type { SessionEvent, SessionStats, Sessions } from "./sockets/sessions.js";
export { type SignedFacade, signed } from "./sockets/signed.js";
export type { SignedOptions, SigningOptions } from "./sockets/signing-options.js";
export type { ReadyOptions } from "./sockets/synchroniser.js";
