// What an application's receive loop was handed, in order. The loop is the plain `for await` that the product promises
// never to throw into and never to end, so an error or an end that nobody asked for fails the test that waits here.

import type { Origin } from "countersign";

export interface Delivered {
  readonly frames: readonly string[];
  readonly origin: Origin | undefined;
}

/** A message as the drop-in sockets hand it on. */
export type Received = Buffer[] & { readonly origin?: Origin | undefined };

export class Inbox {
  readonly all: Delivered[] = [];
  #taken = 0;
  #failure: unknown;
  #wake: () => void = () => {};

  push(message: Received, frames: readonly Buffer[] = message): void {
    this.all.push({ frames: frames.map(asText), origin: message.origin });
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake();
  }

  /** The next message in order, waiting for it if need be. */
  async next(): Promise<Delivered> {
    while (this.all.length <= this.#taken) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.all[this.#taken++] as Delivered;
  }
}

/** Runs the receive loop of an application: `strip` takes off its envelope, `answer` replies where the pattern must. */
export function listen(
  socket: AsyncIterable<Received>,
  strip: (message: Received) => readonly Buffer[] = (message) => message,
  answer: (message: Received) => Promise<void> | void = () => {},
): Inbox {
  const inbox = new Inbox();
  const loop = async () => {
    for await (const message of socket) {
      inbox.push(message, strip(message));
      await answer(message);
    }
    inbox.fail(new Error("the receive loop has ended"));
  };
  loop().catch((error) => inbox.fail(error));
  return inbox;
}

/** A frame as text that keeps its bytes, or the value that a codec has made of it. */
function asText(frame: unknown): string {
  return Buffer.isBuffer(frame) ? frame.toString("latin1") : (JSON.stringify(frame) ?? "undefined");
}
