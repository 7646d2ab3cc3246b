// Messages a second of every variant, in interleaved rounds: within a round the variants take turns on the same case,
// so that what the machine does to one it does to all, and each is divided by the plain one of its own round.

import { type Case, casesOf, type Meeting, meetingTitle, sizeTitle } from "./cases.js";
import { makeCredentials, openPair, type Pair } from "./pair.js";
import type { Progress } from "./progress.js";
import { rotated } from "./rotation.js";
import type { Run } from "./section.js";
import { ratios, type Summary, summarize } from "./statistics.js";
import { suits, type VariantName } from "./variants/table.js";

export interface Throughput extends Case {
  readonly variant: VariantName;
  /** One a round: messages a second, and the same divided by plain zeromq.js's. */
  readonly rates: readonly number[];
  readonly ratios: readonly number[];
  readonly rate: Summary;
  readonly ratio: Summary;
}

interface Contender {
  readonly variant: VariantName;
  readonly pair: Pair;
  /** The first is the warm-up's. */
  readonly rates: number[];
}

interface Pace {
  readonly rounds: number;
  /** How long one measurement is to last. */
  readonly seconds: number;
  readonly progress: Progress;
}

export async function measureThroughput({ choice, variants, quick, ...run }: Run): Promise<Throughput[]> {
  // Long enough that starting and stopping do not show.
  const pace = { ...run, seconds: quick ? 0.15 : 0.4 };
  const results: Throughput[] = [];
  for (const [meeting, cases] of byMeeting(casesOf(choice, quick))) {
    const pairs = new Map<VariantName, Pair>();
    const credentials = makeCredentials();
    try {
      for (const name of variants) {
        if (!cases.some(({ sending }) => suits(name, sending))) continue;
        run.progress(`${meetingTitle(meeting)}: ${name} starts`);
        const pair = await openPair(name, meeting, credentials);
        pairs.set(name, pair);
        run.progress(`${meetingTitle(meeting)}: ${name} warms up`);
        await pair.measure({ ...cases[0]!, bytes: 64 }, quick ? COMPILED / 2 : COMPILED);
      }
      for (const kind of cases) results.push(...(await measureCase(kind, pairs, pace)));
    } finally {
      for (const pair of pairs.values()) pair.stop();
    }
  }
  return results;
}

/** Cases that the same processes can be measured in. */
function byMeeting(cases: readonly Case[]): [Meeting, Case[]][] {
  const groups = new Map<string, [Meeting, Case[]]>();
  for (const kind of cases) {
    const title = meetingTitle(kind);
    const group = groups.get(title);
    if (group) group[1].push(kind);
    else groups.set(title, [kind, [kind]]);
  }
  return [...groups.values()];
}

async function measureCase(
  kind: Case,
  pairs: ReadonlyMap<VariantName, Pair>,
  { rounds, seconds, progress }: Pace,
): Promise<Throughput[]> {
  const contenders: Contender[] = [];
  const title = `${meetingTitle(kind)}, ${sizeTitle(kind.bytes)} in ${kind.frames}, ${kind.sending}`;
  for (const [variant, pair] of pairs) {
    if (!suits(variant, kind.sending)) continue;
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

/** What V8 needs to have compiled everything that small messages run through: a fresh process is several times slower. */
const COMPILED = 10_000;

/** Finds out how many messages a measurement takes. */
async function warmUp(kind: Case, pair: Pair, seconds: number): Promise<number> {
  const cold = await rate(kind, pair, 200);
  return rate(kind, pair, (cold * seconds) / 2);
}

async function rate(kind: Case, pair: Pair, messages: number): Promise<number> {
  const count = Math.max(100, Math.ceil(messages));
  return (count - 1) / (await pair.measure(kind, count));
}

function compare(kind: Case, contenders: readonly Contender[]): Throughput[] {
  const baseline = contenders[0]!.rates.slice(1);
  return contenders.map(({ variant, rates }) => {
    const measured = rates.slice(1);
    const ofBaseline = ratios(measured, baseline);
    const [rate, ratio] = [summarize(measured), summarize(ofBaseline)];
    return { ...kind, variant, rates: measured, ratios: ofBaseline, rate, ratio };
  });
}
