// When a client may begin: a SUB hears nothing of what was published before its subscription reached the kernel, so the first
// execution waits until iopub has said something: its welcome (protocol 5.4), or its word on a question that we asked.

import { setTimeout as sleep } from "node:timers/promises";
import type { ClientSockets } from "../sockets.js";
import { tooLate } from "./errors.js";
import type { Patience } from "./pending.js";

const FIRST_WAIT = 50;
const LONGEST_WAIT = 1000;
const BEAT_TIMEOUT = 500;
/** Milliseconds that a kernel's heart may take before it is asked without. */
const WITHOUT_HEART = 15_000;
/** Milliseconds that stdin may take before it is done without: a kernel may have none that can be reached. */
const WITHOUT_STDIN = 5000;

/** What it needs of a client. */
interface Starting extends Patience {
  readonly ends: ClientSockets;
  readonly timeout: number;
  /** Asks for the kernel's info. */
  ask(patience: Patience): Promise<unknown>;
  isSubscribed(): boolean;
  /** Resolves when stdin is connected. */
  readonly answering: Promise<void>;
  /** Resolves when iopub was heard, or will not be. */
  subscribed(): Promise<void>;
  /** @throws what ended the kernel */
  assertAlive(): void;
}

/** Resolves when the kernel has answered and its iopub was heard. */
export async function becomeReady(starting: Starting): Promise<void> {
  const deadline = performance.now() + starting.timeout;
  const left = () => {
    starting.assertAlive();
    starting.signal?.throwIfAborted();
    const milliseconds = deadline - performance.now();
    if (milliseconds <= 0) throw tooLate("The kernel", starting.timeout);
    return milliseconds;
  };
  await heartBeats(starting, left);
  let answered = false;
  // A question that a hardened kernel got before it was up is refused as old, so each is asked but for a while.
  for (
    let wait = FIRST_WAIT;
    !answered || !starting.isSubscribed();
    wait = Math.min(2 * wait, LONGEST_WAIT)
  ) {
    const timeout = Math.min(wait, left());
    const asked = starting.ask({ timeout: 10 * LONGEST_WAIT, signal: starting.signal }).then(
      () => {
        answered = true;
      },
      () => {},
    );
    await within(timeout, Promise.all([asked, starting.subscribed()]));
    left();
  }
  await within(Math.min(WITHOUT_STDIN, left()), starting.answering);
}

/** Waits, at most so many milliseconds; no timer that is left over keeps the process alive. */
async function within(milliseconds: number, wanted: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const waited = sleep(milliseconds, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([wanted, waited]);
  over.abort();
}

/** Asked first: it takes no message, signed at a time, to see that a process is up. */
async function heartBeats({ ends }: Starting, left: () => number): Promise<void> {
  const until = performance.now() + WITHOUT_HEART;
  while (performance.now() < until) {
    const timeout = Math.min(BEAT_TIMEOUT, left());
    if (await ends.heartbeat.ping({ timeout }).catch(() => 0)) return;
  }
}
