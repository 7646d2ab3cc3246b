// Whom a ROUTER answers. The id buffer that the application received remembers the verified origin that came with
// it; a copy of it is looked up by its bytes, as long as these stand for one name on one socket type and, of a REQ, one
// request alone. An id is a return address, never an identity: peers choose their own, and brokers can exchange them.

import { createHash } from "node:crypto";
import { Origin } from "../session/origin.js";
import { snapshot } from "../wire/frames.js";

/** The origin behind a return address; `null` where an unsigned message came from it (`policy: "report"`). */
export type Addressee = Origin | null;

/** Where an answer goes, and whether a delimiter belongs in front of it. */
export interface ReturnAddress {
  readonly addressee: Addressee;
  readonly delimited: boolean;
}

/** Why the bytes of an id lead to nobody: no verified message came with them, or more than one name or request. */
export type Unclear = "unknown" | "ambiguous";

interface Known extends ReturnAddress {
  addressee: Addressee;
  answered: boolean;
  /** When the bytes may be taken to mean this one alone; milliseconds. */
  readonly settledAt: number;
}

/** How long bytes that meant two things must have meant one alone, in milliseconds. */
const SETTLES_AFTER = 30_000;

/** Return addresses in bounded memory; those first seen are forgotten first. */
export class ReturnAddresses {
  readonly #byBytes = new Map<string, Known>();
  readonly #limit: number;
  readonly #now: () => number;
  /** What was learned last: the next message often comes from the same peer. */
  #latest: { readonly id: Buffer; readonly known: Known } | undefined;

  /** @param now milliseconds of a clock that never steps */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Remembers that a message came with this envelope: the first `ids` of its frames. */
  learn(frames: readonly Buffer[], ids: number, addressee: Addressee, delimited: boolean): void {
    const known = ids === 1 ? this.#again(frames[0] as Buffer, addressee, delimited) : undefined;
    const entry = known ?? this.#learn(frames.slice(0, ids), addressee, delimited);
    for (let i = 0; i < ids; i++) Envelope.mark(frames[i] as Buffer, this, entry);
  }

  /** The entry of the last envelope, where this is the same, and means the same. */
  #again(id: Buffer, addressee: Addressee, delimited: boolean): Known | undefined {
    const latest = this.#latest;
    if (latest === undefined || latest.known.delimited !== delimited || !isSame(latest.id, id))
      return undefined;
    if (!leadsAlike(latest.known.addressee, addressee)) return undefined;
    latest.known.addressee = addressee;
    return latest.known;
  }

  #learn(envelope: readonly Buffer[], addressee: Addressee, delimited: boolean): Known {
    const bytes = bytesOf(envelope);
    const known = this.#byBytes.get(bytes);
    if (known === undefined && this.#byBytes.size >= this.#limit) {
      this.#byBytes.delete(this.#byBytes.keys().next().value as string);
    }
    const clear = known === undefined || continues(known, addressee);
    const settledAt = clear
      ? (known?.settledAt ?? 0)
      : Math.max(known.settledAt, this.#settles(known, addressee));
    const entry: Known = { addressee, delimited, answered: false, settledAt };
    this.#byBytes.set(bytes, entry);
    const alone = envelope.length === 1 && (envelope[0] as Buffer).length <= LONGEST_ID;
    this.#latest = alone ? { id: snapshot(envelope[0] as Buffer), known: entry } : undefined;
    return entry;
  }

  /** Whom the id buffers lead to that an application received, if it gave these very ones to `send`. */
  ofBuffers(given: readonly unknown[]): ReturnAddress | undefined {
    const entry = Envelope.markOf(given[0], this);
    if (entry === undefined || !given.every((id) => Envelope.markOf(id, this) === entry)) return undefined;
    entry.answered = true;
    return entry;
  }

  /** Whom a copy of them leads to. */
  ofBytes(envelope: readonly Buffer[]): ReturnAddress | Unclear {
    const known = this.#byBytes.get(bytesOf(envelope));
    if (known === undefined) return "unknown";
    if (this.#now() < known.settledAt) return "ambiguous";
    known.answered = true;
    return known;
  }

  /** When bytes that came to mean something else may mean that alone: never where a REQ could take the wrong answer. */
  #settles({ addressee }: Known, next: Addressee): number {
    return isRequest(addressee) || isRequest(next) ? Infinity : this.#now() + SETTLES_AFTER;
  }
}

/**
 * Do the bytes of a return address still mean one thing when `next` comes with them too? The same name and socket type
 * must be behind both, and of a REQ the earlier request must have had its answer: else a copied id could bind to the
 * later one what was meant for the earlier.
 */
function continues({ addressee, answered }: Known, next: Addressee): boolean {
  if (addressee?.sender !== next?.sender || addressee?.pattern !== next?.pattern) return false;
  return answered || !isRequest(addressee);
}

/** Does an answer to either go to the same name under the same key, and is it bound to neither? */
function leadsAlike(one: Addressee, other: Addressee): boolean {
  if (one === null || other === null) return one === other;
  const [first, second] = [Origin.peerOf(one), Origin.peerOf(other)];
  const isBound = first.requestTag !== undefined || second.requestTag !== undefined;
  return !isBound && one.sender === other.sender && one.pattern === other.pattern && first.key === second.key;
}

function isSame(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/**
 * A buffer that an application received, and what it stands for. Kept in a private member of the buffer itself, which
 * nobody sees: a WeakMap would take as long as all the rest, and keep the garbage collector busy.
 */
class Envelope extends (function itself(buffer: object) {
  return buffer;
} as unknown as new (
  buffer: object,
) => object) {
  #learnedBy: ReturnAddresses;
  #known: Known;

  private constructor(buffer: Buffer, learnedBy: ReturnAddresses, known: Known) {
    super(buffer);
    this.#learnedBy = learnedBy;
    this.#known = known;
  }

  static mark(id: object, learnedBy: ReturnAddresses, known: Known): void {
    if (!(#known in id)) new Envelope(id as Buffer, learnedBy, known);
    else {
      id.#learnedBy = learnedBy;
      id.#known = known;
    }
  }

  static markOf(id: unknown, learnedBy: ReturnAddresses): Known | undefined {
    if (typeof id !== "object" || id === null || !(#known in id)) return undefined;
    return id.#learnedBy === learnedBy ? id.#known : undefined;
  }
}

/** Whether a REQ waits for the answer, which is bound to this one message. */
function isRequest(addressee: Addressee): boolean {
  return addressee !== null && Origin.peerOf(addressee).requestTag !== undefined;
}

/** What ZeroMQ itself allows one id, in bytes. */
const LONGEST_ID = 255;

/** Ids with their lengths, so that two envelopes never share a text. */
function bytesOf(envelope: readonly Buffer[]): string {
  // A broker's ids are unsigned and of any size: what is longer than an id can be is hashed, or he could make a ROUTER
  // hold whatever he put in front of genuine messages.
  const idText = (id: Buffer) => (id.length <= LONGEST_ID ? id.toString("latin1") : hashOf(id));
  return envelope.map((id) => `${id.length}:${idText(id)}`).join("");
}

function hashOf(id: Buffer): string {
  return createHash("sha256").update(id).digest("base64");
}
