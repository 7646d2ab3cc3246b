// The hostile broker without its sockets: what it does to each message of the sender, and its books on what must come
// of that at the receiver. Of a hundred messages it replays one, alters one and swaps one with the next.

import type { Reason } from "countersign/core";
import type { Pattern } from "../cases.js";
import { type Alteration, alterations, isInline, sequenceOf } from "./alterations.js";
import { Model } from "./model.js";
import { random } from "./random.js";

export interface AttackOptions {
  readonly pattern: Pattern;
  readonly seed: number;
  readonly messages: number;
  /** The receiver's window, or 0 where it is strict. */
  readonly window: number;
}

export interface Books {
  /** Messages that came from the sender, and those that went on to the receiver. */
  readonly received: number;
  readonly passedOn: number;
  readonly replayed: number;
  readonly altered: number;
  readonly swapped: number;
  /** How often each alteration was made. */
  readonly alterations: Readonly<Record<string, number>>;
  /** What the receiver must make of it: refusals by reason, deliveries, how many of them late, and which they are. */
  readonly refusals: Readonly<Partial<Record<Reason, number>>>;
  readonly delivered: number;
  readonly late: number;
  readonly bits: Buffer;
}

const SHARE = 0.01;
/** A replay is one of the last so many messages: about half of them are older than the window. */
const RECORDED = 512;
/** The first messages pass untouched, so that the window and the counts for gaps begin below every attack. */
const LEAD_IN = 16;
/** So do the last: a loss is a gap once later messages of its topic have moved it out of the window. */
const LEAD_OUT = 1_200;
export const fewestMessages = 2 * LEAD_OUT;

/** Behind the id that the broker's ROUTER saw, or behind the topic. */
const SIGNATURE = 1;

interface Message {
  readonly index: number;
  readonly frames: readonly Buffer[];
}

export class Attacker {
  readonly #options: AttackOptions;
  readonly #chance: () => number;
  readonly #model: Model;
  readonly #recorded: Message[] = [];
  readonly #counts = { received: 0, passedOn: 0, replayed: 0, altered: 0, swapped: 0 };
  readonly #alterations: Record<string, number> = {};
  readonly #refusals: Partial<Record<Reason, number>> = {};
  #held: Message | undefined;
  #firstSequence = 0;

  constructor(options: AttackOptions) {
    this.#options = options;
    this.#chance = random(options.seed);
    this.#model = new Model(options.messages, options.window);
  }

  /** What goes on to the receiver in place of the next message of the sender. */
  handle(frames: readonly Buffer[]): (readonly Buffer[])[] {
    const index = this.#counts.received++;
    this.#assertNext(index, sequenceOf(frames[SIGNATURE]!));
    const message = { index, frames };
    const held = this.#held;
    this.#held = undefined;
    if (held) return [this.#pass(message), this.#pass(held)];
    const untouched = index < LEAD_IN || index >= this.#options.messages - LEAD_OUT;
    return untouched ? [this.#pass(message)] : this.#attack(message);
  }

  get books(): Books {
    const { delivered, late, bits } = this.#model;
    return {
      ...this.#counts,
      alterations: this.#alterations,
      refusals: this.#refusals,
      delivered,
      late,
      bits,
    };
  }

  #attack(message: Message): (readonly Buffer[])[] {
    const dice = this.#chance();
    if (dice < SHARE) return [this.#pass(message), this.#replay()];
    if (dice < 2 * SHARE) return [this.#alter(message)];
    if (dice > 3 * SHARE) return [this.#pass(message)];
    this.#counts.swapped++;
    this.#held = message;
    return [];
  }

  #pass({ index, frames }: Message): readonly Buffer[] {
    this.#recorded[index % RECORDED] = { index, frames };
    this.#counts.passedOn++;
    const outcome = this.#model.arrive(index);
    if (outcome !== "delivered") this.#mustRefuse(outcome);
    return frames;
  }

  #replay(): readonly Buffer[] {
    this.#counts.replayed++;
    return this.#pass(this.#pick(Object.values(this.#recorded)));
  }

  #alter({ frames }: Message): readonly Buffer[] {
    const { name, apply, reason } = this.#pick<Alteration>(alterations[this.#options.pattern]);
    this.#alterations[name] = (this.#alterations[name] ?? 0) + 1;
    this.#counts.altered++;
    this.#counts.passedOn++;
    this.#mustRefuse(
      typeof reason === "string" ? reason : reason[isInline(frames[SIGNATURE]!) ? "inline" : "detached"],
    );
    return apply(frames, SIGNATURE);
  }

  #mustRefuse(reason: Reason): void {
    this.#refusals[reason] = (this.#refusals[reason] ?? 0) + 1;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#chance() * list.length)]!;
  }

  /** The books count by index: they hold only while the sender numbers without a hole. */
  #assertNext(index: number, sequence: number): void {
    if (index === 0) this.#firstSequence = sequence;
    const expected = this.#firstSequence + index;
    if (sequence !== expected)
      throw new Error(`message ${index} bears number ${sequence} instead of ${expected}`);
  }
}
