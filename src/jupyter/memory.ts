// What one end remembers, for all its channels: the tags of plain messages, the streams of hardened ones, and who hardens.

import { hash } from "node:crypto";
import type { Streams } from "../replay/state.js";
import { takeFreshness } from "../session/identity.js";
import { memoryOf } from "../session/options.js";
import { TagHistory } from "./history.js";
import type { Channel } from "./message.js";
import type { Settings } from "./options.js";
import { CHANNELS, patternOf, streamChannel } from "./place.js";

/** The sessions that are known to harden; those heard of first are forgotten first. */
export class HardenedPeers {
  readonly #sessions = new Set<string>();
  readonly #most: number;
  #any = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether any hardened message was ever verified. */
  get any(): boolean {
    return this.#any;
  }

  /** Takes note of a session that hardens. */
  learn(session: unknown): void {
    this.#any = true;
    if (typeof session !== "string" || this.has(session)) return;
    if (this.#sessions.size >= this.#most)
      this.#sessions.delete(this.#sessions.values().next().value as string);
    this.#sessions.add(shortened(session));
  }

  /** Is this a session that hardens all that it sends? */
  has(session: unknown): boolean {
    return typeof session === "string" && this.#sessions.has(shortened(session));
  }
}

/** Longest session id that is remembered as it is. Names have at most 64 characters, and headers may say anything. */
const LONGEST_SESSION = 64;

/** A long one's hash: no session costs more than its share. */
function shortened(session: string): string {
  return session.length <= LONGEST_SESSION ? session : hash("sha256", session, "hex");
}

/** The memory of one end. */
export class Memory {
  /** Tags of plain messages that were received. */
  readonly received: TagHistory;
  /** Tags of plain messages that were sent: one of them coming back is no message of anybody else's. */
  readonly sent: TagHistory;
  /** Who hardens. */
  readonly hardened: HardenedPeers;
  /** Whether nobody can have heard what is addressed to this session's name: it was made here, and for this memory. */
  readonly nameIsFresh: boolean;
  readonly #streams = new Map<Channel, Streams>();

  /** @param original  of a clone: what was sent and who hardens is known to both, what was received is not */
  constructor(settings: Settings, original?: Memory) {
    const { identity, role, window, since, historyBytes, limits, clock } = settings;
    this.received = new TagHistory(original === undefined ? since : clock(), historyBytes);
    this.sent = original?.sent ?? new TagHistory(-Infinity, historyBytes);
    this.hardened = original?.hardened ?? new HardenedPeers(limits.peers);
    this.nameIsFresh = takeFreshness(identity);
    if (role === undefined) return;
    const { state, receiver } = memoryOf(settings, clock);
    const from = role === "kernel" ? "client" : "kernel";
    for (const channel of CHANNELS) {
      const options = { window, limit: limits.streams };
      this.#streams.set(
        channel,
        state.table(receiver, streamChannel(channel), patternOf(from, channel), options),
      );
    }
  }

  /** The hardened streams of one channel. */
  streams(channel: Channel): Streams {
    return this.#streams.get(channel) as Streams;
  }
}
