// The numbers of one hardened stream: what one session sends on one channel. The same epochs, sequence numbers and
// ordinals as a signed socket's (docs/wire.md, section 8.1).

import { misuse } from "../errors.js";
import type { SenderStream } from "../replay/state.js";
import { claimStream } from "../session/live-signers.js";
import { Numbering } from "../session/numbering.js";
import { Ordinals } from "../session/ordinals.js";
import { topicName } from "../session/topics.js";
import type { Stamp } from "./hardened.js";
import type { Channel, Role } from "./message.js";
import type { Settings } from "./options.js";

/** What a stamp says besides its numbers. */
export type Stamped = Pick<Stamp, "to" | "topic" | "buffers">;

interface Taken {
  readonly stamp: Stamp;
  /** What its ordinal counts; `undefined` where it claims none. */
  readonly counter: string | undefined;
}

/** Numbers the messages of one stream. */
export class Stamper {
  readonly #stream: { readonly sender: string; readonly channel: Channel; readonly from: Role };
  readonly #numbering: Numbering;
  readonly #ordinals: Ordinals;
  readonly #release: () => void;
  #last: Taken | undefined;

  /** @throws CountersignError when this stream already has a live sender in this thread */
  constructor({ identity, clock, state, limits }: Settings, keyId: string, stream: SenderStream, from: Role) {
    const channel = stream.channel.slice(stream.channel.indexOf("/") + 1) as Channel;
    this.#stream = { sender: identity.name, channel, from };
    this.#release = claimStream([stream.sender, stream.channel, stream.pattern, keyId], this);
    const store = state?.nextEpoch && ((atLeast: number) => state.nextEpoch!(stream, atLeast));
    this.#numbering = new Numbering(clock, store);
    this.#ordinals = new Ordinals(limits.peers);
  }

  /** Resolves when the epoch is stored; `undefined` where it is, and messages may be stamped. */
  get ready(): Promise<void> | undefined {
    return this.#numbering.pending;
  }

  /** The stamp of the next message; with `uncounted` it claims no ordinal. */
  next({ to, topic, buffers }: Stamped, uncounted = false): Stamp {
    this.#assertReady();
    const sequence = this.#numbering.take(1);
    this.#assertReady();
    const { epoch, sentAt } = this.#numbering;
    const counter = uncounted ? undefined : counterOf(to, topic);
    const ordinal = counter === undefined ? 0 : this.#ordinals.take(counter, epoch, 1);
    const { sender, channel, from } = this.#stream;
    const stamp = { sender, channel, from, to, topic, epoch, sequence, ordinal, sentAt, buffers };
    this.#last = { stamp, counter };
    return stamp;
  }

  /** Takes back the numbers of a message that never left this process, if nothing was stamped since. */
  retract(stamp: Stamp): void {
    if (this.#last?.stamp !== stamp) return;
    this.#numbering.giveBack(1);
    if (this.#last.counter !== undefined) this.#ordinals.giveBack(this.#last.counter, 1);
    this.#last = undefined;
  }

  /** Ends this stream's claim to its name in this thread. */
  close(): void {
    this.#release();
  }

  #assertReady(): void {
    if (this.#numbering.pending === undefined) return;
    throw misuse("ERR_COUNTERSIGN_STATE", "This session's epoch is not stored yet: await ready first.");
  }
}

/** What an ordinal counts: messages to this recipient, on this topic, or to nobody in particular. */
function counterOf(to: string | undefined, topic: string | undefined): string {
  return topic === undefined ? (to ?? "") : topicName(Buffer.from(topic));
}
