// The table's script in Redis against StreamTable, its model: whatever is claimed, begun, forgotten and pushed out, both
// say the same, remember as much, and have forgotten nothing since the same moment.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Claim } from "../../../src/replay/state.js";
import { StreamTable, UNKNOWN } from "../../../src/replay/stream-table.js";
import { type Run, runnerOf } from "../../../src/state/redis/client.js";
import { TABLE_SCRIPT } from "../../../src/state/redis/script.js";
import { type Connection, LIBRARIES, noRedis, RedisServer } from "./server.js";

const STREAMS = ["a", "b", "c", "d"];
const KEY_IDS = [1, 2, 2 ** 32 - 1];
/** Around here the numbers lie: at the beginning, where chunks of a window meet, and at the end. */
const PLACES = [1, 1000, 2040, 100_000, 2 ** 53 - 600];
const WINDOWS = [0, 1, 5, 5, 32, 64, 1000, 3000, 65_536];
const LEFT = 2 ** 53 - 1;

type Step =
  | {
      readonly do: "admit" | "begin";
      readonly stream: string;
      readonly epoch: number;
      /** Windows and numbers beside the last one heard; `null` for `sequence` itself. */
      readonly beside: readonly [windows: number, numbers: number] | null;
      readonly sequence: number;
      readonly count: number;
      readonly keyId: number;
      /** In microseconds beside the `since` in question; infinite for all and for nothing. */
      readonly evidence: number;
      readonly toFreshName: boolean;
    }
  | { readonly do: "forgetKey"; readonly keyId: number }
  | { readonly do: "epochOf"; readonly stream: string };

type Numbered = Extract<Step, { readonly sequence: number }>;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("admit" as const, "admit" as const, "admit" as const, "begin" as const),
      stream: fc.constantFrom(...STREAMS),
      epoch: fc.constantFrom(10, 10, 10, 11, 2 ** 53 - 1),
      beside: fc.option(fc.tuple(fc.constantFrom(0, -1), fc.constantFrom(-2, -1, 0, 1, 2))),
      sequence: fc
        .tuple(fc.constantFrom(...PLACES, 1, 1, 1000), fc.nat({ max: 70 }))
        .map(([at, by]) => at + by),
      count: fc.constantFrom(1, 1, 1, 2, 40, 256),
      keyId: fc.constantFrom(...KEY_IDS),
      evidence: fc.constantFrom(-Infinity, -1, 0, 1, Infinity, Infinity),
      toFreshName: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("forgetKey" as const), keyId: fc.constantFrom(...KEY_IDS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("epochOf" as const), stream: fc.constantFrom(...STREAMS) }),
  },
);

const setting = fc.record({
  window: fc.constantFrom(...WINDOWS),
  limit: fc.constantFrom(1, 2, 3, 100),
  // Calls that are made in one turn go in one batch.
  batches: fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 25 }),
});

function numberOf({ stream, sequence, beside }: Numbered, model: StreamTable, window: number): number {
  const slot = model.find(stream);
  if (beside === null || slot === UNKNOWN) return sequence;
  const [windows, numbers] = beside;
  return Math.min(Math.max(model.row(slot).last + windows * window + numbers, 1), LEFT);
}

/** What the script is asked, and what the model says of the same at `now`. */
function translate(step: Step, model: StreamTable, window: number) {
  if (step.do === "forgetKey") {
    return {
      call: ["forgetKey", step.keyId],
      ask: (now: number) => {
        model.forgetKey(step.keyId, now);
        return "forgotten";
      },
    };
  }
  if (step.do === "epochOf") {
    return { call: ["epochOf", step.stream], ask: () => String(model.epochOf(step.stream)) };
  }
  const { stream, epoch, keyId, evidence, toFreshName } = step;
  const sequence = numberOf(step, model, window);
  const count = Math.min(step.count, LEFT - sequence + 1);
  if (step.do === "begin") {
    const reached = { epoch, sequence, keyId };
    return {
      call: ["begin", stream, epoch, sequence, keyId, -1],
      ask: (now: number) => model.begin(stream, reached, now),
    };
  }
  // Judged when it is called: what a batch before has left behind is known by then.
  const signedAfter = model.sinceFor(model.find(stream)) + evidence;
  const claim: Claim = {
    stream,
    epoch,
    sequence,
    count,
    keyId,
    signedAfter,
    toFreshName,
    unproven: "not-live",
  };
  const live = evidence === Infinity;
  const sent = live ? 0 : Math.max(signedAfter, -1);
  return {
    call: ["admit", stream, epoch, sequence, count, keyId, sent, live, toFreshName],
    ask: (now: number) => model.admit(claim, now),
  };
}

describe.skipIf(noRedis)("the script and its model", () => {
  let server: RedisServer;
  let connection: Connection;
  let run: Run;
  let tables = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
    connection = await LIBRARIES.ioredis(server.url);
    run = runnerOf(connection.client);
  });
  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  /** One table of the script's. */
  function opened(window: number, limit: number, script = TABLE_SCRIPT) {
    const tag = `{${tables++}}`;
    const keys = ["streams", "heard", "asked", "done"].map((part) => `${tag}:${part}`);
    let number = 0;
    let seen = "0";
    return async (calls: readonly unknown[]) => {
      const numbers = [window, limit, 100, 3600 * 1_000_000].map(String);
      const times = [seen, "0", "0", "0", "0"];
      const once = [String(++number), "1000"];
      const args = [...numbers, "life", '["life"]', ...times, ...once, JSON.stringify(calls)];
      const [status, now, since, size, life, ...answers] = await run(script, keys, args);
      expect([status, life]).toEqual(["done", "life"]);
      seen = now as string;
      return { began: Number(now) - calls.length, since: Number(since), size: Number(size), answers };
    };
  }

  test("rule alike", async () => {
    await fc.assert(
      fc.asyncProperty(setting, async ({ window, limit, batches }) => {
        const ask = opened(window, limit);
        const model = new StreamTable((await ask([])).since, limit, window);
        for (const batch of batches) {
          const steps = batch.map((step) => translate(step, model, window));
          const { began, since, size, answers } = await ask(steps.map(({ call }) => call));
          const expected = steps.map((step, at) => step.ask(began + at));
          expect(answers.map((answer) => answer.replace(/^unproven .*/, "not-live"))).toEqual(expected);
          expect({ since, size }).toEqual({ since: model.since, size: model.size });
        }
      }),
      { numRuns: 500, endOnFailure: false },
    );
  }, 120_000);

  test("rule alike, where a revoked key's streams are looked for one at a time", async () => {
    const text = TABLE_SCRIPT.text.replace("local STEP = 64", "local STEP = 1");
    expect(text).not.toBe(TABLE_SCRIPT.text);
    const named = (step: Step) => ("toFreshName" in step ? { ...step, toFreshName: false } : step);
    const slow = { text, sha1: createHash("sha1").update(text).digest("hex") };
    await fc.assert(
      fc.asyncProperty(setting, async ({ window, batches }) => {
        // What is not yet looked at takes room, and may be something to a name that is new: neither is compared.
        const ask = opened(window, 100, slow);
        const model = new StreamTable((await ask([])).since, 100, window);
        for (const batch of batches) {
          const steps = batch.map((step) => translate(named(step), model, window));
          const { began, since, answers } = await ask(steps.map(({ call }) => call));
          const expected = steps.map((step, at) => step.ask(began + at));
          expect(answers.map((answer) => answer.replace(/^unproven .*/, "not-live"))).toEqual(expected);
          expect(since).toBe(model.since);
        }
      }),
      { numRuns: 200, endOnFailure: false },
    );
  }, 120_000);

  test("what a batch passes over in one go is not kept", async () => {
    const ask = opened(5, 100);
    await ask([]);
    await ask([["admit", "a", 1, 1000, 256, 1, 0, true, false]]);
    const left = server.command("HKEYS", `{${tables - 1}}:streams`).split("\n");
    expect(left.filter((field) => /^[:#]/.test(field)).sort()).toEqual(["#1:a", ":a"]);
  });

  test("a window leaves nothing behind of what fell out of it", async () => {
    const ask = opened(3000, 2);
    const claim = (stream: string, epoch: number, sequence: number) => [
      "admit",
      stream,
      epoch,
      sequence,
      256,
      1,
      0,
      true,
      false,
    ];
    for (let at = 0; at < 200; at++)
      await ask([claim("a", 1, 1 + at * 700), claim("b", 1 + (at >> 3), 1 + at * 300)]);
    for (const stream of ["c", "d"]) await ask([claim(stream, 1, 1)]);
    const left = server
      .command("HKEYS", `{${tables - 1}}:streams`)
      .split("\n")
      .filter((field) => /^[:#]/.test(field));
    expect(left.sort()).toEqual(["#0:c", "#0:d", ":c", ":d"]);
  });
});
