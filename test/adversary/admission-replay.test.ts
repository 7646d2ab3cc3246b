// Replay under admission by challenge: no clock is trusted, and no recording is ever admitted, whoever restarts, forgets or
// moves his clock, and however alive the honest sender is.

import { describe, expect, it } from "vitest";

import { ahead, DAY, ENCOUNTERS, Meeting } from "./admission.js";
import { handMade } from "./forge.js";
import { flowNamed } from "./line.js";
import type { Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

const framesOf = (recorded: readonly Recorded[]): Frames[] => recorded.map(({ frames }) => frames);

/** Newest first, then the others in no order. */
function newestFirst(recorded: readonly Frames[]): Frames[] {
  const [newest, ...others] = [...recorded].reverse() as [Frames, ...Frames[]];
  return [newest, ...others.filter((_, i) => i % 2 === 1), ...others.filter((_, i) => i % 2 === 0)];
}

/** A reply to a REQ is bound to its request: a recorded one is not even intact, and needs a REQ that waits. */
const SPOKEN_TO = ENCOUNTERS.filter(({ asks }) => !asks);

const CLOCKS = [
  ["equal", 0],
  ["a day ahead", DAY],
  ["a day behind", -DAY],
] as const;

describe.each(SPOKEN_TO)("attack 15: $name: the receiver restarted", (encounter) => {
  it.each(CLOCKS)("while its sender lives on, whose clock is %s", async (_, by) => {
    const meeting = await Meeting.open(encounter, { sender: { clock: ahead(by) } });
    for (let i = 0; i < 5; i++) await meeting.honest();
    const recorded = framesOf(meeting.data());
    await meeting.restartReceiver();
    // Older and higher epochs of the same name: recordings of runs whose clocks were wrong.
    const flow = flowNamed(encounter.name);
    const others = [-2 * DAY, 2 * DAY].map((off) => handMade(flow, { epoch: ahead(off)() }, ["another run"]));
    await meeting.replay([...newestFirst(recorded), ...others]);
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    for (let i = 0; i < 3; i++) {
      const told = await meeting.replay([...newestFirst(recorded), ...others]);
      expect(told.filter(({ authentic }) => !authentic)).toEqual([]);
      await meeting.honest();
    }
    meeting.expectOnce();
  });
});
