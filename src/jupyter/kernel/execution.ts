// How a request for execution is answered (Jupyter messaging, "Execute").

import type { Dict, ReceivedMessage } from "../message.js";
import { Cell, type CellHost } from "./cell.js";
import type { ExecuteRequest, ExecuteResult } from "./contents.js";
import { type Failure, failureOf, interrupted } from "./failure.js";
import type { KernelHandlers } from "./handlers.js";
import type { InputHistory } from "./input-history.js";
import { readExecute } from "./requests.js";

/** A reply, and whether what is queued behind it is to be aborted. */
export interface Executed {
  readonly content: Dict;
  readonly abort: boolean;
}

/** Runs cells one after another, and counts them. */
export class Executor {
  readonly #handlers: KernelHandlers;
  readonly #host: CellHost;
  readonly #history: InputHistory;
  #running: AbortController | undefined;
  #count = 0;

  constructor(handlers: KernelHandlers, host: CellHost, history: InputHistory) {
    this.#handlers = handlers;
    this.#host = host;
    this.#history = history;
  }

  /** The number of the last cell that counted. */
  get count(): number {
    return this.#count;
  }

  /** Stops what runs, as far as it listens. */
  interrupt(): void {
    this.#running?.abort(interrupted());
  }

  /** Runs a request's code. */
  async execute(message: ReceivedMessage): Promise<Executed> {
    const request = readExecute(message.content);
    if (request.storeHistory) this.#count++;
    const controller = new AbortController();
    const { signal } = controller;
    const cell = new Cell(this.#host, message, { request, executionCount: this.#count, signal });
    this.#running = controller;
    try {
      return await this.#run(request, cell);
    } finally {
      this.#running = undefined;
    }
  }

  async #run(request: ExecuteRequest, cell: Cell): Promise<Executed> {
    const { code, silent, storeHistory, stopOnError } = request;
    const execution_count = cell.executionCount;
    if (!silent) this.#publish(cell, "execute_input", { code, execution_count });
    let result: ExecuteResult | undefined;
    let failure: Failure | undefined;
    try {
      result = (await this.#handlers.execute(request, cell)) ?? undefined;
    } catch (error) {
      failure = failureOf(error);
    }
    const { data, metadata = {}, payload = [] } = result ?? {};
    if (storeHistory) this.#history.add(execution_count, code, textOf(data));
    if (failure !== undefined) {
      if (!silent) this.#publish(cell, "error", { ...failure });
      const content = { status: "error", execution_count, ...failure, user_expressions: {}, payload: [] };
      return { content, abort: stopOnError };
    }
    if (data !== undefined && !silent)
      this.#publish(cell, "execute_result", { execution_count, data, metadata });
    const user_expressions = await this.#evaluate(request, cell);
    const content = {
      status: "ok",
      execution_count,
      payload: [...cell.payload, ...payload],
      user_expressions,
    };
    return { content, abort: false };
  }

  async #evaluate({ userExpressions }: ExecuteRequest, cell: Cell): Promise<Dict> {
    const values: Record<string, Dict> = Object.create(null);
    for (const [name, expression] of Object.entries(userExpressions)) {
      try {
        if (!this.#handlers.evaluate) throw new Error("This kernel evaluates no user expressions.");
        const { data = {}, metadata = {} } = await this.#handlers.evaluate(expression, cell);
        values[name] = { status: "ok", data, metadata };
      } catch (error) {
        values[name] = { status: "error", ...failureOf(error) };
      }
    }
    return values;
  }

  #publish({ message }: Cell, type: string, content: Dict): void {
    void this.#host.publisher.publish(type, content, message);
  }
}

function textOf(data: ExecuteResult["data"]): string | undefined {
  const text = data?.["text/plain"];
  return typeof text === "string" ? text : undefined;
}
