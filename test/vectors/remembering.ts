// The product in the place of a vector's memory: what comes of each step, in the words of the vectors.

import { MemoryStreams } from "../../src/replay/memory.js";
import type { Claim } from "../../src/replay/state.js";
import { StreamTable } from "../../src/replay/stream-table.js";
import type { ClaimRecord, MemoryVector, Step } from "./format.js";

const KEY_ID = 1;

/** A memory for one vector, and a way to take its steps. */
export function memoryOf({ window = 0, streams = 2 ** 20, found = [] }: MemoryVector): (step: Step) => Step {
  const table = new StreamTable(0, streams, window);
  for (const { stream, certain, ...row } of found) {
    table.load(stream, { ...row, since: 0, heardAt: 0, keyId: KEY_ID }, certain);
  }
  let now = 0;
  const memory = new MemoryStreams(table, () => ++now);
  const nonces = new Map<string, Buffer>();

  /** A nonce is what it was called before, and no other one. */
  const named = (nonce: Buffer): string => {
    const name = [...nonces].find(([, known]) => known.equals(nonce))?.[0];
    return name ?? "a new one";
  };
  const ask = (stream: string, name: string): string => {
    const nonce = memory.ask(stream);
    const told = named(nonce);
    if (told !== "a new one" || nonces.has(name)) return told;
    nonces.set(name, nonce);
    return name;
  };
  const reached = ({ epoch, reached }: { epoch: number; reached: number }) => ({
    epoch,
    sequence: reached,
    keyId: KEY_ID,
  });

  return (step) => {
    if ("ask" in step) return { ...step, nonce: ask(step.ask, step.nonce) };
    if ("answered" in step) {
      const nonce = nonces.get(step.nonce) ?? Buffer.alloc(16);
      return { ...step, gives: memory.answered(step.answered, nonce, reached(step)) };
    }
    if ("begin" in step) return { ...step, gives: memory.begin(step.begin, reached(step)) };
    if ("claim" in step) return { ...step, gives: memory.admit(claimOf(step.claim)) };
    if ("known" in step) return { ...step, gives: memory.epochOf(step.known) };
    memory.forgetKey(step.revoke);
    return step;
  };
}

function claimOf({ live = false, count = 1, keyId = KEY_ID, ...numbers }: ClaimRecord): Claim {
  const signedAfter = live ? Infinity : -Infinity;
  return { ...numbers, count, keyId, signedAfter, toFreshName: false, unproven: "not-live" };
}
