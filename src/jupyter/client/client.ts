// A client of one kernel: asks, waits for what belongs to each question, and ends every wait when the kernel does.

import { misuse } from "../../errors.js";
import { Comms, type CommTarget } from "../comm.js";
import { type ConnectionInfo, checkConnection } from "../connection.js";
import { readConnectionFile } from "../connection-file.js";
import type { Channel, Dict, Message, ReceivedMessage } from "../message.js";
import type { MessageParts, Session } from "../session.js";
import { type ClientSockets, type EndOptions, openClient } from "../sockets.js";
import { closed, KernelDiedError, tooLate } from "./errors.js";
import { Execution } from "./execution.js";
import { GivenUp } from "./given-up.js";
import { textOf } from "./outputs.js";
import { type Patience, Pending } from "./pending.js";
import { Pulse } from "./pulse.js";
import { answersOf, type ClientQuestions, questions } from "./questions.js";
import { becomeReady } from "./ready.js";

const DEAD_AFTER = 30_000;
const HIGH_WATER_MARK = 10_000;
/** Milliseconds that a kernel has to answer an interrupt of ours. */
const INTERRUPT_PATIENCE = 5000;

/** Asked when code asks the user something; returns the answer. */
export type InputCallback = (
  prompt: string,
  about: { readonly password: boolean },
) => string | Promise<string>;

/** Options of a {@link KernelClient}: its own, and a session's and sockets'. */
export interface KernelClientOptions extends EndOptions {
  /** Answers what code asks the user. Default: code is told that nobody answers. */
  readonly input?: InputCallback | undefined;
  /** What happens when the kernel opens a comm, by the target's name. */
  readonly comms?: Readonly<Record<string, CommTarget>> | undefined;
  /** Told of everything on iopub, whoever asked for it. What it throws is ignored. */
  readonly onMessage?: ((message: ReceivedMessage) => void) | undefined;
  /**
   * Told once that the kernel died; not of an end that `shutdown` or `restart` makes. What it throws
   * is ignored.
   */
  readonly onDead?: ((error: KernelDiedError) => void) | undefined;
  /**
   * Milliseconds without a heartbeat or any other sign of life after which the kernel counts as dead; false for never. Default
   * 30,000.
   */
  readonly deadAfter?: number | false | undefined;
  /** How the kernel is interrupted. Default: `interrupt_request` on control. */
  readonly interrupt?: (() => Promise<void>) | undefined;
}

/** How code is executed. */
export interface ExecuteOptions extends Patience {
  /** Nothing of it is to be seen, or counted. Default false. */
  readonly silent?: boolean | undefined;
  /** Whether it goes into the history. Default: unless silent. */
  readonly storeHistory?: boolean | undefined;
  /** Expressions to be evaluated behind it. */
  readonly userExpressions?: Readonly<Record<string, string>> | undefined;
  /** Whether an error aborts what was sent behind it. Default true. */
  readonly stopOnError?: boolean | undefined;
  /** Answers what the code asks the user. Default: the client's. */
  readonly input?: InputCallback | undefined;
  /** The request's metadata. */
  readonly metadata?: Dict | undefined;
}

/** How a request is sent. */
export interface RequestOptions extends Patience, Pick<MessageParts, "metadata" | "buffers" | "subshell"> {
  /** Default "shell". */
  readonly channel?: "shell" | "control" | undefined;
}

/** Counters of a client. What its sockets refused stands in `sockets.shell.stats` and so on. */
export interface KernelClientStats {
  /** Calls that wait. */
  readonly pending: number;
  /** Replies that nobody waited for, or not any more. */
  readonly unexpected: number;
}

/**
 * A client of a Jupyter kernel: plain with kernels that know nothing else, hardened with those that do.
 *
 * @example
 * const client = await KernelClient.connect("kernel.json");
 * const execution = client.execute("print(6 * 7)");
 * for await (const output of execution) console.log(output);
 * const { status } = await execution.reply;
 */
export class KernelClient {
  /** Comms of this client: registers targets, and opens comms. */
  readonly comms: Comms;
  readonly #options: KernelClientOptions;
  readonly #pending = new Pending();
  readonly #givenUp = new GivenUp({
    interrupt: () => this.interrupt({ timeout: INTERRUPT_PATIENCE }),
    isBusy: () => this.#pending.isBusy,
  });
  readonly #inputs = new Map<string, InputCallback>();
  readonly #ask: ClientQuestions;
  #ends: ClientSockets;
  #pulse: Pulse | undefined;
  #state: "starting" | "idle" | "busy" | "dead" | "closed" = "starting";
  #death: KernelDiedError | undefined;
  #onFirst: (() => void)[] = [];
  #subscribed = false;
  /** Resolves when stdin is connected: a question that came before would be lost. */
  #answering: Promise<void> = Promise.resolve();
  #unexpected = 0;

  /**
   * Connects; await {@link ready} before anything else, or use {@link KernelClient.connect}.
   *
   * @throws CountersignError for a connection or options that cannot work
   */
  constructor(connection: string | ConnectionInfo, options: KernelClientOptions = {}) {
    assertOptions(options);
    this.#options = options;
    this.comms = new Comms((type, content, parts) => this.#sendComm(type, content, parts), options.comms);
    this.#ask = questions((type, content, patience) => this.request(type, content, patience));
    this.#ends = this.#open(connection);
  }

  /** Connects, and waits until the kernel answers and its iopub is heard: from then on nothing is missed. */
  static async connect(
    connection: string | ConnectionInfo,
    { timeout, signal, ...options }: KernelClientOptions & Patience = {},
  ): Promise<KernelClient> {
    const client = new KernelClient(connection, options);
    try {
      await client.ready({ timeout, signal });
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Its sockets: other ones after a restart. */
  get sockets(): ClientSockets {
    return this.#ends;
  }

  /** Its session: another one after a restart. */
  get session(): Session {
    return this.#ends.session;
  }

  /** What the kernel said last of itself, or what became of it. */
  get state(): "starting" | "idle" | "busy" | "dead" | "closed" {
    return this.#state;
  }

  /** Milliseconds since the kernel's last sign of life; `undefined` before it is ready. */
  get silence(): number | undefined {
    return this.#pulse?.silence;
  }

  /** Counters. */
  get stats(): KernelClientStats {
    return { pending: this.#pending.size, unexpected: this.#unexpected };
  }

  /**
   * Resolves when the kernel answers, and iopub is known to be connected: by its welcome, or by what it says of a question.
   *
   * @param patience  default: a timeout of 60 seconds
   * @throws KernelDiedError, or CountersignError ("ERR_COUNTERSIGN_TIMEOUT")
   */
  async ready({ timeout = 60_000, signal }: Patience = {}): Promise<void> {
    const ends = this.#ends;
    await becomeReady({
      ends,
      timeout,
      signal,
      ask: (patience) => this.request("kernel_info_request", {}, patience),
      isSubscribed: () => this.#subscribed,
      subscribed: async () => {
        if (!this.#subscribed) await new Promise<void>((resolve) => this.#onFirst.push(resolve));
      },
      answering: this.#answering,
      assertAlive: () => this.#assertAlive(),
    });
    if (this.#ends !== ends) return;
    const { deadAfter = DEAD_AFTER } = this.#options;
    if (deadAfter === false || this.#pulse !== undefined) return;
    this.#pulse = new Pulse(ends.heartbeat, deadAfter, () =>
      this.died(new KernelDiedError(`no heartbeat for ${deadAfter} ms.`)),
    );
  }

  /** Executes code. Rejections and errors are told by what it returns; see {@link Execution}. */
  execute(code: string, options: ExecuteOptions = {}): Execution {
    const { silent = false, userExpressions = {}, stopOnError = true, metadata } = options;
    const input = options.input ?? this.#options.input;
    if (typeof code !== "string")
      throw misuse("ERR_COUNTERSIGN_OPTIONS", "client.execute takes code, a text.");
    const content = {
      code,
      silent,
      store_history: options.storeHistory ?? !silent,
      user_expressions: userExpressions,
      allow_stdin: input !== undefined,
      stop_on_error: stopOnError,
    };
    const message = this.session.message("execute_request", content, { metadata });
    const execution = new Execution(message.header.msg_id);
    if (!this.#alive()) {
      execution.fail(this.#death ?? closed());
      return execution;
    }
    const { id } = execution;
    this.#pending.add(execution);
    if (input !== undefined) this.#inputs.set(id, input);
    let sent = false;
    const over = this.#limit(id, "The execution", options, () => {
      if (sent) this.#givenUp.add(execution, silent);
    });
    execution.reply
      .catch(() => {})
      .finally(() => {
        this.#inputs.delete(id);
        over();
      });
    this.#givenUp.after(() => {
      if (execution.over) return;
      sent = true;
      this.#ends.shell.send(message).catch((error) => this.#pending.fail(id, error));
    });
    return execution;
  }

  /**
   * Sends a request of any type; resolves with its reply, whatever its status.
   *
   * @throws KernelDiedError, and CountersignError ("ERR_COUNTERSIGN_TIMEOUT", "ERR_COUNTERSIGN_CLOSED")
   */
  async request(type: string, content: Dict = {}, options: RequestOptions = {}): Promise<ReceivedMessage> {
    this.#assertAlive();
    options.signal?.throwIfAborted();
    const { channel = "shell", metadata, buffers, subshell } = options;
    const message = this.session.message(type, content, { metadata, buffers, subshell });
    const id = message.header.msg_id;
    const replied = this.#pending.reply(id);
    const over = this.#limit(id, type, options);
    this.#ends[channel].send(message).catch((error) => this.#pending.fail(id, error));
    return replied.finally(over);
  }

  /** Asks what could stand at the cursor (UTF-16 units; default: the end). */
  complete(...args: Parameters<ClientQuestions["complete"]>): ReturnType<ClientQuestions["complete"]> {
    return this.#ask.complete(...args);
  }

  /** Asks what stands at the cursor; `undefined` if nothing is known of it. */
  inspect(...args: Parameters<ClientQuestions["inspect"]>): ReturnType<ClientQuestions["inspect"]> {
    return this.#ask.inspect(...args);
  }

  /** Asks whether code is complete. */
  isComplete(...args: Parameters<ClientQuestions["isComplete"]>): ReturnType<ClientQuestions["isComplete"]> {
    return this.#ask.isComplete(...args);
  }

  /** Asks for inputs of the past. */
  history(...args: Parameters<ClientQuestions["history"]>): ReturnType<ClientQuestions["history"]> {
    return this.#ask.history(...args);
  }

  /** Asks what kernel this is: the content of the reply. */
  async kernelInfo(patience?: Patience): Promise<Dict> {
    return answersOf(await this.request("kernel_info_request", {}, patience));
  }

  /** Asks which comms are open: target names by id. */
  commInfo(...args: Parameters<ClientQuestions["commInfo"]>): ReturnType<ClientQuestions["commInfo"]> {
    return this.#ask.commInfo(...args);
  }

  /** Interrupts what runs. */
  async interrupt(patience: Patience = {}): Promise<void> {
    if (this.#options.interrupt !== undefined) return this.#options.interrupt();
    answersOf(await this.request("interrupt_request", {}, { ...patience, channel: "control" }));
  }

  /** Asks the kernel to end. What it does then is seen by its process, or by its heart. */
  async shutdown({
    restart = false,
    ...patience
  }: Patience & { readonly restart?: boolean } = {}): Promise<void> {
    answersOf(await this.request("shutdown_request", { restart }, { ...patience, channel: "control" }));
  }

  /** Closes the sockets; every call that waits rejects. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#leave(closed());
  }

  /** The kernel has died: ends every wait. A manager calls this when its process has ended. */
  died(error: KernelDiedError): void {
    if (!this.#alive()) return;
    this.#state = "dead";
    this.#death = error;
    this.#leave(error);
    quietly(() => this.#options.onDead?.(error));
  }

  /** Connects anew, to a kernel that was started again; await {@link ready} then. Nothing unsent reaches it. */
  reconnect(connection: string | ConnectionInfo): void {
    if (this.#alive()) this.#leave(new KernelDiedError("it is started again."));
    this.#death = undefined;
    this.#state = "starting";
    this.#ends = this.#open(connection);
  }

  #alive(): boolean {
    return this.#state !== "dead" && this.#state !== "closed";
  }

  #assertAlive(): void {
    if (!this.#alive()) throw this.#death ?? closed();
  }

  #leave(error: Error): void {
    this.#pulse?.stop();
    this.#pulse = undefined;
    this.#ends.close();
    this.#givenUp.clear();
    this.#pending.failAll(error);
    this.comms.endAll();
    this.#told();
  }

  #open(connection: string | ConnectionInfo): ClientSockets {
    const info =
      typeof connection === "string" ? readConnectionFile(connection) : checkConnection(connection);
    const {
      input: _,
      comms: __,
      onMessage: ___,
      onDead: ____,
      deadAfter: _____,
      interrupt: ______,
      socket,
      ...options
    } = this.#options;
    const own = { ...options, socket: { receiveHighWaterMark: HIGH_WATER_MARK, ...socket } };
    const ends = openClient(info, own, ({ stdin }) => {
      this.#answering = new Promise((resolve) => stdin.events.on("handshake", () => resolve()));
    });
    this.#subscribed = false;
    this.#listen(ends, "shell", (message) => this.#replied(message));
    this.#listen(ends, "control", (message) => this.#replied(message));
    this.#listen(ends, "iopub", (message) => this.#heard(message));
    this.#listen(ends, "stdin", (message) => void this.#asked(message));
    return ends;
  }

  #listen(ends: ClientSockets, channel: Channel, take: (message: ReceivedMessage) => void): void {
    const listening = async () => {
      for await (const message of ends[channel]) {
        if (this.#ends !== ends) return;
        this.#pulse?.felt();
        take(message);
      }
    };
    // A socket that fails hears nothing any more.
    listening().catch((error: Error) => {
      if (this.#ends === ends)
        this.died(new KernelDiedError(`its ${channel} cannot be heard: ${error.message}.`));
    });
  }

  #replied(message: ReceivedMessage): void {
    if (!this.#pending.take(message)) this.#unexpected++;
    this.#givenUp.take(message);
  }

  #heard(message: ReceivedMessage): void {
    this.#told();
    const { msg_type: type } = message.header;
    const { execution_state: state } = message.content;
    if (type === "status" && (state === "busy" || state === "idle") && this.#alive()) this.#state = state;
    this.#pending.hear(message);
    this.#givenUp.hear(message);
    if (type.startsWith("comm_")) void this.comms.receive(message, this.#isAsked(message));
    quietly(() => this.#options.onMessage?.(message));
  }

  /**
   * Whether a comm that a kernel opens is ours to refuse. All clients hear of it: one that has no targets only looks on, and what
   * another's request opened is another's.
   */
  #isAsked({ parent_header }: ReceivedMessage): boolean {
    return this.comms.hasTargets && parent_header.session === this.session.id;
  }

  /** iopub is connected, or will not be. */
  #told(): void {
    this.#subscribed = true;
    for (const tell of this.#onFirst.splice(0)) tell();
  }

  /** Answers a question to the user. */
  async #asked(question: ReceivedMessage): Promise<void> {
    if (question.header.msg_type !== "input_request") return;
    const ends = this.#ends;
    const id = question.parent_header.msg_id as string;
    const { prompt, password } = question.content;
    let value = "";
    try {
      value = String(
        (await this.#inputs.get(id)?.(textOf(prompt, ""), { password: password === true })) ?? "",
      );
    } catch (error) {
      const execution = this.#pending.execution(id);
      // An execution that is over waits for no answer: an interrupt would be another's.
      if (execution === undefined) return;
      // The kernel stops first: what is executed next would else be aborted with this.
      execution.doom(error);
      await this.interrupt({ timeout: INTERRUPT_PATIENCE }).catch(() => this.#pending.fail(id, error));
      return;
    }
    await ends.stdin.send(ends.session.reply(question, { value })).catch(() => {});
  }

  /** Gives up on a request in time; returns what is called when it is over. */
  #limit(id: string, what: string, { timeout, signal }: Patience, then?: () => void): () => void {
    const giveUp = (error: unknown) => {
      this.#pending.fail(id, error);
      then?.();
    };
    const abort = () => giveUp(signal?.reason);
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => giveUp(tooLate(what, timeout)), Math.min(timeout, 2 ** 31 - 1));
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
  }

  async #sendComm(type: string, content: Dict, parts: MessageParts): Promise<void> {
    this.#assertAlive();
    const message: Message = this.session.message(type, content, parts);
    await this.#ends.shell.send(message);
  }
}

function assertOptions(options: KernelClientOptions): void {
  for (const name of ["input", "onMessage", "onDead", "interrupt"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `${name} must be a function.`);
    }
  }
  const { deadAfter } = options;
  if (deadAfter !== undefined && deadAfter !== false && !(typeof deadAfter === "number" && deadAfter > 0)) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "deadAfter must be milliseconds, or false for never.");
  }
}

/** A listener's failure is its own, and an async one's too. */
function quietly(tell: () => unknown): void {
  const told = async () => tell();
  told().catch(() => {});
}
