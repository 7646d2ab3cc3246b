// jupyter_client's blocking client in a process of its own: told how often, by a line, and tells how long each took.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const PROGRAM = `
import json, sys, time
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=60)
print(json.dumps([]), flush=True)
def execute():
    began = time.perf_counter()
    id = client.execute("", store_history=False)
    while client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != id: pass
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == id and message["content"].get("execution_state") == "idle": break
    return (time.perf_counter() - began) * 1000
for line in sys.stdin: print(json.dumps([execute() for _ in range(int(line))]), flush=True)
`;

/** One jupyter_client, connected to a kernel. */
export class JupyterClient {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string, connectionFile: string) {
    const args = ["-W", "ignore", "-c", PROGRAM, connectionFile];
    this.#child = spawn(python, args, { stdio: ["pipe", "pipe", "ignore"] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Resolves when it can begin. */
  async ready(): Promise<void> {
    await this.#answer();
  }

  /** Milliseconds that each of so many executions took, one after another. */
  execute(count: number): Promise<number[]> {
    this.#child.stdin.write(`${count}\n`);
    return this.#answer();
  }

  close(): void {
    this.#child.kill();
  }

  async #answer(): Promise<number[]> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("jupyter_client ended early");
    return JSON.parse(value);
  }
}
