// Messages that leave together, under one tag: those to one peer, or under one topic, that are sent while earlier ones wait.
// Whoever is first waits for one turn of the event loop, or as long as the application allows.

import { misuse } from "../errors.js";
import type { Batch } from "../session/batch.js";
import { Origin } from "../session/origin.js";
import type { Parts } from "../session/parts.js";
import type { Signer, Target } from "../session/signer.js";
import { WIRE } from "../wire/limits.js";
import { payloadLength } from "../wire/payload.js";
import type { Ticket } from "./send-queue.js";

/** How messages are gathered. */
export interface BatchOptions {
  /** Most messages in one batch, 1 to 256. Default 256. */
  readonly messages?: number | undefined;
  /** Most bytes in one batch, lengths included; what is larger goes alone. Default 65,536. */
  readonly bytes?: number | undefined;
  /** Milliseconds that a message may wait for others. Default 0: one turn of the event loop. */
  readonly delay?: number | undefined;
}

/** The same, all of it. */
export type BatchBounds = Readonly<Record<keyof BatchOptions, number>>;

const DEFAULTS: BatchBounds = { messages: WIRE.batch, bytes: 65_536, delay: 0 };
const BOUNDS = {
  messages: [1, WIRE.batch],
  bytes: [1, WIRE.maxLength],
  delay: [0, 2 ** 31 - 1],
} as const;

/** The `batch` option, checked; `undefined` where nothing is gathered. */
export function batchOptionsOf(option: unknown): BatchBounds | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return DEFAULTS;
  if (typeof option !== "object" || option === null) {
    const why = `signing.batch must be true, false or { messages, bytes, delay }; got ${String(option)}.`;
    throw misuse("ERR_COUNTERSIGN_OPTIONS", why);
  }
  for (const [name, value] of Object.entries(option)) {
    if (!Object.hasOwn(BOUNDS, name)) {
      const known = Object.keys(BOUNDS).join(", ");
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `signing.batch.${name} does not exist; there are ${known}.`);
    }
    const [least, most] = BOUNDS[name as keyof typeof BOUNDS];
    const fits = typeof value === "number" && value >= least && value <= most;
    if (value !== undefined && !(fits && (name === "delay" || Number.isInteger(value)))) {
      const what = name === "delay" ? "milliseconds" : "a whole number";
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        `signing.batch.${name} must be ${what} from ${least} to ${most}; got ${String(value)}.`,
      );
    }
  }
  const { messages, bytes, delay } = option as BatchOptions;
  return {
    messages: messages ?? DEFAULTS.messages,
    bytes: bytes ?? DEFAULTS.bytes,
    delay: delay ?? DEFAULTS.delay,
  };
}

/** A batch that waits, and may still take messages. */
export class Gathering {
  readonly batch: Batch;
  readonly target: Target;
  readonly group: string;
  /** Its place in the queue; every message of it settles with it. */
  ticket: Ticket | undefined;
  /** Whether it may go; until then it waits for others. */
  released = false;

  constructor(batch: Batch, target: Target, group: string) {
    this.batch = batch;
    this.target = target;
    this.group = group;
  }
}

/** The batches of one socket that may still take messages, by peer or topic. */
export class Batches {
  readonly #options: BatchBounds;
  readonly #signer: Signer;
  readonly #onReleased: () => void;
  readonly #open = new Map<string, Gathering>();
  #cancel: (() => void) | undefined;
  /** What the last batch came to: the next one begins with so much room. */
  #usual: number | undefined;

  /** @param onReleased  called when what waits may go */
  constructor(options: BatchBounds, signer: Signer, onReleased: () => void) {
    this.#options = options;
    this.#signer = signer;
    this.#onReleased = onReleased;
  }

  /**
   * The batch that this message belongs into, with room for it: one that waits, or a new one without a ticket.
   * `undefined` where the message goes alone.
   *
   * @param late  whether a batch that may go already still takes messages
   */
  find(parts: Parts, target: Target, late: boolean): Gathering | undefined {
    const group = groupOf(parts, target);
    const length = payloadLength(parts.body);
    if (group === undefined || length > this.#options.bytes) return undefined;
    const open = this.#open.get(group);
    if (open !== undefined && this.#hasRoom(open, length) && (late || !open.released)) return open;
    if (open !== undefined) this.release();
    const made = new Gathering(this.#signer.openBatch(parts, this.#usual), target, group);
    this.#open.set(group, made);
    this.#cancel ??= after(this.#options.delay, () => this.release());
    return made;
  }

  /** Takes note that a message was added: a batch that is full goes at once. */
  added({ batch }: Gathering): void {
    if (batch.count >= this.#options.messages || batch.bytes >= this.#options.bytes) this.release();
  }

  /** Lets everything go that waits, in its order. It still takes messages until it does. */
  release(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const gathering of this.#open.values()) gathering.released = true;
    this.#onReleased();
  }

  /** A message goes alone, behind all that waits: none of that takes a message any more that comes after it. */
  closeAll(): void {
    this.release();
    this.#open.clear();
  }

  /** Takes note that a batch is being sent, or given up: it takes no more. */
  close(gathering: Gathering): void {
    if (this.#open.get(gathering.group) !== gathering) return;
    this.#open.delete(gathering.group);
    this.#usual = gathering.batch.bytes;
  }

  #hasRoom({ batch }: Gathering, length: number): boolean {
    const { messages, bytes } = this.#options;
    return batch.count < messages && batch.bytes + length <= bytes && this.#signer.hasRoom(batch, length);
  }
}

/** What messages must have in common to share a batch; `undefined` where this one cannot be in any. */
function groupOf({ routing, delimited, body }: Parts, { to, onePeer }: Target): string | undefined {
  if (delimited || body.length === 0) return undefined;
  // Most sockets have one peer, or speak to whoever is there. Names hold no space and are never empty.
  if (routing.length === 0 && typeof to !== "object") return onePeer ? (to ?? "") : to ? `* ${to}` : "*";
  const whom = to instanceof Origin ? namedBy(to) : (to ?? "");
  if (whom === undefined) return undefined;
  const way =
    routing.length === 0 ? "" : routing.map((id) => `${id.length}:${id.toString("latin1")}`).join("");
  return `${onePeer ? 1 : 0} ${whom} ${way}`;
}

/** A REQ's answer is bound to its request, and goes alone. */
function namedBy(origin: Origin): string | undefined {
  const { key, requestTag } = Origin.peerOf(origin);
  return requestTag === undefined ? `${origin.sender} ${key.idText}` : undefined;
}

/** Calls after so many milliseconds, 0 for the event loop's next turn; returns what cancels that. */
function after(delay: number, call: () => void): () => void {
  if (delay === 0) {
    const immediate = setImmediate(call);
    return () => clearImmediate(immediate);
  }
  const timer = setTimeout(call, delay);
  return () => clearTimeout(timer);
}
