// The process behind `npm run bench -- memory`: one verifier that has heard from so many authentic senders, what each
// of them costs it, and how long it takes to verify one more message of any of them.

import { setImmediate as pause } from "node:timers/promises";
import { generateKey, Signer, Verifier } from "countersign/core";
import { serve } from "./child.js";
import { makeProgress } from "./progress.js";
import { type Summary, summarize } from "./statistics.js";

export interface Crowd {
  readonly senders: number;
  /** What the verifier holds since it has heard from them: heap and buffers outside it, after a collection. */
  readonly bytes: number;
  /** Of one verify, over all timed messages. */
  readonly micros: Summary;
}

const progress = makeProgress();

/** Messages that are timed; half as many go before them. */
const TIMED = 20_000;
const WARM_UP = TIMED / 2;
const BODY = Buffer.alloc(64, "countersign ");
const options = { channel: "crowd", limits: { inline: Number.POSITIVE_INFINITY } };

async function measure(senders: number): Promise<Crowd> {
  const key = generateKey();
  const verifier = new Verifier({ ...options, key, pattern: "pull" });
  const drawn = Array.from({ length: WARM_UP + TIMED }, () => Math.floor(Math.random() * senders));
  const { first, next } = await record(key, senders, drawn);
  const before = await held();
  progress(`memory: ${senders} senders are verified`);
  for (let i = 0; i < senders; i++) accept(verifier, first.at(i));
  const bytes = (await held()) - before;
  progress(`memory: ${senders} senders are verified again, in random order`);
  const micros = drawn.map((_, i) => timed(() => accept(verifier, next.at(i)))).slice(WARM_UP);
  // Also keeps the recording alive until here, which would otherwise be freed between the two readings.
  for (const sender of drawn) assertReplayed(verifier, first.at(sender));
  return { senders, bytes, micros: summarize(micros) };
}

/**
 * A first message of every sender, and then one of each that was drawn, all signed before anything is measured.
 * The pauses are for the collector: what a WeakRef points to lives on until the event loop turns.
 */
async function record(key: ReturnType<typeof generateKey>, senders: number, drawn: readonly number[]) {
  const turns = new Map<number, number[]>(drawn.map((sender) => [sender, []]));
  for (const [turn, sender] of drawn.entries()) turns.get(sender)!.push(turn);
  const first = new Recording(senders);
  const next = new Recording(drawn.length);
  for (let i = 0; i < senders; i++) {
    const signer = new Signer({ ...options, key, pattern: "push", sender: nameOf(i) });
    first.set(i, signer.sign([BODY]));
    for (const turn of turns.get(i) ?? []) next.set(turn, signer.sign([BODY]));
    signer.close();
    if (i % 1_000 === 0) {
      progress(`memory: ${i} of ${senders} senders sign`);
      await pause();
    }
  }
  return { first, next };
}

/** All names are of one length, and so are all messages. */
const nameOf = (sender: number) => `sender-${String(sender).padStart(7, "0")}`;

/** Signed messages in one allocation outside the heap, so that what they take is not taken for the verifier's. */
class Recording {
  readonly #capacity: number;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  set(index: number, [frame]: readonly Buffer[]): void {
    if (this.#length === 0) {
      this.#length = frame!.length;
      this.#bytes = Buffer.alloc(this.#capacity * this.#length);
    }
    frame!.copy(this.#bytes, index * this.#length);
  }

  at(index: number): Buffer[] {
    return [this.#bytes.subarray(index * this.#length, (index + 1) * this.#length)];
  }
}

function accept(verifier: Verifier, message: Buffer[]): void {
  const verdict = verifier.verify(message);
  if (!verdict.ok) throw new Error(`refused: ${verdict.detail}`);
}

/** Every sender is still remembered. */
function assertReplayed(verifier: Verifier, message: Buffer[]): void {
  const verdict = verifier.verify(message);
  if (verdict.ok || verdict.reason !== "replayed") throw new Error("a sender was forgotten");
}

function timed(action: () => void): number {
  const start = performance.now();
  action();
  return (performance.now() - start) * 1_000;
}

/** Collects until nothing more goes: what finalizers free shows one turn later. */
async function held(): Promise<number> {
  let before = Number.POSITIVE_INFINITY;
  for (;;) {
    await pause();
    globalThis.gc!();
    const { heapUsed, external } = process.memoryUsage();
    const now = heapUsed + external;
    if (now >= before) return before;
    before = now;
  }
}

const handlers = { measure };
export type CrowdHandlers = typeof handlers;
serve(handlers);
