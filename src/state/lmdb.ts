// countersign/state/lmdb: memory that outlives its process, in one folder and with nothing to start (docs/decisions.md,
// "Durable state"). The streams of each receiver are in memory; the disk is touched once in many messages.

import { type Clock, wallClock } from "../clock.js";
import { type CountersignError, misuse } from "../errors.js";
import { affordable, assertSameWindow } from "../replay/memory.js";
import type { ReplayState, SenderStream, Streams, TableOptions } from "../replay/state.js";
import type { Pattern } from "../wire/patterns.js";
import { Medium } from "./lmdb/medium.js";
import { disown, type Owner, thisOwner } from "./lmdb/owner.js";
import { Senders } from "./lmdb/senders.js";
import { LmdbStreams } from "./lmdb/streams.js";
import { TableStore } from "./lmdb/table-store.js";

/** Options of {@link LmdbState}. */
export interface LmdbStateOptions {
  /** The folder; made, for this user alone, if it does not exist. On a local disk, and for one machine. */
  readonly path: string;
  /** Wall clock in microseconds since the Unix epoch. Default: the system's. */
  readonly clock?: Clock | undefined;
  /**
   * Milliseconds of each stream's traffic that are reserved on disk ahead, 64 numbers at least. More costs fewer writes;
   * after a crash, what lies in the reservation needs evidence again. Default 100.
   */
  readonly ahead?: number | undefined;
  /** Told once an outage: the folder cannot be read or written, and nothing is accepted. Default: a process warning. */
  readonly onError?: ((error: CountersignError) => void) | undefined;
}

const KNOWN = ["path", "clock", "ahead", "onError"];
/** Most milliseconds of traffic that are reserved: a minute. */
const LONGEST_AHEAD = 60_000;

/** States that a process which ends by itself must close. */
const unclosed = new Set<LmdbState>();
let watches = false;

/**
 * Streams and epochs in an LMDB environment, for the receivers and senders of one machine. Several processes can have it
 * open at once, with receivers of their own; a receiver's streams belong to the process that opened them first until it
 * closes them or ends.
 *
 * Give it to whatever should outlive a restart, under a `receiver` name that stays the same:
 *
 * ```ts
 * import { Router } from "countersign";
 * import { LmdbState } from "countersign/state/lmdb";
 *
 * const state = new LmdbState({ path: "/var/lib/kernel/countersign" });
 * const router = new Router({ signing: { key, sender: "kernel", state, receiver: "kernel" } });
 * process.once("SIGTERM", async () => {
 *   router.close();
 *   await state.close();
 *   process.exit();
 * });
 * ```
 *
 * The first message of a stream or epoch waits for the disk (a few ms), those after it do not. Ending by `close()`, or by
 * itself, a process writes exactly how far each stream came. After a crash, what was reserved needs evidence again.
 */
export class LmdbState implements ReplayState {
  /** Rulings are given at once. */
  readonly asynchronous = false;
  readonly #medium: Medium;
  readonly #clock: Clock;
  readonly #ahead: number;
  readonly #owner: Owner;
  readonly #senders: Senders;
  readonly #tables = new Map<string, { streams: LmdbStreams; window: number }>();
  readonly #tell: (error: CountersignError) => void;
  #ended = false;

  /**
   * @throws CountersignError ("ERR_COUNTERSIGN_OPTIONS") for options that cannot work
   * @throws CountersignError ("ERR_COUNTERSIGN_STATE") if the package `lmdb` is missing, or the folder cannot be used:
   *   the error says why and what to do
   */
  constructor(options: LmdbStateOptions) {
    const { path, clock = wallClock, ahead = 100, onError = warn } = assertOptions(options);
    this.#clock = clock;
    this.#ahead = ahead;
    this.#tell = unbroken(onError);
    this.#medium = new Medium(path, this.#tell);
    this.#owner = thisOwner();
    this.#senders = new Senders(this.#medium, this.#owner);
    unclosed.add(this);
    if (!watches) process.on("exit", () => unclosed.forEach((state) => void state.close()));
    watches = true;
  }

  /**
   * The streams of one receiver on `channel` by senders of type `pattern`.
   *
   * @throws CountersignError ("ERR_COUNTERSIGN_STATE") if a live process has them open, or the folder cannot be used
   */
  table(receiver: string, channel: string, pattern: Pattern, { window, limit }: TableOptions): Streams {
    const name = [receiver, channel, pattern] as const;
    const id = JSON.stringify(name);
    const held = this.#tables.get(id);
    if (held !== undefined) {
      assertSameWindow(receiver, held.window, window);
      return held.streams;
    }
    const most = affordable(limit, window);
    const begin = { now: this.#clock(), limit: most, window };
    const streams = new LmdbStreams(new TableStore(this.#medium, name, this.#owner, begin), {
      medium: this.#medium,
      clock: this.#clock,
      limit: most,
      window,
      ahead: this.#ahead,
      tell: this.#tell,
    });
    this.#tables.set(id, { streams, window });
    return streams;
  }

  /**
   * An epoch above every one that this sender was given before, and at least `atLeast`, in microseconds; on the disk
   * before it is returned. A process warning (COUNTERSIGN_TWIN) names another live process that has the same sender.
   *
   * @throws CountersignError ("ERR_COUNTERSIGN_STATE") if it cannot be stored
   */
  nextEpoch(stream: SenderStream, atLeast: number): number {
    return this.#senders.next(stream, atLeast);
  }

  /**
   * Writes down exactly how far each stream came, and lets go of the folder; nothing is accepted from then on. Close what
   * receives first. A process that ends by itself does this too; one that is killed does not.
   */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    unclosed.delete(this);
    this.#medium.hurry();
    for (const { streams } of this.#tables.values()) streams.end();
    this.#senders.end();
    disown(this.#owner);
    await this.#medium.end();
  }
}

function assertOptions(options: LmdbStateOptions): LmdbStateOptions {
  if (typeof options !== "object" || options === null) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      'Pass the path of a folder: new LmdbState({ path: "/var/lib/…" }).',
    );
  }
  const stranger = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (stranger !== undefined) {
    const known = KNOWN.join(", ");
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `LmdbState has no option "${stranger}"; there are ${known}.`);
  }
  const { path, clock, ahead = 0, onError } = options;
  if (typeof path !== "string" || path === "") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `path must be that of a folder, as a text; got ${String(path)}.`);
  }
  assertFunction("clock", clock, ", which returns microseconds since the Unix epoch");
  assertFunction("onError", onError, "");
  if (typeof ahead === "number" && ahead >= 0 && ahead <= LONGEST_AHEAD) return options;
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    `ahead must be milliseconds from 0 to ${LONGEST_AHEAD}; got ${String(ahead)}.`,
  );
}

function assertFunction(name: string, given: unknown, which: string): void {
  if (given === undefined || typeof given === "function") return;
  throw misuse("ERR_COUNTERSIGN_OPTIONS", `${name} must be a function${which}; got ${typeof given}.`);
}

/** Whoever listens must not break a ruling; but what he throws must not go unseen. */
function unbroken(listener: (error: CountersignError) => void): (error: CountersignError) => void {
  return (error) => {
    try {
      listener(error);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  };
}

function warn({ message }: CountersignError): void {
  process.emitWarning(message, { type: "CountersignWarning", code: "COUNTERSIGN_STATE" });
}
