// One HMAC-SHA256 in each way that there is, at lengths from 16 bytes to what the module's memory holds, cut in two as
// header and body are. All ways take turns at each length; where one overtakes the next is between the lengths at
// which the median of their ratios passes 1. The time is the processor's, garbage collection included: what else runs
// on the machine shows less.

import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { fastHmacSha256 } from "../src/crypto/fast-hmac.js";
import { nodeHmacSha256 } from "../src/crypto/node-hmac.js";
import { instantiate, LAYOUT } from "../src/crypto/sha256.js";
import type { Run } from "./section.js";
import { ratios, type Summary, summarize } from "./statistics.js";

export interface Engines {
  readonly ways: readonly string[];
  /** Microseconds of one MAC, by length, in the order of the ways. */
  readonly lengths: readonly { readonly bytes: number; readonly micros: readonly Summary[] }[];
  readonly crossovers: readonly Crossover[];
}

interface Crossover {
  readonly faster: string;
  readonly than: string;
  /** Bytes; `undefined` where it never does. */
  readonly from: number | undefined;
}

type Way = (head: Uint8Array, body: Uint8Array) => void;

const MOST = LAYOUT.capacity - 64;
const LENGTHS = [
  16,
  64,
  128,
  256,
  384,
  512,
  640,
  768,
  896,
  1024,
  1536,
  2048,
  4096,
  8192,
  16_384,
  32_768,
  MOST,
];
const HEADER = 40;
const WARM_UP = 2;
/** How long one measurement lasts. */
const MILLISECONDS = 15;

function makeWays(): Record<string, Way> {
  const key = randomBytes(32);
  const sha256 = instantiate();
  const out = Buffer.alloc(32);
  const { seal, ...engines } = {
    WebAssembly: fastHmacSha256(sha256, { short: MOST, medium: MOST }).prepare(key),
    seal: fastHmacSha256(sha256, { short: MOST, medium: MOST }).prepare(key),
    "one-shot hash": fastHmacSha256(sha256, { short: -1, medium: MOST }).prepare(key),
    createHash: fastHmacSha256(sha256, { short: -1, medium: -1 }).prepare(key),
    "node:crypto engine": nodeHmacSha256.prepare(key),
  };
  const ways: Record<string, Way> = {};
  for (const [name, prepared] of Object.entries(engines))
    ways[name] = (head, body) => prepared.mac([head, body], out, 0);
  const frames = new Map(LENGTHS.map((bytes) => [bytes, Buffer.alloc(bytes + 32, 1)]));
  ways["WebAssembly, seal"] = (head, { length }) =>
    seal.seal(frames.get(head.length + length)!, head.length, undefined, []);
  // Node 24 takes 30 µs to make a key of bytes for each call; whoever measures himself against that looks too good.
  const secret = createSecretKey(key);
  ways["bare createHmac"] = (head, body) => createHmac("sha256", secret).update(head).update(body).digest();
  return ways;
}

export function measureEngines({ rounds, progress }: Run): Engines {
  const ways = Object.entries(makeWays());
  const times = LENGTHS.map((bytes) => {
    progress(`engines: ${bytes} bytes`);
    return measureLength(bytes, ways, rounds);
  });
  const names = ways.map(([name]) => name);
  const lengths = times.map((byWay, i) => ({ bytes: LENGTHS[i]!, micros: byWay.map(summarize) }));
  const crossovers = [
    ["one-shot hash", "WebAssembly"],
    ["createHash", "one-shot hash"],
    ["bare createHmac", "WebAssembly"],
  ].map(([faster, than]) => ({
    faster: faster!,
    than: than!,
    from: crossover(times, names.indexOf(faster!), names.indexOf(than!)),
  }));
  return { ways: names, lengths, crossovers };
}

/** Of each way, the microseconds of one MAC in each round. */
function measureLength(bytes: number, ways: readonly [string, Way][], rounds: number): number[][] {
  const head = Buffer.alloc(Math.min(HEADER, bytes), 1);
  const body = Buffer.alloc(bytes - head.length, 2);
  const counts = ways.map(([, way]) => Math.ceil((MILLISECONDS * 1000) / each(way, head, body, 300)));
  const times = ways.map((): number[] => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const [i, [, way]] of ways.entries()) {
      const micros = each(way, head, body, counts[i]!);
      if (round >= 0) times[i]!.push(micros);
    }
  }
  return times;
}

function each(way: Way, head: Uint8Array, body: Uint8Array, count: number): number {
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) way(head, body);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}

/** The first length from which on `faster` is, between two measured ones in proportion. */
function crossover(
  times: readonly (readonly number[][])[],
  faster: number,
  than: number,
): number | undefined {
  const medians = times.map((byWay) => summarize(ratios(byWay[faster]!, byWay[than]!)).median);
  const last = medians.findLastIndex((ratio) => ratio >= 1);
  if (last < 0) return LENGTHS[0];
  const [before, behind] = [medians[last]!, medians[last + 1]];
  if (behind === undefined) return undefined;
  const share = (before - 1) / (before - behind);
  return Math.round(LENGTHS[last]! + share * (LENGTHS[last + 1]! - LENGTHS[last]!));
}
