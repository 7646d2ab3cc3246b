// A program in a real terminal: tmux keeps one, takes keys, and says what stands on its screen.

import { execFile, execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { maySkip } from "../../peers/python.js";

const run = promisify(execFile);

/** Whether a program is installed; it must be where peers are required. */
export function mayRun(program: string): boolean {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return !maySkip(undefined);
  }
}

/** One terminal of 120 columns. */
export class Terminal {
  readonly #socket = `countersign-${randomUUID()}`;

  private constructor() {}

  /** Opens one, in which the program runs. */
  static async open(command: string, env: NodeJS.ProcessEnv): Promise<Terminal> {
    const terminal = new Terminal();
    const session = ["new-session", "-d", "-x", "120", "-y", "200", command];
    // What it leaves on the screen when it ends stays there.
    const keep = [";", "set-option", "-g", "remain-on-exit", "on"];
    await run("tmux", ["-L", terminal.#socket, "-f", "/dev/null", ...session, ...keep], {
      env: { ...env, TERM: "xterm-256color", LC_ALL: "C.UTF-8" },
    });
    return terminal;
  }

  /** What stands on the screen. */
  async screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-J")).trimEnd();
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    // tmux would end its own command at a semicolon at the end.
    await this.#tmux("send-keys", "-l", "--", text.replace(/;$/, "\\;"));
  }

  /** Presses keys: `Enter`, `Tab`, `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** The screen, as soon as it fits; who waits in vain is shown it. */
  async shows(pattern: RegExp, milliseconds = 60_000): Promise<string> {
    const until = performance.now() + milliseconds;
    for (;;) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (performance.now() > until) throw new Error(`${pattern} is not on the screen:\n${screen}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Resolves when the program has ended. */
  async ended(milliseconds = 60_000): Promise<void> {
    const until = performance.now() + milliseconds;
    while ((await this.#tmux("display-message", "-p", "#{pane_dead}")).trim() !== "1") {
      if (performance.now() > until) throw new Error(`It has not ended:\n${await this.screen()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends whatever runs in it. */
  async close(): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
  }

  async #tmux(...args: string[]): Promise<string> {
    return (await run("tmux", ["-L", this.#socket, ...args])).stdout;
  }
}
