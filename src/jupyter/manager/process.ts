// A kernel's process: started from its kernelspec's command, watched, and ended for certain.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { misuse } from "../../errors.js";
import { KernelDiedError } from "../client/errors.js";
import { atExit } from "./at-exit.js";
import type { KernelSpec } from "./kernelspec.js";

/** How a kernel's process is started. */
export interface ProcessOptions {
  /** Its working folder. Default: this process's. */
  readonly cwd?: string | undefined;
  /** Its environment besides the kernelspec's. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** What becomes of what it writes outside of cells: "ignore" (default) or "inherit". */
  readonly output?: "ignore" | "inherit" | undefined;
}

const HAS_GROUPS = process.platform !== "win32";

/** A process that was started. */
export class KernelProcess {
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #alive = true;

  private constructor(child: ChildProcess, cwd: string | undefined) {
    this.#child = child;
    const outlived = atExit(() => this.signal("SIGKILL"));
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#alive = false;
        outlived();
        resolve(how);
      };
      child.once("exit", (code, signal) =>
        end(
          signal === null
            ? `its process ended with exit code ${code}.`
            : `its process was ended by ${signal}.`,
        ),
      );
      child.once("error", (error) => {
        if (child.pid === undefined) end(notStarted(error, cwd));
      });
    });
  }

  /**
   * Starts a kernelspec's command with a connection file.
   *
   * @throws KernelDiedError for what no system could start; what this one cannot is told by `ended`
   */
  static start(
    { spec, folder }: { readonly spec: KernelSpec; readonly folder: string },
    connectionFile: string,
    { cwd, env = process.env, output = "ignore" }: ProcessOptions,
  ): KernelProcess {
    const put = (text: string) =>
      text.replaceAll(/\{(connection_file|resource_dir)\}/g, (_, name) =>
        name === "resource_dir" ? folder : connectionFile,
      );
    const [command = "", ...args] = spec.argv.map(put);
    const own = Object.entries(spec.env ?? {}).map(([name, value]) => [name, filled(value, env)]);
    const child = spawned(command, args, cwd, {
      // A process of ours that is killed takes no kernel with it: kernels look for themselves, by this.
      env: { ...env, ...Object.fromEntries(own), JPY_PARENT_PID: String(process.pid) },
      stdio: ["ignore", output, output],
      // A group of its own: an interrupt at our terminal is for us, and one for the kernel reaches its children.
      detached: HAS_GROUPS,
      ...(cwd !== undefined && { cwd }),
    });
    return new KernelProcess(child, cwd);
  }

  /** Its id; `undefined` where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it runs. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Sends a signal to it and its children. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (!this.#alive || pid === undefined) return;
    try {
      if (HAS_GROUPS) process.kill(-pid, signal);
      else this.#child.kill(signal);
    } catch (error) {
      // It has just ended.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Resolves when it has ended: by itself within `grace` milliseconds, else it is made to, by SIGTERM and by SIGKILL. */
  async end(grace: number): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await this.#endsWithin(grace)) return;
      this.signal(signal);
      if (signal === "SIGTERM") grace = Math.min(grace, 1000);
    }
    await this.ended;
  }

  async #endsWithin(milliseconds: number): Promise<boolean> {
    const stop = new AbortController();
    const waited = sleep(milliseconds, false, { signal: stop.signal }).catch(() => false);
    const ended = await Promise.race([this.ended.then(() => true), waited]);
    stop.abort();
    return ended || !this.#alive;
  }
}

/** Of some failures Node tells by an event, and others it throws: an empty command, a working folder that is a file. */
function spawned(
  command: string,
  args: readonly string[],
  cwd: string | undefined,
  options: SpawnOptions,
): ChildProcess {
  try {
    return spawn(command, args, options);
  } catch (error) {
    throw new KernelDiedError(notStarted(error as Error, cwd));
  }
}

/** Node names the command, also where it is the folder that is not there. */
function notStarted({ message }: Error, cwd: string | undefined): string {
  const what = cwd === undefined || existsSync(cwd) ? message : `there is no folder ${cwd} to start it in`;
  return `its process could not be started: ${what}.`;
}

/** `${NAME}` in a kernelspec's environment stands for what this process has. */
function filled(value: string, env: NodeJS.ProcessEnv): string {
  return value.replaceAll(/\$\{(\w+)\}/g, (whole, name) => env[name] ?? whole);
}

/** @throws CountersignError for options that cannot be */
export function assertProcessOptions({ output }: ProcessOptions): void {
  if (output === undefined || output === "ignore" || output === "inherit") return;
  throw misuse("ERR_COUNTERSIGN_OPTIONS", 'output must be "ignore" or "inherit".');
}
