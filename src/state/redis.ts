// countersign/state/redis: state in Redis, shared by workers and machines. Redis checks and remembers in one step, by its
// own clock; whoever has the same receiver name shares its memory (docs/wire.md, section 8.3).

import { randomBytes } from "node:crypto";
import { misuse } from "../errors.js";
import { affordable, assertSameWindow } from "../replay/memory.js";
import type { ReplayState, SenderStream, Streams, TableOptions } from "../replay/state.js";
import type { Pattern } from "../wire/patterns.js";
import { type RedisClient, type Run, runnerOf } from "./redis/client.js";
import { Epochs } from "./redis/epochs.js";
import type { ErrorListener } from "./redis/outage.js";
import { RedisStreams } from "./redis/streams.js";

export type { IoredisClient, NodeRedisClient, RedisClient } from "./redis/client.js";
export type { ErrorListener } from "./redis/outage.js";

/** How state is kept in Redis. */
export interface RedisStateOptions {
  /** An ioredis or node-redis client or cluster, whose user may ask INFO. Whoever made it connects and closes it. */
  readonly client: RedisClient;
  /** What all keys begin with; no braces. Default "countersign:". */
  readonly prefix?: string | undefined;
  /** Milliseconds after which a stream that was not heard is forgotten; it then needs evidence again. Default 7 days. */
  readonly idle?: number | undefined;
  /** Milliseconds that Redis may take to answer: then a message is refused as "state-unavailable". Default 1000. */
  readonly timeout?: number | undefined;
  /**
   * Told once an outage of each table and of senders' epochs, and when Redis lost what it knew. Default: a process warning,
   * COUNTERSIGN_STATE.
   */
  readonly onError?: ErrorListener | undefined;
}

const WEEK = 7 * 24 * 3600 * 1000;
const KNOWN = ["client", "prefix", "idle", "timeout", "onError"];

/**
 * State in Redis 7 or later. Sockets, workers and machines that give it the same `receiver` never accept a message twice
 * between them; senders get epochs that never go back. Rulings come as promises: sockets wait for them, and without
 * sockets `Verifier.verifyAsync` does.
 *
 * @example
 * ```ts
 * import { Pull } from "countersign";
 * import { RedisState } from "countersign/state/redis";
 * import { Redis } from "ioredis";
 *
 * const state = new RedisState({ client: new Redis() });
 * const pull = new Pull({ signing: { key, channel: "jobs", state, receiver: "workers" } });
 * ```
 */
export class RedisState implements ReplayState {
  /** Rulings come as promises. */
  readonly asynchronous = true;
  readonly #run: Run;
  readonly #prefix: string;
  readonly #idle: number;
  readonly #timeout: number;
  readonly #onError: ErrorListener | undefined;
  readonly #epochs: Epochs;
  readonly #tables = new Map<string, { streams: RedisStreams; window: number }>();

  /** @throws CountersignError for options that cannot work */
  constructor(options: RedisStateOptions) {
    const { client, prefix = "countersign:", idle = WEEK, timeout = 1000, onError } = assertOptions(options);
    this.#run = runnerOf(client);
    this.#prefix = assertPrefix(prefix);
    this.#idle = assertSpan("idle", idle, LONGEST_IDLE);
    this.#timeout = assertSpan("timeout", timeout, LONGEST_TIMEOUT);
    this.#onError = onError;
    this.#epochs = new Epochs(this.#run, timeout, onError);
  }

  /** The table of one receiver's streams on `channel` by senders of type `pattern`. */
  table(receiver: string, channel: string, pattern: Pattern, { window, limit }: TableOptions): Streams {
    const tag = this.#tagOf(receiver, channel, pattern);
    const held = this.#tables.get(tag);
    if (held !== undefined) {
      assertSameWindow(receiver, held.window, window);
      return held.streams;
    }
    const done = `done:${randomBytes(8).toString("hex")}`;
    const keys = ["streams", "heard", "asked", done].map((part) => `${tag}:${part}`);
    const options = {
      keys,
      window,
      limit: affordable(limit, window),
      idle: this.#idle * 1000,
      timeout: this.#timeout,
    };
    const streams = new RedisStreams(this.#run, options, this.#onError);
    this.#tables.set(tag, { streams, window });
    return streams;
  }

  /**
   * An epoch above every one that this sender was given before, and at least `atLeast`. Waits for Redis, however long it
   * is away.
   */
  nextEpoch({ sender, channel, pattern }: SenderStream, atLeast: number): Promise<number> {
    return this.#epochs.next(`${this.#tagOf(sender, channel, pattern)}:epoch`, atLeast);
  }

  /** What stands in braces decides where a cluster keeps a key: all keys of one table are kept together. */
  #tagOf(name: string, channel: string, pattern: Pattern): string {
    // Through bytes, for half a surrogate pair is no character that a URI could hold.
    const parts = [name, channel, pattern].map((part) => encodeURIComponent(Buffer.from(part).toString()));
    return `${this.#prefix}{${parts.join("/")}}`;
  }
}

function assertOptions(options: RedisStateOptions): RedisStateOptions {
  if (typeof options !== "object" || options === null) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "Pass a client: new RedisState({ client }).");
  }
  const stranger = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (stranger !== undefined) {
    const known = KNOWN.join(", ");
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `RedisState has no option "${stranger}"; there are ${known}.`);
  }
  if (options.onError !== undefined && typeof options.onError !== "function") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `onError must be a function; got ${typeof options.onError}.`);
  }
  return options;
}

function assertPrefix(prefix: string): string {
  if (typeof prefix === "string" && !/[{}]/.test(prefix)) return prefix;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    "prefix must be a text without braces: a table's keys stay together by theirs.",
  );
}

/** Most milliseconds that a stream may be idle: ten years. */
const LONGEST_IDLE = 10 * 365 * 24 * 3600 * 1000;
const LONGEST_TIMEOUT = 60_000;

function assertSpan(name: string, milliseconds: number, most: number): number {
  if (Number.isInteger(milliseconds) && milliseconds >= 1 && milliseconds <= most) return milliseconds;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    `${name} must be whole milliseconds from 1 to ${most}; got ${String(milliseconds)}.`,
  );
}
