// Requests on shell in the order in which they came, read ahead so that an error can abort those that are on their way.

import { nextTurn } from "../../sockets/burst.js";
import type { ReceivedMessage } from "../message.js";

/** Requests read ahead at most: then the socket pushes back. */
const MOST_WAITING = 10_000;
/** Turns of the event loop without a request after which none is on its way. */
const QUIET_TURNS = 3;

/** A request, and whether one before it failed and took it along. */
export interface QueuedRequest {
  readonly message: ReceivedMessage;
  aborted: boolean;
}

/** Requests that wait. */
export class RequestQueue {
  #waiting: QueuedRequest[] = [];
  #arrived = 0;
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeFiller: (() => void) | undefined;

  /** Takes what comes until there is no more. */
  async fill(messages: AsyncIterable<ReceivedMessage>): Promise<void> {
    for await (const message of messages) {
      this.#waiting.push({ message, aborted: false });
      this.#arrived++;
      this.#wakeReader?.();
      while (this.#waiting.length >= MOST_WAITING && !this.#closed) {
        await new Promise<void>((resolve) => {
          this.#wakeFiller = resolve;
        });
      }
    }
  }

  /**
   * Aborts the executions that wait, those included that have arrived and were not read while code ran.
   */
  async abort(): Promise<void> {
    let [quiet, seen] = [0, this.#arrived];
    while (quiet < QUIET_TURNS && !this.#closed) {
      await nextTurn();
      quiet = this.#arrived === seen ? quiet + 1 : 0;
      seen = this.#arrived;
    }
    for (const each of this.#waiting)
      if (each.message.header.msg_type === "execute_request") each.aborted = true;
  }

  /** Ends it: nothing more is handed out. */
  close(): void {
    this.#closed = true;
    this.#wakeReader?.();
    this.#wakeFiller?.();
  }

  /** Requests, as they come, until it is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<QueuedRequest, undefined> {
    while (!this.#closed) {
      const next = this.#waiting.shift();
      this.#wakeFiller?.();
      if (next !== undefined) yield next;
      else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }
}
