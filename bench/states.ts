// What verifying a message costs under each admission policy and with each memory. All ways take turns within a round;
// each is divided by the cheapest, clock and own memory, of its round. Wall time: Redis is another process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryState, type ReplayState } from "countersign/core";
import { LmdbState } from "countersign/state/lmdb";
import { RedisState } from "countersign/state/redis";
import { Redis } from "ioredis";
import { freePort } from "./ports.js";
import { startRedis } from "./redis-server.js";
import { rotated } from "./rotation.js";
import { Missing, type Run } from "./section.js";
import { Receiver, type ReceiverOptions } from "./states/receiver.js";
import { ratios, type Summary, summarize } from "./statistics.js";

export interface StatesResult {
  readonly ways: readonly StateCost[];
  /** A sentence about each that could not be measured here. */
  readonly leftOut: readonly string[];
}

export interface StateCost {
  readonly admit: "clock" | "challenge";
  readonly state: string;
  readonly detail: string;
  /** Microseconds of one message of a stream that is known. */
  readonly micros: Summary;
  /** The same, divided by the first way's of the same round. */
  readonly ratio: Summary;
  /** Microseconds until the first message of a stream is accepted, whatever both ends have to do for it. */
  readonly first: Summary;
}

interface Way extends Omit<ReceiverOptions, "state" | "name"> {
  readonly state: string;
  readonly detail: string;
}

const WARM_UP = 2;
const UNDER_WAY = 64;
const ways: readonly Way[] = [
  { admit: "clock", state: "memory", detail: "strict order" },
  { admit: "clock", state: "memory", detail: "window 1,024", window: 1_024 },
  { admit: "clock", state: "memory", detail: "maxAge 10 s", maxAge: 10_000 },
  { admit: "challenge", state: "memory", detail: "strict order" },
  { admit: "clock", state: "LMDB", detail: "strict order" },
  { admit: "challenge", state: "LMDB", detail: "strict order" },
  { admit: "clock", state: "Redis", detail: `${UNDER_WAY} under way`, window: 65_536, underWay: UNDER_WAY },
  {
    admit: "challenge",
    state: "Redis",
    detail: `${UNDER_WAY} under way`,
    window: 65_536,
    underWay: UNDER_WAY,
  },
  { admit: "clock", state: "Redis", detail: "one at a time", window: 65_536, underWay: 1 },
];

export async function measureStates({ rounds, quick, progress }: Run): Promise<StatesResult> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-states-"));
  const { states, leftOut, close } = await openStates(folder);
  try {
    const contenders = ways.flatMap((way, i) => {
      const state = states[way.state]?.();
      return state ? [{ way, receiver: new Receiver({ ...way, state, name: `receiver-${i}` }) }] : [];
    });
    const measured = contenders.map(({ way, receiver }) => ({
      way,
      receiver,
      steady: [] as number[],
      first: [] as number[],
    }));
    for (const { receiver } of measured) await receiver.begin();
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const { way, receiver, steady, first } of rotated(measured, round + WARM_UP)) {
        progress(`states: ${way.admit}, ${way.state}, ${way.detail}, round ${round + 1} of ${rounds}`);
        const times = [
          await receiver.messages(quick ? 1_000 : 10_000),
          await receiver.streams(quick ? 10 : 100),
        ];
        if (round < 0) continue;
        steady.push(times[0]!);
        first.push(times[1]!);
      }
    }
    for (const { receiver } of measured) receiver.close();
    const baseline = measured[0]!.steady;
    const costs = measured.map(({ way: { admit, state, detail }, steady, first }) => ({
      admit,
      state,
      detail,
      micros: summarize(steady),
      ratio: summarize(ratios(steady, baseline)),
      first: summarize(first),
    }));
    return { ways: costs, leftOut };
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface States {
  /** Of each kind, how to get one; nothing where the machine lacks what it needs. */
  readonly states: Readonly<Record<string, (() => ReplayState) | undefined>>;
  readonly leftOut: readonly string[];
  close(): Promise<void>;
}

async function openStates(folder: string): Promise<States> {
  const lmdb = new LmdbState({ path: join(folder, "lmdb") });
  const own = { memory: () => new MemoryState(), LMDB: () => lmdb };
  const port = await freePort();
  try {
    const server = await startRedis(port, folder);
    const client = new Redis(port, "127.0.0.1");
    return {
      states: { ...own, Redis: () => new RedisState({ client }) },
      leftOut: [],
      close: async () => {
        await lmdb.close();
        client.disconnect();
        server.kill("SIGKILL");
      },
    };
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    return { states: own, leftOut: [`Redis is left out: ${error.message}.`], close: () => lmdb.close() };
  }
}
