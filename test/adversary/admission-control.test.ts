// The messages of the greeting itself, and what is said before it is over: changed, cut, repeated, reflected, swapped, lost.

import { Dealer, MemoryState, Pair, Reply } from "countersign";
import { describe, expect, it } from "vitest";
import type { ReplayState, Streams } from "../../src/replay/state.js";

import {
  ahead,
  asking,
  DAY,
  DEALER_TO_ROUTER,
  dropping,
  kindOf,
  Meeting,
  nth,
  REQ_TO_REP,
  strangerTo,
  until,
} from "./admission.js";
import { opened } from "./line.js";
import type { Frames } from "./zmtp.js";

describe("attack 5: a message without the delimiter that a REP needs, from a stranger", () => {
  it("does not end its receive loop", async () => {
    const server = opened(new Reply(asking("bob")));
    await server.bind("tcp://127.0.0.1:*");
    const heard: string[] = [];
    const loop = (async () => {
      for await (const [body] of server) {
        heard.push(String(body));
        await server.send("done");
      }
    })();
    loop.catch((error) => heard.push(String(error)));
    const stranger = strangerTo(server.lastEndpoint as string);
    for (let i = 0; i < 10; i++) await stranger.send("no delimiter");
    const client = opened(new Dealer(asking("alice")));
    client.connect(server.lastEndpoint as string);
    await client.send(["", "1"]);
    await client.receive();
    expect(heard).toEqual(["1"]);
  });
});

describe("attack 57 and 58: what is lost is told to its sender", () => {
  it("when the echo was lost, and the first message with it", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    meeting.attacker.hooks = dropping("up", "echo", 1);
    await meeting.restartClient();
    await nth(meeting.attacker, "up", "echo", 1);
    expect(await meeting.live()).toBe(1);
    expect(meeting.forgotten.map(({ lost }) => lost)).toEqual([1]);
    meeting.expectOnce();
  });

  it("when its clock steps back by a day, which begins an epoch that nobody knows", async () => {
    let by = 0;
    const clock = () => ahead(by)();
    const meeting = await Meeting.open(DEALER_TO_ROUTER, { sender: { clock } });
    await meeting.honest();
    by = -DAY;
    expect(await meeting.live()).toBe(1);
    expect(meeting.forgotten.map(({ lost }) => lost)).toEqual([1]);
    meeting.expectOnce();
  });
});

describe("conflate and challenge", () => {
  it.each([
    ["DEALER", (options: object) => new Dealer(options as never)],
    ["PAIR", (options: object) => new Pair(options as never)],
  ])("exclude each other on a %s", (_, make) => {
    expect(() => make({ ...asking("alice"), conflate: true })).toThrow(/conflate/);
  });
});

describe("attack 58: whatever of a greeting gets lost, it is said again", () => {
  it.each([
    ["up", "hello", 3],
    ["down", "challenge", 3],
    ["up", "echo", 1],
  ] as const)("between DEALER and ROUTER (%s: %s, %i times)", async (direction, kind, count) => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER);
    await meeting.honest();
    meeting.attacker.hooks = dropping(direction, kind, count);
    await meeting.restartClient();
    expect(await meeting.live()).toBeLessThanOrEqual(1);
    await meeting.honest();
    meeting.expectOnce();
  });

  it.each([
    ["up", "hello"],
    ["down", "challenge"],
    ["up", "echo"],
    ["down", "echo"],
  ] as const)("between REQ and REP (%s: %s)", async (direction, kind) => {
    const meeting = await Meeting.open(REQ_TO_REP);
    await meeting.honest();
    meeting.attacker.hooks = dropping(direction, kind, 1);
    await meeting.restartClient();
    await meeting.honest();
    meeting.expectOnce();
  });
});

/** A memory that answers later, as one elsewhere does. */
class Elsewhere implements ReplayState {
  readonly asynchronous = true;
  readonly #memory = new MemoryState();

  table(...given: Parameters<ReplayState["table"]>): Streams {
    const streams = this.#memory.table(...given);
    const later =
      <Given extends unknown[], Result>(answer: (...given: Given) => Result) =>
      async (...given: Given) =>
        answer.apply(streams, given);
    return {
      get size() {
        return streams.size;
      },
      admit: later(streams.admit),
      ask: later(streams.ask),
      answered: later(streams.answered),
      begin: later(streams.begin),
      epochOf: later(streams.epochOf),
      forgetKey: later(streams.forgetKey),
      sinceOf: (stream) => streams.sinceOf(stream),
    };
  }
}

describe("attack 57: data behind the echo that admits it, in one piece with another's", () => {
  it("is delivered, where the memory is elsewhere too", async () => {
    const meeting = await Meeting.open(DEALER_TO_ROUTER, { receiver: { state: new Elsewhere() } });
    const other = opened(new Dealer(asking("other")));
    other.connect(meeting.attacker.endpoint);
    await other.send("admitted");
    await until(() => meeting.delivered.length === 1);
    const held: Frames[] = [];
    meeting.attacker.hooks = {
      onMessage(frames, { direction }) {
        if (direction === "down" || kindOf(frames) === "hello") return undefined;
        held.push(frames);
        return "drop";
      },
    };
    await other.send("honest 1");
    await until(() => held.length === 1);
    await meeting.restartClient();
    await meeting.sender.send("honest 2");
    await until(() => held.length === 3);
    expect(held.map(kindOf)).toEqual(["data", "echo", "data"]);
    meeting.connection.inject("up", ...held);
    await until(() => meeting.delivered.length + meeting.refused.length === 3);
    expect(meeting.delivered).toEqual(["admitted", "honest 1", "honest 2"]);
  });
});
