// What one end remembers, for all its channels: the tags of plain messages, the streams of hardened ones, and who hardens.

import { randomName } from "../keys/names.js";
import { MemoryState } from "../replay/memory.js";
import type { Streams } from "../replay/state.js";
import { takeFreshness } from "../session/identity.js";
import { TagHistory } from "./history.js";
import type { Channel } from "./message.js";
import type { Settings } from "./options.js";
import { CHANNELS, patternOf, streamChannel } from "./place.js";

/** The memory of one end. */
export class Memory {
  /** Tags of plain messages that were received. */
  readonly received: TagHistory;
  /** Tags of plain messages that were sent: one of them coming back is no message of anybody else's. */
  readonly sent: TagHistory;
  /** Whether any hardened message was verified. */
  heardHardened = false;
  /** Whether nobody can have heard what is addressed to this session's name: it was made here, and for this memory. */
  readonly nameIsFresh: boolean;
  readonly #streams = new Map<Channel, Streams>();
  readonly #hardened = new Set<string>();
  readonly #mostPeers: number;

  constructor({ identity, role, window, since, historyBytes, state, receiver, limits, clock }: Settings) {
    this.received = new TagHistory(since, historyBytes);
    this.sent = new TagHistory(-Infinity, historyBytes);
    this.nameIsFresh = takeFreshness(identity);
    this.#mostPeers = limits.peers;
    if (role === undefined) return;
    const memory = state ?? new MemoryState({ clock });
    const name = receiver ?? randomName();
    const from = role === "kernel" ? "client" : "kernel";
    for (const channel of CHANNELS) {
      const options = { window, limit: limits.streams };
      this.#streams.set(
        channel,
        memory.table(name, streamChannel(channel), patternOf(from, channel), options),
      );
    }
  }

  /** The hardened streams of one channel. */
  streams(channel: Channel): Streams {
    return this.#streams.get(channel) as Streams;
  }

  /** Takes note of a session that hardens; those heard of first are forgotten first. */
  learnHardened(session: unknown): void {
    this.heardHardened = true;
    if (typeof session !== "string" || this.#hardened.has(session)) return;
    if (this.#hardened.size >= this.#mostPeers) {
      this.#hardened.delete(this.#hardened.values().next().value as string);
    }
    this.#hardened.add(session);
  }

  /** Is this a session that hardens all that it sends? */
  hardens(session: unknown): boolean {
    return typeof session === "string" && this.#hardened.has(session);
  }
}
