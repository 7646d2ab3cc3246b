// The sending half of a signed socket: codec, recipient, queue, signature, wire.

import { inspect } from "node:util";
import type { Codec } from "../codec/codec.js";
import { misuse } from "../errors.js";
import type { Greeting } from "../session/handshake.js";
import type { Prepared } from "../session/parts.js";
import type { Signer, Target } from "../session/signer.js";
import { REFUSED } from "../wire/form.js";
import { type MessageLike, snapshot, toFrames } from "../wire/frames.js";
import type { Pattern } from "../wire/patterns.js";
import { isSubscription } from "../wire/position.js";
import { type BatchBounds, Batches, Gathering } from "./batches.js";
import { BURST, nextTurn } from "./burst.js";
import type { Liaison } from "./liaison.js";
import type { RawSocket } from "./raw-socket.js";
import { SendQueue, type Ticket } from "./send-queue.js";
import { codeOf, timedOut } from "./zmq-errors.js";

/** A message as the application gave it, and to whom; `"plain"` goes out as it is. */
interface Given {
  readonly frames: readonly Buffer[];
  readonly target: Target | "plain";
}

/** A message where it will travel, signed when it goes; or one that goes out as it is. */
type Outgoing =
  | { readonly prepared: Prepared; readonly target: Target }
  | { readonly plain: readonly Buffer[] };

/** To whom a message goes, and whether a delimiter belongs behind its ids because the request had one. */
export interface Addressed {
  readonly target: Target | "plain";
  readonly delimited: boolean;
  /** The ids to go in front instead of those that were given: the session's peer has been heard from there since. */
  readonly way?: readonly Buffer[] | undefined;
}

/** Finds the recipient of a message as the application gave it; throws where it must have one and has none. */
export type Addressing = (given: MessageLike, frames: readonly Buffer[]) => Addressed;

/** What an outbox is made of. */
export interface OutboxOptions {
  readonly codec: Codec<unknown> | undefined;
  readonly address: Addressing;
  readonly hops: number;
  readonly queueBytes: number;
  readonly sendTimeout: number;
  /** How messages are gathered into batches; `undefined` for one by one. */
  readonly batch: BatchBounds | undefined;
  /** Whether a writable socket may still not take a message. */
  readonly mayRefuse: () => boolean;
  /** XSUB: called when a subscription passes. */
  readonly resubscribed: () => void;
  /** Who admits whom: nothing is signed before somebody is there to check it. */
  readonly liaison: () => Liaison;
}

/** Signs and sends, in the order of the calls. */
export class Outbox {
  /** Milliseconds from the call of `send` until a message that still waits is given up; -1 for never. */
  sendTimeout: number;
  readonly #raw: RawSocket;
  readonly #signer: Signer;
  readonly #options: OutboxOptions;
  readonly #queue: SendQueue<Outgoing | Gathering>;
  readonly #batches: Batches | undefined;
  /** REQ: the tag of the request that ZeroMQ took and whose reply has not been looked at. */
  #asked: Buffer | undefined;
  /** REQ: whether that was a message to the other end itself. */
  #asksControl = false;
  /**
   * REQ: whether such a message was said again since the application's last one. An answer that zeromq.js had in its hands
   * by then is to an earlier one, and a later one still waits for its own.
   */
  #saidAgain = false;
  /** REQ: whether an answer came of which that is not known yet. */
  #mayWait = false;
  /** The latest message of the application's that was signed. */
  #latest: readonly Buffer[] | undefined;
  /** Sends past the queue of which is not known yet whether ZeroMQ took them. */
  #unsettled = 0;
  /** Whether ZeroMQ took the last message: to ask it before each takes as long as signing one. */
  #flowed = false;
  /** The send in that trust of which is not known yet whether it was right. */
  #trusted: Promise<void> | undefined;
  #operations = 0;
  #sent = 0;
  #handed = 0;

  constructor(raw: RawSocket, signer: Signer, options: OutboxOptions) {
    this.#raw = raw;
    this.#signer = signer;
    this.#options = options;
    this.sendTimeout = options.sendTimeout;
    this.#queue = new SendQueue<Outgoing | Gathering>({
      transmit: (job) => this.#transmit(job),
      mayGo: (job) => !(job instanceof Gathering) || job.released,
      done: (job) => job instanceof Gathering && this.#batches?.close(job),
      flows: () => this.#flows(),
      // A reply that zeromq.js has handed over already is looked at first, under the tag of its own request; and a
      // message that zeromq.js has refused already goes first.
      unsettled: () => this.#asked !== undefined || this.#unsettled > 0,
      // A REQ that still waits for its reply becomes able to send; no other socket's EFSM passes by itself.
      blocking: signer.pattern === "req" ? ["EAGAIN", "EBUSY", "EFSM"] : ["EAGAIN", "EBUSY"],
      mostMessages: () => raw.sendHighWaterMark,
      mostBytes: options.queueBytes,
      timeout: () => this.sendTimeout,
    });
    if (options.batch !== undefined) {
      this.#batches = new Batches(options.batch, signer, () => this.#queue.wake());
    }
  }

  /** Messages handed to ZeroMQ. */
  get sent(): number {
    return this.#sent;
  }

  /** Messages of the application's that ZeroMQ was given, whether it took them or not. */
  get handed(): number {
    return this.#handed;
  }

  /** Messages that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** REQ: whether the reply that is waited for is to a message of this library's own. */
  get asksControl(): boolean {
    return (this.#asksControl && this.#asked !== undefined) || this.#mayWait;
  }

  /** Whether the first message that waits has a delimiter in front of its body. */
  get delimits(): boolean {
    const first = this.#queue.first;
    return first !== undefined && "prepared" in first && first.prepared.front.delimited;
  }

  /** Sends a message; throws for arguments that can never be sent, rejects for everything else. */
  send(message: unknown): Promise<void> {
    if (message === undefined) throw new TypeError("Message must be present");
    const subscription = this.#isSubscription(message);
    const given = subscription ? (message as MessageLike) : this.#encode(message);
    const frames = toFrames(given);
    if (frames.length === 0) return this.#sendNothing();
    if (subscription) this.#options.resubscribed();
    let outgoing: Outgoing;
    const bytes = bytesOf(frames);
    try {
      const whom: Given = subscription
        ? { frames, target: "plain" }
        : this.#addressed(message, given, frames);
      const gathered = this.#batches && this.#gather(this.#batches, whom);
      if (gathered !== undefined) return gathered;
      if (this.#queue.isFull(bytes)) throw timedOut();
      outgoing = this.#prepare(whom);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#queue.length === 0 && this.#canSendNow()) return this.#sendNow(outgoing, bytes);
    return this.#push(outgoing, bytes).settled;
  }

  /** From here on the application may do what it likes with what it gave. */
  #prepare({ frames, target }: Given): Outgoing {
    return target === "plain"
      ? { plain: frames.map(snapshot) }
      : { prepared: this.#signer.prepare(frames), target };
  }

  /** Puts a message into a batch that waits, or begins one; `undefined` where it goes alone, behind all of them. */
  #gather(batches: Batches, { frames, target }: Given): Promise<void> | undefined {
    try {
      const parts = target === "plain" ? undefined : this.#signer.takeApart(frames);
      // A batch that may go already was begun before: its time is up before that of a message that comes now.
      const gathering = parts && batches.find(parts, target as Target, this.sendTimeout < 0);
      if (parts === undefined || gathering === undefined) {
        batches.closeAll();
        return undefined;
      }
      const bytes = bytesOf(frames);
      if (this.#queue.isFull(bytes)) throw timedOut();
      gathering.batch.add(parts.body);
      if (gathering.ticket === undefined) gathering.ticket = this.#push(gathering, bytes);
      else this.#queue.join(gathering.ticket, bytes);
      batches.added(gathering);
      return gathering.ticket.settled;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The socket is about to be closed: what was gathered goes now, as far as ZeroMQ takes it. */
  flush(): void {
    if (this.#batches === undefined) return;
    this.#batches.release();
    this.#queue.drain(() => this.#flows());
  }

  /**
   * Signs a message to the other end itself and sends it at once, past what waits; `false` where ZeroMQ does not take
   * it. Signed and handed over before this returns: what is sent after it comes behind it.
   */
  async sendControl(
    { kind, body, stranger }: Greeting,
    routing: readonly Buffer[],
    to: Target["to"],
  ): Promise<boolean> {
    if (this.#signer.ready !== undefined) return false;
    return this.#sendPast(() => {
      const target = { to: stranger?.origin ?? to };
      return this.#signer.signControl(kind, body, stranger?.routing ?? routing, target);
    });
  }

  /** The same for a message that is not signed: one of a handshake. */
  sendUnsigned(frames: readonly Buffer[]): Promise<boolean> {
    return this.#sendPast(() => frames);
  }

  async #sendPast(make: () => readonly Buffer[]): Promise<boolean> {
    if (!this.#raw.open) return false;
    // A REQ may have lost a message of this library's own, or its answer; its application's is not for us to give up.
    const again = this.#stillWaits();
    if (this.#asked !== undefined && !again) return false;
    try {
      if (!again && !NEVER_WAIT.includes(this.#signer.pattern) && !this.#canWrite()) return false;
      const signed = make();
      const sending = again ? this.#raw.sendAgain(signed) : this.#raw.send(signed);
      if (this.#signer.pattern === "req") {
        this.#asked = this.#signer.requestTag ?? NO_TAG;
        this.#asksControl = true;
        this.#saidAgain ||= again;
        this.#mayWait = false;
      }
      await sending;
      return true;
    } catch {
      // Nobody is there any more, or the key is no longer valid: whoever still wants an answer asks again.
      if (this.#asksControl && !again) this.#asked = undefined;
      return false;
    }
  }

  /** REQ: whether a message of this library's own waits for its answer. libzmq knows, where nobody else does. */
  #stillWaits(): boolean {
    if (this.#mayWait && this.#canWrite()) this.#mayWait = false;
    return this.asksControl;
  }

  /** `writable` may only be read right before a send: where nothing follows, nothing is sent. */
  #canWrite(): boolean {
    if (this.#raw.writable) return true;
    void this.#raw.send([]);
    return false;
  }

  /** Something changed that may let a waiting message through: a bind or unbind has ended. */
  wake(): void {
    this.#queue.wake();
  }

  /** REQ: the tag that the message just received must be bound to; with it the socket can send again. */
  takeRequestTag(): Buffer | undefined {
    const tag = this.#asked;
    this.#asked = undefined;
    this.#mayWait = this.#saidAgain;
    return tag;
  }

  /** The socket was closed: what waits is given up. */
  close(): void {
    this.#queue.abandon();
    this.#signer.close();
  }

  /** What an XSUB says to ZeroMQ itself. With a codec that is a bare frame: an array is a value, whatever its bytes. */
  #isSubscription(message: unknown): boolean {
    if (this.#signer.pattern !== "xsub") return false;
    if (this.#options.codec !== undefined && Array.isArray(message)) return false;
    return isSubscription(toFrames(message as MessageLike));
  }

  /** With a codec the application sees ids and a value alone; the delimiter that a request had goes into its answer. */
  #addressed(message: unknown, given: MessageLike, frames: Buffer[]): Given {
    const { address, codec, hops } = this.#options;
    const { target, delimited, way } = address(given, frames);
    const ids = 1 + hops;
    const bare = delimited && codec !== undefined && (message as unknown[]).length === ids + 1;
    if (way !== undefined) frames.splice(0, ids, ...way);
    return { frames: bare ? frames.toSpliced(ids, 0, Buffer.alloc(0)) : frames, target };
  }

  /** With a codec a message is its routing frames and one value. */
  #encode(message: unknown): MessageLike {
    const { codec } = this.#options;
    if (codec === undefined) return message as MessageLike;
    if (!Array.isArray(message) || message.length === 0) {
      throw misuse(
        "ERR_COUNTERSIGN_MESSAGE",
        "With a codec, send an array: the routing frames, then one value: send([value]).",
      );
    }
    return [...message.slice(0, -1), ...codec.encode(message.at(-1))];
  }

  /** As zeromq.js: a message without frames is none, but a closed socket does not even take that. */
  async #sendNothing(): Promise<void> {
    if (!this.#raw.open) await this.#raw.send([]);
  }

  /** ROUTER, PUB and XPUB drop rather than wait. The others are asked, where they have not just shown it. */
  #canSendNow(): boolean {
    if (this.#options.mayRefuse() || !this.#mayTry()) return false;
    if (NEVER_WAIT.includes(this.#signer.pattern)) return true;
    if (this.#unsettled === 0 && this.#flowed) return true;
    // What ZeroMQ refused waits for its turn again, and this behind it.
    if (this.#unsettled > 0 && this.#trusted !== undefined && isRejected(this.#trusted)) return false;
    this.#trusted = undefined;
    return this.#raw.writable;
  }

  /** Whether ZeroMQ takes a message now; asking it takes as long as signing one. */
  #flows(): boolean {
    return this.#mayTry() && (NEVER_WAIT.includes(this.#signer.pattern) || this.#canWrite());
  }

  #mayTry(): boolean {
    return this.#asked === undefined && this.#isOpen() && this.#raw.open;
  }

  /** Nothing is signed before it can be checked, nor before the epoch that it would carry is stored. */
  #isOpen(): boolean {
    return this.#options.liaison().open && this.#signer.ready === undefined;
  }

  #sendNow(outgoing: Outgoing, bytes: number): Promise<void> {
    const put = this.#put(outgoing);
    if (this.#unsettled++ === 0) this.#trusted = this.#flowed ? put.sending : undefined;
    const sent = put.sending.then(
      () => {
        this.#unsettled--;
        this.#accepted(put);
      },
      (error: unknown) => {
        this.#unsettled--;
        this.#flowed = false;
        return this.#sendAgain(error, put.signed, outgoing, bytes);
      },
    );
    return ++this.#operations % BURST === 0 ? sent.then(nextTurn) : sent;
  }

  /**
   * The last peer left between our question and our send: wait for the next one, first in line again. Not where
   * something was signed since: that may have gone out, and this would come behind it.
   */
  #sendAgain(error: unknown, signed: readonly Buffer[], outgoing: Outgoing, bytes: number): Promise<void> {
    this.#signer.retract(signed);
    if (codeOf(error) !== "EAGAIN" || this.sendTimeout === 0 || this.#latest !== signed) throw error;
    return this.#queue.push(outgoing, bytes, "first").settled;
  }

  #push(job: Outgoing | Gathering, bytes: number): Ticket {
    const ticket = this.#queue.push(job, bytes);
    if (!this.#isOpen()) this.#options.liaison().expect();
    return ticket;
  }

  /** Signs and sends at once. A failure costs no number: nothing has left this process. */
  async #transmit(job: Outgoing | Gathering): Promise<void> {
    // A REQ that waits for an answer of this library's own is not asked either: that would keep a receive from being woken.
    if (!this.#isOpen() || this.#stillWaits()) throw timedOut();
    const put = this.#put(job);
    try {
      await put.sending;
    } catch (error) {
      this.#signer.retract(put.signed);
      throw error;
    }
    this.#accepted(put, job instanceof Gathering ? job.batch.count : 1);
  }

  #sign(job: Outgoing | Gathering): readonly Buffer[] {
    if (job instanceof Gathering) {
      // From now on it takes no more.
      this.#batches?.close(job);
      return this.#signer.sealBatch(job.batch, job.target);
    }
    return "plain" in job ? job.plain : this.#signer.signPrepared(job.prepared, job.target);
  }

  #put(job: Outgoing | Gathering): Put {
    let signed: readonly Buffer[] = [];
    try {
      signed = this.#sign(job);
      this.#latest = signed;
      this.#handed++;
      return { signed, requestTag: this.#signer.requestTag, sending: this.#raw.send(signed) };
    } catch (error) {
      // `writable` may have been read: sending nothing tells a pending receive as sending something would have.
      if (this.#raw.open && !this.#refusedAsker(error)) void this.#raw.send([]);
      return { signed, requestTag: undefined, sending: Promise.reject(error) };
    }
  }

  /**
   * A REP whose asker has no session any more can say nothing to him, and would hear nobody else before it has: he is answered
   * without a signature that he was refused.
   */
  #refusedAsker(error: unknown): boolean {
    if (this.#signer.pattern !== "rep" || codeOf(error) !== "ERR_COUNTERSIGN_RECIPIENT") return false;
    void this.#raw.send([REFUSED]).catch(() => {});
    return true;
  }

  #accepted({ requestTag }: Put, messages = 1): void {
    this.#asked = requestTag;
    this.#asksControl = false;
    this.#saidAgain = false;
    this.#mayWait = false;
    this.#flowed = this.#signer.pattern !== "req";
    this.#sent += messages;
  }
}

/** Nothing else tells what a promise has come to before the tick in which it tells itself. */
function isRejected(promise: Promise<unknown>): boolean {
  return /^Promise \{\s*<rejected>/.test(inspect(promise, { depth: 0 }));
}

function bytesOf(frames: readonly Buffer[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}

/** A message in ZeroMQ's hands. */
interface Put {
  readonly signed: readonly Buffer[];
  readonly requestTag: Buffer | undefined;
  readonly sending: Promise<void>;
}

/** In the place of a request's tag, before anything was signed: nothing is bound to it. */
const NO_TAG = Buffer.alloc(0);
const NEVER_WAIT: readonly Pattern[] = ["router", "pub", "xpub"];
