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

/** Handshakes by name. What has finished is kept apart until its deadline, so that its last answer can be given again. */
export class PendingTable {
  /** In the order in which they began, and so of their deadlines. */
  readonly #underWay = new Map<string, Pending>();
  readonly #finished = new Map<string, Pending>();
  readonly #byPath = new Map<string, string>();
  readonly #limit: number;
  readonly #listeners: PendingListeners;

  /** @param limit  how many may be under way; as many that have finished are kept */
  constructor(limit: number, listeners: PendingListeners) {
    this.#limit = limit;
    this.#listeners = listeners;
  }

  /** How many are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  get(name: string): Pending | undefined {
    return this.#underWay.get(name) ?? this.#finished.get(name);
  }

  /** One way has one client behind it, which began anew; a REP and a PAIR do not see the way. Where it is full, the oldest goes. */
  enter(name: string, pending: Pending): void {
    const { path } = pending;
    const other = path === "" ? undefined : this.#byPath.get(path);
    if (other !== undefined) this.drop(other, "displaced");
    if (this.#underWay.size >= this.#limit) this.drop(firstOf(this.#underWay), "displaced");
    this.#underWay.set(name, pending);
    if (path !== "") this.#byPath.set(path, name);
  }

  /** Its client is in: whoever comes now need not wait for its place. */
  finish(name: string): void {
    const pending = this.#underWay.get(name);
    if (pending === undefined) return;
    if (this.#finished.size >= this.#limit) this.drop(firstOf(this.#finished), undefined);
    this.#finished.set(name, pending);
    this.#leave(name);
  }

  /** Gives up whatever has taken too long. */
  expire(now: number): void {
    for (const table of [this.#underWay, this.#finished]) {
      for (const [name, { deadline }] of table) {
        if (deadline > now) break;
        this.drop(name, "timeout");
      }
    }
  }

  /** Takes one out; tells of `failure` if it had not finished. */
  drop(name: string, failure: Failure | undefined): void {
    const pending = this.get(name);
    if (pending === undefined) return;
    if (this.#byPath.get(pending.path) === name) this.#byPath.delete(pending.path);
    if (this.#finished.delete(name)) return;
    this.#leave(name);
    if (failure !== undefined) this.#listeners.gaveUp(failure, pending.client);
  }

  clear(): void {
    this.#underWay.clear();
    this.#finished.clear();
    this.#byPath.clear();
  }

  #leave(name: string): void {
    this.#underWay.delete(name);
    if (this.#underWay.size === 0) this.#listeners.emptied();
  }
}

function firstOf(table: ReadonlyMap<string, unknown>): string {
  return table.keys().next().value as string;
}
