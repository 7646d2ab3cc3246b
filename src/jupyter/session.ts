// A session: one end's identity, key and memory. Builds messages, and signs, verifies and parses them, on a channel
// (hardened where both ends are) or off any (plain Jupyter).

import { misuse } from "../errors.js";
import { formatKeyId } from "../keys/key.js";
import { assertSender } from "../keys/names.js";
import type { Reason } from "../reasons.js";
import type { Eventual } from "../replay/state.js";
import { formatDate } from "./date.js";
import { DELIMITER } from "./frames.js";
import { digestsOf, HARDENED_KEY, type Stamp, withoutStamp, writeStamp, writeStampText } from "./hardened.js";
import { Memory } from "./memory.js";
import type { Channel, Dict, Header, Message, ReceivedMessage, Role } from "./message.js";
import { type SessionOptions, type Settings, settingsOf } from "./options.js";
import { CHANNELS, patternOf, streamChannel } from "./place.js";
import { type ChannelStats, type JupyterVerdict, Receiver } from "./receiver.js";
import { Stamper } from "./stamper.js";

/** What a message has besides its type and content. */
export interface MessageParts {
  /** The message that it answers or belongs to, or that one's header. */
  readonly parent?: Message | Header | undefined;
  /** Anything beside the content. */
  readonly metadata?: Dict | undefined;
  /** Binary data behind the content. */
  readonly buffers?: readonly Uint8Array[] | undefined;
  /** The subshell that it is for (protocol 5.5). */
  readonly subshell?: string | undefined;
}

/** Where a message goes. */
export interface Delivery {
  /** Frames in front of the delimiter: a ROUTER's return address, or iopub's topic. Default: none. */
  readonly identities?: readonly Uint8Array[] | undefined;
  /** The name of its recipient (hardened messages only); `null` for nobody in particular. Default: the session's `to`. */
  readonly to?: string | null | undefined;
}

/** A delivery as sockets know it. */
export interface Sealing extends Delivery {
  /** Strangers choose the topic, and as many as they like: it must not push out the counts of others. */
  readonly uncounted?: boolean | undefined;
}

/** What a session and its clones share: settings, and the numbers of what they send. */
class Shared {
  readonly settings: Settings;
  readonly stampers = new Map<Channel, Stamper>();
  /** The memory of the first of them. */
  original: Memory | undefined;
  messages = 0;

  constructor(settings: Settings) {
    this.settings = settings;
  }
}

/**
 * One end of Jupyter's protocol: a kernel's or a client's. Its messages are byte-compatible with jupyter_client; on its
 * {@link Session.channel}s they are hardened besides.
 *
 * @example
 * const client = new Session({ key: connection.key, role: "client" });
 * const frames = client.channel("shell").serialize(client.message("execute_request", { code: "1 + 1" }));
 */
export class Session {
  readonly #settings: Settings;
  readonly #memory: Memory;
  readonly #channels = new Map<Channel, ChannelSession>();
  readonly #plain: ChannelSession;
  readonly #shared: Shared;

  /** @throws CountersignError for options that cannot work */
  constructor(options: SessionOptions) {
    this.#shared = options instanceof Shared ? options : new Shared(settingsOf(options));
    this.#settings = this.#shared.settings;
    this.#memory = new Memory(this.#settings, this.#shared.original);
    this.#shared.original ??= this.#memory;
    this.#plain = new ChannelSession(this.#settings, this.#memory, this.#shared, undefined);
  }

  /** The session's id: the name that its messages bear. */
  get id(): string {
    return this.#settings.identity.name;
  }

  /** Which end it is, where that was said. */
  get role(): Role | undefined {
    return this.#settings.role;
  }

  /**
   * Builds a message: header with a new id, this moment's date, this session and user.
   *
   * @param type     "execute_request", "status", …
   * @param content  what the message type asks for
   */
  message(type: string, content: Dict = {}, parts: MessageParts = {}): Message {
    const { parent, metadata = {}, buffers = [], subshell } = parts;
    if (typeof type !== "string" || type === "") {
      throw misuse("ERR_COUNTERSIGN_MESSAGE", 'A message needs a type, such as "execute_request".');
    }
    return {
      header: this.#header(type, subshell),
      parent_header: headerOf(parent),
      metadata,
      content,
      buffers,
    };
  }

  /** Builds the reply to a request: its type with `_reply` for `_request`, its header as the parent. */
  reply(request: Message, content: Dict, parts: Omit<MessageParts, "parent"> = {}): Message {
    const type = request.header.msg_type.replace(/_request$/, "_reply");
    return this.message(type, content, { ...parts, parent: request });
  }

  /** Signs and serialises a plain message. */
  serialize(message: Message, delivery: Pick<Delivery, "identities"> = {}): Buffer[] {
    return this.#plain.serialize(message, delivery);
  }

  /** Verifies and parses a message as plain Jupyter, whatever else it bears. Never throws on what came from outside. */
  deserialize(frames: readonly Uint8Array[]): JupyterVerdict {
    return this.#plain.deserialize(frames);
  }

  /**
   * What stands in a message, if it is well formed and intact; else why not. Not whether it is live or new, and nothing is
   * counted or remembered: for logs, and for code that decodes a message twice.
   */
  peek(frames: readonly Uint8Array[]): ReceivedMessage | Reason {
    return this.#plain.peek(frames);
  }

  /** Counters of what was verified off any channel. */
  get stats(): ChannelStats {
    return this.#plain.stats;
  }

  /** This end of one channel; the same one each time. */
  channel(channel: Channel): ChannelSession {
    const { role } = this.#settings;
    if (role === undefined) {
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        'Channels need to know which end this is: role: "kernel" or "client".',
      );
    }
    if (!CHANNELS.includes(channel)) {
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        `channel must be one of ${CHANNELS.join(", ")}; got ${String(channel)}.`,
      );
    }
    const held = this.#channels.get(channel);
    if (held !== undefined) return held;
    const made = new ChannelSession(this.#settings, this.#memory, this.#shared, { role, channel });
    this.#channels.set(channel, made);
    return made;
  }

  /**
   * The same end with a memory of its own, which begins now: for a second connection to the same channel, on which every
   * message arrives once more. It sends under the same name and in the same streams.
   */
  clone(): Session {
    return new Session(this.#shared as SessionOptions);
  }

  /** Ends the claim of this session's streams to their name in this thread. */
  close(): void {
    for (const stamper of this.#shared.stampers.values()) stamper.close();
  }

  #header(type: string, subshell: string | undefined): Header {
    const { identity, username, version, clock } = this.#settings;
    const header = {
      msg_id: `${identity.name}_${process.pid}_${this.#shared.messages++}`,
      msg_type: type,
      username,
      session: identity.name,
      date: formatDate(clock()),
      version,
    };
    return subshell === undefined ? header : { ...header, subshell_id: subshell };
  }
}

/** A message whose parts are bytes, but for what is signed when it leaves. */
export interface Packed {
  readonly header: Buffer;
  readonly parent: Buffer;
  readonly metadata: Dict;
  readonly content: Buffer;
  readonly buffers: readonly Buffer[];
}

/** One end of one channel, without a socket: messages in, frames out, and back. */
export class ChannelSession {
  readonly #settings: Settings;
  readonly #memory: Memory;
  readonly #shared: Shared;
  readonly #place: { readonly role: Role; readonly channel: Channel } | undefined;
  readonly #receiver: Receiver;
  #last: { frames: readonly Buffer[]; stamp: Stamp } | undefined;

  /** Made by {@link Session.channel}. */
  constructor(
    settings: Settings,
    memory: Memory,
    shared: Shared,
    place: { readonly role: Role; readonly channel: Channel } | undefined,
  ) {
    this.#settings = settings;
    this.#memory = memory;
    this.#shared = shared;
    this.#place = place;
    this.#receiver = new Receiver(settings, memory, place);
  }

  /** Counters since this channel was made. */
  get stats(): ChannelStats {
    return this.#receiver.stats;
  }

  /** Most bytes that may wait in front of a socket's `send`. */
  get queueBytes(): number {
    return this.#settings.limits.queueBytes;
  }

  /**
   * Resolves when this channel may send: where its epoch is stored elsewhere, not at once; `undefined` once it may.
   * Rejects where it cannot be stored.
   */
  get ready(): Promise<void> | undefined {
    return this.#stamper()?.ready;
  }

  /**
   * Signs and serialises a message: hardened unless the session is not.
   *
   * @returns identities, delimiter, signature, header, parent header, metadata, content, buffers
   * @throws TypeError for what the packer cannot carry, CountersignError for what receivers would refuse
   */
  serialize(message: Message, delivery: Delivery = {}): Buffer[] {
    return this.seal(this.pack(message), delivery);
  }

  /** Packs what of a message does not depend on when it leaves. */
  pack({ header, parent_header, metadata, content, buffers }: Message): Packed {
    const { packer } = this.#settings;
    return {
      header: asBuffer(packer.pack(header)),
      parent: asBuffer(packer.pack(parent_header)),
      metadata,
      content: asBuffer(content instanceof Uint8Array ? content : packer.pack(content)),
      buffers: buffers.map(asBuffer),
    };
  }

  /** Numbers and signs a message that was packed. */
  seal(
    { header, parent, metadata, content, buffers }: Packed,
    { identities = [], to, uncounted }: Sealing = {},
  ): Buffer[] {
    const { key } = this.#settings;
    const routing = identities.map(asBuffer);
    const stamp = this.#stamp(routing, buffers, { to, uncounted });
    try {
      const parts = [header, parent, asBuffer(this.#packMetadata(metadata, stamp)), content];
      const tag = key?.tag(parts);
      const signature = tag === undefined ? EMPTY : Buffer.from(tag.toString("hex"), "latin1");
      const frames = [...routing, DELIMITER, signature, ...parts, ...buffers];
      this.#assertWithinLimits(frames, routing.length + 1);
      if (stamp !== undefined) this.#last = { frames, stamp };
      else if (tag !== undefined) this.#memory.sent.remember(tag, this.#settings.clock());
      return frames;
    } catch (error) {
      if (stamp !== undefined) this.#stamper()?.retract(stamp);
      throw error;
    }
  }

  /** Takes back the number of a message that never left this process, if nothing was signed since: no gap, no number lost. */
  retract(frames: readonly Buffer[]): void {
    if (this.#last?.frames !== frames) return;
    this.#stamper()?.retract(this.#last.stamp);
    this.#last = undefined;
  }

  /**
   * Verifies and parses one message as ZeroMQ delivered it. Never throws on what came from outside.
   *
   * @throws CountersignError when the state is not in this process: use {@link deserializeAsync} then
   */
  deserialize(frames: readonly Uint8Array[]): JupyterVerdict {
    if (this.#settings.state?.asynchronous) {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", "This session's state answers later: use deserializeAsync.");
    }
    return this.examine(frames) as JupyterVerdict;
  }

  /** The same with any state. Messages are ruled on in the order of the calls. */
  async deserializeAsync(frames: readonly Uint8Array[]): Promise<JupyterVerdict> {
    return this.examine(frames);
  }

  /** As {@link deserializeAsync}, at once where the state allows it. */
  examine(frames: readonly Uint8Array[]): Eventual<JupyterVerdict> {
    return this.#receiver.examine(frames.map(asBuffer));
  }

  /** As {@link Session.peek}. */
  peek(frames: readonly Uint8Array[]): ReceivedMessage | Reason {
    return this.#receiver.peek(frames.map(asBuffer));
  }

  /** The subscription changed (iopub): what was not asked for is not lost. */
  resetGaps(): void {
    this.#receiver.resetGaps();
  }

  #packMetadata(given: Dict, stamp: Stamp | undefined): Uint8Array {
    const { packer } = this.#settings;
    const metadata = HARDENED_KEY in given ? withoutStamp(given) : given;
    if (stamp === undefined) return packer.pack(metadata);
    if (packer.packWith) return packer.packWith(metadata, HARDENED_KEY, writeStampText(stamp));
    return packer.pack({ ...metadata, [HARDENED_KEY]: writeStamp(stamp) });
  }

  #stamp(
    routing: readonly Buffer[],
    buffers: readonly Buffer[],
    { to, uncounted }: Sealing,
  ): Stamp | undefined {
    const stamper = this.#stamper();
    if (stamper === undefined) return undefined;
    const recipient = to === undefined ? this.#settings.to : (to ?? undefined);
    if (recipient !== undefined) assertSender(recipient, "to");
    const topic = this.#place?.channel === "iopub" ? topicOf(routing) : undefined;
    return stamper.next({ to: recipient, topic, buffers: digestsOf(buffers) }, uncounted);
  }

  /** What numbers the messages of this channel, made when it first sends; `undefined` where they bear no number. */
  #stamper(): Stamper | undefined {
    if (this.#place === undefined || !this.#settings.harden) return undefined;
    const { channel, role } = this.#place;
    const held = this.#shared.stampers.get(channel);
    if (held !== undefined) return held;
    const stream = {
      sender: this.#settings.identity.name,
      channel: streamChannel(channel),
      pattern: patternOf(role, channel),
    };
    const made = new Stamper(this.#settings, formatKeyId(this.#settings.keyId), stream, role);
    this.#shared.stampers.set(channel, made);
    return made;
  }

  #assertWithinLimits(frames: readonly Buffer[], first: number): void {
    const { limits } = this.#settings;
    let bytes = 0;
    for (let i = first; i < frames.length; i++) bytes += (frames[i] as Buffer).length;
    if (frames.length - first <= limits.frames && bytes <= limits.bytes) return;
    throw misuse(
      "ERR_COUNTERSIGN_MESSAGE",
      `The message is over the limits (${limits.frames} frames, ${limits.bytes} bytes): receivers would refuse it. ` +
        "Raise limits on both sides.",
    );
  }
}

const EMPTY = Buffer.alloc(0);

function headerOf(parent: Message | Header | undefined): Header | Dict {
  if (parent === undefined) return {};
  const { header } = parent as Partial<Message>;
  return typeof header === "object" && header !== null ? header : (parent as Header);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** iopub's topic, which is signed as text. */
function topicOf(routing: readonly Buffer[]): string {
  const [topic, ...more] = routing;
  const text = topic?.toString();
  if (topic !== undefined && more.length === 0 && Buffer.from(text as string).equals(topic))
    return text as string;
  throw misuse(
    "ERR_COUNTERSIGN_MESSAGE",
    'A hardened iopub message has one topic in front, in UTF-8: identities: [Buffer.from("stream.stdout")].',
  );
}
