// Executions that were given up, by a timeout or a signal. The kernel has them still: one that runs is interrupted, and one that
// waits behind others not before it begins, because the interrupt would be theirs. What is to be executed next is held back
// until the kernel is done: an error aborts what is queued behind it, and so does an interrupt.

import type { ReceivedMessage } from "../message.js";
import type { Execution } from "./execution.js";

/** Milliseconds that a kernel has to be done with an execution; then the next is sent all the same. */
const PATIENCE = 5000;

interface Entry {
  readonly silent: boolean;
  begun: boolean;
  interrupted: boolean;
  replied: boolean;
  idle: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** What it needs of a client. */
interface Interrupting {
  /** Interrupts what runs; resolves when the kernel has been told. */
  interrupt(): Promise<void>;
  /** Whether an execution runs that was not given up: those behind it cannot have begun. */
  isBusy(): boolean;
}

/** The executions that were given up, and what waits for their end. */
export class GivenUp {
  readonly #entries = new Map<string, Entry>();
  readonly #client: Interrupting;
  /** Interrupts that may still be on their way, by another socket than what is executed next. */
  #interrupts = 0;
  #held: (() => void)[] = [];

  constructor(client: Interrupting) {
    this.#client = client;
  }

  /** Takes in an execution that was sent. */
  add({ id, begun, replied, idling }: Execution, silent: boolean): void {
    const entry: Entry = { silent, begun, replied, idle: idling, interrupted: false, timer: undefined };
    this.#entries.set(id, entry);
    if (begun && !replied) this.#interrupt(entry);
    this.#wait(id, entry);
    this.#look(id, entry);
  }

  /** Calls `send` when the kernel is done with all of them: at once, where there are none. */
  after(send: () => void): void {
    this.#held.push(send);
    this.#goOn();
  }

  /** A reply came. */
  take({ parent_header }: ReceivedMessage): void {
    const id = parent_header.msg_id as string;
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.replied = true;
    this.#look(id, entry);
  }

  /** Something came on iopub. */
  hear({ header, content, parent_header }: ReceivedMessage): void {
    const id = parent_header.msg_id as string;
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (header.msg_type === "status" && content.execution_state === "idle") entry.idle = true;
    else if (!entry.begun) {
      entry.begun = true;
      this.#wait(id, entry);
    }
    // ipykernel is deaf to SIGINT from its word that it is busy until it begins with the code, which it says of what is not silent:
    // an interrupt from before was lost.
    if (header.msg_type === "execute_input") entry.interrupted = false;
    if (!entry.idle && (entry.silent || header.msg_type !== "status")) this.#interrupt(entry);
    this.#look(id, entry);
  }

  /** The kernel has gone, and takes them along: what was held back is not sent. */
  clear(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
    this.#entries.clear();
    this.#held = [];
  }

  #interrupt(entry: Entry): void {
    if (entry.interrupted || entry.replied) return;
    entry.interrupted = true;
    this.#interrupts++;
    const told = () => {
      this.#interrupts--;
      this.#goOn();
    };
    this.#client.interrupt().then(told, told);
  }

  #wait(id: string, entry: Entry): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      if (!entry.begun && this.#client.isBusy()) this.#wait(id, entry);
      else this.#release(id, entry);
    }, PATIENCE);
  }

  #look(id: string, entry: Entry): void {
    if (entry.replied && entry.idle) this.#release(id, entry);
  }

  #release(id: string, { timer }: Entry): void {
    clearTimeout(timer);
    this.#entries.delete(id);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#entries.size > 0 || this.#interrupts > 0) return;
    for (const send of this.#held.splice(0)) send();
  }
}
