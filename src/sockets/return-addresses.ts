// Whom a ROUTER answers. The id buffer that the application received remembers the verified origin that came with
// it; a copy of it is looked up by its bytes, as long as these stand for one name on one socket type and, of a REQ, one
// request alone. An id is a return address, never an identity: peers choose their own, and brokers can exchange them.

import { createHash } from "node:crypto";
import { Origin } from "../session/origin.js";

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
  answered: boolean;
  /** When the bytes may be taken to mean this one alone; milliseconds. */
  readonly settledAt: number;
}

/** How long bytes that meant two things must have meant one alone, in milliseconds. */
const SETTLES_AFTER = 30_000;

/** Return addresses in bounded memory; those first seen are forgotten first. */
export class ReturnAddresses {
  readonly #byBuffer = new WeakMap<object, Known>();
  readonly #byBytes = new Map<string, Known>();
  readonly #limit: number;
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never steps */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Remembers that a message came with this envelope. */
  learn(envelope: readonly Buffer[], { addressee, delimited }: ReturnAddress): void {
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
    for (const id of envelope) this.#byBuffer.set(id, entry);
    this.#byBytes.set(bytes, entry);
  }

  /** Whom the id buffers lead to that an application received, if it gave these very ones to `send`. */
  ofBuffers(given: readonly unknown[]): ReturnAddress | undefined {
    const entry = this.#byBuffer.get(given[0] as object);
    if (entry === undefined || !given.every((id) => this.#byBuffer.get(id as object) === entry))
      return undefined;
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
