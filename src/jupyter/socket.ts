// The sockets of the four channels, for both ends, with the options that Jupyter gives them (Jupyter messaging,
// "Introduction"; ipykernel and jupyter_client): a kernel's ROUTERs hand over ids to who comes back, a client's DEALERs
// bear its session's id, and all linger for a second.

import * as zmq from "zeromq";
import { misuse } from "../errors.js";
import { markSigned } from "../sockets/secured.js";
import { type NativeSocket, Shell } from "../sockets/shell.js";
import { JupyterLine, type JupyterSocketStats } from "./line.js";
import type { Channel, Message, ReceivedMessage, Role } from "./message.js";
import { CHANNELS, patternOf } from "./place.js";
import type { Delivery, Session } from "./session.js";

/** Milliseconds that a closed socket goes on sending what it has, as Jupyter's do. */
const LINGER = 1000;

/** zeromq.js's own options of a channel's socket: they go before Jupyter's. */
export type JupyterSocketOptions = zmq.SocketOptions<zmq.Router> &
  zmq.SocketOptions<zmq.Dealer> &
  zmq.SocketOptions<zmq.XPublisher> &
  zmq.SocketOptions<zmq.Subscriber> & {
    /** iopub of a kernel: whether subscribers get an `iopub_welcome` (protocol 5.4). Default true. */
    readonly welcome?: boolean | undefined;
  };

/** Whom a kernel answers: the request, or a return address and a name. */
export type Recipient =
  | ReceivedMessage
  | { readonly identities: readonly Uint8Array[]; readonly name?: string | undefined };

/** One channel's socket: signs what it sends and verifies what it receives. */
export class JupyterSocket {
  /** The channel. */
  readonly channel: Channel;
  /** Which end it is. */
  readonly role: Role;
  readonly #session: Session;
  readonly #socket: NativeSocket;
  readonly #shell: Shell<JupyterLine>;

  /**
   * @param session  key, identity and memory; its role says which end of the channel this is
   * @throws CountersignError for options that cannot work
   */
  constructor(session: Session, channel: Channel, options: JupyterSocketOptions = {}) {
    const { role } = session;
    const channelSession = session.channel(channel);
    const { welcome = true, sendTimeout = -1, ...own } = options;
    this.channel = channel;
    this.role = role as Role;
    this.#session = session;
    this.#socket = newSocket(this.role, channel, session.id, own);
    const isPublisher = channel === "iopub" && role === "kernel";
    this.#shell = new Shell(
      this.#socket,
      this.#socket,
      (raw) =>
        new JupyterLine(raw, {
          channel: channelSession,
          pattern: isPublisher ? "xpub" : patternOf(this.role, channel),
          sendTimeout,
          welcome: isPublisher && welcome ? (topic) => this.#welcome(topic) : undefined,
        }),
    );
    markSigned(this);
  }

  /** Counters: what was sent, delivered, refused and why, lost. */
  get stats(): JupyterSocketStats {
    return this.#shell.line.stats;
  }

  /** Milliseconds from the call of `send` until a message that still waits is given up; -1 for never. */
  get sendTimeout(): number {
    return this.#shell.line.sendTimeout;
  }

  set sendTimeout(milliseconds: number) {
    this.#shell.line.sendTimeout = milliseconds;
  }

  /** The address of the last bind or connect, ports filled in. */
  get lastEndpoint(): string | null {
    return this.#socket.lastEndpoint;
  }

  /** Whether the socket was closed. */
  get closed(): boolean {
    return this.#socket.closed;
  }

  /** zeromq.js's events of the socket. */
  get events(): zmq.Observer {
    return this.#socket.events;
  }

  /**
   * Packs a message, and signs and sends it, or queues it while ZeroMQ cannot take it: any number, up to
   * `sendHighWaterMark` and `limits.queueBytes`. What is sent is what it held at the call.
   *
   * @param to  a kernel's shell, control and stdin: whom it answers, which is the request as it was received; a kernel's
   *   iopub: the topic, by default `stream.<name>` or `kernel.<session>.<type>`; a client: left out
   */
  async send(message: Message, to?: Recipient | string): Promise<void> {
    await this.#shell.send({ message, delivery: this.#delivery(message, to) });
  }

  /** The next message that is intact, in its place, live and new. Ends and rejects as zeromq.js does. */
  receive(): Promise<ReceivedMessage> {
    return this.#shell.receive() as Promise<unknown> as Promise<ReceivedMessage>;
  }

  /** Messages until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, undefined> {
    while (!this.closed) {
      try {
        yield await this.receive();
      } catch (error) {
        if (this.closed && (error as { code?: string }).code === "EAGAIN") return;
        throw error;
      }
    }
  }

  /** Binds, as zeromq.js does. */
  bind(address: string): Promise<void> {
    return this.#shell.bind(address);
  }

  /** Ends a bind. */
  unbind(address: string): Promise<void> {
    return this.#shell.unbind(address);
  }

  /** Connects, as zeromq.js does; a client's iopub subscribes to everything when it is made. */
  connect(address: string): void {
    this.#shell.connect(address);
  }

  /** Ends a connection. */
  disconnect(address: string): void {
    this.#shell.disconnect(address);
  }

  /** iopub of a client: subscribes to more topics. */
  subscribe(...topics: (string | Buffer)[]): void {
    this.#assertSubscribes();
    this.#shell.subscribe(...topics);
  }

  /** iopub of a client: ends subscriptions; the one to everything that it was made with is `""`. */
  unsubscribe(...topics: (string | Buffer)[]): void {
    this.#assertSubscribes();
    this.#shell.unsubscribe(...topics);
  }

  /** Closes the socket; what was handed to ZeroMQ still goes out for as long as it lingers. */
  close(): void {
    this.#shell.close();
  }

  #delivery(message: Message, to: Recipient | string | undefined): Delivery {
    if (this.channel === "iopub") {
      const topic = to ?? topicOf(message, this.#session.id);
      if (typeof topic === "string") return { identities: [Buffer.from(topic)] };
      throw misuse("ERR_COUNTERSIGN_MESSAGE", "On iopub say the topic, a text, in place of a recipient.");
    }
    if (this.role === "client") {
      if (to === undefined) return {};
      throw misuse("ERR_COUNTERSIGN_RECIPIENT", "A client has one kernel: leave out the recipient.");
    }
    if (
      typeof to !== "object" ||
      to === null ||
      !Array.isArray(to.identities) ||
      to.identities.length === 0
    ) {
      throw misuse(
        "ERR_COUNTERSIGN_RECIPIENT",
        "A kernel says whom it answers: send(reply, request), with the request as it was received.",
      );
    }
    const name = "origin" in to ? to.origin?.sender : (to as { name?: string }).name;
    return { identities: to.identities, to: name ?? null };
  }

  #welcome(topic: Buffer) {
    const content = { subscription: topic.toString() };
    const message = this.#session.message("iopub_welcome", content);
    return { message, delivery: { identities: [topic], uncounted: true } };
  }

  #assertSubscribes(): void {
    if (this.channel === "iopub" && this.role === "client") return;
    throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", "Only a client's iopub subscribes.");
  }
}

/** The topic that ipykernel gives a message. */
function topicOf({ header, content }: Message, session: string): string {
  const { name } = content as { name?: unknown };
  if (header.msg_type === "stream" && typeof name === "string") return `stream.${name}`;
  return `kernel.${session}.${header.msg_type}`;
}

/** zeromq.js's class for an end of a channel. A kernel's iopub is an XPUB, which sees who subscribes. */
function classOf(role: Role, channel: Channel): new (options: object) => zmq.Socket {
  if (channel !== "iopub") return role === "kernel" ? zmq.Router : zmq.Dealer;
  return role === "kernel" ? zmq.XPublisher : zmq.Subscriber;
}

/** What Jupyter's implementations give each. */
function jupyterOptions(role: Role, channel: Channel, session: string): object {
  if (channel === "iopub") return role === "kernel" ? { verbosity: "allSubs" } : {};
  if (role === "client") return { routingId: session };
  // Who asks a user must be told that nobody is there: no answer would come.
  return channel === "stdin" ? { handover: true, mandatory: true } : { handover: true };
}

function newSocket(role: Role, channel: Channel, session: string, own: JupyterSocketOptions): NativeSocket {
  const Class = classOf(role, channel);
  // The queue in front decides how long a message waits.
  const sending = role === "client" && channel === "iopub" ? {} : { sendTimeout: 0 };
  const socket = new Class({ linger: LINGER, ...jupyterOptions(role, channel, session), ...own, ...sending });
  if (socket instanceof zmq.Subscriber) socket.subscribe();
  return socket as NativeSocket;
}

/**
 * Of options for all four sockets of an end, those that this one has.
 *
 * @throws CountersignError for one that none of them has
 */
export function optionsFor(
  role: Role,
  channel: Channel,
  options: JupyterSocketOptions,
): JupyterSocketOptions {
  const has = (name: string, at: Channel) => ALWAYS.includes(name) || name in classOf(role, at).prototype;
  const stranger = Object.keys(options).find((name) => !CHANNELS.some((at) => has(name, at)));
  if (stranger !== undefined) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `socket.${stranger} is no option of any of a ${role}'s sockets.`);
  }
  return Object.fromEntries(Object.entries(options).filter(([name]) => has(name, channel)));
}

const ALWAYS: readonly string[] = ["context", "welcome", "sendTimeout"];
