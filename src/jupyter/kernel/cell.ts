// A request for execution while it runs: what its code says goes out under its name, in order, and what it asks is asked of
// its client. It can go on to be used when it has ended: what timers and promises say later belongs to it still.

import { misuse } from "../../errors.js";
import type { Comm, CommListener, CommParts } from "../comm.js";
import type { Dict, ReceivedMessage } from "../message.js";
import type { ExecuteRequest, MimeBundle } from "./contents.js";
import { ExecutionError } from "./failure.js";
import type { Publisher, StreamName } from "./publisher.js";

/** What a display has besides its data. */
export interface DisplayOptions {
  /** About the data: sizes of images, for example. */
  readonly metadata?: Dict | undefined;
  /** A name by which {@link Cell.updateDisplay} finds it. */
  readonly id?: string | undefined;
  /** Binary data. */
  readonly buffers?: readonly Uint8Array[] | undefined;
}

/** What a cell needs of its kernel. @internal */
export interface CellHost {
  readonly publisher: Publisher;
  ask(cell: Cell, prompt: string, password: boolean): Promise<string>;
  openComm(
    cell: Cell,
    target: string,
    data: Dict,
    parts: CommParts & { onMessage?: CommListener },
  ): Promise<Comm>;
}

/** One execution: takes its output and knows whether it was interrupted. */
export class Cell {
  /** The number that clients show beside it. */
  readonly executionCount: number;
  /** The request as it was received. */
  readonly message: ReceivedMessage;
  /** Aborted when the execution is interrupted, or the kernel ends. */
  readonly signal: AbortSignal;
  /** Payloads of the reply, as a pager's; the handler's result may bear more. */
  readonly payload: Dict[] = [];
  readonly #request: ExecuteRequest;
  readonly #host: CellHost;

  /** Made by a `Kernel`. */
  constructor(
    host: CellHost,
    message: ReceivedMessage,
    {
      request,
      executionCount,
      signal,
    }: { request: ExecuteRequest; executionCount: number; signal: AbortSignal },
  ) {
    this.#host = host;
    this.#request = request;
    this.message = message;
    this.executionCount = executionCount;
    this.signal = signal;
  }

  /** Writes to a stream. What is written within a turn of the event loop leaves as one message. */
  stream(name: StreamName, text: string): void {
    if (name !== "stdout" && name !== "stderr") {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", 'A stream is "stdout" or "stderr".');
    }
    if (!this.#request.silent) this.#host.publisher.stream(name, String(text), this.message);
  }

  /** Shows something: `cell.display({ "text/html": "<b>bold</b>" })`. */
  display(data: MimeBundle, { metadata = {}, id, buffers }: DisplayOptions = {}): void {
    this.#show(
      "display_data",
      { data, metadata, transient: id === undefined ? {} : { display_id: id } },
      buffers,
    );
  }

  /** Replaces what was displayed under an id, wherever it is shown. */
  updateDisplay(
    id: string,
    data: MimeBundle,
    { metadata = {}, buffers }: Omit<DisplayOptions, "id"> = {},
  ): void {
    this.#show("update_display_data", { data, metadata, transient: { display_id: id } }, buffers);
  }

  /** Clears the output: now, or with `wait` when the next comes. */
  clearOutput({ wait = false }: { readonly wait?: boolean | undefined } = {}): void {
    this.#show("clear_output", { wait });
  }

  /** Shows an error that does not end the execution. */
  error({ ename, message, traceback }: ExecutionError): void {
    this.#show("error", { ename, evalue: message, traceback });
  }

  /** Shows a text in the client's pager. */
  page(data: MimeBundle, start = 0): void {
    this.payload.push({ source: "page", data, start });
  }

  /**
   * Asks the user; resolves with the answer.
   *
   * @throws ExecutionError where the client answers no questions, and when the execution is interrupted
   */
  async input(
    prompt = "",
    { password = false }: { readonly password?: boolean | undefined } = {},
  ): Promise<string> {
    if (!this.#request.allowStdin) {
      throw new ExecutionError(
        "StdinNotImplementedError",
        "The client of this execution answers no questions.",
      );
    }
    await this.flush();
    return this.#host.ask(this, prompt, password);
  }

  /** Opens a comm to a target in the client. */
  openComm(
    target: string,
    data: Dict = {},
    parts: CommParts & { onMessage?: CommListener; onClose?: CommListener } = {},
  ): Promise<Comm> {
    return this.#host.openComm(this, target, data, parts);
  }

  /** Resolves when ZeroMQ has all output so far: a handler that makes much of it awaits this now and then. */
  flush(): Promise<void> {
    return this.#host.publisher.flush();
  }

  #show(type: string, content: Dict, buffers: readonly Uint8Array[] = []): void {
    if (!this.#request.silent) void this.#host.publisher.publish(type, content, this.message, { buffers });
  }
}
