// What a check works with: states that are closed again however it ends, a receiver that no other check has, claims, and
// a clock on which moments lie apart.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as passed } from "node:timers/promises";
import { type Micros, wallClock } from "../../clock.js";
import type { Claim, ReplayState, Ruling, SenderStream, Streams, TableOptions } from "../../replay/state.js";
import type { StateBackend } from "./backend.js";

/** Evidence of nothing. */
const NO_EVIDENCE = -Infinity;
/** Evidence that nobody can doubt. */
export const LIVE = Infinity;

/** Enough streams for every check but that of forgetting. */
const LIMIT = 1000;

/** The scene of one check. */
export class Scene {
  readonly backend: StateBackend;
  /** A name that no other check uses. */
  readonly receiver = `contract-${randomBytes(6).toString("hex")}`;
  /** How far the clock was set back, in microseconds. */
  setBack: Micros = 0;
  /** What is open, with the tables that were asked for. */
  readonly #open = new Map<ReplayState, Set<Streams>>();

  constructor(backend: StateBackend) {
    this.backend = backend;
  }

  /** This moment, on the clock that the states are given. */
  readonly clock = (): Micros => wallClock() - this.setBack;

  /**
   * A moment that lies after everything up to now and before everything from now on. A table that is elsewhere is born
   * once it answers.
   */
  async moment(): Promise<Micros> {
    for (const tables of this.#open.values()) for (const table of tables) await table.epochOf("nobody");
    await passed(3);
    const now = this.clock();
    await passed(3);
    return now;
  }

  async open(): Promise<ReplayState> {
    const state = await this.backend.open(this.clock);
    this.#open.set(state, new Set());
    return state;
  }

  async close(state: ReplayState): Promise<void> {
    this.#open.delete(state);
    await this.backend.close(state);
  }

  async crash(state: ReplayState): Promise<void> {
    this.#open.delete(state);
    await this.backend.crash?.(state);
  }

  /** Ends it cleanly and opens it again. */
  async restart(state: ReplayState): Promise<ReplayState> {
    await this.close(state);
    return this.open();
  }

  /** Kills it and opens it again. */
  async kill(state: ReplayState): Promise<ReplayState> {
    await this.crash(state);
    return this.open();
  }

  /** Closes what a check left open. */
  async end(): Promise<void> {
    for (const state of this.#open.keys()) await this.close(state);
  }

  /** This check's table, of DEALERs on the channel "shell". */
  table(state: ReplayState, options: Partial<TableOptions> = {}): Streams {
    const table = state.table(this.receiver, "shell", "dealer", { window: 0, limit: LIMIT, ...options });
    this.#open.get(state)?.add(table);
    return table;
  }

  /** A sender that no other check uses. */
  sender(): SenderStream {
    return { sender: this.receiver, channel: "shell", pattern: "dealer" };
  }
}

/** A message of "alice" with this number, in epoch 10, without evidence. */
export function message(sequence: number, claimed: Partial<Claim> = {}): Claim {
  return {
    stream: "alice",
    epoch: 10,
    sequence,
    count: 1,
    keyId: 7,
    signedAfter: NO_EVIDENCE,
    toFreshName: false,
    unproven: "not-live",
    ...claimed,
  };
}

/** The same with evidence. */
export function proven(sequence: number, claimed: Partial<Claim> = {}): Claim {
  return message(sequence, { signedAfter: LIVE, ...claimed });
}

/** What the table says of the claim must be one of these. */
export async function ruled(streams: Streams, claim: Claim, ...expected: readonly Ruling[]): Promise<void> {
  const ruling = await streams.admit(claim);
  assert.ok(
    expected.includes(ruling),
    `stream ${claim.stream}, epoch ${claim.epoch}, number ${claim.sequence} (${claim.count}): ` +
      `"${ruling}" where "${expected.join('" or "')}" was expected`,
  );
}

/** Whatever the reason: it is not delivered. */
export async function refused(streams: Streams, claim: Claim): Promise<void> {
  const ruling = await streams.admit(claim);
  assert.ok(
    ruling !== "new" && ruling !== "late",
    `stream ${claim.stream}, epoch ${claim.epoch}, number ${claim.sequence} was delivered ("${ruling}")`,
  );
}
