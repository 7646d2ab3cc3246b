// How long a client pauses between two logins: not longer each time while nobody is there, twice as long after each that a
// server let fail. On a clock of the test's own.

import { generateKey } from "countersign";
import { psk } from "countersign/handshake";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { COOKIE_BYTES, read, write } from "../../src/handshake/messages.js";
import { Attempts } from "../../src/sockets/attempts.js";
import { Speaker } from "../../src/sockets/speaker.js";
import { turn } from "./harness.js";

const TIMEOUT = 20;
const STEP = 10;

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** The first so many pauses of a client whose messages `answer` may answer, in milliseconds. */
async function pauses(count: number, answer: (attempts: Attempts, said: Buffer) => void = () => {}) {
  const said: Buffer[] = [];
  const wire = {
    send: async (_: readonly Buffer[], frame: Buffer) => said.push(frame) > 0,
    waiting: () => 0,
    delimits: () => false,
    pump: () => {},
    wake: () => {},
    begin: () => {},
    closed: false,
    unanswered: () => false,
    traffic: () => 0,
    heard: () => 0,
    handed: () => 0,
  };
  const failures: string[] = [];
  const attempts = new Attempts(
    new Speaker(wire, "dealer"),
    {
      end: "client",
      name: "client",
      pattern: "dealer",
      channel: "",
      login: psk({ key: generateKey() }),
      timeout: TIMEOUT,
      keepAlive: 1000,
      renewAfter: 1000,
      renewMessages: 1000,
      pending: 1,
    },
    { established: () => expect.unreachable(), failed: (failure) => failures.push(failure) },
  );
  const begin = async () => {
    attempts.pursue(performance.now());
    await turn();
    if (attempts.underWay) answer(attempts, said.at(-1) as Buffer);
    await turn();
  };
  const lengths: number[] = [];
  await begin();
  while (lengths.length < count) {
    vi.advanceTimersByTime(TIMEOUT);
    await begin();
    expect(attempts.underWay).toBe(false);
    const failedAt = performance.now();
    while (!attempts.underWay) {
      vi.advanceTimersByTime(STEP);
      await begin();
    }
    lengths.push(performance.now() - failedAt);
  }
  expect(failures).toEqual(Array(count).fill("timeout"));
  return lengths;
}

test("while nobody is there, it is as long each time", async () => {
  expect(await pauses(20)).toEqual(Array(20).fill(250));
});

test("where a server was there, and said no more, it doubles, up to half a minute", async () => {
  const cookie = Buffer.alloc(COOKIE_BYTES);
  const lengths = await pauses(9, (attempts, said) => {
    const hello = read(said);
    if (hello?.type !== "hello") return;
    const frame = write("cookie", { nonce: hello.nonce, cookie });
    void attempts.hear(read(frame)!, frame);
  });
  expect(lengths).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});
