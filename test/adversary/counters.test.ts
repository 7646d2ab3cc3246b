// Counters and clocks: numbers at their end, two senders of one name, clocks that jump, and what a busy or careless
// caller does to the order and the bytes of what was signed.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Reason, Rejection } from "countersign";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { wallClock } from "../../src/clock.js";
import { Numbering } from "../../src/session/numbering.js";
import { type Forgery, Line } from "./attack.js";
import { handMade } from "./forge.js";
import { accomplice, CHANNEL, FLOWS, flowNamed, KEY, onWire, SENDER, senderPattern } from "./line.js";
import { payloadOf, u32 } from "./tamper.js";

const DAY = 86_400_000_000;
const MAX = Number.MAX_SAFE_INTEGER;
const STREAMING = FLOWS.filter(({ roundTrip }) => !roundTrip);

async function inject(line: Line, ...messages: readonly Buffer[][]): Promise<void> {
  const connection = await line.ends.attacker.connection(0);
  connection.inject(line.flow.direction, ...messages);
}

/** Two others speak to a receiver that remembers two streams. */
async function evict(line: Line): Promise<void> {
  for (const sender of ["one", "two"]) {
    await inject(
      line,
      onWire(line.flow, accomplice({ pattern: senderPattern(line.flow), sender }), ["evicts"]),
    );
    expect((await line.ends.inbox.next()).origin?.sender).toBe(sender);
  }
}

// First of all: the clocks that jump below leave this process's epochs ahead of those of another.
describe("attack 26: two live processes with one sender name", () => {
  it("the one that started later wins, the other is refused, counted and told", async () => {
    const told: Rejection[] = [];
    const receiver = { onReject: (rejection: Rejection) => told.push(rejection) };
    const line = await Line.open(flowNamed("PUSH to PULL"), { receiver });
    await line.honest();
    const twin = startTwin(line);
    twin.stdin.write("from the twin\n");
    await line.expectDelivered(["from the twin"]);
    await line.ends.send(["from the first one"]);
    await line.refusedSoFar(["stale-epoch"]);
    expect(told[0]).toMatchObject({ authentic: true, claimed: { sender: SENDER, pattern: "push" } });
    twin.stdin.write("from the twin again\n");
    await line.expectDelivered(["from the twin again"]);
  });
});

function startTwin({ ends }: Line) {
  const program = fileURLToPath(new URL("twin.mjs", import.meta.url));
  if (!existsSync(new URL("../../dist/index.js", import.meta.url)))
    throw new Error("dist is missing: npm run build");
  const args = [program, ends.attacker.endpoint, KEY.toString("base64url"), SENDER, CHANNEL];
  const twin = spawn(process.execPath, args, { stdio: ["pipe", "inherit", "inherit"] });
  onTestFinished(() => {
    twin.kill();
  });
  return twin;
}

/** Flows on which the receiver never speaks: its clock may stand wherever it likes. */
const ONE_WAY = STREAMING.filter(({ name }) => !/^(ROUTER|REP) to DEALER$/.test(name));

describe.each(STREAMING)("$name", (flow) => {
  it("attack 25: a stream at the last number there is, and its next epoch", async () => {
    const line = await Line.open(flow, { receiver: { window: 8 } });
    const numbers = new Numbering(wallClock);
    numbers.resume(numbers.epoch, MAX - 2);
    const next = (text: string) => {
      const sequence = numbers.take(1);
      const { epoch, sentAt } = numbers;
      return handMade(flow, { sender: "old-hand", sequence, epoch, sentAt }, [text]);
    };
    const [last, first] = [
      [next("last but one"), next("last")],
      [next("first again"), next("second")],
    ] as const;
    await inject(line, ...last, ...first);
    const delivered = [];
    for (let count = 0; count < 4; count++) delivered.push(await line.ends.inbox.next());
    expect(delivered.map(({ frames }) => frames)).toEqual([
      ["last but one"],
      ["last"],
      ["first again"],
      ["second"],
    ]);
    expect(delivered.map(({ origin }) => origin?.sequence)).toEqual([MAX - 1, MAX, 1, 2]);
    expect(delivered[2]?.origin?.epoch).toBeGreaterThan(delivered[1]?.origin?.epoch as number);
    await line.refuses(
      [...last, ...first].map(
        (frames): Forgery =>
          () =>
            frames,
      ),
      ["stale-epoch", "stale-epoch", "replayed", "replayed"],
    );
  });

  const carriesBatches = flow.signatureAt !== 1 || /SUB$/.test(flow.name);
  if (carriesBatches)
    it("attack 25: a batch across the last number", async () => {
      const line = await Line.open(flow);
      const payload = Buffer.concat([
        u32(2),
        payloadOf([Buffer.from("one")]),
        payloadOf([Buffer.from("two")]),
      ]);
      const batch = (sequence: number) =>
        handMade(flow, { sender: "old-hand", kind: "batch", sequence }, [], { payload });
      await line.refuses([() => batch(MAX)], ["malformed"]);
      await inject(line, batch(MAX - 1));
      for (const [text, sequence] of [
        ["one", MAX - 1],
        ["two", MAX],
      ]) {
        const { frames, origin } = await line.ends.inbox.next();
        expect([frames, origin?.sequence]).toEqual([[text], sequence]);
      }
    });

  it("attack 26: another epoch of the same name: the newer wins, the older is counted and told", async () => {
    const told: Rejection[] = [];
    const line = await Line.open(flow, { receiver: { onReject: (rejection) => told.push(rejection) } });
    await line.honest();
    const epoch = wallClock() + 1000;
    await inject(line, handMade(flow, { epoch }, ["from the twin"]));
    await line.expectDelivered(["from the twin"]);
    for (let count = 0; count < 3; count++) await line.ends.send(["from the older one"]);
    await line.refusedSoFar(["stale-epoch", "stale-epoch", "stale-epoch"]);
    expect(told.map(({ claimed, authentic }) => [claimed?.sender, authentic])).toEqual(
      Array(3).fill([SENDER, true]),
    );
    await inject(line, handMade(flow, { epoch, sequence: 2 }, ["the twin again"]));
    await line.expectDelivered(["the twin again"]);
  });

  it("attack 26: an epoch years ahead is refused, and the name stays usable", async () => {
    const line = await Line.open(flow);
    const ahead =
      (by: number): Forgery =>
      () =>
        handMade(flow, { epoch: wallClock() + by, sentAt: wallClock() + by }, ["from the future"]);
    await line.refuses(
      [ahead(2 * DAY), ahead(3650 * DAY), () => handMade(flow, { epoch: MAX }, ["x"])],
      Array(3).fill("future-epoch"),
    );
    await line.honest();
  });

  it("attack 29: the sender's clock jumps", async () => {
    let jump = 0;
    const line = await Line.open(flow, { sender: { clock: () => wallClock() + jump } });
    const recorded = [await line.honest()];
    const replays = (reason: Reason) =>
      line.refuses(
        recorded.map(
          ({ frames }) =>
            () =>
              frames,
        ),
        recorded.map(() => reason),
      );
    jump = DAY;
    recorded.push(await line.honest());
    await replays("replayed");
    jump = 0; // a new epoch begins by itself, with the right time
    const back = await line.honest();
    await replays("stale-epoch");
    recorded.push(back);
    jump = -DAY; // a new epoch, signed a day before this receiver began to remember: no evidence
    await line.ends.send(["signed yesterday"]);
    await line.refusedSoFar(["not-live"]);
    jump = 0; // the same epoch, put right
    await line.honest();
    await replays("stale-epoch");
  });
});

describe.each(ONE_WAY)("$name", (flow) => {
  it("attack 29: the receiver's clock jumps", async () => {
    let jump = 0;
    const line = await Line.open(flow, {
      receiver: { clock: () => wallClock() + jump, limits: { streams: 2 } },
    });
    const recorded = [await line.honest()];
    const replays = (reason: Reason) =>
      line.refuses(
        recorded.map(
          ({ frames }) =>
            () =>
              frames,
        ),
        recorded.map(() => reason),
      );
    for (jump of [DAY, -DAY - 1_000_000, 0]) {
      recorded.push(await line.honest());
      await replays("replayed");
    }
    jump = -DAY - 1_000_000;
    await line.refuses([() => handMade(flow, { sender: "newcomer" }, ["x"])], ["future-epoch"]);
    jump = 0;
    await line.honest();
  });

  it("attack 29: a stream evicted while the receiver's clock stands a day back", async () => {
    let jump = 0;
    const line = await Line.open(flow, {
      receiver: { clock: () => wallClock() + jump, limits: { streams: 2 } },
    });
    const recorded = [await line.honest(), await line.honest()];
    jump = -DAY + 60_000_000;
    await evict(line);
    await line.refuses(
      recorded.map(
        ({ frames }) =>
          () =>
            frames,
      ),
      ["not-live", "not-live"],
    );
  });

  it("attack 29: a stream evicted after the receiver's clock stood a day ahead: nothing unknown comes in", async () => {
    let jump = 0;
    const line = await Line.open(flow, {
      receiver: { clock: () => wallClock() + jump, limits: { streams: 2 } },
    });
    jump = DAY;
    const recorded = [await line.honest()];
    jump = 0;
    await evict(line);
    await inject(line, recorded[0]?.frames as Buffer[]);
    await line.ends.send(["honest, and unknown again"]);
    await line.refusedSoFar(["not-live", "not-live"]);
  });

  it("attack 29: the bounds of skew and maxAge are exact", async () => {
    const now = wallClock();
    const receiver = { clock: () => now, skew: 5000, maxAge: 60_000 };
    const line = await Line.open(flow, { sender: { clock: () => now + 5_000_001 }, receiver });
    const sent = (sentAt: number, sender: string) => handMade(flow, { sentAt, sender }, [sender]);
    await line.refuses(
      [
        () => sent(now + 5_000_000, "at-since-and-skew"),
        () => sent(now - 60_000_000, "as-old-as-may-be"),
        () => sent(now - 60_000_001, "older"),
      ],
      ["not-live", "not-live", "too-old"],
    );
    await inject(line, sent(now + 5_000_001, "just-after"));
    expect((await line.ends.inbox.next()).origin?.sender).toBe("just-after");
  });
});

describe.each(STREAMING.filter(({ name }) => !/^REP/.test(name)))("$name, a busy caller", (flow) => {
  it("attack 31: 2,000 sends without await, of mixed sizes, arrive in order", async () => {
    const line = await Line.open(flow);
    // Pipe and queue each hold as many as the mark allows, 1,000: together just these, once there is a peer.
    await vi.waitUntil(() => (line.ends.sender as unknown as { writable: boolean }).writable);
    const bodies = Array.from({ length: 2000 }, (_, n) => [`${n}`, "x".repeat((n * 7919) % 20_000)]);
    const sends = bodies.map((body) => line.ends.send(body));
    for (const [number] of bodies) expect((await line.ends.inbox.next()).frames[0]).toBe(number);
    await Promise.all(sends);
    line.expectReasons([]);
    expect(line.ends.receiver.stats.gaps).toBe(0);
  });

  it.each([10, 1000, 100_000])("attack 32: a buffer of %i bytes reused right after send", async (length) => {
    const line = await Line.open(flow, { receiver: {} });
    const sends: Promise<void>[] = [];
    const buffer = Buffer.alloc(length);
    for (const letter of "abcdefghij") {
      buffer.fill(letter);
      sends.push(line.ends.send([buffer, buffer]));
    }
    buffer.fill("z");
    for (const letter of "abcdefghij") {
      expect((await line.ends.inbox.next()).frames).toEqual([letter.repeat(length), letter.repeat(length)]);
    }
    await Promise.all(sends);
    line.expectReasons([]);
  });
});
