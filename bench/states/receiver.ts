// A receiver without sockets, and the senders that it hears: how long it takes for a message of a sender that it knows,
// and for the first message of one that it does not.

import { setTimeout as pause } from "node:timers/promises";
import { type Control, Handshake, type ReplayState, Signer, type Verdict, Verifier } from "countersign/core";

export interface ReceiverOptions {
  readonly name: string;
  readonly admit: "clock" | "challenge";
  readonly state: ReplayState;
  readonly window?: number;
  readonly maxAge?: number;
  /** Messages that are given to the memory without waiting for its answers, where it answers later. */
  readonly underWay?: number;
}

const KEY = Buffer.alloc(32, "countersign ");
const BODY = Buffer.alloc(64, "countersign ");
const ID = Buffer.from("routing id");

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #verifier: Verifier;
  readonly #signer: Signer;
  readonly #handshake: Handshake;
  readonly #sender: Sender;
  #strangers = 0;

  constructor(options: ReceiverOptions) {
    const { name, admit, state, window = 0, maxAge } = options;
    this.#options = options;
    const common = { key: KEY, channel: "states", pattern: "router", sender: name } as const;
    this.#verifier = new Verifier({
      ...common,
      admit,
      state,
      window,
      maxAge,
      receiver: name,
      onReject: () => {},
    });
    this.#signer = new Signer(common);
    this.#handshake = new Handshake(this.#signer, this.#verifier, admit === "challenge", 1_000);
    this.#sender = new Sender(`${name}-known`);
  }

  /** Hears the sender that is known from then on. Redis begins to remember when it is first asked. */
  async begin(): Promise<void> {
    if (this.#options.state.asynchronous) await this.#verifier.verifyAsync(this.#sender.say());
    await pause(5);
    await this.#hearFirst(this.#sender);
  }

  /** Microseconds a message of the sender that is known, over `count` of them. */
  async messages(count: number): Promise<number> {
    const messages = Array.from({ length: count }, () => this.#sender.say());
    const { state, underWay = 1 } = this.#options;
    const start = performance.now();
    if (!state.asynchronous) for (const message of messages) accepted(this.#verifier.verify(message));
    else {
      for (let at = 0; at < count; at += underWay) {
        const some = messages.slice(at, at + underWay);
        for (const verdict of await Promise.all(some.map((message) => this.#verifier.verifyAsync(message))))
          accepted(verdict);
      }
    }
    return micros(start, count);
  }

  /** Microseconds until a first message is accepted, of `count` senders that were never heard. */
  async streams(count: number): Promise<number> {
    const senders = Array.from(
      { length: count },
      () => new Sender(`${this.#options.name}-${++this.#strangers}`),
    );
    const start = performance.now();
    for (const sender of senders) await this.#hearFirst(sender);
    const time = micros(start, count);
    for (const sender of senders) sender.close();
    return time;
  }

  close(): void {
    this.#sender.close();
    this.#signer.close();
  }

  /** A first message is accepted at once, or its sender is asked, and answers, and says another. */
  async #hearFirst(sender: Sender): Promise<void> {
    const verdict = await this.#verifier.verifyAsync(sender.say());
    if (verdict.ok) return;
    if (this.#options.admit === "clock" || verdict.stranger === undefined) accepted(verdict);
    const { reason, stranger } = verdict as {
      reason: "not-live";
      stranger: NonNullable<typeof verdict.stranger>;
    };
    const challenge = await this.#handshake.challenge({ reason, stranger });
    if (challenge === undefined) throw new Error("nothing was asked");
    const to = { to: stranger.origin };
    const asked = this.#signer.signControl(challenge.kind, challenge.body, stranger.routing, to);
    const heard = await this.#verifier.examine(await sender.answer(asked.slice(1)));
    await this.#handshake.receive(control(heard));
    accepted(await this.#verifier.verifyAsync(sender.say()));
  }
}

/** One sender, as its receiver hears it. */
class Sender {
  readonly #signer: Signer;
  readonly #verifier: Verifier;
  readonly #handshake: Handshake;

  constructor(name: string) {
    const common = { key: KEY, channel: "states", pattern: "dealer", sender: name } as const;
    this.#signer = new Signer(common);
    this.#verifier = new Verifier(common);
    this.#handshake = new Handshake(this.#signer, this.#verifier, false, 10);
  }

  say(): Buffer[] {
    return [ID, ...this.#signer.sign([BODY])];
  }

  /** Its echo of a nonce. */
  async answer(challenge: Buffer[]): Promise<Buffer[]> {
    const { reply } = await this.#handshake.receive(control(await this.#verifier.examine(challenge)));
    if (reply?.stranger === undefined) throw new Error("nothing was answered");
    const to = { to: reply.stranger.origin };
    return [ID, ...this.#signer.signControl(reply.kind, reply.body, reply.stranger.routing, to)];
  }

  close(): void {
    this.#signer.close();
  }
}

const micros = (start: number, count: number) => ((performance.now() - start) * 1_000) / count;

function accepted(verdict: Verdict): void {
  if (!verdict.ok) throw new Error(`refused: ${verdict.detail}`);
}

function control(examined: Verdict | Control): Control {
  if (!examined.ok && examined.reason === "control") return examined as Control;
  throw new Error("a control message was not heard");
}
