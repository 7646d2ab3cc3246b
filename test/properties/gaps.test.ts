// Gaps as a property: over any losses, delays and topics, what is reported as lost adds up to what was published, is out
// of reach, and never came; and with restarts, nothing is reported twice.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Signer, Verifier } from "../../src/core.js";
import { SECRET, signerOf, testClock } from "../session/parties.js";

const TOPICS = ["a", "b", "c"];

interface Published {
  readonly topic: string;
  readonly ordinal: number;
  readonly frames: Buffer[];
  readonly lost: boolean;
  /** Its place among the arrivals. */
  readonly at: number;
}

const fates = fc.array(
  fc.record({ topic: fc.constantFrom(...TOPICS), lost: fc.boolean(), delay: fc.nat({ max: 12 }) }),
  { maxLength: 80 },
);
type Fate = typeof fates extends fc.Arbitrary<(infer One)[]> ? One : never;

function publish(signer: Signer, plan: readonly Fate[], delayed: boolean): Published[] {
  const counts = new Map<string, number>();
  return plan.map(({ topic, lost, delay }, i) => {
    const ordinal = (counts.get(topic) ?? 0) + 1;
    counts.set(topic, ordinal);
    return { topic, ordinal, frames: signer.sign([topic, "x"]), lost, at: i + (delayed ? delay : 0) };
  });
}

/** Numbers between the first one heard and the highest that are out of reach and never came. */
function missing(heard: readonly number[], window: number): number {
  const highest = Math.max(...heard);
  let count = 0;
  for (let n = heard[0] as number; n <= highest - window; n++) if (!heard.includes(n)) count++;
  return count;
}

describe.each([0, 1, 8, 64])("with a window of %i", (window) => {
  test("what is reported adds up to the truth after every message", () => {
    fc.assert(
      fc.property(fates, (plan) => {
        const clock = testClock();
        const verifier = new Verifier({ key: SECRET, pattern: "sub", window, clock });
        const published = publish(signerOf({ pattern: "pub", clock }), plan, window > 0);
        const arriving = published.filter(({ lost }) => !lost).sort((one, other) => one.at - other.at);
        const heard = new Map<string, number[]>();
        for (const { topic, ordinal, frames } of arriving) {
          if (verifier.verify(frames).ok) heard.set(topic, [...(heard.get(topic) ?? []), ordinal]);
          const truth = [...heard.values()].reduce((sum, ordinals) => sum + missing(ordinals, window), 0);
          expect(verifier.stats.lost).toBe(truth);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("a sender that starts again leaves what was missing lost, and begins at 1", () => {
    fc.assert(
      fc.property(fates, fates, (before, after) => {
        const clock = testClock();
        const verifier = new Verifier({ key: SECRET, pattern: "sub", window, clock });
        const heard = { before: new Map<string, number[]>(), after: new Map<string, number[]>() };
        for (const [run, plan] of [
          ["before", before],
          ["after", after],
        ] as const) {
          for (const { topic, ordinal, frames, lost } of publish(
            signerOf({ pattern: "pub", clock }),
            plan,
            false,
          )) {
            if (lost) continue;
            expect(verifier.verify(frames).ok).toBe(true);
            heard[run].set(topic, [...(heard[run].get(topic) ?? []), ordinal]);
          }
        }
        const truth = TOPICS.reduce((sum, topic) => {
          const [old, young] = [heard.before.get(topic), heard.after.get(topic)];
          if (young === undefined) return sum + (old === undefined ? 0 : missing(old, window));
          // With an earlier run heard, the new one counts from 1; else its first one heard is the baseline.
          return old === undefined
            ? sum + missing(young, window)
            : sum + missing(old, 0) + missingFrom1(young, window);
        }, 0);
        expect(verifier.stats.lost).toBe(truth);
      }),
      { numRuns: 150 },
    );
  });
});

function missingFrom1(heard: readonly number[], window: number): number {
  const highest = Math.max(...heard);
  let count = 0;
  for (let n = 1; n <= highest - window; n++) if (!heard.includes(n)) count++;
  return count;
}
