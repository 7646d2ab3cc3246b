// The shell around a zeromq.js class: same constructor, same methods, and a Line between them and the native socket.

import * as zmq from "zeromq";
import { misuse } from "../errors.js";
import { PATTERNS, type Pattern, subscribes } from "../wire/patterns.js";
import { messagesOf } from "./iteration.js";
import { Line, MAY_REFUSE, type SocketStats } from "./line.js";
import type { Sessions } from "./sessions.js";
import { type NativeMethods, type NativeSocket, Shell } from "./shell.js";
import { CONSTRUCTOR_ONLY, splitOptions } from "./signing-options.js";
import type { ReadyOptions } from "./synchroniser.js";

/** What a signed socket has besides zeromq's members. */
export interface Secured {
  /** Counters: what was sent, delivered, refused and why, lost. */
  readonly stats: SocketStats;
  /** The sessions of a socket with `signing.login` or `signing.accept`; there are none on any other. */
  readonly sessions: Sessions;
}

/** What a signed subscriber has besides. */
export interface Synchronised {
  /**
   * Resolves when so many publishers (one by default) have said how far they have come since the subscriptions are what
   * they are: nothing that these publish from then on is missed. Works under either admission.
   *
   * @throws CountersignError ("ERR_COUNTERSIGN_NOT_READY") when that takes longer than `timeout` milliseconds (10,000 by
   *   default): no publisher is there, or a broker on the way does not carry subscriptions
   * @example
   * subscriber.connect("tcp://127.0.0.1:5556");
   * subscriber.subscribe("news");
   * await subscriber.ready({ publishers: 2 });
   */
  ready(options?: ReadyOptions): Promise<void>;
}

type NativeClass = abstract new (options: object) => NativeSocket;

const SIGNED = new WeakSet<object>();

/** Is this one of countersign's sockets? */
export function isSigned(socket: unknown): boolean {
  return typeof socket === "object" && socket !== null && SIGNED.has(socket);
}

/** Marks a socket, or a facade of one, as signed. */
export function markSigned(socket: object): void {
  SIGNED.add(socket);
}

/** A class like `native`, whose sockets sign what they send and verify what they receive. */
export function secured(native: unknown, pattern: Pattern): new (options: object) => NativeSocket & Secured {
  const Base = native as NativeClass;
  const receive = receiverOf(Base.prototype);
  const queues = "sendTimeout" in Base.prototype;

  class SignedSocket extends Base {
    readonly #shell: Shell;

    constructor(options: object) {
      const { zeromq, ...line } = splitOptions(options, queues, pattern);
      super(zeromq);
      if (queues) super.sendTimeout = 0;
      try {
        this.#shell = new Shell(this, this.#native(), (raw) => new Line(raw, { pattern, ...line }));
      } catch (error) {
        super.close();
        throw error;
      }
      markSigned(this);
    }

    /** The line of a socket; `undefined` while zeromq.js still assigns the constructor's options. */
    static lineOf(socket: object): Line | undefined {
      return #shell in socket ? socket.#shell.line : undefined;
    }

    get stats(): SocketStats {
      return this.#shell.line.stats;
    }

    get sessions(): Sessions {
      return this.#shell.line.sessions;
    }

    override send(message: unknown): Promise<void> {
      return this.#shell.send(message);
    }

    override receive(): Promise<Buffer[]> {
      return this.#shell.receive();
    }

    [Symbol.asyncIterator](): AsyncIterator<Buffer[], undefined> {
      return messagesOf(this);
    }

    override bind(address: string): Promise<void> {
      return this.#shell.bind(address);
    }

    override bindSync(address: string): void {
      this.#shell.bindSync(address);
    }

    override unbind(address: string): Promise<void> {
      return this.#shell.unbind(address);
    }

    override connect(...address: [string]): void {
      this.#shell.connect(...address);
    }

    override disconnect(address: string): void {
      this.#shell.disconnect(address);
    }

    ready(options?: ReadyOptions): Promise<void> {
      return this.#shell.ready(options);
    }

    override close(): void {
      this.#shell.close();
    }

    override subscribe(...prefixes: (string | Buffer)[]): void {
      this.#shell.subscribe(...prefixes);
    }

    override unsubscribe(...prefixes: (string | Buffer)[]): void {
      this.#shell.unsubscribe(...prefixes);
    }

    /** Past the accessor that tells an application of what is ready in the library. */
    #isReadable(): boolean {
      return Reflect.get(Base.prototype, "readable", this) as boolean;
    }

    #native(): NativeMethods {
      const isReadable = () => this.#isReadable();
      return {
        get readable() {
          return isReadable();
        },
        send: (message) => super.send(message),
        receive: () => receive.call(this),
        bind: (address) => super.bind(address),
        bindSync: (address) => super.bindSync(address),
        unbind: (address) => super.unbind(address),
        connect: (...address) => super.connect(...address),
        disconnect: (address) => super.disconnect(address),
        close: () => super.close(),
        subscribe: (...prefixes) => super.subscribe(...prefixes),
        unsubscribe: (...prefixes) => super.unsubscribe(...prefixes),
      };
    }
  }

  overrideOptions(SignedSocket.prototype, pattern, SignedSocket.lineOf);
  dropForeign(
    SignedSocket.prototype,
    Base.prototype,
    subscribes(pattern) ? ["stats", "sessions", "ready"] : ["stats", "sessions"],
  );
  return SignedSocket;
}

/** A PUB's application receives nothing, but the XPUB that it is underneath does: subscriptions. */
function receiverOf(prototype: NativeSocket): () => Promise<Buffer[]> {
  return "receive" in prototype
    ? prototype.receive
    : (zmq.XPublisher.prototype.receive as () => Promise<Buffer[]>);
}

/** Options that take part in signing: each is intercepted where the native class has it. */
function overrideOptions(
  prototype: object,
  pattern: Pattern,
  lineOf: (socket: object) => Line | undefined,
): void {
  intercept(prototype, "readable", {
    get: (socket, read) => (lineOf(socket) as Line).hasReady || read(),
  });
  // What a Publisher is underneath (an XPUB) is nobody's business.
  intercept(prototype, "type", { get: () => PATTERNS[pattern] });
  intercept(prototype, "sendTimeout", {
    get: (socket) => lineOf(socket)?.sendTimeout,
    set: (socket, value) => {
      (lineOf(socket) as Line).sendTimeout = value as number;
    },
  });
  intercept(prototype, "relaxed", {
    get: (socket) => lineOf(socket)?.relaxed,
    set: (socket, value, assign) => {
      assign();
      const line = lineOf(socket);
      if (line !== undefined) line.relaxed = Boolean(value);
    },
  });
  for (const name of MAY_REFUSE) {
    intercept(prototype, name, {
      set: (socket, value, assign) => {
        assign();
        lineOf(socket)?.setMayRefuse(name, Boolean(value));
      },
    });
  }
  for (const name of CONSTRUCTOR_ONLY) {
    intercept(prototype, name, {
      set: (socket, _value, assign) => {
        if (lineOf(socket) === undefined) return assign();
        throw misuse(
          "ERR_COUNTERSIGN_NOT_SUPPORTED",
          `${name} can only be given to the constructor of a signed socket.`,
        );
      },
    });
  }
}

interface Interception {
  get?(socket: object, read: () => unknown): unknown;
  set?(socket: object, value: unknown, assign: () => void): void;
}

/** Puts `interception` in front of an accessor that the native class has; does nothing where it has none. */
function intercept(prototype: object, name: string, { get, set }: Interception): void {
  const native = inheritedDescriptor(prototype, name);
  if (native === undefined) return;
  Object.defineProperty(prototype, name, {
    configurable: true,
    get(this: object) {
      const read = () => native.get?.call(this);
      return get ? get(this, read) : read();
    },
    set(this: object, value: unknown) {
      const assign = () => native.set?.call(this, value);
      if (set) set(this, value, assign);
      else assign();
    },
  });
}

function inheritedDescriptor(prototype: object, name: string): PropertyDescriptor | undefined {
  for (let at = Object.getPrototypeOf(prototype); at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A socket type keeps only the methods that its native class has: `subscribe` is not for a DEALER. */
function dropForeign(prototype: object, native: object, own: readonly string[]): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (!own.includes(name) && !(name in native)) Reflect.deleteProperty(prototype, name);
  }
}
