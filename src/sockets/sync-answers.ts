// A publisher's part in admission by challenge (docs/wire.md, section 8.7): whoever subscribes to a topic that holds a nonce
// is answered there how far this publisher has come. Nobody else sees it.

import type { Control } from "../session/verifier.js";
import { nonceOfTopic } from "../wire/control.js";
import { isSubscription } from "../wire/position.js";
import type { Heard, Liaison } from "./liaison.js";
import { RateLimit } from "./rate-limit.js";
import { Ticker } from "./ticker.js";

/** What a publisher's answers need of its socket. */
export interface SyncWire {
  /** Signs and publishes the answer to this nonce on this topic. */
  answer(nonce: Buffer, topic: Buffer): void;
  /** XPUB: looks at what has arrived while the application does not. */
  pump(): void;
  /** PUB, whose application receives nothing: whether a subscription has arrived. */
  readonly readable: boolean;
  /** PUB: the next one. */
  receive(): Promise<Buffer[]>;
  readonly closed: boolean;
}

/** Milliseconds between looks at what has arrived: a subscriber waits for so long at the most. */
const INTERVAL = 10;
/** Subscriptions looked at in one go. */
const MOST_AT_ONCE = 1000;
/** Answers a second: a subscriber that had none asks again. */
const ANSWERS = 1000;

/** Answers subscribers' nonces. */
export class SyncAnswers implements Liaison {
  readonly open = true;
  readonly #wire: SyncWire;
  readonly #drains: boolean;
  readonly #rate = new RateLimit(ANSWERS, ANSWERS);
  readonly #ticker = new Ticker<SyncAnswers>(this, (answers) => answers.#tick());
  #draining = false;

  /** @param drains  whether subscriptions are for nobody but the library: a PUB's */
  constructor(wire: SyncWire, drains: boolean) {
    this.#wire = wire;
    this.#drains = drains;
  }

  begin(): void {
    this.#ticker.start(INTERVAL);
  }

  expect(): void {}

  failed(): void {}

  async hear(_control: Control): Promise<Heard> {
    return { answered: false, refused: undefined };
  }

  async challenge(): Promise<boolean> {
    return false;
  }

  subscribed(subscription: Buffer): boolean {
    const topic = subscription.subarray(1);
    const nonce = nonceOfTopic(topic);
    if (nonce === undefined) return false;
    if (subscription[0] === 1 && this.#rate.take()) this.#wire.answer(nonce, Buffer.from(topic));
    return true;
  }

  close(): void {
    this.#ticker.stop();
  }

  #tick(): number | undefined {
    if (this.#wire.closed) return undefined;
    if (this.#drains) void this.#drain();
    else this.#wire.pump();
    return INTERVAL;
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let i = 0; i < MOST_AT_ONCE && this.#wire.readable; i++) {
        const frames = await this.#wire.receive();
        if (isSubscription(frames)) this.subscribed(frames[0] as Buffer);
      }
    } catch {
      // The socket was closed meanwhile.
    } finally {
      this.#draining = false;
    }
  }
}
