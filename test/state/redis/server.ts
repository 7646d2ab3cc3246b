// Real redis-servers for the tests: each on a free port, in a folder of its own, ended with the tests.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { freePort } from "../../../bench/ports.js";
import type { RedisClient } from "../../../src/state/redis.js";

/** Whether a redis-server is installed. */
const isInstalled = succeeds("redis-server", "--version");

/** Whether there is none, and that is a reason to skip: not where peers are required, as in CI. */
export const noRedis = !isInstalled && process.env.COUNTERSIGN_PEERS !== "required";

function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** One redis-server, which can be killed and started again on what it left. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), "countersign-redis-"));
  }

  /** Starts one; it stores nothing unless told to. */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    if (!isInstalled) throw new Error("redis-server is required and not installed: run .ci/peers");
    const server = new RedisServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it (again), and waits until it answers. */
  async start(): Promise<void> {
    const base = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#folder, "--save", ""];
    this.#process = spawn("redis-server", [...base, ...this.#options], { stdio: "ignore" });
    const until = Date.now() + 20_000;
    while (!this.#answers()) {
      if (Date.now() > until) throw new Error("redis-server does not answer");
      await passed(50);
    }
  }

  #answers(): boolean {
    try {
      return this.command("PING") === "PONG";
    } catch {
      return false;
    }
  }

  /** What redis-cli prints for a command. */
  command(...args: readonly string[]): string {
    const port = String(this.port);
    return execFileSync("redis-cli", ["-p", port, ...args], { encoding: "utf8", stdio: "pipe" }).trim();
  }

  /** Ends it as a power cut would end the process. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Makes it stand still, or go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    await this.#end("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
}

/** A client of one of the two libraries, and how to end it. */
export interface Connection {
  readonly client: RedisClient;
  /** Waits for what is under way. */
  close(): Promise<void>;
  /** Waits for nothing, as a process that is killed. */
  drop(): void;
}

/** How each of the two libraries connects. */
export const LIBRARIES: Record<"ioredis" | "node-redis", (url: string) => Promise<Connection>> = {
  async ioredis(url) {
    const client = new Redis(url, { retryStrategy: () => 50, lazyConnect: true });
    client.on("error", ignore);
    await client.connect();
    return {
      client,
      close: async () => {
        await client.quit();
      },
      drop: () => client.disconnect(),
    };
  },
  async "node-redis"(url) {
    const client = createClient({ url, socket: { reconnectStrategy: 50 } });
    client.on("error", ignore);
    await client.connect();
    return { client, close: () => client.close(), drop: () => client.destroy() };
  },
};

/** The tests look at what becomes of messages; both libraries tell of broken connections here too. */
function ignore(): void {}
