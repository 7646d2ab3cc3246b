// An LmdbState in a process of its own, which a test can ask, close and kill. It tells the time by the test's clock: as it
// was when it was asked.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/clock.js";
import { CountersignError, type ErrorCode } from "../../src/errors.js";
import type {
  Claim,
  Reached,
  ReplayState,
  SenderStream,
  Streams,
  TableOptions,
} from "../../src/replay/state.js";

const PROGRAM = fileURLToPath(new URL("../../.build/test/state/state-process.js", import.meta.url));

/** One question to the process. */
export interface Question {
  readonly id: number;
  readonly now: number;
  /** What to call: of the state, or of one of its tables. */
  readonly method: string;
  readonly table?: string;
  readonly args: readonly unknown[];
}

/** What it answered. */
export interface Reply {
  readonly id: number;
  readonly size: number;
  readonly result?: unknown;
  readonly error?: { code: string; message: string };
}

type Waiting = { resolve(reply: unknown): void; reject(error: Error): void };

/** How the process opens its state. */
export interface RemoteOptions {
  readonly path: string;
  readonly ahead?: number;
  /** User id to become before opening it. */
  readonly uid?: number | undefined;
}

export class RemoteState implements ReplayState {
  readonly asynchronous = true;
  /** Warnings that the process wrote. */
  readonly warnings: { code: string; message: string }[] = [];
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  readonly #tables = new Map<string, RemoteStreams>();
  #asked = 0;

  static async open(options: RemoteOptions, clock: Clock): Promise<RemoteState> {
    const state = new RemoteState(fork(PROGRAM, { serialization: "advanced" }), clock);
    await state.ask("open", [options]);
    return state;
  }

  constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    child.on("message", (message: Reply | { warning: { code: string; message: string } }) => {
      if ("warning" in message) this.warnings.push(message.warning);
      else this.#settle(message);
    });
    child.on("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the process ended: ${signal ?? code}`));
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  table(
    receiver: string,
    channel: string,
    pattern: SenderStream["pattern"],
    options: TableOptions,
  ): RemoteStreams {
    const name = JSON.stringify([receiver, channel, pattern]);
    const held = this.#tables.get(name);
    if (held !== undefined && held.window !== options.window) {
      throw new CountersignError("ERR_COUNTERSIGN_OPTIONS", "not the same window");
    }
    const streams = held ?? new RemoteStreams(this, name, options.window);
    this.#tables.set(name, streams);
    if (held === undefined) streams.opened = this.ask("table", [receiver, channel, pattern, options]);
    streams.opened.catch(() => {});
    return streams;
  }

  nextEpoch(stream: SenderStream, atLeast: number): Promise<number> {
    return this.ask("nextEpoch", [stream, atLeast]) as Promise<number>;
  }

  ask(method: string, args: readonly unknown[], table?: string): Promise<unknown> {
    const id = ++this.#asked;
    const question: Question = {
      id,
      now: this.#clock(),
      method,
      args,
      ...(table === undefined ? {} : { table }),
    };
    this.#child.send(question);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.ask("close", []);
    this.#child.disconnect();
    await ended;
  }

  /** Lets it end by itself, without closing anything. */
  async exit(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.ask("exit", []).catch(() => {});
    await ended;
  }

  async crash(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #settle({ id, size, result, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const streams of this.#tables.values()) streams.size = size;
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new CountersignError(error.code as ErrorCode, error.message));
  }
}

class RemoteStreams implements Streams {
  readonly window: number;
  size = 0;
  /** Resolves when the process has opened it. */
  opened: Promise<unknown> = Promise.resolve();
  readonly #state: RemoteState;
  readonly #name: string;

  constructor(state: RemoteState, name: string, window: number) {
    this.#state = state;
    this.#name = name;
    this.window = window;
  }

  // biome-ignore lint/suspicious/noExplicitAny: each method knows what its own answer is
  #ask(method: string, ...args: unknown[]): Promise<any> {
    return this.#state.ask(method, args, this.#name);
  }

  admit = (claim: Claim) => this.#ask("admit", claim);
  ask = (stream: string) => this.#ask("ask", stream).then((nonce) => nonce && Buffer.from(nonce));
  answered = (stream: string, answer: Uint8Array, reached: Reached) =>
    this.#ask("answered", stream, answer, reached);
  begin = (stream: string, reached: Reached) => this.#ask("begin", stream, reached);
  epochOf = (stream: string) => this.#ask("epochOf", stream);
  forgetKey = (keyId: number) => this.#ask("forgetKey", keyId);
  sinceOf = () => undefined;
}
