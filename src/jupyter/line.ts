// One Jupyter socket's machinery: the library's queue in front of `send` and its loop behind `receive`, with a channel's
// signing and verifying between them and the wire.

import { misuse } from "../errors.js";
import type { Verdict } from "../session/verifier.js";
import { Inbox, type InboxVerifier } from "../sockets/inbox.js";
import { NO_LIAISON } from "../sockets/liaison.js";
import type { RawSocket } from "../sockets/raw-socket.js";
import { SendQueue } from "../sockets/send-queue.js";
import type { ShellLine } from "../sockets/shell.js";
import { notSupported, timedOut } from "../sockets/zmq-errors.js";
import { snapshot } from "../wire/frames.js";
import type { Pattern } from "../wire/patterns.js";
import type { Dict, Message, ReceivedMessage } from "./message.js";
import type { ChannelStats, JupyterVerdict } from "./receiver.js";
import type { ChannelSession, Packed, Sealing } from "./session.js";
import { Welcomer } from "./welcome.js";

/** Counters of a Jupyter socket. */
export interface JupyterSocketStats extends ChannelStats {
  /** Messages signed and handed to ZeroMQ. */
  readonly sent: number;
  /** Messages that wait in front of `send`. */
  readonly queued: number;
}

/** What a line is made of. */
export interface JupyterLineOptions {
  readonly channel: ChannelSession;
  readonly pattern: Pattern;
  readonly sendTimeout: number;
  /** iopub of a kernel: what answers a subscription to this topic; nothing if left out. */
  readonly welcome?: ((topic: Buffer) => Outgoing) | undefined;
}

/** A message and where it goes. */
export interface Outgoing {
  readonly message: Message;
  readonly delivery: Sealing;
}

interface Job {
  readonly packed: Packed;
  readonly delivery: Sealing;
}

/** ROUTER and PUB drop rather than wait; the others are asked. */
const NEVER_WAIT: readonly Pattern[] = ["router", "pub", "xpub"];

/** The machinery between an application and a zeromq.js socket that speaks Jupyter. */
export class JupyterLine implements ShellLine {
  readonly relaxed = false;
  /** Milliseconds from the call of `send` until a message that still waits is given up; -1 for never. */
  sendTimeout: number;
  readonly #raw: RawSocket;
  readonly #channel: ChannelSession;
  readonly #pattern: Pattern;
  readonly #queue: SendQueue<Job>;
  readonly #inbox: Inbox | undefined;
  readonly #welcomer: Welcomer | undefined;
  /** What the frames say that the inbox hands on. */
  readonly #messages = new WeakMap<object, ReceivedMessage>();
  #sent = 0;

  constructor(raw: RawSocket, { channel, pattern, sendTimeout, welcome }: JupyterLineOptions) {
    this.#raw = raw;
    this.#channel = channel;
    this.#pattern = pattern;
    this.sendTimeout = sendTimeout;
    this.#queue = new SendQueue({
      transmit: (job) => this.#transmit(job),
      mayGo: () => true,
      done() {},
      unsettled: () => false,
      flows: () => this.#flows(),
      blocking: ["EAGAIN", "EBUSY"],
      mostMessages: () => raw.sendHighWaterMark,
      mostBytes: channel.queueBytes,
      timeout: () => this.sendTimeout,
    });
    if (pattern !== "xpub") this.#inbox = new Inbox(raw, this.#verifier(), NO_REQUESTS);
    if (pattern === "xpub") {
      this.#welcomer = new Welcomer(
        raw,
        welcome && ((topic) => void this.send(welcome(topic)).catch(ifClosed)),
      );
    }
  }

  /** Counters since the socket was made. */
  get stats(): JupyterSocketStats {
    return { ...this.#channel.stats, sent: this.#sent, queued: this.#queue.length };
  }

  /** Packs at once, numbers and signs when ZeroMQ takes it. */
  async send(outgoing: unknown): Promise<void> {
    if (this.#pattern === "sub") throw notSupported();
    const { message, delivery } = outgoing as Outgoing;
    const packed = this.#channel.pack(message);
    const { identities = [], to, uncounted } = delivery;
    const job = {
      packed: {
        ...packed,
        metadata: copyOf(packed.metadata),
        content: message.content instanceof Uint8Array ? snapshot(packed.content) : packed.content,
        buffers: packed.buffers.map(snapshot),
      },
      delivery: { identities: identities.map((id) => Buffer.from(id)), to, uncounted },
    };
    const bytes = bytesOf(job);
    if (this.#queue.isFull(bytes)) throw timedOut();
    return this.#queue.push(job, bytes).settled;
  }

  /** The next message that is intact, in its place, live and new. */
  receive(): Promise<ReceivedMessage> {
    if (this.#inbox === undefined) return Promise.reject(notSupported());
    return this.#inbox.receive().then((frames) => this.#messages.get(frames) as ReceivedMessage);
  }

  addEndpoint(): void {
    this.#welcomer?.begin();
  }

  assertMayConnectAgain(): void {}

  async ready(): Promise<void> {
    throw notSupported();
  }

  resubscribed(): void {
    this.#channel.resetGaps();
  }

  wake(): void {
    this.#queue.wake();
  }

  flush(): void {}

  close(): void {
    this.#welcomer?.close();
    this.#queue.abandon();
  }

  /** A failure costs no number: nothing has left this process. */
  async #transmit({ packed, delivery }: Job): Promise<void> {
    if (!this.#flows()) throw timedOut();
    const frames = this.#channel.seal(packed, delivery);
    try {
      await this.#raw.send(frames);
    } catch (error) {
      this.#channel.retract(frames);
      throw error;
    }
    this.#sent++;
  }

  #flows(): boolean {
    return this.#raw.open && this.#channel.ready === undefined && this.#mayTake();
  }

  /** Asked before anything is signed. `writable` may only be read right before a send: else nothing is sent. */
  #mayTake(): boolean {
    if (NEVER_WAIT.includes(this.#pattern) || this.#raw.writable) return true;
    void this.#raw.send([]);
    return false;
  }

  #verifier(): InboxVerifier {
    return {
      pattern: this.#pattern,
      examine: (received) => {
        const frames = received as Buffer[];
        const verdict = this.#channel.examine(frames);
        if (verdict instanceof Promise) return verdict.then((later) => this.#verdict(frames, later));
        return this.#verdict(frames, verdict);
      },
      withdraw: unasked,
      refuseControl: unasked,
      refuseUnsigned: unasked,
    };
  }

  #verdict(frames: Buffer[], verdict: JupyterVerdict): Verdict {
    if (!verdict.ok) return verdict;
    this.#messages.set(frames, verdict.message);
    return { ok: true, frames, origin: undefined, rest: [] };
  }
}

/** No REQ, no codec, no greetings. */
const NO_REQUESTS = {
  codec: undefined,
  hops: 0,
  takeRequestTag: () => undefined,
  mayAskAgain() {},
  learn() {},
  liaison: NO_LIAISON,
  asksControl: () => false,
};

/** An inbox asks this of codecs and of control messages, and here are none. */
function unasked(): never {
  throw misuse(
    "ERR_COUNTERSIGN_NOT_SUPPORTED",
    "Jupyter's channels have neither codecs nor control messages.",
  );
}

/** What is signed is what was there at the call, whenever it leaves. */
function copyOf(metadata: Dict): Dict {
  return Object.keys(metadata).length === 0 ? metadata : structuredClone(metadata);
}

function ifClosed(): void {
  // Nobody waits for a welcome: a socket that was closed meanwhile says none.
}

function bytesOf({ packed: { header, parent, content, buffers } }: Job): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, header.length + parent.length + content.length);
}
