// Where a ROUTER's sessions were heard from last. Who connects anew has another routing id, and the same session: what is
// sent to him goes where his last verified message came from, whatever id it was given with.

import { Origin } from "../session/origin.js";

/** The envelopes of sessions. */
export class WayTable {
  /** By what all generations of a session have in common. Goes with the session's keys. */
  readonly #ways = new Map<string, readonly Buffer[]>();
  readonly #limit: number;
  #latest: { readonly stream: string; readonly first: Buffer } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A verified message came with these frames, of which the first `ids` lead back. */
  learn(origin: Origin, frames: readonly Buffer[], ids: number): void {
    const { session } = Origin.peerOf(origin).key;
    if (session === undefined) return;
    const first = frames[0] as Buffer;
    if (ids === 1 && this.#latest?.stream === session.stream && this.#latest.first.equals(first)) return;
    const way = frames.slice(0, ids).map((id) => Buffer.from(id));
    this.#latest = { stream: session.stream, first: way[0] as Buffer };
    this.#ways.delete(session.stream);
    if (this.#ways.size >= this.#limit) this.#ways.delete(this.#ways.keys().next().value as string);
    this.#ways.set(session.stream, way);
  }

  /** The way to the other end of a session, by its lineage; `undefined` where nothing came under it yet. */
  to(lineage: string): readonly Buffer[] | undefined {
    return this.#ways.get(lineage);
  }
}
