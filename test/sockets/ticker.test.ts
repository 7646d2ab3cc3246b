// A timer that keeps nobody alive: neither the process nor its owner.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Ticker } from "../../src/sockets/ticker.js";

afterEach(() => void vi.useRealTimers());

describe("the owner is asked", () => {
  test("after the time that was said, then whenever it says, until it says no more", () => {
    vi.useFakeTimers();
    const owner = { asked: 0 };
    const ticker = new Ticker(owner, (asked) => (++asked.asked < 3 ? asked.asked * 10 : undefined));
    ticker.start(5);
    const counts = [4, 1, 9, 1, 19, 1, 1000].map((milliseconds) => {
      vi.advanceTimersByTime(milliseconds);
      return owner.asked;
    });
    expect(counts).toEqual([0, 1, 1, 2, 2, 3, 3]);
  });

  test("at the new time where a new one is said, once", () => {
    vi.useFakeTimers();
    const owner = { asked: 0 };
    const ticker = new Ticker(owner, (asked) => void asked.asked++);
    ticker.start(1000);
    ticker.start(10);
    vi.advanceTimersByTime(10);
    expect(owner.asked).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(owner.asked).toBe(1);
  });

  test("no more once it is stopped", () => {
    vi.useFakeTimers();
    const owner = { asked: 0 };
    const ticker = new Ticker(owner, (asked) => {
      asked.asked++;
      return 1;
    });
    ticker.stop();
    ticker.start(1);
    vi.advanceTimersByTime(3);
    ticker.stop();
    vi.advanceTimersByTime(100);
    expect(owner.asked).toBe(3);
  });
});

test("the process does not wait for it", () => {
  const timeouts = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timeouts();
  const ticker = new Ticker({}, () => 1);
  ticker.start(60_000);
  expect(timeouts()).toBe(before);
  ticker.stop();
});

test("its owner can be collected, and is not asked any more", async () => {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  const counter = { asked: 0 };
  const owners = new Set<WeakRef<object>>();
  const abandon = () => {
    const owner = { held: new Uint8Array(1000) };
    owners.add(new WeakRef(owner));
    new Ticker(owner, () => {
      counter.asked++;
      return 1;
    }).start(1);
  };
  for (let i = 0; i < 20; i++) abandon();
  const alive = () => [...owners].filter((owner) => owner.deref() !== undefined).length;
  for (let i = 0; i < 100 && alive() > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  expect(alive()).toBe(0);
  const { asked } = counter;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(counter.asked).toBe(asked);
});
