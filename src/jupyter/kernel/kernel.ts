// A kernel: serves the four channels and the heartbeat of one connection with an author's handlers.
//
//   shell    one request after another, busy and idle around each
//   control  the same, beside shell: interrupts and shutdown come through while code runs
//   stdin    answers to what cells ask

import { misuse } from "../../errors.js";
import { Comms, type CommTarget } from "../comm.js";
import { type ConnectionInfo, checkConnection } from "../connection.js";
import { readConnectionFile } from "../connection-file.js";
import type { Dict, ReceivedMessage } from "../message.js";
import type { Session } from "../session.js";
import type { JupyterSocket } from "../socket.js";
import { bindKernel, type EndOptions, type KernelSockets } from "../sockets.js";
import { type AnswerSources, answer } from "./answers.js";
import { Executor } from "./execution.js";
import { failureOf } from "./failure.js";
import { assertHandlers, type KernelHandlers } from "./handlers.js";
import { type KernelDescription, kernelInfo } from "./info.js";
import { InputHistory } from "./input-history.js";
import { exitWithParent, onInterruptSignal, processStart } from "./process.js";
import { Publisher } from "./publisher.js";
import { RequestQueue } from "./queue.js";
import { BadRequest } from "./requests.js";
import { Stdin } from "./stdin.js";

/** Messages that wait for a slow peer before further ones are dropped, as ZeroMQ does. */
const HIGH_WATER_MARK = 10_000;

/** Whether this process ran a kernel. */
let hasRun = false;

/** Options of a {@link Kernel}: its handlers, what it is, and a session's and sockets' own. */
export interface KernelOptions extends KernelDescription, EndOptions {
  /** What it does. */
  readonly handlers: KernelHandlers;
  /** What happens when a client opens a comm, by the target's name. */
  readonly comms?: Readonly<Record<string, CommTarget>> | undefined;
}

/** Counters of a kernel. What its sockets refused stands in `sockets.shell.stats` and so on. */
export interface KernelStats {
  /** Requests answered. */
  readonly answered: number;
  /** Requests with a content that cannot be, of a type that is not known, and messages that are no requests. */
  readonly refused: number;
  /** Requests that were aborted, because one before them failed. */
  readonly aborted: number;
  /** Messages on iopub that could not leave. */
  readonly dropped: number;
  /** Answers to questions that nobody had asked, or not any more. */
  readonly staleAnswers: number;
}

/** What came of a kernel. */
export interface KernelEnd {
  /** Whether who ended it means to start it again. */
  readonly restart: boolean;
}

/**
 * A Jupyter kernel, hardened for clients that are.
 *
 * @example
 * const kernel = new Kernel({
 *   language: { name: "upper" },
 *   handlers: { execute: ({ code }) => ({ data: { "text/plain": code.toUpperCase() } }) },
 * });
 * await kernel.run(process.argv[2]);
 */
export class Kernel {
  /** Comms of this kernel: registers targets, and opens comms outside of any cell. */
  readonly comms: Comms;
  readonly #options: KernelOptions;
  readonly #history = new InputHistory();
  /** Resolves when it has ended: by a client's shutdown or by {@link close}. */
  readonly ended: Promise<KernelEnd>;
  #resolveEnded!: (end: KernelEnd) => void;
  #serving: Serving | undefined;
  #closed = false;
  #counts = { answered: 0, refused: 0, aborted: 0 };

  /** @throws CountersignError for options that cannot work */
  constructor(options: KernelOptions) {
    assertHandlers(options?.handlers);
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.comms = new Comms((type, content, parts) => this.#sendComm(type, content, parts), options.comms);
  }

  /** Its sockets, once it is bound. */
  get sockets(): KernelSockets | undefined {
    return this.#serving?.sockets;
  }

  /** Counters. */
  get stats(): KernelStats {
    const { publisher, stdin } = this.#serving ?? {};
    return { ...this.#counts, dropped: publisher?.dropped ?? 0, staleAnswers: stdin?.stale ?? 0 };
  }

  /**
   * Binds and serves a connection until a client shuts the kernel down; SIGINT interrupts what runs meanwhile. What a kernel's
   * main program does: plain messages are taken that were signed since this process began.
   *
   * @param connection  a connection file, as Jupyter names it on the command line, or what one says
   */
  async run(connection: string | ConnectionInfo | undefined): Promise<KernelEnd> {
    if (connection === undefined) {
      throw misuse(
        "ERR_COUNTERSIGN_CONNECTION",
        "Name the connection file: kernel.run(process.argv[2]), with {connection_file} in the kernelspec's argv.",
      );
    }
    // A second kernel of one process must not take what was said to the first.
    const since = hasRun ? undefined : processStart();
    hasRun = true;
    await this.#bind(connection, since);
    const restore = [
      onInterruptSignal(() => void this.interrupt().catch(() => {})),
      exitWithParent(() => this.close()),
    ];
    return this.ended.finally(() => {
      for (const each of restore) each();
    });
  }

  /** Binds a connection, and serves it from then on. */
  bind(connection: string | ConnectionInfo): Promise<void> {
    return this.#bind(connection, undefined);
  }

  async #bind(connection: string | ConnectionInfo, since: number | undefined): Promise<void> {
    if (this.#serving !== undefined) {
      throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", "A kernel is bound once: make another one.");
    }
    const info =
      typeof connection === "string" ? readConnectionFile(connection) : checkConnection(connection);
    const { handlers: _, comms: __, socket, ...options } = withoutDescription(this.#options);
    const sockets = await bindKernel(info, {
      heartbeat: "thread",
      ...(since !== undefined && { since }),
      ...options,
      socket: { sendHighWaterMark: HIGH_WATER_MARK, ...socket },
    });
    if (this.#closed) {
      // Closed while it was bound: nobody else would let go of these.
      sockets.close();
      return;
    }
    const serving = this.#open(sockets, info);
    this.#serving = serving;
    void serving.publisher.publish("status", { execution_state: "starting" }, undefined);
    this.#serve(serving);
  }

  /** Interrupts what runs: aborts its `cell.signal` and calls `handlers.interrupt`. */
  async interrupt(): Promise<void> {
    this.#serving?.executor.interrupt();
    await this.#options.handlers.interrupt?.();
  }

  /** Ends it at once. What was handed to ZeroMQ still goes out for a second. */
  close(): void {
    this.#end({ restart: false });
  }

  #open(sockets: KernelSockets, connection: ConnectionInfo): Serving {
    const { session, iopub } = sockets;
    const { handlers } = this.#options;
    const publisher = new Publisher(iopub, session);
    const stdin = new Stdin(sockets.stdin, session);
    const host = {
      publisher,
      ask: (cell: { message: ReceivedMessage; signal: AbortSignal }, prompt: string, password: boolean) =>
        stdin.ask(cell.message, { prompt, password }, cell.signal),
      openComm: (_: unknown, target: string, data: Dict, parts: object) =>
        this.comms.open(target, data, parts),
    };
    return {
      sockets,
      session,
      publisher,
      stdin,
      executor: new Executor(handlers, host, this.#history),
      shell: new RequestQueue(),
      sources: {
        handlers,
        history: this.#history,
        comms: this.comms,
        info: kernelInfo(this.#options),
        connection,
      },
    };
  }

  #serve(serving: Serving): void {
    const { sockets, shell, stdin } = serving;
    const work = async () => {
      for await (const { message, aborted } of shell) await this.#handle(message, sockets.shell, aborted);
    };
    const control = async () => {
      for await (const message of sockets.control) await this.#handle(message, sockets.control, false);
    };
    // A socket that fails ends the kernel: one that hears nobody would only seem to live.
    for (const service of [shell.fill(sockets.shell), work(), control(), stdin.serve()]) {
      service.catch(() => this.close());
    }
  }

  async #handle(message: ReceivedMessage, socket: JupyterSocket, aborted: boolean): Promise<void> {
    const serving = this.#serving as Serving;
    const status = (execution_state: string) =>
      serving.publisher.publish("status", { execution_state }, message);
    if (socket.channel === "shell") serving.current = message;
    void status("busy");
    const content = await this.#answer(message, socket, aborted);
    if (content !== undefined) {
      await serving.publisher.flush();
      await this.#reply(message, socket, content);
    }
    const ends = message.header.msg_type === "shutdown_request" && content?.status === "ok";
    // Whoever else is connected should not have to find out by silence.
    if (ends) void serving.publisher.publish("shutdown_reply", content, message);
    await status("idle");
    if (ends) this.#end({ restart: content.restart === true });
  }

  /** The content of the reply; `undefined` where none is due. Never throws. */
  async #answer(
    message: ReceivedMessage,
    socket: JupyterSocket,
    aborted: boolean,
  ): Promise<Dict | undefined> {
    const { msg_type: type } = message.header;
    const { executor, sources, shell } = this.#serving as Serving;
    try {
      if (aborted) {
        this.#counts.aborted++;
        return { status: "aborted", execution_count: executor.count };
      }
      if (type === "execute_request" && socket.channel === "shell") {
        const executed = await executor.execute(message);
        if (executed.abort) await shell.abort();
        this.#counts.answered++;
        return executed.content;
      }
      if (type === "interrupt_request") await this.interrupt();
      else if (type === "shutdown_request") return await this.#shutdown(message);
      else if (type.startsWith("comm_") && !type.endsWith("_request")) {
        await this.comms.receive(message);
        return undefined;
      } else {
        const content = await answer(message, sources);
        if (content === undefined) throw new BadRequest(`This kernel knows no ${type} on ${socket.channel}.`);
        this.#counts.answered++;
        return content;
      }
      this.#counts.answered++;
      return { status: "ok" };
    } catch (error) {
      if (error instanceof BadRequest) this.#counts.refused++;
      return type.endsWith("_request") ? { status: "error", ...failureOf(error) } : undefined;
    }
  }

  async #shutdown({ content }: ReceivedMessage): Promise<Dict> {
    const restart = content.restart === true;
    this.#serving?.executor.interrupt();
    await this.#options.handlers.shutdown?.(restart);
    this.#counts.answered++;
    return { status: "ok", restart };
  }

  async #reply(message: ReceivedMessage, socket: JupyterSocket, content: Dict): Promise<void> {
    const { session } = this.#serving as Serving;
    try {
      await socket.send(session.reply(message, content), message);
    } catch (error) {
      if (socket.closed) return;
      // What a handler returned cannot be written as a message: its client is told so.
      const told = session.reply(message, { status: "error", ...failureOf(error) });
      await socket.send(told, message).catch(() => this.#counts.refused++);
    }
  }

  async #sendComm(type: string, content: Dict, parts: object): Promise<void> {
    const serving = this.#serving;
    if (serving === undefined) throw misuse("ERR_COUNTERSIGN_NOT_READY", "The kernel is not bound yet.");
    const message = serving.session.message(type, content, { parent: serving.current, ...parts });
    await serving.publisher.flush();
    await serving.sockets.iopub.send(message);
  }

  #end(end: KernelEnd): void {
    this.#closed = true;
    const serving = this.#serving;
    serving?.executor.interrupt();
    serving?.shell.close();
    this.comms.endAll();
    serving?.sockets.close();
    this.#resolveEnded(end);
  }
}

/** What there is once a kernel is bound. */
interface Serving {
  readonly sockets: KernelSockets;
  readonly session: Session;
  readonly publisher: Publisher;
  readonly stdin: Stdin;
  readonly executor: Executor;
  readonly shell: RequestQueue;
  readonly sources: AnswerSources;
  /** The last request on shell: what comms say belongs to it. */
  current?: ReceivedMessage;
}

function withoutDescription({
  implementation: _,
  implementationVersion: __,
  language: ___,
  banner: ____,
  helpLinks: _____,
  ...options
}: KernelOptions): Omit<KernelOptions, keyof KernelDescription> {
  return options;
}
