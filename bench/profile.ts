// `npm run bench -- profile`: where each microsecond of a message goes, on both sides. The profiler itself takes time, so
// the sums are larger than what throughput says; what counts is what stands beside what.

import type { Case } from "./cases.js";
import { makeCredentials, openPair } from "./pair.js";
import type { Shares } from "./profiler.js";
import type { Run } from "./section.js";
import type { VariantName } from "./variants/table.js";

export interface Profile {
  readonly variant: VariantName;
  readonly bytes: number;
  /** Microseconds a message by part, of each side's main thread. */
  readonly sender: Shares;
  readonly receiver: Shares;
}

const COMMON = { pattern: "dealer-router", transport: "tcp", subscribers: 1, frames: 1 } as const;
const SIZES = [
  { bytes: 64, count: 100_000 },
  { bytes: 16_384, count: 20_000 },
] as const;
const WARM_UP = 20_000;

export async function measureProfile({ variants, progress }: Run): Promise<Profile[]> {
  const profiles: Profile[] = [];
  for (const variant of ["plain", "countersign", "batched"] as const) {
    if (!variants.includes(variant)) continue;
    const pair = await openPair(variant, COMMON, makeCredentials());
    try {
      const sending = variant === "batched" ? "windowed" : "awaited";
      for (const { bytes, count } of SIZES) {
        const kind: Case = { ...COMMON, bytes, sending };
        progress(`profile: ${variant}, ${bytes} bytes`);
        await pair.measure(kind, WARM_UP);
        const { sender, receiver } = await pair.profile(kind, count);
        profiles.push({ variant, bytes, sender: each(sender, count), receiver: each(receiver, count) });
      }
    } finally {
      pair.stop();
    }
  }
  return profiles;
}

function each(shares: Shares, count: number): Shares {
  return Object.fromEntries(Object.entries(shares).map(([part, micros]) => [part, micros / count])) as Shares;
}
