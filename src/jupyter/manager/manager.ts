// A kernel of one's own: started from its kernelspec on a connection file made for it, watched by its process, started again,
// and ended cleanly.

import { rmSync } from "node:fs";
import { KernelClient, type KernelClientOptions } from "../client/client.js";
import { KernelDiedError } from "../client/errors.js";
import type { Patience } from "../client/pending.js";
import { PORTS } from "../connection.js";
import { type CreatedConnection, createConnectionFile, type NewConnection } from "../connection-file.js";
import { atExit } from "./at-exit.js";
import { findKernelSpec, type KernelSpec } from "./kernelspec.js";
import { assertProcessOptions, KernelProcess, type ProcessOptions } from "./process.js";

/** Milliseconds that a kernel has to end when it is asked to. */
const GRACE = 5000;

/** Options of {@link startKernel}. */
export interface StartOptions extends ProcessOptions, Patience {
  /** The client's options. */
  readonly client?: Omit<KernelClientOptions, "interrupt"> | undefined;
  /** What the connection file says besides a new key and free ports: `{ transport: "ipc" }`, for example. */
  readonly connection?: NewConnection | undefined;
}

/** A kernel that was started here, and its client. */
export interface StartedKernel {
  /** Its client; the same one after a restart. */
  readonly client: KernelClient;
  /** The kernelspec's name. */
  readonly name: string;
  /** What it says. */
  readonly spec: KernelSpec;
  /** Its connection file: another client can be connected by it. */
  readonly connectionFile: string;
  /** Its process; `undefined` once it has ended. */
  readonly pid: number | undefined;
  /** Interrupts what runs, the way its kernelspec says: SIGINT to its process group, or a message. */
  interrupt(): Promise<void>;
  /**
   * Ends it, and starts it again on the same connection file; resolves when it is ready. Calls that wait reject. Who asks for it
   * while it is under way gets the same one.
   */
  restart(patience?: Patience): Promise<void>;
  /**
   * Ends it: asks, waits `grace` milliseconds (5,000), and makes it end if need be. Closes the client and removes the
   * connection file. Safe to call more than once, and after it died.
   */
  shutdown(options?: { readonly grace?: number }): Promise<void>;
}

/**
 * Starts a kernel by its kernelspec's name, and resolves when it is ready.
 *
 * @example
 * const kernel = await startKernel("python3");
 * for await (const output of kernel.client.execute("print(6 * 7)")) console.log(output);
 * await kernel.shutdown();
 * @throws CountersignError ("ERR_COUNTERSIGN_KERNELSPEC") where there is no such kernel, KernelDiedError where it ends at once,
 *   CountersignError ("ERR_COUNTERSIGN_TIMEOUT") where it does not answer in time: it is ended then
 */
export async function startKernel(name: string, options: StartOptions = {}): Promise<StartedKernel> {
  assertProcessOptions(options);
  const found = findKernelSpec(name, options.env);
  const created = await createConnectionFile({ kernel_name: found.name, ...options.connection });
  const manager = new Manager(found, created, options);
  try {
    await manager.begin(options);
    return manager;
  } catch (error) {
    await manager.shutdown({ grace: 0 });
    throw error;
  } finally {
    created.release();
  }
}

/** Removes a connection file, and the sockets of an ipc kernel: one that is ended by a signal leaves them. */
function removeConnection({ path, connection }: CreatedConnection): void {
  rmSync(path, { force: true });
  if (connection.transport !== "ipc") return;
  for (const channel of PORTS) rmSync(`${connection.ip}-${connection[`${channel}_port`]}`, { force: true });
}

class Manager implements StartedKernel {
  readonly client: KernelClient;
  readonly #found: ReturnType<typeof findKernelSpec>;
  readonly #created: CreatedConnection;
  readonly #options: StartOptions;
  #process: KernelProcess;
  #restarting: Promise<void> | undefined;
  #ending = false;
  /** Whether it is made to end by us: no death that `onDead` is told of. */
  #asked = false;
  readonly #removeFiles = () => removeConnection(this.#created);
  readonly #outlived: () => void;

  constructor(found: ReturnType<typeof findKernelSpec>, created: CreatedConnection, options: StartOptions) {
    this.#found = found;
    this.#created = created;
    this.#options = options;
    const { socket, onDead, ...client } = options.client ?? {};
    try {
      this.client = new KernelClient(created.connection, {
        ...client,
        ...(onDead !== undefined && {
          onDead: (error: KernelDiedError) => (this.#asked ? undefined : onDead(error)),
        }),
        // What was not sent yet when it is started again must not reach the new one.
        socket: { linger: 0, ...socket },
        ...(found.spec.interrupt_mode !== "message" && { interrupt: () => this.#interruptBySignal() }),
      });
    } catch (error) {
      this.#abandon();
      throw error;
    }
    try {
      this.#process = this.#start();
    } catch (error) {
      this.client.close();
      this.#abandon();
      throw error;
    }
    // The key stays in no file.
    this.#outlived = atExit(this.#removeFiles);
  }

  get name(): string {
    return this.#found.name;
  }

  get spec(): KernelSpec {
    return this.#found.spec;
  }

  get connectionFile(): string {
    return this.#created.path;
  }

  get pid(): number | undefined {
    return this.#process.alive ? this.#process.pid : undefined;
  }

  begin(patience: Patience): Promise<void> {
    return this.client.ready(patience);
  }

  interrupt(): Promise<void> {
    return this.client.interrupt();
  }

  /** One at a time: who asks for another meanwhile gets this one. */
  restart(patience: Patience = {}): Promise<void> {
    this.#restarting ??= this.#restart(patience).finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async #restart(patience: Patience): Promise<void> {
    this.#assertNotEnding();
    await this.#end(true, GRACE);
    this.#assertNotEnding();
    this.client.reconnect(this.#created.connection);
    this.#asked = false;
    try {
      this.#process = this.#start();
    } catch (error) {
      this.client.died(error as KernelDiedError);
      throw error;
    }
    await this.client.ready(patience);
  }

  async shutdown({ grace = GRACE }: { readonly grace?: number } = {}): Promise<void> {
    this.#ending = true;
    await this.#end(false, grace);
    this.client.close();
    this.#outlived();
    this.#removeFiles();
  }

  #abandon(): void {
    this.#removeFiles();
    this.#created.release();
  }

  #assertNotEnding(): void {
    if (this.#ending) throw new KernelDiedError("it was shut down.");
  }

  /** Asks it to end, sees to it that it does, and tells those who wait. */
  async #end(restart: boolean, grace: number): Promise<void> {
    const process = this.#process;
    this.#asked = true;
    if (process.alive && grace > 0) {
      // A kernel that is busy may not read its control: its process tells when it has ended, and if not, it is made to.
      void this.client.shutdown({ restart, timeout: grace }).catch(() => {});
    }
    await process.end(grace);
    this.client.died(new KernelDiedError(await process.ended));
  }

  async #interruptBySignal(): Promise<void> {
    this.#process.signal("SIGINT");
  }

  #start(): KernelProcess {
    const started = KernelProcess.start(this.#found, this.#created.path, this.#options);
    void started.ended.then((how) => {
      if (this.#process === started) this.client.died(new KernelDiedError(how));
    });
    return started;
  }
}
