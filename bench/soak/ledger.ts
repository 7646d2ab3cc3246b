// What the receiver was handed, message by message, against what must have been sent: was it sent, is it here for the
// first time, from its sender and under its number, in order, and marked where it came late?

import type { Origin } from "countersign/core";
import { Bits } from "./bits.js";
import { names, type Traffic } from "./traffic.js";

export interface LedgerOptions {
  readonly traffic: Traffic;
  readonly messages: number;
  /** Whether a later message may come before an earlier one. */
  readonly strict: boolean;
  /** The sequence number of the first message. */
  readonly firstSequence: number;
}

export interface Received {
  /** Only where there is one: PUB → SUB. */
  readonly topic: Buffer | undefined;
  readonly body: readonly Buffer[];
  readonly origin: Origin | undefined;
}

/** So many faults are told in words; all are counted. */
const TOLD = 10;

export class Ledger {
  delivered = 0;
  late = 0;
  faults = 0;
  /** One more than the highest index delivered. */
  reached = 0;
  readonly told: string[] = [];
  readonly bits: Bits;
  readonly #options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.bits = new Bits(options.messages);
  }

  deliver(received: Received): void {
    this.delivered++;
    const index = this.#options.traffic.indexOf(received.body);
    if (index === undefined || index >= this.#options.messages) this.#fault("delivered, but never sent");
    else this.#enter(index, received);
  }

  #enter(index: number, received: Received): void {
    for (const fault of this.#faultsOf(index, received)) this.#fault(`message ${index} ${fault}`);
    this.bits.add(index);
    if (index < this.reached) this.late++;
    else this.reached = index + 1;
  }

  #faultsOf(index: number, { topic, origin }: Received): string[] {
    const { traffic, strict, firstSequence } = this.#options;
    const isLate = index < this.reached;
    const checks: [boolean, string][] = [
      [this.bits.has(index), "delivered twice"],
      [topic !== undefined && !topic.equals(traffic.topicOf(index)), "under another topic"],
      [origin?.sender !== names.sender, `from ${origin?.sender}`],
      [origin?.sequence !== firstSequence + index, `under number ${origin?.sequence}`],
      [isLate && strict, "out of order"],
      [origin?.late !== isLate, isLate ? "late and not marked" : "marked as late and is not"],
    ];
    return checks.filter(([failed]) => failed).map(([, fault]) => fault);
  }

  #fault(text: string): void {
    this.faults++;
    if (this.told.length < TOLD) this.told.push(text);
  }
}
