// The books of the demonstration: what was sent, what arrived, what was refused. Pure; a message is judged by what
// both ends say, never by what the library says of itself.

import type { ActName } from "./acts.js";
import type { Channel, Receiver } from "./cast.js";
import { type Counters, encode, type Note, type Report } from "./script.js";

/** A genuine message. */
export interface Entry {
  readonly note: Note;
  readonly index: number;
  withheld: boolean;
  delivered: number;
  late: boolean;
}

/** Genuine messages from one party to another on one channel. */
export interface Flow {
  readonly from: string;
  readonly to: Receiver;
  readonly channel: Channel;
  readonly entries: Map<string, Entry>;
  /** Delivered behind a later one without a mark. */
  unmarked: number;
  newest: number;
}

/** What became of an act: a reason, `late`, `gap`, or what should not happen. */
export type Outcome = string;

type Sent = Extract<Report, { report: "sent" }>;
type Delivered = Extract<Report, { report: "delivered" }>;
type Refused = Extract<Report, { report: "refused" }>;

/** One run's books. */
export class Books {
  readonly flows = new Map<string, Flow>();
  /** What was delivered and is no genuine message, or not for the first time. */
  readonly intruders: { readonly receiver: Receiver; readonly delivered: Delivered }[] = [];
  readonly acts: { readonly name: ActName; readonly outcome: Outcome }[] = [];
  readonly refused = new Map<string, number>();
  readonly counters = new Map<string, Counters>();
  missed = 0;
  readonly #withheld = new Set<string>();
  /** Delivered before the sender's report was here: two processes, two pipes. */
  #early: { receiver: Receiver; delivered: Delivered }[] = [];

  /** A party sent a message; returns the entry where it was delivered already. */
  sent(from: string, { channel, to, note }: Sent): Entry | undefined {
    const flow = this.#flow(from, to, channel);
    const content = String(encode(note));
    const withheld = this.#withheld.has(note.id);
    flow.entries.set(content, { note, index: flow.entries.size, withheld, delivered: 0, late: false });
    const at = this.#early.findIndex(
      (early) =>
        early.receiver === to && early.delivered.channel === channel && early.delivered.content === content,
    );
    const [early] = at < 0 ? [] : this.#early.splice(at, 1);
    return early && this.delivered(early.receiver, early.delivered);
  }

  /** A message arrived; returns the entry where it is the first arrival of a genuine one. */
  delivered(receiver: Receiver, delivered: Delivered): Entry | undefined {
    const flow = this.#flow(delivered.from, receiver, delivered.channel);
    const entry = flow.entries.get(delivered.content);
    if (entry === undefined) {
      this.#early.push({ receiver, delivered });
      return undefined;
    }
    if (entry.delivered++ > 0) {
      this.intruders.push({ receiver, delivered });
      return undefined;
    }
    entry.late = delivered.late;
    if (!entry.late && entry.index < flow.newest) flow.unmarked++;
    flow.newest = Math.max(flow.newest, entry.index);
    return entry;
  }

  /** A message was refused. */
  wasRefused(receiver: Receiver, { channel, reason }: Refused): void {
    const key = `${receiver} ${channel} ${reason}`;
    this.refused.set(key, (this.refused.get(key) ?? 0) + 1);
  }

  /** The attacker kept a message, whether its sender has reported it yet or not. */
  keep(id: string): void {
    this.#withheld.add(id);
    for (const entry of this.entries()) if (entry.note.id === id) entry.withheld = true;
  }

  /** How many messages the attacker kept. */
  get withheld(): number {
    return this.#withheld.size;
  }

  /** Are all genuine messages where they belong, as far as the attacker lets them? */
  get settled(): boolean {
    return (
      this.#early.length === 0 && [...this.entries()].every((entry) => entry.withheld || entry.delivered > 0)
    );
  }

  /** Closes a step: what arrived and was never sent is an intruder. */
  closeStep(): void {
    this.intruders.push(...this.#early.splice(0));
  }

  /** Every genuine message. */
  *entries(): Generator<Entry> {
    for (const flow of this.flows.values()) yield* flow.entries.values();
  }

  #flow(from: string, to: Receiver, channel: Channel): Flow {
    const name = `${from} → ${to} ${channel}`;
    const held = this.flows.get(name);
    if (held !== undefined) return held;
    const flow = { from, to, channel, entries: new Map(), unmarked: 0, newest: -1 };
    this.flows.set(name, flow);
    return flow;
  }
}
