// Processes that answer questions: one side starts a module in a process of its own and asks it, the other serves.
// Whatever is measured or attacked runs in such processes, so that no sender shares an event loop with its receiver.

import { fork } from "node:child_process";

// biome-ignore lint/suspicious/noExplicitAny: handlers differ in what they take; `ask` restores the exact type of each.
export type Handlers = Record<string, (argument: any) => unknown>;

export interface Child<H extends Handlers> {
  ask<Q extends keyof H & string>(
    question: Q,
    ...argument: Parameters<H[Q]>
  ): Promise<Awaited<ReturnType<H[Q]>>>;
  stop(): void;
}

interface Question {
  readonly id: number;
  readonly question: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** Starts `module`, which must call `serve`. A child that ends early rejects whatever it was asked. */
export function start<H extends Handlers>(module: URL, title: string, execArgv: string[] = []): Child<H> {
  const child = fork(module, { execArgv, serialization: "advanced" });
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let asked = 0;
  let ended: Error | undefined;

  child.on("message", (message) => {
    const { id, answer, error } = message as Answer;
    const question = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) question?.resolve(answer);
    else question?.reject(new Error(`${title}: ${error}`));
  });
  child.on("exit", (code, signal) => {
    ended = new Error(`${title}: process ended (${signal ?? `exit code ${code}`})`);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  });

  const ask = (question: string, argument?: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      if (ended) return reject(ended);
      const id = ++asked;
      waiting.set(id, { resolve, reject });
      child.send({ id, question, argument } satisfies Question);
    });
  return { ask: ask as Child<H>["ask"], stop: () => child.kill() };
}

/** The child's side: answers every question with its handler's result. Ends with its parent. */
export function serve(handlers: Handlers): void {
  process.on("message", async (message) => {
    const { id, question, argument } = message as Question;
    try {
      const answer = await handlers[question]!(argument);
      process.send!({ id, answer } satisfies Answer);
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? error.stack! : String(error) } satisfies Answer);
    }
  });
  process.on("disconnect", () => process.exit());
}
