// Signing and verifying without a socket, with everything that they do: header, number, limits, window, origin, copies.
// Beside them a bare `createHmac` of the bytes that the tag covers: what the HMAC alone would cost. All take turns, a
// few milliseconds each, so that the ratios hold where the machine's speed drifts. The time is the processor's, garbage
// collection included: what else runs on the machine shows less.

import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { generateKey, Signer, Verifier } from "countersign/core";
import { rotated } from "./rotation.js";
import type { Run } from "./section.js";
import { ratios, type Summary, summarize } from "./statistics.js";

export interface Micro {
  /** Of one body, in one frame. */
  readonly bytes: number;
  readonly action: string;
  /** Of one message, in microseconds. */
  readonly micros: Summary;
  /** The same, divided by what the bare createHmac took in the same round. */
  readonly ratio: Summary;
}

/** Does one thing `count` times; returns the microseconds of one message. */
type Action = (count: number) => number;

const SIZES = [64, 1_024, 16_384, 131_072];
const QUICK_SIZES = [64, 16_384];
const WARM_UP = 2;
/** Messages that are measured at a time: some milliseconds, and some MiB. */
const countOf = (bytes: number) => Math.min(1_024, Math.floor((8 * 2 ** 20) / bytes));
const BATCH = 32;
const WINDOW = 1_024;
const ID = Buffer.from("routing id");
/** What the tag covers besides name and body: the header's fixed fields, the number of frames and one length. */
const HEADER = 40;
const LENGTHS = 8;
const SENDER = "micro";

export function measureMicro({ rounds, quick, progress }: Run): Micro[] {
  const turns = quick ? 2 : 8;
  return (quick ? QUICK_SIZES : SIZES).flatMap((bytes) => {
    const actions = [
      bare(bytes),
      ...layout("inline", Number.POSITIVE_INFINITY, bytes),
      ...layout("detached", 0, bytes),
      ...batch(bytes),
    ];
    const times = actions.map((): number[] => []);
    for (let round = -WARM_UP; round < rounds; round++) {
      progress(`micro: ${bytes} bytes, round ${round + 1} of ${rounds}`);
      const sums = takeTurns(actions, countOf(bytes), turns);
      if (round >= 0) for (const [i, sum] of sums.entries()) times[i]!.push(sum / turns);
    }
    return actions.map(({ action }, i) => ({
      bytes,
      action,
      micros: summarize(times[i]!),
      ratio: summarize(ratios(times[i]!, times[0]!)),
    }));
  });
}

interface Named {
  readonly action: string;
  readonly run: Action;
  /** What must have run just before, because it makes what this takes. */
  readonly after?: Action;
}

/** The microseconds of each, added up over some turns. What verifies takes what was signed for it just before. */
function takeTurns(actions: readonly Named[], count: number, turns: number): number[] {
  const sums = actions.map(() => 0);
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, { run, after }] of rotated([...actions.entries()], turn)) {
      after?.(count);
      sums[i]! += run(count);
    }
  }
  return sums;
}

function bare(bytes: number): Named {
  const key = createSecretKey(randomBytes(32));
  const covered = Buffer.alloc(HEADER + SENDER.length + LENGTHS + bytes);
  const run = each(() => createHmac("sha256", key).update(covered).digest());
  return { action: "bare createHmac", run };
}

function layout(name: string, inline: number, bytes: number): Named[] {
  const { signer, verifier, body } = ends(inline, bytes);
  let signed: Buffer[][] = [];
  const sign: Action = (count) => {
    signed = [];
    return each(() => signed.push(signer.sign(body)))(count);
  };
  const verify: Action = (count) => {
    const received = signed.map((frames) => [ID, ...frames]);
    return each((i) => accept(verifier, received[i]!, 1))(count);
  };
  return [
    { action: `sign, ${name}`, run: sign },
    { action: `verify, ${name}`, run: verify, after: sign },
  ];
}

function batch(bytes: number): Named[] {
  const { signer, verifier, body } = ends(Number.POSITIVE_INFINITY, bytes);
  const bodies = Array.from({ length: BATCH }, () => body);
  let signed: Buffer[][] = [];
  const sign: Action = (count) => {
    signed = [];
    return each(() => signed.push(signer.signBatch(bodies)))(Math.ceil(count / BATCH)) / BATCH;
  };
  const verify: Action = () => {
    const received = signed.map((frames) => [ID, ...frames]);
    return each((i) => accept(verifier, received[i]!, BATCH))(received.length) / BATCH;
  };
  return [
    { action: `sign, batch of ${BATCH}`, run: sign },
    { action: `verify, batch of ${BATCH}`, run: verify, after: sign },
  ];
}

let made = 0;

function ends(inline: number, bytes: number) {
  const options = { key: generateKey(), channel: `micro-${++made}`, limits: { inline } };
  const verifier = new Verifier({ ...options, pattern: "router", window: WINDOW });
  const signer = new Signer({ ...options, pattern: "dealer", sender: SENDER });
  return { verifier, signer, body: [Buffer.alloc(bytes, "countersign ")] };
}

function each(action: (i: number) => void): Action {
  return (count) => {
    const start = process.cpuUsage();
    for (let i = 0; i < count; i++) action(i);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / count;
  };
}

/** As an application takes it: it asks who sent it. */
function accept(verifier: Verifier, message: Buffer[], messages: number): void {
  const verdict = verifier.verify(message);
  if (!verdict.ok) throw new Error(`refused: ${verdict.detail}`);
  if (verdict.origin?.sender !== SENDER || verdict.rest.length !== messages - 1)
    throw new Error("not what was sent");
}
