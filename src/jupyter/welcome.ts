// What a kernel's iopub says to whoever subscribes (JEP 65, protocol 5.4): iopub_welcome, on the topic that was subscribed
// to. The XPUB underneath must be verbose, or a second client with the same topic would get none.

import { BURST, nextTurn } from "../sockets/burst.js";
import type { RawSocket } from "../sockets/raw-socket.js";
import { Ticker } from "../sockets/ticker.js";
import { isSubscription } from "../wire/position.js";

/** Milliseconds between looks at what has arrived. */
const INTERVAL = 20;
/** Subscribers welcomed in one go: the others wait. */
const MOST_AT_ONCE = 100;
/** Subscribers that wait to be welcomed; those beyond are not. */
const MOST_WAITING = 10_000;
/** Longest topic that is welcomed, in bytes. */
const MOST_TOPIC_BYTES = 1024;

/**
 * Welcomes subscribers, on a timer that keeps nothing alive. An XPUB has no high-water mark for what it receives, and anybody
 * can send: so everything is read, whether somebody is welcomed or not.
 */
export class Welcomer {
  readonly #raw: RawSocket;
  readonly #welcome: ((topic: Buffer) => void) | undefined;
  readonly #waiting: Buffer[] = [];
  readonly #ticker = new Ticker<Welcomer>(this, (welcomer) => welcomer.#tick());
  #draining = false;

  /** @param welcome  answers a subscription to this topic; nobody is welcomed if left out */
  constructor(raw: RawSocket, welcome: ((topic: Buffer) => void) | undefined) {
    this.#raw = raw;
    this.#welcome = welcome;
  }

  /** The socket is bound. */
  begin(): void {
    this.#ticker.start(INTERVAL);
  }

  close(): void {
    this.#ticker.stop();
  }

  #tick(): number | undefined {
    if (this.#raw.closed) return undefined;
    for (const topic of this.#waiting.splice(0, MOST_AT_ONCE)) this.#welcome?.(topic);
    void this.#drain();
    return INTERVAL;
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let i = 1; this.#raw.open && this.#raw.readable; i++) {
        this.#hear(await this.#raw.receive());
        if (i % BURST === 0) await nextTurn();
      }
    } catch {
      // The socket was closed meanwhile.
    } finally {
      this.#draining = false;
    }
  }

  #hear([frame, ...more]: Buffer[]): void {
    if (frame === undefined || more.length > 0 || !isSubscription([frame])) return;
    if (this.#waiting.length >= MOST_WAITING || this.#welcome === undefined) return;
    if (frame[0] === 1 && frame.length <= 1 + MOST_TOPIC_BYTES) this.#waiting.push(frame.subarray(1));
  }
}
