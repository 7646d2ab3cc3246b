// One crash run: three processes, somebody who kills them, and the books.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../ports.js";
import { startRedis } from "../redis-server.js";
import { random as generator } from "../soak/random.js";
import type { StateKind } from "./arguments.js";
import { type Books, type Kill, keepBooks } from "./books.js";
import { type Role, readJournal, roles, type Stage } from "./stage.js";

export interface CrashRun {
  readonly state: StateKind;
  readonly kills: number;
  readonly seed: number;
  readonly progress: (text: string) => void;
}

/** A process is well again when so many messages have arrived since it was started. */
const WELL = 20;
/** Nobody is waited for longer, in milliseconds: then traffic did not resume by itself. */
const PATIENCE = 30_000;

/** Runs it; throws where traffic does not resume by itself. */
export async function runCrash({ state, kills, seed, progress }: CrashRun): Promise<Books> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-crash-"));
  const random = generator(seed);
  const [front, back, redisPort] = [await freePort(), await freePort(), await freePort()];
  const stage: Stage = {
    folder,
    state,
    redisPort,
    key: randomBytes(32).toString("hex"),
    front: `tcp://127.0.0.1:${front}`,
    back: `tcp://127.0.0.1:${back}`,
  };
  const redis = state === "redis" ? await startRedis(redisPort, folder) : undefined;
  const cast = new Cast(stage);
  const done: Kill[] = [];
  try {
    for (const role of roles) cast.start(role);
    await cast.well();
    for (let i = 0; i < kills; i++) {
      await pause(random() * 100);
      const victim = roles[Math.floor(random() * roles.length)] as Role;
      const at = Date.now();
      await cast.kill(victim);
      await pause(random() * 50);
      cast.start(victim);
      await cast.well();
      done.push({ victim, at, wellAt: Date.now() });
      progress(`${i + 1} of ${kills} kills, the last of the ${victim}`);
    }
    await cast.end("sender");
    await cast.quiet();
    for (const role of ["receiver", "broker"] as const) await cast.end(role);
    return keepBooks(folder, done);
  } finally {
    cast.killAll();
    redis?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The processes, one of each role. */
class Cast {
  readonly #stage: Stage;
  readonly #file: string;
  readonly #playing = new Map<Role, ChildProcess>();
  #starts = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#file = join(stage.folder, "stage.json");
    writeFileSync(this.#file, JSON.stringify(stage));
  }

  start(role: Role): void {
    const program = fileURLToPath(new URL("./process.js", import.meta.url));
    const child = spawn(process.execPath, [program, role, this.#file, String(++this.#starts)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#playing.set(role, child);
  }

  async kill(role: Role): Promise<void> {
    await this.#stop(role, "SIGKILL");
  }

  /** Lets it end by itself, when everything is sent. */
  async end(role: Role): Promise<void> {
    await this.#stop(role, "SIGTERM");
  }

  killAll(): void {
    for (const child of this.#playing.values()) child.kill("SIGKILL");
  }

  /** Resolves when messages arrive again. */
  async well(): Promise<void> {
    const before = this.#heard();
    const began = Date.now();
    while (this.#heard() < before + WELL) {
      if (Date.now() - began > PATIENCE) throw new Error(`no message arrived for ${PATIENCE / 1000} s`);
      await pause(20);
    }
  }

  /** Resolves when no more messages arrive. */
  async quiet(): Promise<void> {
    let before = -1;
    while (before !== this.#heard()) {
      before = this.#heard();
      await pause(1000);
    }
  }

  #heard(): number {
    return readJournal(this.#stage.folder, "receiver").length;
  }

  async #stop(role: Role, signal: NodeJS.Signals): Promise<void> {
    const child = this.#playing.get(role) as ChildProcess;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
    this.#playing.delete(role);
  }
}
