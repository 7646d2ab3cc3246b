// Two ends with one key, whose clock goes on by a millisecond whenever it is asked.

import { type JupyterVerdict, type ReceivedMessage, Session, type SessionOptions } from "countersign/jupyter";
import { expect } from "vitest";

export const KEY = "a0436f6c-1916-498b-8eb9-e81ab9368e84";

/** A clock that is set by hand, and goes on by `step` microseconds whenever it is asked. */
export function testClock(start = Date.now() * 1000, step = 1000): { (): number; now: number } {
  const clock = Object.assign(() => (clock.now += step), { now: start });
  return clock;
}

export function kernelOf(options: SessionOptions = {}): Session {
  return new Session({ key: KEY, role: "kernel", ...options });
}

export function clientOf(options: SessionOptions = {}): Session {
  return new Session({ key: KEY, role: "client", ...options });
}

/** The message that a verdict delivers. */
export function delivered(verdict: JupyterVerdict): ReceivedMessage {
  expect(saidOf(verdict)).toBe("ok");
  return (verdict as { message: ReceivedMessage }).message;
}

/** "ok", or why a message was refused. */
export function saidOf(verdict: JupyterVerdict): string {
  return verdict.ok ? "ok" : verdict.reason;
}
