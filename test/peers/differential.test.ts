// Messages made at random, well formed or not, live or not, changed or not: the product and the verifier written from
// docs/wire.md alone say the same of each. Where they differ the text has a hole.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deriveSenderKey, deriveStreamKey, type Pattern } from "../../src/core.js";
import { type Arrival, frameText, type KeyRecord, type Receiver, type Vector } from "../vectors/format.js";
import { receiverOf } from "../vectors/receiver.js";
import {
  batchOf,
  controlOf,
  type Fields,
  FLAG,
  KIND,
  keyIdOf,
  payloadOf,
  type Sealing,
  sealDetached,
  sealRegion,
  TYPE,
} from "../wire/reference.js";
import { findPython, inThisFolder, maySkip, required } from "./python.js";

const SECRET = Buffer.alloc(32, "a secret of the differential run");
const OTHER = Buffer.alloc(32, "another one, which signs nothing");
const SINCE = 1_700_000_000_000_000;
const REQUEST_TAG = Buffer.alloc(32, 9);
const SENDERS = ["alice", "alice", "alice", "bob", "alice~2", "kernel"];

/** Numbers from a seed, the same every time (xorshift, 32 bits). */
function dice(seed: number) {
  let state = seed || 1;
  const below = (bound: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
  return {
    below,
    chance: (percent: number) => below(100) < percent,
    pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item,
  };
}
type Dice = ReturnType<typeof dice>;

const HEARD: Record<string, readonly Pattern[]> = {
  router: ["dealer", "req", "router"],
  dealer: ["router", "rep", "dealer"],
  req: ["rep", "router"],
  rep: ["req", "dealer"],
  sub: ["pub", "xpub"],
  xsub: ["pub", "xpub"],
  xpub: ["xsub"],
  pull: ["push"],
  pair: ["pair"],
};

function randomReceiver({ pick, chance }: Dice): Receiver {
  const pattern = pick(Object.keys(HEARD)) as Pattern;
  const fresh = chance(20);
  return {
    pattern,
    channel: "shell",
    name: pick(["kernel", "kernel~2"]),
    fresh,
    hops: chance(20) ? 1 : 0,
    window: pick([0, 0, 3]),
    since: SINCE,
    now: SINCE + 1000,
    skew: pick([0, 0, 2]),
    ...(chance(10) && { maxAge: 996 }),
    limits: { frames: 4, bytes: 40, streams: pick([1, 2, 10]) },
    policy: chance(10) ? "report" : "enforce",
  };
}

function randomKeys({ pick }: Dice): KeyRecord[] {
  const id = keyIdOf(SECRET).toString(16).padStart(8, "0");
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const master: KeyRecord = { secret: hex(SECRET), id };
  const alice: KeyRecord = {
    secret: hex(deriveSenderKey(SECRET, "alice").exportSecret()),
    id,
    derived: { from: "sender", sender: "alice" },
  };
  const mine: KeyRecord = {
    secret: hex(deriveSenderKey(SECRET, "kernel").exportSecret()),
    id,
    derived: { from: "sender", sender: "kernel" },
  };
  const stream: KeyRecord = {
    secret: hex(deriveStreamKey(SECRET, "bob", "shell").exportSecret()),
    id,
    derived: { from: "stream", sender: "bob", channel: "shell" },
  };
  const expired = { ...master, notAfter: SINCE / 1000 - 1 };
  const colliding = { secret: hex(OTHER), id };
  const rings = [
    [master],
    [master],
    [alice, mine],
    [colliding, master],
    [stream, expired],
    [mine, stream],
    [{ ...master, senders: ["alice"] }],
  ];
  return [...pick(rings)];
}

const TEXTS = ["", "a", "bc", "\u00c1S\u0001", "twelve bytes"];

function randomBody({ below, pick, chance }: Dice): string[] {
  return Array.from({ length: chance(5) ? below(8) : 1 + below(3) }, () => pick(TEXTS));
}

/** A region behind the tag, sometimes out of form. */
function randomRegion(roll: Dice, batch: boolean): Buffer {
  const { below, chance, pick } = roll;
  const region = batch
    ? batchOf(...Array.from({ length: chance(5) ? below(3) : 1 + below(3) }, () => randomBody(roll)))
    : payloadOf(...randomBody(roll));
  if (chance(92)) return region;
  if (chance(30)) return region.subarray(0, below(region.length + 1));
  if (chance(30)) return Buffer.concat([region, Buffer.alloc(1 + below(5))]);
  if (region.length >= 8) region.writeUInt32BE(pick([0, 1, 2, 5, 255, 257, 2 ** 32 - 1]), 4 * below(2));
  return region;
}

/** A control kind, most often one that means something to this receiver. */
function randomControl({ pick, chance }: Dice, pattern: Pattern): number {
  if (chance(10))
    return pick([KIND.hello, KIND.challenge, KIND.echo, KIND.sync, KIND.refused, KIND.handshake]);
  if (pattern === "sub" || pattern === "xsub") return KIND.sync;
  return pick([KIND.hello, KIND.challenge, KIND.echo]);
}

function randomControlBody({ pick, chance, below }: Dice): Buffer {
  const nonce = () => Buffer.alloc(16, pick([0, 1, 255]));
  const number = () => (chance(95) ? BigInt(below(1000)) : pick([2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n]));
  const body = controlOf({ answer: nonce(), ask: nonce(), reached: number(), known: number() });
  if (chance(92)) return body;
  return chance(50) ? body.subarray(0, below(48)) : Buffer.concat([body, Buffer.alloc(1 + below(4))]);
}

function randomFlags(
  { pick, chance }: Dice,
  from: Pattern,
  { pattern, hops = 0 }: Receiver,
  delimited: boolean,
) {
  const server = from === "router" || from === "rep";
  const addressed = server ? chance(95) : chance(20);
  const bound = pattern === "req" ? chance(95) : chance(1);
  let flags =
    (chance(60) ? FLAG.inline : 0) |
    (delimited ? FLAG.delimited : 0) |
    (pattern === "sub" || pattern === "xsub" ? FLAG.topic : 0) |
    (addressed ? FLAG.addressed : 0) |
    (bound ? FLAG.bound : 0) |
    (addressed && chance(60) ? FLAG.recipientKey : 0);
  if (chance(5)) flags ^= pick(Object.values(FLAG).filter((flag) => flag !== FLAG.inline));
  return { flags, hops };
}

function randomFields({ below, pick, chance }: Dice, from: Pattern): Partial<Fields> {
  const number = (usual: number, odd: readonly bigint[]) => (chance(97) ? BigInt(usual) : pick(odd));
  const huge = [0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n];
  return {
    pattern: chance(95) ? TYPE[from] : below(13),
    epoch: number(SINCE + below(2), [
      ...huge,
      BigInt(SINCE + 86_400_001_000),
      BigInt(SINCE + 86_400_001_001),
    ]),
    sequence: number(1 + below(14), huge),
    sentAt: number(SINCE + pick([1, 2, 3, 4, 5, 500, 2000]), [...huge, BigInt(SINCE)]),
    ordinal: chance(50) ? 0 : 1 + below(9),
    sender: chance(98) ? pick(SENDERS) : pick(["~", "a b", "n".repeat(65), "\u007f"]),
    keyId: chance(97) ? keyIdOf(SECRET) : 1,
    ...(chance(2) && { version: below(4) }),
    ...(chance(2) && { reserved: 1 }),
    ...(chance(2) && { nameLength: below(80) }),
  };
}

/** A message as this receiver gets it. */
function randomFrames(roll: Dice, receiver: Receiver): Buffer[] {
  const { chance, pick, below } = roll;
  const { pattern, hops = 0 } = receiver;
  const from = pick(HEARD[pattern] as readonly Pattern[]);
  const hidden = pattern === "req" || pattern === "rep";
  const enveloped = pattern === "router" || pattern === "dealer";
  const delimited = hidden || (enveloped && chance(40));
  const ids = enveloped ? (pattern === "router" ? 1 : 0) + (chance(97) ? hops : below(3)) : 0;
  const routing = Array.from({ length: ids }, (_, i) => Buffer.from(`id-${i}`));
  if (enveloped && delimited) routing.push(Buffer.alloc(0));
  const { flags } = randomFlags(roll, from, receiver, delimited);
  const batch = chance(15);
  const control = chance(10);
  const kind = control
    ? randomControl(roll, pattern)
    : chance(98)
      ? batch
        ? KIND.batch
        : KIND.data
      : below(12);
  const fields = {
    ...randomFields(roll, from),
    kind,
    flags: batch && chance(90) ? (flags | FLAG.inline) & ~FLAG.bound : flags,
    ...(control && chance(95) && { sequence: 0n, ordinal: 0, flags: flags | FLAG.inline }),
  };
  const has = (flag: number) => (fields.flags & flag) !== 0;
  const sealing: Sealing = {
    secret: SECRET,
    channel: chance(97) ? "shell" : "control",
    fields,
    routing,
    ...((has(FLAG.topic) || pattern === "sub" || pattern === "xsub") && { topic: Buffer.from(pick(TEXTS)) }),
    ...((has(FLAG.addressed) || has(FLAG.recipientKey)) && { to: chance(95) ? receiver.name : "kernel~3" }),
    ...(has(FLAG.bound) && { requestTag: chance(95) ? REQUEST_TAG : Buffer.alloc(32) }),
    recipientKey: has(FLAG.recipientKey),
  };
  if (control && has(FLAG.inline)) return sealRegion(randomControlBody(roll), sealing);
  if (has(FLAG.inline)) return sealRegion(randomRegion(roll, kind === KIND.batch), sealing);
  return sealDetached(
    randomBody(roll).map((text) => Buffer.from(text)),
    sealing,
  );
}

/** Changes a message on its way. */
function tampered({ below, pick }: Dice, frames: Buffer[]): Buffer[] {
  const at = below(frames.length);
  const frame = Buffer.from(frames[at] as Buffer);
  const changed = [...frames];
  switch (below(6)) {
    case 0:
      return changed.toSpliced(at, 1);
    case 1:
      return changed.toSpliced(at, 0, Buffer.from(pick(TEXTS)));
    case 2:
      return changed.toSpliced(at, 1, frame.subarray(0, below(frame.length + 1)));
    case 3:
      return changed.toSpliced(at, 1, Buffer.concat([frame, Buffer.from("x")]));
    default:
      if (frame.length === 0) return changed.toSpliced(at, 1, Buffer.from("x"));
      frame[below(frame.length)] = below(256);
      return changed.toSpliced(at, 1, frame);
  }
}

const MESSAGES = 20;

function randomVector(seed: number): Vector {
  const roll = dice(seed);
  for (let i = 0; i < 8; i++) roll.below(2);
  const receiver = randomReceiver(roll);
  const keys = randomKeys(roll);
  const arrive = receiverOf(keys, receiver);
  const earlier: Buffer[][] = [];
  const messages = Array.from({ length: MESSAGES }, (_, i): Arrival => {
    let frames = earlier.length > 0 && roll.chance(15) ? roll.pick(earlier) : randomFrames(roll, receiver);
    earlier.push(frames);
    if (roll.chance(15)) frames = tampered(roll, frames);
    const arrival = {
      frames: frames.map(frameText),
      now: receiver.now + i,
      ...(receiver.pattern === "req" && roll.chance(95) && { requestTag: REQUEST_TAG.toString("hex") }),
    };
    return {
      ...arrival,
      expect: arrive({ ...arrival, expect: { ok: false, reason: "unsigned", authentic: false } }),
    };
  });
  return { name: `seed ${seed}`, keys, receiver, messages };
}

const VECTORS = 400;
const python = findPython();
const scratch = mkdtempSync(join(tmpdir(), "countersign-differential-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.skipIf(maySkip(python))("the Python verifier (python3)", () => {
  it(`says of ${VECTORS * MESSAGES} random messages what the product says`, () => {
    const vectors = Array.from({ length: VECTORS }, (_, i) => randomVector(i + 1));
    const fates = vectors.flatMap(({ messages }) =>
      messages.map(({ expect }) =>
        expect.ok ? "delivered" : "control" in expect ? expect.control.kind : expect.reason,
      ),
    );
    expect(fates.filter((fate) => fate === "delivered").length).toBeGreaterThan(fates.length / 10);
    expect(new Set(fates).size).toBeGreaterThan(22);
    expect(fates).toEqual(expect.arrayContaining(["hello", "challenge", "echo", "sync"]));
    const file = join(scratch, "random.json");
    writeFileSync(file, JSON.stringify({ about: "made at random", vectors }));
    const told = execFileSync(required(python), [inThisFolder("verify.py"), file], { encoding: "utf8" });
    expect(told).toBe(`${VECTORS} vectors agree, 0 do not\n`);
  });
});
