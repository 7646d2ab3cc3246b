// What the library needs of a zeromq.js socket, underneath its own `send` and `receive`.

/** A zeromq.js socket whose native `sendTimeout` is 0: a send that is not possible at once is refused at once. */
export interface RawSocket {
  /** Neither closed nor in the hands of another thread, which binds or unbinds it. */
  readonly open: boolean;
  readonly closed: boolean;
  /** Resolves when no other thread has the socket. */
  handedBack(): Promise<void>;
  /** Asks libzmq; only while {@link open}, and only right before {@link send}, which tells a pending receive. */
  readonly writable: boolean;
  /** Asks libzmq; only while {@link open} and no receive is pending. */
  readonly readable: boolean;
  /** Milliseconds; -1 waits for ever. zeromq.js reads it when `receive` is called. */
  receiveTimeout: number;
  readonly sendHighWaterMark: number;
  /** Throws or rejects as zeromq.js does. */
  send(frames: readonly Buffer[]): Promise<void>;
  /** REQ: the same, though the last message was not answered: it is left behind, with its connection. */
  sendAgain(frames: readonly Buffer[]): Promise<void>;
  /** Throws or rejects as zeromq.js does. */
  receive(): Promise<Buffer[]>;
  /** SUB, XSUB: subscribes to a topic, or ends that, past the application. */
  subscribe(topic: Buffer, wanted: boolean): void;
  /** What was said is not waited for when the socket is closed. */
  leave(): void;
  /** Leaves every connection, with what is on its way over it, and makes new ones to the same addresses. */
  reconnect(): void;
}
