// One execution as its client sees it: outputs as they come, then the reply. It is over when the reply is there and the kernel
// said that it is idle again *with this request as the parent*: both come over different sockets, in either order.

import type { Dict, ReceivedMessage } from "../message.js";
import { dictOf, type ErrorOutput, errorOf, type Output, outputOf, wholeOf } from "./outputs.js";

/** What the kernel said of an execution. */
export interface ExecuteReply extends Partial<Omit<ErrorOutput, "type">> {
  /** "error": the code failed, and how stands here; "aborted": it was not run, because something before it failed. */
  readonly status: "ok" | "error" | "aborted";
  /** The number of the execution; `undefined` where it has none. */
  readonly executionCount: number | undefined;
  /** The values of user expressions, by name: `{ status: "ok", data, metadata }` each. */
  readonly userExpressions: Dict;
  /** Payloads, as a pager's text. */
  readonly payload: readonly Dict[];
  /** The whole content of the reply. */
  readonly content: Dict;
}

/** An execution that was asked for. Iterate over it for its outputs; `reply` resolves when it is over. */
export class Execution implements AsyncIterable<Output> {
  /** The id of the request: the parent of all that belongs to it. */
  readonly id: string;
  /** Resolves when the kernel has replied and is idle again; rejects when it died, at a timeout, and when the client was closed. */
  readonly reply: Promise<ExecuteReply>;
  readonly #outputs: Output[] = [];
  #resolve!: (reply: ExecuteReply) => void;
  #reject!: (error: unknown) => void;
  #replied: ExecuteReply | undefined;
  #begun = false;
  #idle = false;
  #over = false;
  #failure: { readonly error: unknown } | undefined;
  #doom: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];
  #ignored = false;

  /** Made by `client.execute`. */
  constructor(id: string) {
    this.id = id;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever iterates is told by the iteration.
    this.reply.catch(() => {});
  }

  /** Whether it is over, one way or another. */
  get over(): boolean {
    return this.#over;
  }

  /** All outputs; resolves when it is over. */
  async outputs(): Promise<Output[]> {
    const all: Output[] = [];
    for await (const output of this) all.push(output);
    return all;
  }

  /** Outputs, as they come, until it is over; who leaves the loop earlier gets no more. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Output, undefined> {
    try {
      for (;;) {
        const output = this.#outputs.shift();
        if (output !== undefined) yield output;
        else if (this.#failure !== undefined) throw this.#failure.error;
        else if (this.#over) return;
        else await this.#more();
      }
    } finally {
      this.#ignored = true;
      this.#outputs.length = 0;
    }
  }

  /** Takes an iopub message that belongs to it. @internal */
  hear(message: ReceivedMessage): void {
    this.#begun = true;
    if (message.header.msg_type === "status") {
      if (message.content.execution_state === "idle") this.idle();
      return;
    }
    const output = outputOf(message);
    if (output === undefined || this.#ignored || this.#idle || this.#over) return;
    this.#outputs.push(output);
    this.#wake();
  }

  /** Takes the reply. @internal */
  take({ content }: ReceivedMessage): void {
    this.#replied ??= replyOf(content);
    this.#settle();
  }

  /** The kernel is done with it. @internal */
  idle(): void {
    this.#idle = true;
    this.#settle();
  }

  /** Whether nothing is missing but the kernel's word that it is idle. @internal */
  get replied(): boolean {
    return this.#replied !== undefined;
  }

  /** Whether the kernel has begun with it. @internal */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the kernel said that it is idle again. @internal */
  get idling(): boolean {
    return this.#idle;
  }

  /** It fails with this when the kernel is done with it. @internal */
  doom(error: unknown): void {
    this.#doom ??= { error };
  }

  /** It will not be answered any more. @internal */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = { error };
    this.#reject(error);
    this.#wake();
  }

  #settle(): void {
    if (this.#over || this.#replied === undefined || !this.#idle) return;
    if (this.#doom !== undefined) {
      this.fail(this.#doom.error);
      return;
    }
    this.#over = true;
    this.#resolve(this.#replied);
    this.#wake();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function replyOf(content: Dict): ExecuteReply {
  const status = content.status === "ok" || content.status === "error" ? content.status : "aborted";
  return {
    status,
    ...(status === "error" && errorOf(content)),
    executionCount: wholeOf(content.execution_count),
    userExpressions: dictOf(content.user_expressions),
    payload: Array.isArray(content.payload) ? content.payload.map(dictOf) : [],
    content,
  };
}
