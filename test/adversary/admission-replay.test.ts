// Replay under admission by challenge: no clock is trusted, and no recording is ever admitted, whoever restarts, forgets or
// moves his clock, and however alive the honest sender is.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BadReplyError, Dealer, generateKey, Key, Keyring, Publisher } from "countersign";
import { describe, expect, it, onTestFinished } from "vitest";

import {
  ahead,
  asking,
  DAY,
  DEALER_TO_ROUTER,
  dropping,
  ENCOUNTERS,
  kindOf,
  Meeting,
  nth,
  ofKind,
  PUB_TO_SUB,
  REP_TO_REQ,
  signatureIn,
  until,
} from "./admission.js";
import { handMade } from "./forge.js";
import { CHANNEL, flowNamed, KEY, opened, RECEIVER, SENDER, TOPIC } from "./line.js";
import { edited, FIELD, overwritten, u64 } from "./tamper.js";
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
    while (ofKind(meeting.attacker, "up", "echo").length === 1) {
      meeting.attacker.replay(hello);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
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

describe.each(SPOKEN_TO)("$name", (encounter) => {
  it.each(CLOCKS)("attack 14: from before the sender started again, with its clock %s", async (_, by) => {
    const meeting = await Meeting.open(encounter);
    for (let i = 0; i < 3; i++) await meeting.honest();
    const recorded = framesOf(meeting.data());
    await meeting.restartSender({ clock: ahead(by) });
    await meeting.replay(newestFirst(recorded));
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    const told = await meeting.replay(newestFirst(recorded));
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["stale-epoch"]));
    await meeting.honest();
    meeting.expectOnce();
  });

  it("attack 16: after key rotation, and after the old key was revoked", async () => {
    const [old, next] = [new Key(KEY), new Key(generateKey())];
    const [senders, receivers] = [new Keyring([old]), new Keyring([old])];
    const meeting = await Meeting.open(encounter, { sender: { key: senders }, receiver: { key: receivers } });
    for (let i = 0; i < 3; i++) await meeting.honest();
    const before = framesOf(meeting.data());
    for (const ring of [senders, receivers]) ring.add(next);
    for (const ring of [senders, receivers]) ring.rotate(next, { overlap: 60_000 });
    await meeting.replay(before);
    await meeting.honest();
    await meeting.replay(newestFirst(framesOf(meeting.data())));
    receivers.revoke(old);
    await meeting.honest();
    await meeting.replay(newestFirst(framesOf(meeting.data())));
    await meeting.honest();
    meeting.expectOnce();
  });

  it("attack 16: the key that moved the stream last was revoked: it begins where its sender is", async () => {
    const [old, next] = [new Key(KEY), new Key(generateKey())];
    const [senders, receivers] = [new Keyring([old]), new Keyring([old])];
    const meeting = await Meeting.open(encounter, { sender: { key: senders }, receiver: { key: receivers } });
    for (let i = 0; i < 3; i++) await meeting.honest();
    for (const ring of [senders, receivers]) ring.add(next);
    for (const ring of [senders, receivers]) ring.rotate(next, { overlap: 60_000 });
    receivers.revoke(old);
    const told = await meeting.replay(newestFirst(framesOf(meeting.data())));
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["revoked-key"]));
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    await meeting.replay(newestFirst(framesOf(meeting.data())));
    await meeting.honest();
    meeting.expectOnce();
  });

  it("attack 22: an old message made to look like a restart", async () => {
    const meeting = await Meeting.open(encounter);
    await meeting.honest();
    const [{ frames }] = meeting.data() as [Recorded];
    const at = signatureIn(frames);
    const epoch = (frames[at] as Buffer).readBigUInt64BE(FIELD.epoch);
    const restarted = [1n, 1_000_000n, -1n].map((by) =>
      edited(frames, at, (frame) =>
        overwritten(overwritten(frame, FIELD.epoch, u64(epoch + by)), FIELD.sequence, u64(1n)),
      ),
    );
    const told = await meeting.replay(restarted);
    expect(told.map(({ reason }) => reason)).toEqual(["bad-signature", "bad-signature", "bad-signature"]);
    await meeting.honest();
  });

  it("attack 29: clocks jump by a day, on either end, back and forth, in the middle of a run", async () => {
    const jumps = { sender: 0, receiver: 0 };
    const meeting = await Meeting.open(encounter, {
      sender: { clock: () => ahead(jumps.sender)() },
      receiver: { clock: () => ahead(jumps.receiver)() },
    });
    await meeting.honest();
    for (const [end, by] of [
      ["sender", DAY],
      ["sender", 0],
      ["sender", -DAY],
      ["receiver", DAY],
      ["receiver", -DAY],
      ["sender", DAY],
    ] as const) {
      jumps[end] = by;
      const recorded = framesOf(meeting.data());
      expect(await meeting.live()).toBeLessThanOrEqual(1);
      await meeting.replay(newestFirst(recorded));
      await meeting.honest();
    }
    meeting.expectOnce();
  });
});

describe("REP to REQ", () => {
  it("attack 15: recorded replies, to a REQ that was started again", async () => {
    const meeting = await Meeting.open(REP_TO_REQ);
    for (let i = 0; i < 3; i++) await meeting.honest();
    const recorded = newestFirst(framesOf(meeting.data()));
    await meeting.restartReceiver();
    await meeting.honest();
    for (const frames of recorded) {
      let replaced = false;
      meeting.attacker.hooks = {
        onMessage(genuine, { direction }) {
          if (replaced || direction === "up" || kindOf(genuine) !== "data") return undefined;
          replaced = true;
          return [frames];
        },
      };
      await expect(meeting.honest()).rejects.toThrow(BadReplyError);
      await meeting.honest();
    }
    meeting.expectOnce();
  });
});

describe("attack 26: two live processes with one sender name", () => {
  it("the later one is heard, the earlier is refused, and both sides are told", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    const twin = startTwin(meeting.attacker.endpoint);
    twin.stdin.write("honest 1000\n");
    await until(() => meeting.delivered.includes("honest 1000"));
    await expect(meeting.honest()).rejects.toThrow("lost");
    await until(() => meeting.twins.length === 1);
    expect(meeting.twins[0]).toMatchObject({ sender: SENDER, peer: RECEIVER });
    expect(meeting.refused.at(-1)).toMatchObject({ reason: "stale-epoch", authentic: true });
    await meeting.replay(framesOf(meeting.data()).slice(0, 1));
    twin.stdin.write("honest 1001\n");
    await until(() => meeting.delivered.includes("honest 1001"));
    meeting.expectOnce();
  });
});

function startTwin(endpoint: string) {
  const program = fileURLToPath(new URL("twin.mjs", import.meta.url));
  const args = [program, endpoint, KEY.toString("base64url"), SENDER, CHANNEL, "challenge"];
  const twin = spawn(process.execPath, args, { stdio: ["pipe", "inherit", "inherit"] });
  onTestFinished(() => void twin.kill());
  return twin;
}
