// Comms (Jupyter messaging, "Custom Messages"): channels between an object in the kernel and one in the client, with binary
// buffers both ways. The same at both ends: a kernel hears them on shell and speaks on iopub, a client the other way round.

import { randomUUID } from "node:crypto";
import { misuse } from "../errors.js";
import type { Dict, ReceivedMessage } from "./message.js";
import type { MessageParts } from "./session.js";

/** Comms open at one time: whoever opens more is told that they are closed. */
const MOST_COMMS = 10_000;

/** What came on a comm. */
export interface CommMessage {
  /** What it says. */
  readonly data: Dict;
  /** The message's metadata. */
  readonly metadata: Dict;
  /** Binary data: views into what was received. */
  readonly buffers: readonly Buffer[];
  /** Whether there are buffers that nobody signed (plain peers): anybody on the way can have put or changed them. */
  readonly unsignedBuffers: boolean;
}

/** What a comm's message has besides its data. */
export interface CommParts {
  /** The message's metadata. */
  readonly metadata?: Dict | undefined;
  /** Binary data. */
  readonly buffers?: readonly Uint8Array[] | undefined;
}

/** What is called when something comes on a comm. */
export type CommListener = (message: CommMessage) => void | Promise<void>;

/** Called when the other end opens a comm to a target: set `comm.onMessage` and `comm.onClose` here, before anything awaits. */
export type CommTarget = (comm: Comm, opening: CommMessage) => void | Promise<void>;

type Send = (type: string, content: Dict, parts: MessageParts) => Promise<void>;

/** One end of a comm. */
export class Comm {
  /** Its id, the same at both ends. */
  readonly id: string;
  /** The target's name. */
  readonly target: string;
  /** Called with each message. */
  onMessage: CommListener | undefined;
  /** Called once, when the other end closes it, or when the kernel has gone. */
  onClose: CommListener | undefined;
  readonly #send: Send;
  readonly #forget: () => void;
  #closed = false;

  /** Made by {@link Comms}. */
  constructor(id: string, target: string, send: Send, forget: () => void) {
    this.id = id;
    this.target = target;
    this.#send = send;
    this.#forget = forget;
  }

  /** Whether either end has closed it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends data, and buffers, to the other end. */
  async send(data: Dict, { metadata, buffers }: CommParts = {}): Promise<void> {
    if (this.#closed) throw misuse("ERR_COUNTERSIGN_NOT_SUPPORTED", `Comm ${this.id} is closed.`);
    await this.#send("comm_msg", { comm_id: this.id, data }, { metadata, buffers });
  }

  /** Closes it, at both ends. */
  async close(data: Dict = {}, { metadata, buffers }: CommParts = {}): Promise<void> {
    if (!this.ended()) return;
    await this.#send("comm_close", { comm_id: this.id, data }, { metadata, buffers });
  }

  /** It is closed from now on; false if it was before. @internal */
  ended(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    this.#forget();
    return true;
  }
}

/** All comms of one end, and what targets it has. */
export class Comms {
  readonly #open = new Map<string, Comm>();
  readonly #targets = new Map<string, CommTarget>();
  readonly #send: Send;
  #refused = 0;

  /** Made by a `Kernel` or a `KernelClient`. */
  constructor(send: Send, targets: Readonly<Record<string, CommTarget>> = {}) {
    this.#send = send;
    for (const [name, target] of Object.entries(targets)) this.register(name, target);
  }

  /** Messages of comms that are not open, that are malformed, or whose listener threw. */
  get refused(): number {
    return this.#refused;
  }

  /** Says what happens when the other end opens a comm to this target. */
  register(name: string, target: CommTarget): void {
    if (typeof target === "function") this.#targets.set(name, target);
    else
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `Comm target ${name} must be a function: (comm, opening) => …`);
  }

  /**
   * Opens a comm to a target of the other end. Resolves when the message is on its way; if the target does not exist there,
   * `onClose` is called.
   */
  async open(
    target: string,
    data: Dict = {},
    {
      onMessage,
      onClose,
      ...parts
    }: CommParts & {
      readonly onMessage?: CommListener | undefined;
      readonly onClose?: CommListener | undefined;
    } = {},
  ): Promise<Comm> {
    const comm = this.#make(randomUUID(), target);
    comm.onMessage = onMessage;
    comm.onClose = onClose;
    try {
      await this.#send("comm_open", { comm_id: comm.id, target_name: target, data }, parts);
    } catch (error) {
      comm.ended();
      throw error;
    }
    return comm;
  }

  /** The comms that are open, by id, as `comm_info_reply` lists them. */
  info(target?: string): Record<string, { target_name: string }> {
    const listed = [...this.#open.values()].filter((comm) => target === undefined || comm.target === target);
    return Object.fromEntries(listed.map((comm) => [comm.id, { target_name: comm.target }]));
  }

  /** Whether there is any target. @internal */
  get hasTargets(): boolean {
    return this.#targets.size > 0;
  }

  /**
   * Takes a `comm_open`, `comm_msg` or `comm_close` from the other end. Never throws.
   *
   * @param addressed  whether it is for this end alone: then it closes what it has no target for
   * @internal
   */
  async receive(message: ReceivedMessage, addressed = true): Promise<void> {
    const { comm_id: id, target_name: target } = message.content;
    const said = contentOf(message);
    if (typeof id !== "string" || said === undefined) {
      this.#refused++;
      return;
    }
    try {
      if (message.header.msg_type === "comm_open") await this.#opened(id, { target, addressed }, said);
      else await this.#heard(this.#open.get(id), message.header.msg_type, said);
    } catch {
      this.#refused++;
    }
  }

  /** The other end has gone: every comm is closed, and its listener told. @internal */
  endAll(): void {
    for (const comm of [...this.#open.values()]) {
      comm.ended();
      const told = async () => comm.onClose?.(NOTHING);
      told().catch(() => this.#refused++);
    }
  }

  async #opened(
    id: string,
    { target: name, addressed }: { readonly target: unknown; readonly addressed: boolean },
    opening: CommMessage,
  ): Promise<void> {
    const target = typeof name === "string" ? this.#targets.get(name) : undefined;
    if (target === undefined || this.#open.has(id) || this.#open.size >= MOST_COMMS) {
      this.#refused++;
      // One that is open already stays so: its id is its own.
      if (addressed && !this.#open.has(id)) await this.#send("comm_close", { comm_id: id, data: {} }, {});
      return;
    }
    const comm = this.#make(id, name as string);
    try {
      await target(comm, opening);
    } catch {
      this.#refused++;
      await comm.close();
    }
  }

  async #heard(comm: Comm | undefined, type: string, message: CommMessage): Promise<void> {
    if (comm === undefined) {
      this.#refused++;
      return;
    }
    if (type === "comm_msg") await comm.onMessage?.(message);
    else if (comm.ended()) await comm.onClose?.(message);
  }

  #make(id: string, target: string): Comm {
    const comm = new Comm(id, target, this.#send, () => this.#open.delete(id));
    this.#open.set(id, comm);
    return comm;
  }
}

const NOTHING: CommMessage = { data: {}, metadata: {}, buffers: [], unsignedBuffers: false };

function contentOf({
  content,
  metadata,
  buffers,
  unsignedBuffers,
}: ReceivedMessage): CommMessage | undefined {
  const { data = {} } = content;
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  return { data: data as Dict, metadata, buffers, unsignedBuffers };
}
