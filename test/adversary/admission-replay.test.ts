// Replay under admission by challenge: no clock is trusted, and no recording is ever admitted, whoever restarts, forgets or
// moves his clock, and however alive the honest sender is.

import { Dealer, Publisher } from "countersign";
import { describe, expect, it } from "vitest";

import {
  ahead,
  asking,
  DAY,
  DEALER_TO_ROUTER,
  dropping,
  ENCOUNTERS,
  Meeting,
  nth,
  ofKind,
  PUB_TO_SUB,
  until,
} from "./admission.js";
import { handMade } from "./forge.js";
import { flowNamed, opened, TOPIC } from "./line.js";
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

describe("attack 18: evicted by many authentic senders", () => {
  let others = 0;

  /** Other senders, so many that a receiver which remembers two streams forgets every earlier one. */
  async function evict(meeting: Meeting): Promise<void> {
    const before = meeting.delivered.length;
    for (let i = 0; i < 2; i++) {
      const other = opened(new Dealer(asking(`other-${++others}`)));
      other.connect(meeting.attacker.endpoint);
      await other.send("evicts");
    }
    await until(() => meeting.delivered.length === before + 2);
    meeting.delivered.splice(before);
  }

  it("everything recorded is refused, and the evicted sender goes on", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER, { receiver: { limits: { streams: 2 } } });
    for (let i = 0; i < 5; i++) await meeting.honest();
    const recorded = framesOf(meeting.data());
    for (let round = 0; round < 2; round++) {
      await evict(meeting);
      const told = await meeting.replay(newestFirst(recorded));
      expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["not-live"]));
      expect(await meeting.live()).toBe(1);
      await meeting.replay(newestFirst(recorded));
      await meeting.honest();
    }
    meeting.expectOnce();
  });

  it("an answer that was held back since before what is forgotten begins nothing", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER, { receiver: { limits: { streams: 2 } } });
    await meeting.honest();
    const hello = await nth(meeting.attacker, "up", "hello", 0);
    // Said again, it is asked about again; the answer to that is the attacker's to keep.
    meeting.attacker.hooks = dropping("up", "echo");
    meeting.attacker.replay(hello);
    const held = await nth(meeting.attacker, "up", "echo", 1);
    meeting.attacker.hooks = {};
    for (let i = 0; i < 5; i++) await meeting.honest();
    const recorded = framesOf(meeting.data());
    await evict(meeting);
    meeting.attacker.replay(held);
    await until(() => meeting.refused.length > 0);
    expect(meeting.refused.map(({ reason }) => reason)).toEqual(["unasked"]);
    await meeting.replay(recorded);
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    meeting.expectOnce();
  });
});

describe("attack 18: a subscriber that forgets", () => {
  it("takes no answer from before what is forgotten, and the evicted publisher goes on", async () => {
    const meeting = await Meeting.open(PUB_TO_SUB, { receiver: { limits: { streams: 2 } } });
    await meeting.honest();
    // A publisher whom nobody knows gives rise to another question: the answer to that is the attacker's to keep.
    const asked = ofKind(meeting.attacker, "down", "sync").length;
    meeting.attacker.hooks = dropping("down", "sync");
    const strange = handMade(flowNamed("PUB to SUB"), { sender: "strange" }, ["unknown"]);
    await meeting.replay([strange]);
    const held = await nth(meeting.attacker, "down", "sync", asked);
    meeting.attacker.hooks = {};
    for (let i = 0; i < 5; i++) await meeting.honest();
    const recorded = framesOf(meeting.data());
    for (const name of ["first", "second"]) {
      const other = opened(new Publisher(asking(`${name}-other`, { admit: "clock" })));
      await other.bind("tcp://127.0.0.1:*");
      meeting.client.connect(other.lastEndpoint as string);
      const before = meeting.client.stats.accepted;
      while (meeting.client.stats.accepted === before) {
        await other.send([TOPIC, "evicts"]);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    await until(() => meeting.client.stats.streams === 2);
    meeting.delivered.splice(0, Infinity, ...meeting.delivered.filter((body) => body !== "evicts"));
    const before = meeting.refused.length;
    meeting.attacker.replay(held);
    await until(() => meeting.refused.length > before);
    expect(meeting.refused.at(-1)?.reason).toBe("unasked");
    await meeting.replay(recorded);
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    meeting.delivered.splice(0, Infinity, ...meeting.delivered.filter((body) => body !== "evicts"));
    meeting.expectOnce();
  });
});
