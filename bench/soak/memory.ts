// Is memory flat? Samples after a forced collection, and from them by how much a process would grow over the whole run
// if it went on as it did after warming up.

import { summarize } from "../statistics.js";

export interface MemorySample {
  readonly messages: number;
  /** JavaScript heap and buffers outside it, and the whole process, in bytes. */
  readonly heap: number;
  readonly rss: number;
}

export interface Growth {
  readonly heap: number;
  readonly rss: number;
}

const SAMPLES = 50;

export class MemorySampler {
  readonly samples: MemorySample[] = [];
  readonly #every: number;
  #next = 0;

  constructor(messages: number) {
    this.#every = Math.ceil(messages / SAMPLES);
  }

  /** To be called with the number of messages so far. */
  at(messages: number): void {
    if (messages < this.#next) return;
    this.#next += this.#every;
    // Node runs with --expose-gc here: without it the heap shows when it was last collected, not what it holds.
    globalThis.gc!();
    const { heapUsed, external, rss } = process.memoryUsage();
    this.samples.push({ messages, heap: heapUsed + external, rss });
  }
}

export function growthOf(samples: readonly MemorySample[]): Growth {
  const warm = samples.slice(Math.floor(samples.length / 5));
  return { heap: slope(warm) * samples.at(-1)!.messages, rss: 4 * leastStep(quarters(samples)) };
}

/** Least squares: a collection leaves a heap without noise, and whatever leaks tilts it, in steps or not. */
function slope(samples: readonly MemorySample[]): number {
  const mean = (value: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + value(sample), 0) / samples.length;
  const x = mean(({ messages }) => messages);
  const y = mean(({ heap }) => heap);
  const covariance = mean(({ messages, heap }) => (messages - x) * (heap - y));
  return covariance / mean(({ messages }) => (messages - x) ** 2);
}

/** Medians of the second, third and last quarter of the run. */
function quarters(samples: readonly MemorySample[]): number[] {
  const at = (n: number) => Math.floor((n * samples.length) / 4);
  return [1, 2, 3].map((n) => summarize(samples.slice(at(n), at(n + 1)).map(({ rss }) => rss)).median);
}

/**
 * The allocator takes from the system in steps of many megabytes whenever a queue is longer than ever before, and
 * never gives back. A leak of messages adds to every quarter, such a step to one.
 */
function leastStep([second, third, last]: number[]): number {
  return Math.min(third! - second!, last! - third!);
}
