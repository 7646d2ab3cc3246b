// The drop-in sockets: one class for each of zeromq's, same name, same options plus `signing` and `codec`, same
// methods and events. What differs is one table: docs/drop-in.md.

// biome-ignore-all lint/correctness/noUnusedVariables: merged declarations must have the same type parameters.
// biome-ignore-all lint/suspicious/noUnsafeDeclarationMerging: `secured` puts send and receive there; the interfaces give their types.

import * as zmq from "zeromq";
import type { Origin } from "../session/origin.js";
import type { Signed } from "./message.js";
import { publisherBase } from "./publisher-base.js";
import { type Secured, type Synchronised, secured } from "./secured.js";
import type { SignedOptions } from "./signing-options.js";

/** Bodies as zeromq.js gives them: what a socket without a codec receives. */
export interface Raw {
  /** Sets this type apart from every value that a codec may carry. */
  readonly raw: unique symbol;
}

type Message = zmq.MessageLike | zmq.MessageLike[];

/** What a socket sends: as zeromq.js without a codec, routing frames and one value with one. */
type Outgoing<Routing extends unknown[], In> = [In] extends [Raw] ? Message : [...Routing, In];
/** What a socket receives: frames without a codec, routing frames and one value with one. */
type Incoming<Routing extends unknown[], Out> = Signed<[Out] extends [Raw] ? Buffer[] : [...Routing, Out]>;

/** A topic on its way out. */
type TopicLike = string | Buffer;
/** A subscription or its end as an XPUB receives it: one frame, 1 or 0 and the topic. Unsigned. */
type Subscription = Buffer[] & { readonly origin: Origin | undefined };

interface Sends<M> {
  /**
   * Signs a message and sends it, or queues it while ZeroMQ cannot take it. Any number may wait, up to
   * `sendHighWaterMark` messages and `limits.queueBytes`; beyond that, and at `sendTimeout`, the promise rejects with
   * EAGAIN. What is sent is what the buffers held at the call.
   */
  send(message: M): Promise<void>;
}

interface Receives<M> {
  /** The next message that is intact, from a known sender, in its place, live and new. */
  receive(): Promise<M>;
  [Symbol.asyncIterator](): AsyncIterator<M, undefined>;
}

/** What every socket has comes from zmq.Socket itself; ROUTER's `connect` takes more. */
type Own = "send" | "receive" | typeof Symbol.asyncIterator | Exclude<keyof zmq.Socket, "connect">;
/** zeromq's class without the methods that are ours; nominally still a zeromq socket. */
type Like<Socket extends zmq.Socket> = new (options: object) => zmq.Socket & Omit<Socket, Own> & Secured;
type Options<Socket extends zmq.Socket, Out, In> = zmq.SocketOptions<Socket> & SignedOptions<Out, In>;

const RouterBase = secured(zmq.Router, "router") as unknown as Like<zmq.Router>;
/** A signed ROUTER: addresses what it sends to the name that was verified with the return address. */
export class Router<Out = Raw, In = Out, Routing extends Buffer[] = [id: Buffer]> extends RouterBase {
  constructor(options: Options<zmq.Router, Out, In>) {
    super(options);
  }
}
export interface Router<Out = Raw, In = Out, Routing extends Buffer[] = [id: Buffer]>
  extends Sends<Outgoing<Routing, In>>,
    Receives<Incoming<Routing, Out>> {}

const DealerBase = secured(zmq.Dealer, "dealer") as unknown as Like<zmq.Dealer>;
/** A signed DEALER: takes from a ROUTER or REP only what is addressed to it. */
export class Dealer<Out = Raw, In = Out> extends DealerBase {
  constructor(options: Options<zmq.Dealer, Out, In>) {
    super(options);
  }
}
export interface Dealer<Out = Raw, In = Out> extends Sends<Outgoing<[], In>>, Receives<Incoming<[], Out>> {}

const RequestBase = secured(zmq.Request, "req") as unknown as Like<zmq.Request>;
/** A signed REQ: takes only the reply that is bound to its request, and rejects anything else with {@link BadReplyError}. */
export class Request<Out = Raw, In = Out> extends RequestBase {
  constructor(options: Options<zmq.Request, Out, In>) {
    super(options);
  }
}
export interface Request<Out = Raw, In = Out> extends Sends<Outgoing<[], In>>, Receives<Incoming<[], Out>> {}

const ReplyBase = secured(zmq.Reply, "rep") as unknown as Like<zmq.Reply>;
/** A signed REP: binds each reply to its request, and answers a bad request with `refused`. */
export class Reply<Out = Raw, In = Out> extends ReplyBase {
  constructor(options: Options<zmq.Reply, Out, In>) {
    super(options);
  }
}
export interface Reply<Out = Raw, In = Out> extends Sends<Outgoing<[], In>>, Receives<Incoming<[], Out>> {}

const PublisherBase = secured(publisherBase(), "pub") as unknown as Like<zmq.Publisher>;
/** A signed PUB: signs the topic with the body. */
export class Publisher<In = Raw> extends PublisherBase {
  constructor(options: Options<zmq.Publisher, unknown, In>) {
    super(options);
  }
}
export interface Publisher<In = Raw> extends Sends<Outgoing<[topic: TopicLike], In>> {}

const SubscriberBase = secured(zmq.Subscriber, "sub") as unknown as Like<zmq.Subscriber>;
/** A signed SUB: a change of subscription begins the counting of gaps anew. */
export class Subscriber<Out = Raw> extends SubscriberBase {
  constructor(options: Options<zmq.Subscriber, Out, never>) {
    super(options);
  }
}
export interface Subscriber<Out = Raw> extends Receives<Incoming<[topic: Buffer], Out>>, Synchronised {}

const XPublisherBase = secured(zmq.XPublisher, "xpub") as unknown as Like<zmq.XPublisher>;
/** A signed XPUB: subscriptions are ZeroMQ's own and arrive unsigned; `originOf` tells them apart. */
export class XPublisher<Out = Raw, In = Out> extends XPublisherBase {
  constructor(options: Options<zmq.XPublisher, Out, In>) {
    super(options);
  }
}
export interface XPublisher<Out = Raw, In = Out>
  extends Sends<Outgoing<[topic: TopicLike], In>>,
    Receives<Subscription | Incoming<[], Out>> {}

const XSubscriberBase = secured(zmq.XSubscriber, "xsub") as unknown as Like<zmq.XSubscriber>;
/** A signed XSUB: subscriptions (one frame that begins with 0 or 1) pass unsigned, everything else is signed. */
export class XSubscriber<Out = Raw, In = Out> extends XSubscriberBase {
  constructor(options: Options<zmq.XSubscriber, Out, In>) {
    super(options);
  }
}
export interface XSubscriber<Out = Raw, In = Out>
  extends Sends<Outgoing<[], In> | zmq.MessageLike>,
    Receives<Incoming<[topic: Buffer], Out>>,
    Synchronised {}

const PushBase = secured(zmq.Push, "push") as unknown as Like<zmq.Push>;
/** A signed PUSH. */
export class Push<In = Raw> extends PushBase {
  constructor(options: Options<zmq.Push, unknown, In>) {
    super(options);
  }
}
export interface Push<In = Raw> extends Sends<Outgoing<[], In>> {}

const PullBase = secured(zmq.Pull, "pull") as unknown as Like<zmq.Pull>;
/** A signed PULL. */
export class Pull<Out = Raw> extends PullBase {
  constructor(options: Options<zmq.Pull, Out, never>) {
    super(options);
  }
}
export interface Pull<Out = Raw> extends Receives<Incoming<[], Out>> {}

const PairBase = secured(zmq.Pair, "pair") as unknown as Like<zmq.Pair>;
/** A signed PAIR. */
export class Pair<Out = Raw, In = Out> extends PairBase {
  constructor(options: Options<zmq.Pair, Out, In>) {
    super(options);
  }
}
export interface Pair<Out = Raw, In = Out> extends Sends<Outgoing<[], In>>, Receives<Incoming<[], Out>> {}
