// Questions to the user (Jupyter messaging, "Messages on the stdin ROUTER/DEALER channel"): asked of the client whose request
// runs, by the return address that it has on shell. jupyter_client's answers bear no parent, so an answer is the next one
// that comes from there; one that bears another question's id is stale.

import { setTimeout as sleep } from "node:timers/promises";
import type { Message, ReceivedMessage } from "../message.js";
import type { Session } from "../session.js";
import type { JupyterSocket } from "../socket.js";

/** Milliseconds that a client's stdin has to be there. */
const REACHABLE_WITHIN = 10_000;
const RETRY_EVERY = 20;

interface Question {
  readonly message: Message;
  readonly request: ReceivedMessage;
  readonly resolve: (answer: string) => void;
}

/** The kernel's end of stdin. */
export class Stdin {
  readonly #socket: JupyterSocket;
  readonly #session: Session;
  #waiting: Question[] = [];
  #stale = 0;

  constructor(socket: JupyterSocket, session: Session) {
    this.#socket = socket;
    this.#session = session;
  }

  /** Answers that nobody waited for, or that were none. */
  get stale(): number {
    return this.#stale;
  }

  /** Asks the sender of `request`; rejects with the signal's reason when it is aborted. */
  async ask(
    request: ReceivedMessage,
    content: { readonly prompt: string; readonly password: boolean },
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    const message = this.#session.message("input_request", content, { parent: request });
    return new Promise((resolve, reject) => {
      const question = { message, request, resolve: (answer: string) => leave(() => resolve(answer)) };
      const abort = () => leave(() => reject(signal.reason));
      const leave = (settle: () => void) => {
        this.#waiting = this.#waiting.filter((other) => other !== question);
        signal.removeEventListener("abort", abort);
        settle();
      };
      signal.addEventListener("abort", abort);
      this.#waiting.push(question);
      this.#send(question, signal).catch((error) => leave(() => reject(error)));
    });
  }

  /** A client's sockets connect one by one: its stdin may be a little behind its shell. */
  async #send({ message, request }: Question, signal: AbortSignal): Promise<void> {
    const until = performance.now() + REACHABLE_WITHIN;
    for (;;) {
      try {
        return await this.#socket.send(message, request);
      } catch (error) {
        if ((error as { code?: string }).code !== "EHOSTUNREACH" || performance.now() > until) throw error;
        await sleep(RETRY_EVERY, undefined, { signal });
      }
    }
  }

  /** Takes answers until the socket is closed. */
  async serve(): Promise<void> {
    for await (const answer of this.#socket) this.#answer(answer);
  }

  #answer({ header, content, identities, parent_header, origin }: ReceivedMessage): void {
    const question = this.#waiting.find(
      ({ message, request }) =>
        request.origin?.sender === origin?.sender &&
        identities[0] !== undefined &&
        request.identities[0]?.equals(identities[0]) &&
        (parent_header.msg_id ?? message.header.msg_id) === message.header.msg_id,
    );
    const { value } = content;
    if (question !== undefined && header.msg_type === "input_reply" && typeof value === "string") {
      question.resolve(value);
    } else this.#stale++;
  }
}
