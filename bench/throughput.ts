// Messages a second of every variant, in interleaved rounds: within a round the variants take turns on the same case,
// so that what the machine does to one it does to all, and each is divided by the plain one of its own round.

import { type Case, patternTitles, sizeTitle } from "./cases.js";
import { makeCredentials, openPair, type Pair } from "./pair.js";
import { type Summary, summarize } from "./statistics.js";
import type { VariantName } from "./variants/table.js";

export interface ThroughputOptions {
  readonly cases: readonly Case[];
  /** The first one is what the others are divided by. */
  readonly variants: readonly VariantName[];
  readonly rounds: number;
  /** How long one measurement is to last. */
  readonly seconds: number;
  progress(text: string): void;
}

export interface Throughput extends Case {
  readonly variant: VariantName;
  /** One a round: messages a second, and the same divided by the baseline's. */
  readonly rates: readonly number[];
  readonly ratios: readonly number[];
  readonly rate: Summary;
  readonly ratio: Summary;
}

interface Contender {
  readonly variant: VariantName;
  readonly pair: Pair;
  readonly rates: number[];
}

export async function measureThroughput(options: ThroughputOptions): Promise<Throughput[]> {
  const results: Throughput[] = [];
  for (const pattern of new Set(options.cases.map((kind) => kind.pattern))) {
    const pairs = new Map<VariantName, Pair>();
    const credentials = makeCredentials();
    try {
      for (const name of options.variants) pairs.set(name, await openPair(name, pattern, credentials));
      for (const kind of options.cases.filter((each) => each.pattern === pattern)) {
        results.push(...(await measureCase(kind, pairs, options)));
      }
    } finally {
      for (const pair of pairs.values()) pair.stop();
    }
  }
  return results;
}

async function measureCase(
  kind: Case,
  pairs: ReadonlyMap<VariantName, Pair>,
  { rounds, seconds, progress }: ThroughputOptions,
): Promise<Throughput[]> {
  const contenders: Contender[] = [];
  const title = `${patternTitles[kind.pattern]}, ${sizeTitle(kind.bytes)} in ${kind.frames}`;
  for (const [variant, pair] of pairs) {
    progress(`${title}: ${variant}, warm-up`);
    contenders.push({ variant, pair, rates: [await warmUp(kind, pair, seconds)] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { variant, pair, rates } of rotated(contenders, round)) {
      progress(`${title}: ${variant}, round ${round + 1} of ${rounds}`);
      rates.push(await rate(kind, pair, rates.at(-1)! * seconds));
    }
  }
  return compare(kind, contenders);
}

/** Compiles the code and finds out how many messages a measurement takes. */
async function warmUp(kind: Case, pair: Pair, seconds: number): Promise<number> {
  const cold = await rate(kind, pair, 200);
  return rate(kind, pair, (cold * seconds) / 2);
}

async function rate(kind: Case, pair: Pair, messages: number): Promise<number> {
  const count = Math.max(100, Math.ceil(messages));
  return (count - 1) / (await pair.measure(kind, count));
}

/** Nobody always comes first, or always after the same neighbor's garbage. */
function rotated<T>(list: readonly T[], by: number): T[] {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function compare(kind: Case, contenders: readonly Contender[]): Throughput[] {
  const baseline = contenders[0]!.rates;
  return contenders.map(({ variant, rates }) => {
    const measured = rates.slice(1);
    const ratios = measured.map((each, round) => each / baseline[round + 1]!);
    return { ...kind, variant, rates: measured, ratios, rate: summarize(measured), ratio: summarize(ratios) };
  });
}
