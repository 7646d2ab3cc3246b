// The kernel's end of the realm: sends it cells, passes on what it says, and interrupts it. A realm that waits is asked to stop;
// one that is busy is stopped by V8 through the inspector, which leaves its declarations as they are.
import { Session } from "node:inspector/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type Cell, type ExecuteResult, ExecutionError } from "countersign/jupyter";
import type { FromRealm, Question } from "./protocol.js";

/** Milliseconds that a realm has to answer before it counts as busy. */
const PATIENCE = 100;

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export class RealmLink {
  readonly #inspector = new Session();
  /** The last question that the realm need not begin any more. */
  readonly #skip = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  #worker: Worker;
  #attached = "";
  #asked = 0;
  #cell: Cell | undefined;
  #ending = false;

  constructor() {
    this.#inspector.connect();
    this.#inspector.on("NodeWorker.attachedToWorker", ({ params }) => {
      this.#attached = params.sessionId;
    });
    void this.#inspector.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
    this.#worker = this.#start();
  }

  /** Runs JavaScript; what it says goes to the cell. */
  run(code: string, cell: Cell): Promise<ExecuteResult> {
    this.#cell = cell;
    return this.ask("run", { code });
  }

  async ask<Answer>(kind: Question["kind"], question: object): Promise<Answer> {
    const id = ++this.#asked;
    return new Promise<Answer>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ ...question, kind, id });
    });
  }

  /** Stops what runs. */
  async interrupt(): Promise<void> {
    const running = [...this.#pending.keys()];
    Atomics.store(this.#skip, 0, this.#asked);
    while (running.some((id) => this.#pending.has(id))) {
      this.#worker.postMessage({ kind: "interrupt", id: 0 });
      await sleep(PATIENCE);
      if (!running.some((id) => this.#pending.has(id))) return;
      const message = JSON.stringify({ id: 1, method: "Runtime.terminateExecution" });
      await this.#inspector.post("NodeWorker.sendMessageToWorker", { sessionId: this.#attached, message });
    }
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.#inspector.disconnect();
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./realm.js", import.meta.url), {
      workerData: this.#skip,
      // A callback that is stopped half-way leaves its async hooks unbalanced, for which Node would end the process.
      execArgv: ["--no-force-async-hooks-checks"],
    });
    worker.on("message", (message: FromRealm) => this.#hear(message));
    worker.on("error", (error) => this.#fail(new ExecutionError(error.name, error.message)));
    worker.on("exit", () => {
      if (this.#ending) return;
      this.#fail(
        new ExecutionError("Exit", "The cell ended the realm: a new one begins, without declarations."),
      );
      this.#worker = this.#start();
    });
    return worker;
  }

  #hear({ id, ...message }: FromRealm): void {
    const cell = this.#cell as Cell;
    const hear: Record<FromRealm["kind"], () => void> = {
      stream: () => cell.stream(message.name ?? "stdout", message.text ?? ""),
      display: () => cell.display(message.data ?? {}, message.display ? { id: message.display } : {}),
      update: () => cell.updateDisplay(message.display ?? "", message.data ?? {}),
      clear: () => cell.clearOutput(message),
      page: () => cell.page(message.data ?? {}),
      input: () => void this.#ask(id as number, message),
      done: () => this.#settle(id as number, ({ resolve }) => resolve(message.result as never)),
      failed: () => {
        const { ename = "", evalue = "", traceback = [] } = message;
        this.#settle(id as number, ({ reject }) => reject(new ExecutionError(ename, evalue, traceback)));
      },
    };
    hear[message.kind]();
  }

  async #ask(id: number, { text, password }: Omit<FromRealm, "id">): Promise<void> {
    const answer = await this.#cell?.input(text, { password }).then(
      (answer) => ({ answer }),
      ({ message }) => ({ problem: message }),
    );
    this.#worker.postMessage({ kind: "answer", id, ...answer });
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined) how(pending);
  }

  #fail(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, ({ reject }) => reject(error));
  }
}
