// Heartbeats: raw echoes, unsigned, by which a client sees that the kernel's process is alive (Jupyter messaging,
// "Heartbeat for kernels"). They prove nothing: anybody on the way can echo.

import { randomBytes } from "node:crypto";
import * as zmq from "zeromq";
import { nextTurn } from "../sockets/burst.js";
import { timedOut } from "../sockets/zmq-errors.js";
import { echoInThread, mayEchoInThread } from "./heartbeat-thread.js";

const LINGER = 1000;
/** Most bytes of a heartbeat that are echoed, and most frames: who sends more gets no answer. */
const MOST_BYTES = 1024;
const MOST_FRAMES = 8;
const NONCE_BYTES = 8;

/** zeromq.js's own options of a heartbeat's socket. */
export type HeartbeatOptions = zmq.SocketOptions<zmq.Router> & zmq.SocketOptions<zmq.Request>;

/** Where a kernel's heartbeat is answered. */
export interface EchoOptions extends HeartbeatOptions {
  /**
   * "loop" (default): on the event loop, which says that JavaScript goes on. "thread": in a thread of its own, which answers
   * while code runs synchronously, as ipykernel does; it takes one of libuv's pool, at most two in a process, and further ones
   * are answered on the event loop.
   */
  readonly on?: "loop" | "thread" | undefined;
}

/** A kernel's heartbeat: echoes whatever comes, up to 1,024 bytes. */
export class HeartbeatEcho {
  readonly #options: HeartbeatOptions;
  readonly #inThread: boolean;
  #loop: EchoLoop | undefined;
  #thread: Awaited<ReturnType<typeof echoInThread>> | undefined;
  #closed = false;

  constructor({ on = "loop", ...options }: EchoOptions = {}) {
    this.#options = options;
    this.#inThread = on === "thread";
    if (!this.#inThread) this.#loop = new EchoLoop(options);
  }

  /** The address of the bind, ports filled in. */
  get lastEndpoint(): string | null {
    return this.#thread?.endpoint ?? this.#loop?.lastEndpoint ?? null;
  }

  /** Binds, and echoes from then on. */
  async bind(address: string): Promise<void> {
    if (this.#inThread && this.#thread === undefined && mayEchoInThread()) {
      this.#thread = await echoInThread(address, this.#options);
      if (this.#closed) this.#thread.stop();
      return;
    }
    this.#loop ??= new EchoLoop(this.#options);
    await this.#loop.bind(address);
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
    this.#thread?.stop();
    this.#loop?.close();
  }
}

/** Echoes on the event loop. */
class EchoLoop {
  readonly #socket: zmq.Router;
  #echoing: Promise<void> | undefined;

  constructor(options: HeartbeatOptions) {
    this.#socket = new zmq.Router({ linger: LINGER, ...options, sendTimeout: 0, receiveTimeout: -1 });
  }

  get lastEndpoint(): string | null {
    return this.#socket.lastEndpoint;
  }

  async bind(address: string): Promise<void> {
    await this.#socket.bind(address);
    this.#echoing ??= this.#echo();
  }

  close(): void {
    this.#socket.close();
  }

  async #echo(): Promise<void> {
    while (!this.#socket.closed) {
      try {
        const frames = await this.#socket.receive();
        const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
        if (bytes <= MOST_BYTES && frames.length <= MOST_FRAMES) await this.#socket.send(frames);
      } catch {
        // Whoever asked has gone, or the socket was closed: the loop's condition tells. Or it is in the hands of a bind,
        // which ends in a turn of the event loop.
        await nextTurn();
      }
    }
  }
}

/** A client's heartbeat. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #address: string | undefined;
  #socket: zmq.Request | undefined;
  #pending: Promise<number> | undefined;
  #closed = false;

  constructor(options: HeartbeatOptions = {}) {
    this.#options = options;
  }

  /** Says where the kernel's heartbeat is. */
  connect(address: string): void {
    this.#address = address;
    this.#leave();
  }

  /**
   * Sends a heartbeat; resolves with the milliseconds until it came back. One at a time: a second call gets the first
   * one's answer.
   *
   * @param timeout  milliseconds (3,000 by default)
   * @throws the EAGAIN of zeromq.js when nothing came back in time, or something else did; the next call connects anew
   */
  ping({ timeout = 3000 }: { timeout?: number } = {}): Promise<number> {
    this.#pending ??= this.#ping(timeout).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
    this.#leave();
  }

  async #ping(timeout: number): Promise<number> {
    if (this.#closed || this.#address === undefined) throw timedOut();
    const socket = this.#socket ?? this.#open(this.#address, timeout);
    this.#socket = socket;
    socket.sendTimeout = timeout;
    socket.receiveTimeout = timeout;
    const nonce = randomBytes(NONCE_BYTES);
    const began = performance.now();
    try {
      await socket.send(nonce);
      const [echo, ...more] = await socket.receive();
      if (echo === undefined || more.length > 0 || !echo.equals(nonce)) throw timedOut();
      return performance.now() - began;
    } catch (error) {
      // A REQ that had no answer cannot ask again: Jupyter makes a new one, too.
      this.#leave();
      throw error;
    }
  }

  #open(address: string, timeout: number): zmq.Request {
    const socket = new zmq.Request({ linger: 0, sendTimeout: timeout, ...this.#options });
    socket.connect(address);
    return socket;
  }

  #leave(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}
