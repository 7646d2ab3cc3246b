// jupyter_client as a process: found or skipped by name, told what to do by one line, telling what it did by others.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { findPython, maySkip, required } from "../../peers/python.js";

const python = findPython("jupyter_client", "msgpack");

/** Whether tests with jupyter_client are left out: where it is not installed and not required. */
export const noJupyterClient = maySkip(python);

/** What a peer is told. */
export interface Order {
  readonly role: "echo" | "speak" | "subscribe";
  readonly address: string;
  readonly key: string;
  readonly scheme?: string;
  readonly packer?: "json" | "msgpack";
  readonly count?: number;
  readonly seed?: number;
}

/** One jupyter_client. */
export class JupyterClientPeer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(order: Order, program = fileURLToPath(new URL("./peer.py", import.meta.url))) {
    this.#child = spawn(required(python), ["-W", "ignore", program], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    const defaults = { scheme: "hmac-sha256", packer: "json", count: 0, seed: 1 };
    this.#child.stdin.end(`${JSON.stringify({ ...defaults, ...order })}\n`);
  }

  /** The next line that it prints. */
  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("jupyter_client ended early");
    return JSON.parse(value);
  }

  close(): void {
    this.#child.kill();
  }
}
