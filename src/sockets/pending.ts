// Handshakes that are under way at a server: in bounded number, one a way, each with a deadline of its own.

import type { Failure } from "../handshake/failures.js";
import type { ServerState } from "../handshake/server.js";

/** A handshake under way. */
export interface Pending {
  /** The way back to its client; empty where it is not seen. */
  readonly path: string;
  readonly client: string;
  /** Milliseconds of a clock that never steps. */
  readonly deadline: number;
  /** How many users had been revoked when it began. */
  readonly began: number;
  state: ServerState;
  /** What the client said last, and what it was answered: the same again for the same. */
  heard: Buffer;
  reply: Buffer | undefined;
  busy: boolean;
}

/** What the table tells. */
export interface PendingListeners {
  /** A handshake that had not finished was given up. */
  readonly gaveUp: (failure: Failure, client: string) => void;
  /** None is under way any more. */
  readonly emptied: () => void;
}

/** Handshakes by name. What has finished stays until its deadline, so that its last answer can be given again. */
export class PendingTable {
  /** In the order in which they began, and so of their deadlines. */
  readonly #byName = new Map<string, Pending>();
  readonly #byPath = new Map<string, string>();
  readonly #limit: number;
  readonly #listeners: PendingListeners;

  constructor(limit: number, listeners: PendingListeners) {
    this.#limit = limit;
    this.#listeners = listeners;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Pending | undefined {
    return this.#byName.get(name);
  }

  /** One way has one client behind it, which began anew; a REP and a PAIR do not see the way. Where it is full, the oldest goes. */
  enter(name: string, pending: Pending): void {
    const { path } = pending;
    const other = path === "" ? undefined : this.#byPath.get(path);
    if (other !== undefined) this.drop(other, "displaced");
    if (this.#byName.size >= this.#limit) this.drop(this.#byName.keys().next().value as string, "displaced");
    this.#byName.set(name, pending);
    if (path !== "") this.#byPath.set(path, name);
  }

  /** Gives up whatever has taken too long. */
  expire(now: number): void {
    for (const [name, { deadline }] of this.#byName) {
      if (deadline > now) break;
      this.drop(name, "timeout");
    }
  }

  /** Takes one out; tells of `failure` if it had not finished. */
  drop(name: string, failure: Failure | undefined): void {
    const pending = this.#byName.get(name);
    if (pending === undefined) return;
    this.#byName.delete(name);
    if (this.#byPath.get(pending.path) === name) this.#byPath.delete(pending.path);
    if (failure !== undefined && pending.state.phase !== "over")
      this.#listeners.gaveUp(failure, pending.client);
    if (this.#byName.size === 0) this.#listeners.emptied();
  }

  clear(): void {
    this.#byName.clear();
    this.#byPath.clear();
  }
}
