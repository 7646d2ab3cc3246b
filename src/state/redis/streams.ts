// One receiver's memory of streams in Redis: each question is a call of the table's script (script.ts), and rulings come
// in the order of the questions. What Redis does not answer is "state-unavailable".

import { randomBytes } from "node:crypto";
import type { Micros } from "../../clock.js";
import type { Answered, Claim, Reached, Ruling, Streams } from "../../replay/state.js";
import { MOST_NONCES, WIRE } from "../../wire/limits.js";
import { type Batch, type Call, Calls, PATIENCE, type Reply, type Timing } from "./calls.js";
import type { Run } from "./client.js";
import { type ErrorListener, Outage } from "./outage.js";
import { TABLE_SCRIPT } from "./script.js";

/** How a table in Redis is kept. */
export interface RedisTableOptions {
  /** The keys of its hash, its streams by when they were heard, those that were asked, and this process's last batch. */
  readonly keys: readonly string[];
  readonly window: number;
  readonly limit: number;
  /** Microseconds after which a stream that was not heard is forgotten. */
  readonly idle: number;
  /** Milliseconds that an answer may take. */
  readonly timeout: number;
}

/** Sinces of refused streams that are kept for a log, at most. */
const MOST_SINCES = 1000;

/** Lives of the table that are kept, at most: the first, and the last ones. */
const MOST_LIVES = 16;

/** In the place of a mark: what is begun was asked for just now. */
const UNMARKED = -1;

/** Streams in Redis, shared by all that have the same keys. */
export class RedisStreams implements Streams {
  /** How many streams are remembered, as Redis said last. */
  size = 0;
  #since: Micros | undefined;
  readonly #sinces = new Map<string, Micros>();
  /** The lives of the table that were met, in their order: Redis forgot everything between two of them. */
  readonly #lives: string[] = [];
  readonly #run: Run;
  readonly #options: RedisTableOptions;
  readonly #outage: Outage;
  readonly #calls: Calls;

  constructor(run: Run, options: RedisTableOptions, listener: ErrorListener | undefined) {
    this.#run = run;
    this.#options = options;
    this.#outage = new Outage("messages are refused as state-unavailable until it answers.", listener);
    this.#calls = new Calls(
      (batch, timing) => this.#carryOut(batch, timing),
      options.timeout,
      (cause) => this.#outage.failed(cause, options.keys[0] as string),
      () => this.#outage.answered(),
    );
    this.#calls.open();
  }

  async admit(claim: Claim): Promise<Ruling> {
    const { stream, epoch, sequence, count, keyId, signedAfter, toFreshName, unproven } = claim;
    const live = signedAfter === Infinity;
    // No moment is below 0, and JSON knows no infinity.
    const evidence = live ? 0 : Math.max(signedAfter, -1);
    const answer = await this.#make(
      "admit",
      stream,
      epoch,
      sequence,
      count,
      keyId,
      evidence,
      live,
      toFreshName,
    );
    if (!answer?.startsWith("unproven")) return (answer as Ruling | undefined) ?? "state-unavailable";
    this.#noteSince(stream, Number(answer.slice("unproven ".length)));
    return unproven;
  }

  async ask(stream: string): Promise<Buffer | undefined> {
    const nonce = randomBytes(WIRE.nonceBytes).toString("hex");
    const standing = await this.#make("ask", stream, nonce);
    return standing === undefined ? undefined : Buffer.from(standing, "hex");
  }

  async answered(stream: string, answer: Uint8Array, reached: Reached): Promise<Answered> {
    const nonce = Buffer.from(answer).toString("hex");
    return this.#begun("answered", stream, nonce, reached.epoch, reached.sequence, reached.keyId);
  }

  async begin(stream: string, { epoch, sequence, keyId }: Reached, mark = UNMARKED): Promise<Answered> {
    return this.#begun("begin", stream, epoch, sequence, keyId, mark);
  }

  /** A moment of the table's before all that are still to come; 0 before one is known. */
  mark(): number {
    return this.#calls.moment;
  }

  async epochOf(stream: string): Promise<number> {
    return Number((await this.#make("epochOf", stream)) ?? 0);
  }

  /** Resolves when it is done, or Redis is away: then it is done before anything that is asked later. */
  async forgetKey(keyId: number): Promise<void> {
    await this.#calls.make(["forgetKey", keyId], true);
  }

  sinceOf(stream: string): Micros | undefined {
    return this.#sinces.get(stream) ?? this.#since;
  }

  #make(...call: Call): Promise<string | undefined> {
    return this.#calls.make(call);
  }

  async #begun(...call: Call): Promise<Answered> {
    return ((await this.#make(...call)) as Answered | undefined) ?? "state-unavailable";
  }

  #noteSince(stream: string, since: Micros): void {
    if (this.#sinces.size >= MOST_SINCES) this.#sinces.clear();
    this.#sinces.set(stream, since);
  }

  async #carryOut({ number, calls }: Batch, timing: Timing): Promise<Reply> {
    const { keys, window, limit, idle, timeout } = this.#options;
    const { called, sent, deadline, seen, opened } = timing;
    const newLife = randomBytes(8).toString("hex");
    const numbers = [window, limit, MOST_NONCES, idle].map(String);
    const times = [called, sent, deadline, seen, opened].map(String);
    const lives = JSON.stringify(this.#lives);
    const once = [number, timeout * PATIENCE].map(String);
    const args = [...numbers, newLife, lives, ...times, ...once, JSON.stringify(calls)];
    const [status, now, since, size, life, ...answers] = await this.#run(TABLE_SCRIPT, keys, args);
    if (status !== "done" && status !== "overdue") throw this.#refusal(status, now);
    this.#since = Number(since);
    this.size = Number(size);
    this.#meet(life as string);
    return { status, now: Number(now), life: life as string, answers };
  }

  #refusal(status: string | undefined, why: string | undefined): Error {
    if (status === "no-info") {
      return new Error(`its user must be allowed INFO, which tells whether writes were lost: ${why}`);
    }
    if (status !== "window") return new Error(`it answers "${status}" where a script was run`);
    const [table] = this.#options.keys;
    return new Error(
      `"${table}" was made for a window of ${why}, and this receiver has ${this.#options.window}: give all that ` +
        "share it the same, or delete that key, and memory begins anew",
    );
  }

  #meet(life: string): void {
    if (this.#lives.at(-1) === life) return;
    this.#lives.push(life);
    if (this.#lives.length === 1) return;
    if (this.#lives.length > MOST_LIVES) this.#lives.splice(1, 1);
    this.#sinces.clear();
    this.#outage.tell(
      `Redis restarted, failed over or lost "${this.#options.keys[0]}": whoever was heard before needs evidence again.`,
    );
  }
}
