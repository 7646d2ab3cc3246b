// The kernel's end of the realm: sends it cells, passes on what it says, and interrupts it. A realm that waits is asked to stop;
// one that is busy is stopped by V8 through the inspector, which leaves its declarations as they are.
import { once } from "node:events";
import { Session } from "node:inspector/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type Cell, type ExecuteResult, ExecutionError } from "countersign/jupyter";

/** Milliseconds that a realm has to answer before it counts as busy. */
const PATIENCE = 100;
type Settle = (problem: Error | undefined, answer?: unknown) => void;
type Methods = Readonly<Record<string, ((...args: unknown[]) => unknown) | undefined>>;

export class RealmLink {
  readonly #inspector = new Session();
  /** The last question that the realm need not begin any more. */
  readonly #skip = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #pending = new Map<unknown, Settle>();
  #attached = "";
  #asked = 0;
  #cell: Cell | undefined;
  #calm = () => {};

  constructor() {
    this.#inspector.connect();
    this.#inspector.on("NodeWorker.attachedToWorker", ({ params }) => {
      this.#attached = params.sessionId;
    });
    void this.#inspector.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
    // A callback that is stopped half-way leaves its async hooks unbalanced, for which Node would end the process.
    const execArgv = ["--no-force-async-hooks-checks", "--disable-warning=ExperimentalWarning"];
    this.#worker = new Worker(new URL("./realm.js", import.meta.url), { workerData: this.#skip, execArgv });
    this.#worker.on("message", ([what, ...about]: [string, ...unknown[]]) => this.#hear(what, about));
    this.#worker.on("exit", (code) => process.exit(code)); // a cell said so
  }

  /** Runs JavaScript; what it says goes to the cell. */
  run(code: string, cell: Cell): Promise<ExecuteResult> {
    this.#cell = cell;
    return this.ask("run", code);
  }

  ask<Answer>(...question: unknown[]): Promise<Answer> {
    const id = ++this.#asked;
    return new Promise<Answer>((resolve, reject) => {
      this.#pending.set(id, (problem, answer) => (problem ? reject(problem) : resolve(answer as Answer)));
      this.#worker.postMessage([id, ...question]);
    });
  }

  /** Stops what runs, and comes back when the realm listens again. */
  async interrupt(): Promise<void> {
    const running = [...this.#pending.keys()];
    Atomics.store(this.#skip, 0, this.#asked);
    for (let patience = PATIENCE; running.length > 0; patience *= 2) {
      const calm = new Promise<boolean>((resolve) => {
        this.#calm = () => resolve(true);
      });
      this.#worker.postMessage([Number.POSITIVE_INFINITY, "interrupt"]);
      if (await Promise.race([calm, sleep(patience, false)])) break;
      const stopped = once(this.#inspector, "NodeWorker.receivedMessageFromWorker");
      const message = JSON.stringify({ id: 1, method: "Runtime.terminateExecution" });
      await this.#inspector.post("NodeWorker.sendMessageToWorker", { sessionId: this.#attached, message });
      await stopped;
    }
    const interruption = new ExecutionError("KeyboardInterrupt", "The cell was interrupted.");
    for (const id of running) this.#settle(id, interruption);
  }

  async end(): Promise<void> {
    this.#inspector.disconnect();
    await this.#worker.removeAllListeners("exit").terminate();
  }

  /** What the realm says is of this class, or one of the methods of the cell: stream, display, … */
  #hear(what: string, about: unknown[]): void {
    const own: Methods = {
      calm: () => this.#calm(),
      done: (id, answer) => this.#settle(id, undefined, answer),
      failed: (id, ...error) =>
        this.#settle(id, new ExecutionError(...(error as ConstructorParameters<typeof ExecutionError>))),
      input: (id, prompt, options) => this.#input(id, prompt as string, options as object),
      payload: (payload) => this.#cell?.payload.push(payload as { source: string }),
    };
    if (Object.hasOwn(own, what)) own[what]?.(...about);
    else (this.#cell as unknown as Methods | undefined)?.[what]?.call(this.#cell, ...about);
  }

  async #input(id: unknown, prompt: string, options: object): Promise<void> {
    const answer = await this.#cell?.input(prompt, options).catch(() => undefined);
    this.#worker.postMessage([Number.POSITIVE_INFINITY, "answer", id, answer]);
  }

  #settle(id: unknown, ...outcome: Parameters<Settle>): void {
    this.#pending.get(id)?.(...outcome);
    this.#pending.delete(id);
  }
}
