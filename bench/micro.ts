// Signing and verifying 64 bytes without a socket, beside a bare `createHmac` over the bytes that the tag covers: what
// the HMAC alone would cost. The three take turns, so that the ratios hold where the machine's speed drifts.

import { createHmac } from "node:crypto";
import { generateKey, Signer, Verifier } from "countersign/core";
import { type Summary, summarize } from "./statistics.js";

export interface Micro {
  readonly action: string;
  /** Of one message, in microseconds: one figure a round. */
  readonly micros: Summary;
  /** The same divided by what the bare createHmac took in the same round. */
  readonly ratio: Summary;
}

const WARM_UP = 2;
const MESSAGES = 20_000;
const BODY = [Buffer.alloc(64, "countersign ")] as const;
const ID = Buffer.from("routing id");
/** What the tag covers besides name and body: the header's fixed fields, the number of frames and one length. */
const HEADER = 40;
const LENGTHS = 8;

export interface MicroOptions {
  readonly rounds: number;
  progress(text: string): void;
}

export function measureMicro(options: MicroOptions): Micro[] {
  return [...layout("inline", Number.POSITIVE_INFINITY, options), ...layout("detached", 0, options)];
}

function layout(name: string, inline: number, { rounds, progress }: MicroOptions): Micro[] {
  const options = { key: generateKey(), channel: "micro", limits: { inline } };
  const verifier = new Verifier({ ...options, pattern: "router" });
  const signer = new Signer({ ...options, pattern: "dealer", sender: `micro-${name}` });
  const secret = Buffer.alloc(32, 1);
  const covered = Buffer.alloc(HEADER + signer.identity.name.length + LENGTHS + BODY[0].length);

  const figures: [string, number[]][] = [
    [`createHmac, ${covered.length} bytes`, []],
    [`sign, ${name}`, []],
    [`verify, ${name}`, []],
  ];
  for (let round = -WARM_UP; round < rounds; round++) {
    progress(`micro: ${name}, round ${round + 1} of ${rounds}`);
    const messages: Buffer[][] = [];
    const times = [
      each(() => createHmac("sha256", secret).update(covered).digest()),
      each(() => messages.push([ID, ...signer.sign(BODY)])),
      each((i) => accept(verifier, messages[i]!)),
    ];
    if (round >= 0) for (const [i, time] of times.entries()) figures[i]![1].push(time);
  }
  signer.close();
  return compare(figures);
}

/** Microseconds a message. */
function each(action: (i: number) => void): number {
  const start = performance.now();
  for (let i = 0; i < MESSAGES; i++) action(i);
  return ((performance.now() - start) * 1_000) / MESSAGES;
}

function accept(verifier: Verifier, message: Buffer[]): void {
  const verdict = verifier.verify(message);
  if (!verdict.ok) throw new Error(`refused: ${verdict.detail}`);
}

function compare(figures: readonly [string, number[]][]): Micro[] {
  const [, bare] = figures[0]!;
  return figures.map(([action, times]) => ({
    action,
    micros: summarize(times),
    ratio: summarize(times.map((time, round) => time / bare[round]!)),
  }));
}
