// Round trips DEALER → ROUTER → DEALER, one at a time, to a process that echoes. A round is a few thousand trips of each
// variant, in slices that take turns; p50 and p99 are those of a round's trips, and what is reported are their medians
// over the rounds.

import { type Case, casesOf, sizeTitle } from "./cases.js";
import { type Child, start } from "./child.js";
import { endpoints } from "./endpoint.js";
import type { CallerHandlers } from "./latency/caller.js";
import type { EchoHandlers } from "./latency/echo.js";
import { makeCredentials } from "./pair.js";
import type { Progress } from "./progress.js";
import { rotated } from "./rotation.js";
import type { Run } from "./section.js";
import { percentile, ratios, type Summary, summarize } from "./statistics.js";
import type { VariantName } from "./variants/table.js";
import type { Credentials } from "./variants/variant.js";

export interface Latency {
  readonly transport: Case["transport"];
  readonly bytes: number;
  readonly variant: VariantName;
  /** Round trips in a round. */
  readonly trips: number;
  /** Microseconds that half of a round's trips, and 99 in a hundred, did not exceed: one figure a round. */
  readonly p50s: readonly number[];
  readonly p99s: readonly number[];
  readonly p50: Summary;
  readonly p99: Summary;
  /** The same, divided by plain zeromq.js's of the same round. */
  readonly p50Ratio: Summary;
  readonly p99Ratio: Summary;
}

/** A variant's two processes. */
interface Line {
  readonly variant: VariantName;
  readonly caller: Child<CallerHandlers>;
  stop(): void;
}

interface Contender {
  readonly line: Line;
  readonly p50s: number[];
  readonly p99s: number[];
}

const SLICE = 250;
/** Trips of each variant before anything is measured: until then its code is interpreted, or being compiled beside it. */
const WARM_UP = 10_000;
const QUICK_WARM_UP = 4_000;
const SIZES = [64, 1_024, 16_384, 131_072] as const;

export async function measureLatency({ choice, quick, variants, rounds, progress }: Run): Promise<Latency[]> {
  const cases = casesOf(
    {
      bytes: quick ? [64] : SIZES,
      transport: quick ? ["tcp"] : ["tcp", "ipc"],
      ...choice,
      pattern: ["dealer-router"],
      subscribers: [1],
      frames: [1],
      sending: ["awaited"],
    },
    false,
  );
  const slices = quick ? 3 : 8;
  const results: Latency[] = [];
  for (const transport of new Set(cases.map((kind) => kind.transport))) {
    const lines: Line[] = [];
    const credentials = makeCredentials();
    try {
      for (const variant of variants) {
        progress(`round trips, ${transport}: ${variant} warms up`);
        const line = await openLine(variant, transport, credentials);
        lines.push(line);
        const count = quick ? QUICK_WARM_UP : WARM_UP;
        await line.caller.ask("trips", { bytes: cases[0]?.bytes ?? SIZES[0], count });
      }
      for (const { bytes } of cases.filter((kind) => kind.transport === transport)) {
        results.push(...(await measureCase({ transport, bytes, lines, slices, rounds, progress })));
      }
    } finally {
      for (const line of lines) line.stop();
    }
  }
  return results;
}

async function openLine(
  variant: VariantName,
  transport: Case["transport"],
  credentials: Credentials,
): Promise<Line> {
  const places = endpoints(transport);
  const echo = start<EchoHandlers>(new URL("./latency/echo.js", import.meta.url), `${variant} echo`);
  const caller = start<CallerHandlers>(new URL("./latency/caller.js", import.meta.url), `${variant} caller`);
  const stop = () => {
    for (const child of [caller, echo]) child.stop();
    places.remove();
  };
  try {
    const address = await echo.ask("open", { name: variant, credentials, bind: places.next() });
    await caller.ask("open", { name: variant, credentials, address });
  } catch (error) {
    stop();
    throw error;
  }
  return { variant, caller, stop };
}

interface CaseOptions {
  readonly transport: Case["transport"];
  readonly bytes: number;
  readonly lines: readonly Line[];
  readonly slices: number;
  readonly rounds: number;
  readonly progress: Progress;
}

async function measureCase(options: CaseOptions): Promise<Latency[]> {
  const { transport, bytes, lines, slices, rounds, progress } = options;
  const contenders: Contender[] = lines.map((line) => ({ line, p50s: [], p99s: [] }));
  const title = `round trips, ${transport}, ${sizeTitle(bytes)}`;
  // A whole round to fill caches with messages of this size.
  for (let round = -1; round < rounds; round++) {
    const times = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
    for (let slice = 0; slice < slices; slice++) {
      for (const contender of rotated(contenders, round + 1 + slice)) {
        progress(`${title}: ${contender.line.variant}, round ${round + 1} of ${rounds}`);
        times.get(contender)!.push(...(await contender.line.caller.ask("trips", { bytes, count: SLICE })));
      }
    }
    if (round < 0) continue;
    for (const [{ p50s, p99s }, trips] of times) {
      p50s.push(percentile(trips, 50));
      p99s.push(percentile(trips, 99));
    }
  }
  const baseline = contenders[0]!;
  return contenders.map(({ line: { variant }, p50s, p99s }) => ({
    transport,
    bytes,
    variant,
    trips: slices * SLICE,
    p50s,
    p99s,
    p50: summarize(p50s),
    p99: summarize(p99s),
    p50Ratio: summarize(ratios(p50s, baseline.p50s)),
    p99Ratio: summarize(ratios(p99s, baseline.p99s)),
  }));
}
