// What a kernel's iopub says to whoever subscribes (JEP 65, protocol 5.4): iopub_welcome, on the topic that was subscribed
// to. The XPUB underneath must be verbose, or a second client with the same topic would get none.

import type { RawSocket } from "../sockets/raw-socket.js";
import { Ticker } from "../sockets/ticker.js";
import { isSubscription } from "../wire/position.js";

/** Milliseconds between looks at what has arrived. */
const INTERVAL = 20;
/** Subscriptions looked at in one go: whoever sends more waits. */
const MOST_AT_ONCE = 100;
/** Longest topic that is welcomed, in bytes. */
const MOST_TOPIC_BYTES = 1024;

/** Welcomes subscribers, on a timer that keeps nothing alive. */
export class Welcomer {
  readonly #raw: RawSocket;
  readonly #welcome: (topic: Buffer) => void;
  readonly #ticker = new Ticker<Welcomer>(this, (welcomer) => welcomer.#tick());
  #draining = false;

  constructor(raw: RawSocket, welcome: (topic: Buffer) => void) {
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
    void this.#drain();
    return INTERVAL;
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let i = 0; i < MOST_AT_ONCE && this.#raw.open && this.#raw.readable; i++) {
        const [frame, ...more] = await this.#raw.receive();
        if (frame === undefined || more.length > 0 || !isSubscription([frame])) continue;
        if (frame[0] === 1 && frame.length <= 1 + MOST_TOPIC_BYTES) this.#welcome(frame.subarray(1));
      }
    } catch {
      // The socket was closed meanwhile.
    } finally {
      this.#draining = false;
    }
  }
}
