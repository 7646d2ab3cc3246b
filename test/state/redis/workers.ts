// Workers for the tests of Redis: each a state of its own on a connection of its own, and messages for them.

import { randomUUID } from "node:crypto";
import { setTimeout as passed } from "node:timers/promises";
import { afterEach } from "vitest";
import { wallClock } from "../../../src/clock.js";
import { type Pattern, Signer, type Streams, Verifier } from "../../../src/core.js";
import type { Claim } from "../../../src/replay/state.js";
import { RedisState, type RedisStateOptions } from "../../../src/state/redis.js";
import { SECRET } from "../../session/parties.js";
import { type Connection, LIBRARIES, RedisServer } from "./server.js";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Does this after the test. */
export function atEnd(end: () => unknown): void {
  endings.push(end);
}

/** A server for one test. */
export async function serverOf(...options: readonly string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...options);
  atEnd(() => server.stop());
  return server;
}

/** One worker's state, what it told, and its table. */
export interface Worker {
  readonly state: RedisState;
  readonly connection: Connection;
  readonly told: string[];
  readonly table: Streams;
}

export interface WorkerOptions extends Partial<RedisStateOptions> {
  readonly library?: keyof typeof LIBRARIES;
  readonly receiver?: string;
  readonly window?: number;
  readonly limit?: number;
}

/** A worker that shares what `receiver` remembers. */
export async function workerOf(server: RedisServer, options: WorkerOptions = {}): Promise<Worker> {
  const { library = "ioredis", receiver = "workers", window = 0, limit = 1000, ...rest } = options;
  const connection = await LIBRARIES[library](server.url);
  atEnd(() => connection.drop());
  const told: string[] = [];
  const onError = ({ message }: Error) => told.push(message);
  const state = new RedisState({ client: connection.client, onError, timeout: 10_000, ...rest });
  const table = state.table(receiver, "jobs", "push", { window, limit });
  // Born: what is said from now on is heard.
  await table.epochOf("nobody");
  return { state, connection, told, table };
}

/** A verifier of what is pushed to the workers. */
export function verifierAt({ state }: Pick<Worker, "state">, window = 0): Verifier {
  return new Verifier({ pattern: "pull", key: SECRET, channel: "jobs", receiver: "workers", state, window });
}

/** A sender of its own. */
export function signerOf(pattern: Pattern = "push"): Signer {
  const signer = new Signer({ pattern, key: SECRET, channel: "jobs", sender: `sender-${randomUUID()}` });
  atEnd(() => signer.close());
  return signer;
}

/** A message of "alice" that was signed now, or with other evidence. */
export function message(sequence: number, claimed: Partial<Claim> = {}): Claim {
  return {
    stream: "alice",
    epoch: 10,
    sequence,
    count: 1,
    keyId: 7,
    signedAfter: wallClock(),
    toFreshName: false,
    unproven: "not-live",
    ...claimed,
  };
}

/** A few milliseconds, so that moments lie apart. */
export const aWhile = () => passed(5);

/** Waits until this holds. */
export async function until(holds: () => unknown): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("waited in vain");
    await passed(20);
  }
}
