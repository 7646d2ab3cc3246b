// The promise as a property: whatever a network does to the traffic of several senders and receivers, through restarts
// and rotations, a delivered message was sent, is delivered once, in its place, and a batch comes whole or not at all.
// The oracle is a list of what was sent and a list of what was delivered.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Delivery, Keyring, MemoryState, type Pattern, Signer, Verifier } from "../../src/core.js";
import { sampleSecret } from "../keys/sample-keys.js";
import { carry, deliveredFrom, messageFor, type TestClock, testClock, textOf } from "../session/parties.js";

interface Setting {
  readonly from: Pattern;
  readonly to: Pattern;
  readonly window: number;
  /** Both receivers on one channel with one memory, or on two channels with one each. */
  readonly shared: boolean;
  readonly streams: number;
  readonly inline: number;
}

const setting: fc.Arbitrary<Setting> = fc
  .record({
    window: fc.constantFrom(0, 0, 1, 5, 64),
    shared: fc.boolean(),
    streams: fc.constantFrom(1, 2, 100),
    inline: fc.constantFrom(0, 1000),
    flow: fc.constantFrom<[Pattern, Pattern]>(
      ["push", "pull"],
      ["pub", "sub"],
      ["pair", "pair"],
      ["dealer", "router"],
      ["router", "dealer"],
    ),
  })
  .map(({ flow: [from, to], ...rest }) => ({ from, to, ...rest }));

type Step =
  | {
      readonly do: "send";
      readonly sender: number;
      readonly receiver: number;
      readonly size: number;
      readonly lost: boolean;
    }
  | { readonly do: "replay" | "cross" | "alter" | "splice"; readonly pick: number; readonly other: number }
  | { readonly do: "restart-sender" | "restart-receiver"; readonly who: number }
  | { readonly do: "rotate" | "revoke" | "wait" | "lag"; readonly by: number };

const pick = { pick: fc.nat(), other: fc.nat() };
const send = fc.record({
  do: fc.constant("send" as const),
  sender: fc.nat({ max: 2 }),
  receiver: fc.nat({ max: 1 }),
  size: fc.constantFrom(0, 0, 0, 1, 3),
  lost: fc.constantFrom(false, false, true),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: send },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("replay" as const), ...pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cross" as const), ...pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("alter" as const), ...pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("splice" as const), ...pick }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("restart-sender" as const, "restart-receiver" as const),
      who: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("rotate" as const, "revoke" as const, "wait" as const, "lag" as const),
      by: fc.nat({ max: 300 }),
    }),
  },
);

/** What was sent under one tag: one message, or the messages of a batch. */
interface Sent {
  readonly sender: string;
  /** The receiver it was signed for: by channel, and by name where it is addressed. */
  readonly receiver: number;
  readonly epoch: number;
  /** Each message's number and what its receiver must get. */
  readonly messages: readonly { readonly sequence: number; readonly text: readonly string[] }[];
  readonly frames: readonly Buffer[];
  readonly at: number;
  readonly keyId: string;
}

class World {
  /** The receivers' clock never steps back; the senders' is behind it by what changes. */
  readonly clock: TestClock = testClock();
  #lag = 0;
  readonly #ring = new Keyring([sampleSecret(0)]);
  readonly #setting: Setting;
  #state = this.#newState();
  #nextKey = 1;
  readonly #signers = new Map<string, Signer>();
  readonly #receivers: Verifier[];
  readonly sent: Sent[] = [];
  readonly #delivered: { readonly receiver: number; readonly sent: Sent }[] = [];
  /** When each receiver last forgot something: before it, nothing need be let in. */
  readonly #forgotAt = [this.clock.now, this.clock.now];
  #bodies = 0;
  refusedGenuine = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#receivers = [0, 1].map((who) => this.#newReceiver(who));
  }

  close(): void {
    for (const signer of this.#signers.values()) signer.close();
  }

  #newState(): MemoryState {
    return new MemoryState({ clock: this.clock });
  }

  #channelOf(receiver: number): string {
    return this.#setting.shared ? "both" : `channel-${receiver}`;
  }

  #newReceiver(who: number): Verifier {
    const { to, window, streams, shared } = this.#setting;
    return new Verifier({
      key: this.#ring,
      pattern: to,
      sender: shared ? "receiver" : `receiver-${who}`,
      channel: this.#channelOf(who),
      window,
      limits: { streams },
      clock: this.clock,
      ...(shared && { state: this.#state, receiver: "workers" }),
    });
  }

  #signerOf(sender: number, receiver: number): Signer {
    const channel = this.#channelOf(receiver);
    const name = `${sender} ${channel}`;
    const held = this.#signers.get(name);
    if (held !== undefined) return held;
    const { from, inline } = this.#setting;
    const clock = () => this.clock() - this.#lag;
    const options = { key: this.#ring, pattern: from, sender: `sender-${sender}`, channel, clock };
    const signer = new Signer({ ...options, limits: { inline } });
    this.#signers.set(name, signer);
    return signer;
  }

  do(step: Step): void {
    if (step.do === "send") this.#send(step.sender, step.receiver, step.size, step.lost);
    else if ("pick" in step) this.#attack(step);
    else if ("by" in step) this.#pass(step.do, step.by);
    else if (step.do === "restart-sender") this.#restartSender(step.who);
    else this.#restartReceiver(step.who % 2);
  }

  #attack({ do: what, pick, other }: { do: string; pick: number; other: number }): void {
    this.#with(pick, (sent) => {
      if (what === "replay") this.offer(sent.receiver, sent.frames, sent);
      if (what === "cross") this.offer(1 - sent.receiver, sent.frames);
      if (what === "alter") this.offer(other & 1, altered(sent.frames, other));
      if (what === "splice") {
        this.#with(other, (second) =>
          this.offer(sent.receiver, [...sent.frames.slice(0, -1), ...second.frames.slice(-1)]),
        );
      }
    });
  }

  #pass(what: string, by: number): void {
    if (what === "rotate") {
      this.#ring.rotate(sampleSecret(this.#nextKey++), { overlap: by, now: this.clock() / 1000 });
    }
    if (what === "revoke") this.#revoke();
    if (what === "wait") this.clock.now += by * 1000;
    if (what === "lag") this.#lag = by * 1000;
  }

  #with(pick: number, work: (sent: Sent) => void): void {
    const sent = this.sent[pick % Math.max(1, this.sent.length)];
    if (sent !== undefined) work(sent);
  }

  #send(sender: number, receiver: number, size: number, lost: boolean): void {
    const { from, to, shared } = this.#setting;
    const signer = this.#signerOf(sender, receiver);
    const bodies = Array.from({ length: Math.max(1, size) }, () => [
      Buffer.from(`body ${this.#bodies++}`),
      Buffer.alloc(0),
    ]);
    const target = from === "router" ? { to: shared ? "receiver" : `receiver-${receiver}` } : {};
    const messages = bodies.map((body) => messageFor(from, to, body));
    const signed =
      size === 0 ? signer.sign(messages[0] as Buffer[], target) : signer.signBatch(messages, target);
    const frame = signed[from === "push" || from === "pair" || from === "dealer" ? 0 : 1] as Buffer;
    const first = Number(frame.readBigUInt64BE(24));
    const sent: Sent = {
      sender: signer.identity.name,
      receiver,
      epoch: Number(frame.readBigUInt64BE(16)),
      messages: bodies.map((body, i) => ({
        sequence: first + i,
        text: textOf(deliveredFrom(from, to, body)),
      })),
      frames: carry(from, to, signed),
      at: Number(frame.readBigUInt64BE(32)),
      keyId: frame.subarray(8, 12).toString("hex"),
    };
    this.sent.push(sent);
    if (!lost) this.offer(receiver, sent.frames, sent);
  }

  #restartSender(who: number): void {
    for (const receiver of [0, 1]) {
      const name = `${who} ${this.#channelOf(receiver)}`;
      this.#signers.get(name)?.close();
      this.#signers.delete(name);
    }
  }

  /** A receiver that shares its memory restarts with the others, or the memory would survive it. */
  #restartReceiver(who: number): void {
    this.#state = this.#newState();
    for (const receiver of this.#setting.shared ? [0, 1] : [who]) {
      this.#receivers[receiver] = this.#newReceiver(receiver);
      this.#forgotAt[receiver] = this.clock.now;
    }
  }

  #revoke(): void {
    const oldest = this.#ring.keys.at(-1);
    if (oldest === undefined || this.#ring.keys.length === 1) return;
    this.#ring.revoke(oldest);
    this.#forgotAt.fill(Number.POSITIVE_INFINITY);
  }

  /** Offers frames to a receiver and holds what it says against the oracle. `genuine` is what they are, if unchanged. */
  offer(receiver: number, frames: readonly Buffer[], genuine?: Sent): void {
    const verifier = this.#receivers[receiver] as Verifier;
    const due = genuine !== undefined && this.#mustBeDelivered(receiver, genuine);
    const verdict = verifier.verify(frames);
    if (verdict.ok) {
      const { frames: first, origin, rest } = verdict;
      if (origin === undefined) throw new Error("A message without origin was delivered.");
      this.#note(receiver, [{ frames: first, origin }, ...rest]);
    } else {
      expect(due, `${verdict.reason} for a message that was due`).toBe(false);
      if (genuine !== undefined) this.refusedGenuine++;
    }
    this.#noteForgetting(receiver, verifier);
  }

  /** Every promise about what is delivered. */
  #note(receiver: number, deliveries: readonly Delivery[]): void {
    const { shared, window } = this.#setting;
    const [first] = deliveries as [Delivery];
    const sent = this.sent.find(
      ({ sender, epoch, messages, receiver: intended }) =>
        sender === first.origin.sender &&
        epoch === first.origin.epoch &&
        messages[0]?.sequence === first.origin.sequence &&
        this.#channelOf(intended) === this.#channelOf(receiver),
    );
    if (sent === undefined) throw new Error("What nobody sent was delivered.");
    // Whole, unchanged, and with the return address alone possibly another.
    const own = this.#setting.to === "router" ? 1 : 0;
    expect(deliveries.map(({ frames }) => textOf(frames.slice(own)))).toEqual(
      sent.messages.map(({ text }) => text.slice(own)),
    );
    expect(deliveries.map(({ origin }) => origin.sequence)).toEqual(
      sent.messages.map(({ sequence }) => sequence),
    );
    // In its place.
    if (!shared) expect(receiver).toBe(sent.receiver);
    // Once, through every restart, and in order or marked.
    const sameMemory = this.#delivered.filter((past) => shared || past.receiver === receiver);
    expect(
      sameMemory.every((past) => past.sent !== sent),
      "delivered before",
    ).toBe(true);
    const sameStream = sameMemory.filter((past) => past.sent.sender === sent.sender);
    const later = sameStream.filter((past) => order(past.sent, sent) > 0);
    if (window === 0) expect(later, "delivered after a later one").toEqual([]);
    expect(later.every((past) => past.sent.epoch === sent.epoch)).toBe(true);
    for (const { origin } of deliveries) expect(origin.late).toBe(later.length > 0);
    this.#delivered.push({ receiver, sent });
  }

  /** What an honest network owes: the first copy of what comes in order, was signed since, and under a valid key. */
  #mustBeDelivered(receiver: number, genuine: Sent): boolean {
    if (genuine.at <= (this.#forgotAt[receiver] as number)) return false;
    const keys = this.#ring.find(Number.parseInt(genuine.keyId, 16));
    const now = this.clock.now / 1000 + 1;
    if (
      typeof keys === "string" ||
      !keys.some(({ terms }) => now < (terms.notAfter ?? Number.POSITIVE_INFINITY))
    )
      return false;
    return this.#delivered.every((past) => {
      const sameMemory = this.#setting.shared || past.receiver === receiver;
      return !sameMemory || past.sent.sender !== genuine.sender || order(past.sent, genuine) < 0;
    });
  }

  /** A full table, or a key that left the ring: from here on only what is signed later need be let in. */
  #noteForgetting(receiver: number, verifier: Verifier): void {
    const full = verifier.stats.streams >= this.#setting.streams;
    const revoked = this.#forgotAt[receiver] === Number.POSITIVE_INFINITY;
    if (!full && !revoked) return;
    for (const who of this.#setting.shared ? [0, 1] : [receiver]) {
      // The other worker has not yet seen what was revoked.
      if (who !== receiver && revoked) continue;
      if (who === receiver || this.#forgotAt[who] !== Number.POSITIVE_INFINITY)
        this.#forgotAt[who] = this.clock.now;
    }
  }
}

/** Order within a stream: by epoch, then by number. */
function order(one: Sent, other: Sent): number {
  if (one.epoch !== other.epoch) return one.epoch - other.epoch;
  return (one.messages[0]?.sequence as number) - (other.messages[0]?.sequence as number);
}

function altered(frames: readonly Buffer[], how: number): Buffer[] {
  const copy = frames.map((frame) => Buffer.from(frame));
  const chosen = copy[how % copy.length] as Buffer;
  if (how % 5 === 0) copy.push(Buffer.alloc(0));
  else if (how % 5 === 1) copy.pop();
  else if (chosen.length > 0) {
    const at = (how >> 3) % chosen.length;
    chosen[at] = (chosen[at] as number) ^ (1 << (how % 8));
  }
  return copy;
}

describe("what is delivered was sent, once, in its place", () => {
  test("for any traffic of three senders and two receivers through a hostile network", () => {
    let delivered = 0;
    let refused = 0;
    fc.assert(
      fc.property(setting, fc.array(step, { minLength: 5, maxLength: 80 }), (some, steps) => {
        const world = new World(some);
        try {
          for (const next of steps) world.do(next);
          delivered += world.sent.length;
          refused += world.refusedGenuine;
        } finally {
          world.close();
        }
      }),
      { numRuns: 250 },
    );
    // The property says something only if much was sent and replays were refused.
    expect(delivered).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(200);
  });
});
