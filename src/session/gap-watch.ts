// Which count an ordinal belongs to, and the report of what is missing in it (docs/wire.md, section 10).

import { GapTracker } from "../replay/gaps.js";
import { type Form, messageCount } from "../wire/form.js";
import { FLAGS } from "../wire/header.js";
import type { Pattern } from "../wire/patterns.js";
import type { Gap } from "./observer.js";
import type { KnownTopic, Topics } from "./topics.js";

/** The receiver whose gaps are watched. */
export interface Watch {
  readonly pattern: Pattern;
  readonly channel: string;
  readonly hops: number;
  readonly window: number;
  /** Most counts kept. */
  readonly limit: number;
  readonly topics: Topics;
}

/** Finds what one receiver missed. */
export class GapWatch {
  readonly #watch: Watch;
  readonly #tracker: GapTracker;
  /** What the last message was counted under: the next one often is, too. */
  #latest: Counter = { sender: "", pattern: "pair", topic: undefined, addressed: false, name: "" };

  constructor(watch: Watch) {
    this.#watch = watch;
    this.#tracker = new GapTracker(watch.limit, watch.window);
  }

  /** Takes note of a verified message; returns the gap that it shows, if any. */
  observe(form: Form, late: boolean): Gap | undefined {
    const counter = this.#counterOf(form);
    if (counter === undefined) return undefined;
    const { epoch, ordinal, sequence, sender, pattern } = form.header;
    const lost = this.#tracker.observe(counter, { epoch, ordinal, count: messageCount(form), late });
    if (lost === 0) return undefined;
    const gap = { sender, channel: this.#watch.channel, pattern, lost, epoch, sequence };
    return form.topic === undefined ? gap : { ...gap, topic: Buffer.from(form.topic) };
  }

  /** Forgets every count: what comes next is a new baseline. */
  reset(): void {
    this.#tracker.reset();
  }

  /**
   * Under what the sender counted this message, as far as it means something here: behind a broker (or a REP, which
   * cannot see one), a DEALER's unaddressed messages may have been spread over several workers. Senders count what
   * they address apart from what they do not.
   */
  #counterOf({ header, topic }: Form): string | undefined {
    if (header.ordinal === 0) return undefined;
    const addressed = (header.flags & FLAGS.addressed) !== 0;
    const direct = this.#watch.hops === 0 && this.#watch.pattern !== "rep";
    if (topic === undefined && !addressed && !direct) return undefined;
    const { sender, pattern } = header;
    const known = topic && this.#watch.topics.of(topic);
    const latest = this.#latest;
    const isLatest =
      latest.sender === sender &&
      latest.pattern === pattern &&
      latest.topic === known &&
      latest.addressed === addressed;
    if (isLatest) return latest.name;
    const of = known?.name ?? (addressed ? "to me" : "");
    this.#latest = { sender, pattern, topic: known, addressed, name: `${pattern} ${sender} ${of}` };
    return this.#latest.name;
  }
}

/** One count's name, and what it is made of. */
interface Counter {
  readonly sender: string;
  readonly pattern: Pattern;
  readonly topic: KnownTopic | undefined;
  readonly addressed: boolean;
  readonly name: string;
}
