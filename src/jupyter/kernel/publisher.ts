// What a kernel says on iopub, in order. Text written to one stream within a turn of the event loop leaves as one message:
// thousands of short lines would else be thousands of signatures, and overrun slow subscribers.

import type { Dict, ReceivedMessage } from "../message.js";
import type { MessageParts, Session } from "../session.js";
import type { JupyterSocket } from "../socket.js";

/** Characters of a stream that are gathered at most. */
const MOST_GATHERED = 64 * 1024;

/** Which stream text belongs to. */
export type StreamName = "stdout" | "stderr";

interface Gathered {
  readonly name: StreamName;
  readonly parent: ReceivedMessage | undefined;
  text: string;
}

/** Publishes on iopub. Nothing here throws or rejects: what could not leave is counted. */
export class Publisher {
  readonly #iopub: JupyterSocket;
  readonly #session: Session;
  #gathered: Gathered | undefined;
  #last: Promise<void> = Promise.resolve();
  #dropped = 0;

  constructor(iopub: JupyterSocket, session: Session) {
    this.#iopub = iopub;
    this.#session = session;
  }

  /** Messages that could not leave: unserialisable, over the limits, or after the end. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Publishes a message. Resolves when ZeroMQ has it. */
  publish(
    type: string,
    content: Dict,
    parent: ReceivedMessage | undefined,
    parts: Pick<MessageParts, "metadata" | "buffers"> = {},
  ): Promise<void> {
    this.#release();
    return this.#send(type, content, parent, parts);
  }

  /** Adds to a stream. */
  stream(name: StreamName, text: string, parent: ReceivedMessage | undefined): void {
    if (text === "") return;
    const gathered = this.#gathered;
    if (gathered?.name === name && gathered.parent === parent) {
      gathered.text += text;
      if (gathered.text.length >= MOST_GATHERED) this.#release();
      return;
    }
    this.#release();
    this.#gathered = { name, parent, text };
    setImmediate(() => this.#release());
  }

  /** Resolves when ZeroMQ has all that was said so far. */
  flush(): Promise<void> {
    this.#release();
    return this.#last;
  }

  #release(): void {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    this.#gathered = undefined;
    const { name, parent, text } = gathered;
    void this.#send("stream", { name, text }, parent, {});
  }

  #send(
    type: string,
    content: Dict,
    parent: ReceivedMessage | undefined,
    parts: Pick<MessageParts, "metadata" | "buffers">,
  ): Promise<void> {
    const sending = async () => {
      try {
        await this.#iopub.send(this.#session.message(type, content, { parent, ...parts }));
      } catch {
        this.#dropped++;
      }
    };
    const before = this.#last;
    this.#last = sending().then(() => before);
    return this.#last;
  }
}
