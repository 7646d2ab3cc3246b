// What a signed socket does differently from the native one, method by method. Shared by the classes (secured.ts),
// whose native methods are `super`'s, and the facade (signed.ts), whose native methods are another object's.

import type * as zmq from "zeromq";
import type { Line } from "./line.js";
import type { RawSocket } from "./raw-socket.js";
import type { ReadyOptions } from "./synchroniser.js";

/** A zeromq.js socket with the members that the various types have. */
export interface NativeSocket extends zmq.Socket {
  sendTimeout: number;
  receiveTimeout: number;
  readonly sendHighWaterMark: number;
  send(message: unknown): Promise<void>;
  receive(): Promise<Buffer[]>;
  subscribe(...prefixes: (string | Buffer)[]): void;
  unsubscribe(...prefixes: (string | Buffer)[]): void;
}

/** The methods that a shell stands in front of. */
export const SHELL_METHODS = [
  ...(["send", "receive", "bind", "bindSync", "unbind", "connect", "disconnect", "close"] as const),
  ...(["subscribe", "unsubscribe"] as const),
];

/** zeromq.js's own methods, and whether a message has arrived, callable whatever stands in front of them. */
export type NativeMethods = Pick<NativeSocket, (typeof SHELL_METHODS)[number] | "readable">;

/** What an XSUB puts in front of a topic to subscribe to it, and to end that. */
const ONE = Buffer.from([1]);
const ZERO = Buffer.from([0]);

/** What a shell needs of the machinery behind it: a {@link Line}, or one that speaks another format. */
export type ShellLine = Pick<
  Line,
  | "send"
  | "addEndpoint"
  | "assertMayConnectAgain"
  | "relaxed"
  | "ready"
  | "resubscribed"
  | "wake"
  | "flush"
  | "close"
> & { receive(): Promise<unknown> | undefined };

/** Stands between an application and a native socket. */
export class Shell<L extends ShellLine = Line> {
  readonly line: L;
  readonly #socket: NativeSocket;
  readonly #native: NativeMethods;
  /** What the socket is connected to, as it was given. */
  readonly #connected: [string][] = [];
  /** A bind or unbind under way: libzmq works on the socket in another thread, and nobody else may touch it. */
  #handedOver: Promise<void> | undefined;
  /** What zeromq.js says too; but asking it takes longer than the rest of a `receive` that has a message at hand. */
  #closed = false;

  /**
   * @param socket  for its properties
   * @param native  for its methods
   * @param makeLine  makes the machinery over what it needs of the socket
   */
  constructor(socket: NativeSocket, native: NativeMethods, makeLine: (raw: RawSocket) => L) {
    this.#socket = socket;
    this.#native = native;
    this.line = makeLine(this.#raw());
  }

  send(message: unknown): Promise<void> {
    return this.line.send(message) ?? this.#native.send(message);
  }

  receive(): Promise<Buffer[]> {
    return (this.line.receive() as Promise<Buffer[]> | undefined) ?? this.#native.receive();
  }

  bind(address: string): Promise<void> {
    const binding = this.#handOver(this.#native.bind(address));
    this.line.addEndpoint("bind");
    return binding;
  }

  bindSync(address: string): void {
    this.#native.bindSync(address);
    this.line.addEndpoint("bind");
  }

  unbind(address: string): Promise<void> {
    return this.#handOver(this.#native.unbind(address));
  }

  connect(...address: [string]): void {
    if (this.#connected.length > 0) this.line.assertMayConnectAgain();
    this.#native.connect(...address);
    this.#connected.push(address);
    this.line.addEndpoint("connect");
  }

  disconnect(address: string): void {
    this.#native.disconnect(address);
    const at = this.#connected.findIndex(([connected]) => connected === address);
    if (at >= 0) this.#connected.splice(at, 1);
  }

  /** SUB, XSUB: resolves when publishers have answered, so that nothing they publish from then on is missed. */
  ready(options?: ReadyOptions): Promise<void> {
    return this.line.ready(options);
  }

  close(): void {
    this.line.flush();
    this.#native.close();
    this.#afterClose();
  }

  subscribe(...prefixes: (string | Buffer)[]): void {
    this.#native.subscribe(...prefixes);
    this.line.resubscribed();
  }

  unsubscribe(...prefixes: (string | Buffer)[]): void {
    this.#native.unsubscribe(...prefixes);
    this.line.resubscribed();
  }

  #subscribe(topic: Buffer, wanted: boolean): void {
    if (!("subscribe" in this.#socket)) void this.#native.send(Buffer.concat([wanted ? ONE : ZERO, topic]));
    else if (wanted) this.#native.subscribe(topic);
    else this.#native.unsubscribe(topic);
  }

  #reconnect(): void {
    for (const address of this.#connected) {
      this.#native.disconnect(...address);
      this.#native.connect(...address);
    }
  }

  #sendAgain(frames: readonly Buffer[]): Promise<void> {
    const request = this.#socket as NativeSocket & { relaxed: boolean };
    const { relaxed } = this.line;
    this.#reconnect();
    request.relaxed = true;
    try {
      return this.#native.send(frames);
    } finally {
      request.relaxed = relaxed;
    }
  }

  #handOver(operation: Promise<void>): Promise<void> {
    const handBack = () => {
      this.#handedOver = undefined;
      this.line.wake();
      this.#afterClose();
    };
    this.#handedOver = operation.then(handBack, handBack);
    return operation;
  }

  /** zeromq.js closes a socket that is being bound only when that has ended. */
  #afterClose(): void {
    this.#closed = this.#socket.closed;
    if (this.#closed) this.line.close();
  }

  #raw(): RawSocket {
    const shell = this;
    const socket = this.#socket;
    return {
      get open() {
        return shell.#handedOver === undefined && !shell.#closed;
      },
      get closed() {
        return socket.closed;
      },
      handedBack: () => shell.#handedOver ?? Promise.resolve(),
      get writable() {
        return socket.writable;
      },
      get readable() {
        return shell.#native.readable;
      },
      get receiveTimeout() {
        return socket.receiveTimeout;
      },
      set receiveTimeout(milliseconds) {
        socket.receiveTimeout = milliseconds;
      },
      get sendHighWaterMark() {
        return socket.sendHighWaterMark;
      },
      send: (frames) => this.#native.send(frames),
      sendAgain: (frames) => this.#sendAgain(frames),
      receive: () => this.#native.receive(),
      subscribe: (topic, wanted) => this.#subscribe(topic, wanted),
      leave: () => {
        socket.linger = 0;
      },
      reconnect: () => this.#reconnect(),
    };
  }
}
