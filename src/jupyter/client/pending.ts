// What a client waits for, by the id of its request. Everything that is put in here comes out once: by an answer, a timeout, a
// signal, or the end of the kernel.

import type { ReceivedMessage } from "../message.js";
import type { Execution } from "./execution.js";

/** How long one waits, at most. */
export interface Patience {
  /** Milliseconds until it is given up. Default: as long as the kernel lives. */
  readonly timeout?: number | undefined;
  /** Gives it up when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

interface Reply {
  resolve(message: ReceivedMessage): void;
  reject(error: unknown): void;
}

/** All that is pending. */
export class Pending {
  readonly #replies = new Map<string, Reply>();
  readonly #executions = new Map<string, Execution>();

  /** How many. */
  get size(): number {
    return this.#replies.size + this.#executions.size;
  }

  /** Waits for the reply to a request. */
  reply(id: string): Promise<ReceivedMessage> {
    return new Promise((resolve, reject) => this.#replies.set(id, { resolve, reject }));
  }

  /** Waits for an execution. */
  add(execution: Execution): void {
    this.#executions.set(execution.id, execution);
  }

  /** Whether an execution runs. */
  get isBusy(): boolean {
    return [...this.#executions.values()].some(({ begun }) => begun);
  }

  /** The execution of a request, while it runs. */
  execution(id: unknown): Execution | undefined {
    return this.#executions.get(id as string);
  }

  /** A reply came. False if nobody waits for it. */
  take(message: ReceivedMessage): boolean {
    const id = message.parent_header.msg_id as string;
    const reply = this.#replies.get(id);
    const execution = this.#executions.get(id);
    this.#replies.delete(id);
    reply?.resolve(message);
    execution?.take(message);
    this.#forget(execution);
    return reply !== undefined || execution !== undefined;
  }

  /** Something came on iopub. */
  hear(message: ReceivedMessage): void {
    const id = message.parent_header.msg_id as string;
    const execution = this.#executions.get(id);
    if (message.content.execution_state === "busy" && execution !== undefined) this.#overtake(execution);
    execution?.hear(message);
    this.#forget(execution);
  }

  /** Nobody waits for this one any more. */
  fail(id: string, error: unknown): void {
    this.#replies.get(id)?.reject(error);
    this.#replies.delete(id);
    const execution = this.#executions.get(id);
    execution?.fail(error);
    this.#forget(execution);
  }

  /** Nothing will be answered any more. */
  failAll(error: unknown): void {
    for (const id of [...this.#replies.keys(), ...this.#executions.keys()]) this.fail(id, error);
  }

  /**
   * A kernel that begins with one execution is done with those that it answered before: where its word of that was lost on
   * the way, this makes up for it.
   */
  #overtake(begun: Execution): void {
    for (const execution of this.#executions.values()) {
      if (execution === begun) return;
      if (!execution.replied) continue;
      execution.idle();
      this.#forget(execution);
    }
  }

  #forget(execution: Execution | undefined): void {
    if (execution?.over) this.#executions.delete(execution.id);
  }
}
