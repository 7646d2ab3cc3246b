// An actor of the demonstration: a process of its own, started and heard over IPC.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Order, Report } from "./script.js";

/** A started process. */
export class Actor {
  readonly name: string;
  readonly #process: ChildProcess;

  /** Starts `file` of this folder; `hear` gets each of its reports, `fail` what ends it before its time. */
  constructor(
    name: string,
    file: string,
    env: NodeJS.ProcessEnv,
    hear: (actor: string, report: Report) => void,
    fail: (error: Error) => void,
  ) {
    this.name = name;
    const path = fileURLToPath(new URL(`./${file}.js`, import.meta.url));
    this.#process = fork(path, [name], { env: { ...process.env, ...env }, execArgv: [] });
    this.#process.on("message", (report: Report) => hear(name, report));
    this.#process.on("error", fail);
    this.#process.on("exit", (code, signal) => {
      if (code !== 0)
        fail(new Error(`The process "${name}" ended early (${signal ?? `exit code ${code}`}).`));
    });
  }

  /** Gives an order. */
  tell(order: Order): void {
    if (this.#process.connected) this.#process.send(order);
  }

  /** Ends the process, whatever it is doing. */
  end(): void {
    this.#process.removeAllListeners("exit");
    this.#process.kill("SIGKILL");
  }
}
