// Two ends that admit each other by challenge, with the attacker between them. Either end can be started again, under its
// name and with whatever clock, while the other lives on: what was delivered, refused and told is kept across restarts.

import {
  BadReplyError,
  Dealer,
  type Forgotten,
  Pair,
  Publisher,
  type Rejection,
  Reply,
  Request,
  Router,
  type SigningOptions,
  type SocketStats,
  Subscriber,
  type Twin,
} from "countersign";
import { expect, onTestFinished, vi } from "vitest";
import * as zmq from "zeromq";

import type { Connection, Direction } from "./connection.js";
import { CHANNEL, KEY, RECEIVER, SENDER, TOPIC } from "./line.js";
import { FIELD } from "./tamper.js";
import { Attacker, type Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

export const DAY = 86_400_000_000;

/** A clock that is so many microseconds ahead. */
export const ahead = (micros: number) => () =>
  Math.floor((performance.timeOrigin + performance.now()) * 1000) + micros;

/** The options of an end that admits by challenge. */
export function asking(sender: string, more: Partial<SigningOptions> = {}) {
  return { linger: 0, signing: { key: KEY, sender, channel: CHANNEL, admit: "challenge", ...more } as const };
}

const KIND_NAMES = ["", "data", "batch", "hello", "challenge", "echo", "sync", "refused"] as const;
export type KindName = (typeof KIND_NAMES)[number];

/** Where the signature frame stands; -1 where there is none. A reserved topic has the magic too, but is too short. */
export function signatureIn(frames: Frames): number {
  return frames.findIndex((frame) => frame[0] === 0xc1 && frame[1] === 0x53 && frame.length > 40);
}

export function kindOf(frames: Frames): KindName {
  return KIND_NAMES[frames[signatureIn(frames)]?.[FIELD.kind] ?? 0] ?? "";
}

/** What came by of one kind, in one direction. */
export function ofKind(attacker: Attacker, direction: Direction, kind: KindName): Recorded[] {
  return attacker.sent(direction).filter(({ frames }) => kindOf(frames) === kind);
}

/** The n-th of one kind (from 0), as soon as it has come by. */
export async function nth(
  attacker: Attacker,
  direction: Direction,
  kind: KindName,
  index: number,
): Promise<Recorded> {
  await until(() => ofKind(attacker, direction, kind).length > index);
  return ofKind(attacker, direction, kind)[index] as Recorded;
}

/** Hooks that swallow messages of one kind in one direction, the first `count` of them. */
export function dropping(direction: Direction, kind: KindName, count = Infinity) {
  let left = count;
  return {
    onMessage: (frames: Frames, place: { direction: Direction }) =>
      place.direction === direction && kindOf(frames) === kind && left-- > 0 ? ("drop" as const) : undefined,
  };
}

/** Waits until something is so. */
export function until(condition: () => boolean): Promise<unknown> {
  return vi.waitUntil(condition, { timeout: 20_000, interval: 2 });
}

/** A socket, whatever its type. */
export interface AnySocket {
  readonly stats: SocketStats;
  readonly lastEndpoint: string | null;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  close(): void;
  send(message: unknown): Promise<void>;
  receive(): Promise<Buffer[]>;
}

type Signing = Partial<SigningOptions>;

/** Two socket types that admit each other, and which of them receives. */
export interface Encounter {
  /** As the flows of line.ts are called. */
  readonly name: string;
  readonly direction: Direction;
  readonly server: (signing: Signing) => unknown;
  readonly client: (signing: Signing) => unknown;
  /** Sends one message as its application would; a REQ also takes the reply, a REP is asked first and its REQ takes it. */
  send(sender: AnySocket, body: string, receiver: AnySocket): Promise<unknown>;
  /** What the receiver's application does with a message. */
  heard?(receiver: AnySocket, message: Buffer[]): Promise<void> | void;
  /** The receiver's application does not loop: {@link send} takes the message. */
  readonly asks?: boolean;
}

const named = (sender: string, signing: Signing) => asking(sender, signing);

export const DEALER_TO_ROUTER: Encounter = {
  name: "DEALER to ROUTER",
  direction: "up",
  server: (signing) => new Router(named(RECEIVER, signing)),
  client: (signing) => new Dealer({ ...named(SENDER, signing), routingId: "client" }),
  send: (sender, body) => sender.send(body),
};

const ROUTER_TO_DEALER: Encounter = {
  name: "ROUTER to DEALER",
  direction: "down",
  server: (signing) =>
    new Router({ ...named(SENDER, { to: RECEIVER, ...signing }), mandatory: true, handover: true }),
  client: (signing) => new Dealer({ ...named(RECEIVER, signing), routingId: "client" }),
  async send(sender, body) {
    for (;;) {
      try {
        return await sender.send(["client", body]);
      } catch (error) {
        if ((error as { code?: string }).code !== "EHOSTUNREACH") throw error;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  },
};

export const REQ_TO_REP: Encounter = {
  name: "REQ to REP",
  direction: "up",
  server: (signing) => new Reply(named(RECEIVER, signing)),
  client: (signing) => new Request(named(SENDER, signing)),
  async send(sender, body) {
    await sender.send(body);
    await sender.receive();
  },
  heard: (receiver) => receiver.send("done"),
};

/** What REPs wait for. */
const questions = new WeakMap<AnySocket, Promise<Buffer[]>>();

export const REP_TO_REQ: Encounter = {
  name: "REP to REQ",
  direction: "down",
  asks: true,
  server: (signing) => new Reply(named(SENDER, signing)),
  client: (signing) => new Request(named(RECEIVER, signing)),
  async send(sender, body, receiver) {
    await receiver.send("ask");
    const reply = receiver.receive();
    // A REP that has forgotten its REQ hears nothing of the question: it asks in its turn, and the REQ is told.
    const question = questions.get(sender) ?? sender.receive();
    questions.set(sender, question);
    await Promise.race([question, reply]);
    questions.delete(sender);
    await sender.send(body);
    return reply;
  },
};

export const PAIR_TO_PAIR: Encounter = {
  name: "PAIR to PAIR",
  direction: "up",
  server: (signing) => new Pair(named(RECEIVER, signing)),
  client: (signing) => new Pair(named(SENDER, signing)),
  send: (sender, body) => sender.send(body),
};

export const PUB_TO_SUB: Encounter = {
  name: "PUB to SUB",
  direction: "down",
  server: (signing) => new Publisher(named(SENDER, { ...signing, admit: "clock" })),
  client(signing) {
    const subscriber = new Subscriber(named(RECEIVER, signing));
    subscriber.subscribe(TOPIC);
    return subscriber;
  },
  send: (sender, body) => sender.send([TOPIC, body]),
};

export const TWO_WAY: readonly Encounter[] = [
  DEALER_TO_ROUTER,
  ROUTER_TO_DEALER,
  REQ_TO_REP,
  REP_TO_REQ,
  PAIR_TO_PAIR,
];
export const ENCOUNTERS: readonly Encounter[] = [...TWO_WAY, PUB_TO_SUB];

const PROBE = "is anybody there?";

/** An encounter under way. */
export class Meeting {
  readonly encounter: Encounter;
  attacker!: Attacker;
  /** The body of every message that any receiver has delivered, in order. */
  readonly delivered: string[] = [];
  readonly refused: Rejection[] = [];
  readonly forgotten: Forgotten[] = [];
  readonly twins: Twin[] = [];
  server!: AnySocket;
  client!: AnySocket;
  /** The newest connection of the client. */
  connection!: Connection;
  #sent = 0;
  /** Whether this sender has said anything that was delivered. */
  #haveMet = false;

  private constructor(encounter: Encounter) {
    this.encounter = encounter;
  }

  static async open(encounter: Encounter, sides: { sender?: Signing; receiver?: Signing } = {}) {
    const meeting = new Meeting(encounter);
    const { server, client } = meeting.#sides(sides);
    await meeting.startServer(server);
    meeting.attacker = await Attacker.between(meeting.server.lastEndpoint as string);
    onTestFinished(() => meeting.attacker.close());
    await meeting.startClient(client);
    onTestFinished(() => {
      meeting.server.close();
      meeting.client.close();
    });
    return meeting;
  }

  get sender(): AnySocket {
    return this.encounter.direction === "up" ? this.client : this.server;
  }

  get receiver(): AnySocket {
    return this.encounter.direction === "up" ? this.server : this.client;
  }

  async startServer(signing: Signing = {}): Promise<void> {
    this.server = this.encounter.server(this.#listening("server", signing)) as AnySocket;
    await this.server.bind("tcp://127.0.0.1:*");
    if (this.encounter.direction === "up") this.#listen(this.server);
  }

  /** Resolves when a connection of the new client's stands. */
  async startClient(signing: Signing = {}): Promise<void> {
    this.client = this.encounter.client(this.#listening("client", signing)) as AnySocket;
    const next = this.attacker.connections.length;
    this.client.connect(this.attacker.endpoint);
    if (this.encounter.direction === "down") this.#listen(this.client);
    this.connection = await this.attacker.connection(next);
    if (this.client instanceof Subscriber) await this.client.ready();
    // A ROUTER that speaks first is heard from when it has been asked.
    else if (this.encounter === ROUTER_TO_DEALER) await until(() => this.#echoesSince(next) > 0);
  }

  async restartServer(signing: Signing = {}): Promise<void> {
    if (this.encounter.direction === "down") this.#haveMet = false;
    this.server.close();
    await this.startServer(signing);
    const next = this.attacker.connections.length;
    this.attacker.target = this.server.lastEndpoint as string;
    for (const connection of this.attacker.connections) connection.cut();
    this.connection = await this.attacker.connection(next);
    // A publisher says nothing to whoever has not subscribed again yet.
    const heard = this.data().length;
    while (this.encounter === PUB_TO_SUB && this.data().length === heard) {
      await this.server.send([TOPIC, PROBE]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async restartClient(signing: Signing = {}): Promise<void> {
    this.client.close();
    await this.connection.closed;
    await this.startClient(signing);
  }

  restartReceiver(signing: Signing = {}): Promise<void> {
    return this.encounter.direction === "up" ? this.restartServer(signing) : this.restartClient(signing);
  }

  restartSender(signing: Signing = {}): Promise<void> {
    return this.encounter.direction === "up" ? this.restartClient(signing) : this.restartServer(signing);
  }

  /** Sends one message; resolves with its body when it was delivered, and rejects where it was lost, told or not. */
  async honest(): Promise<string> {
    const body = `honest ${++this.#sent}`;
    const { encounter, sender, receiver } = this;
    const reply = await encounter.send(sender, body, receiver);
    if (encounter.asks) this.#deliver(reply as Buffer[]);
    await until(() => this.delivered.includes(body) || this.#isRefused(body));
    if (!this.delivered.includes(body)) throw new Error(`lost: ${body}`);
    this.#haveMet = true;
    return body;
  }

  /** The next honest message is delivered, after at most one that is lost and told. Returns how many were. */
  async live(): Promise<number> {
    const told = this.forgotten.length;
    const echoes = () => ofKind(this.attacker, this.encounter.direction, "echo").length;
    const answered = echoes();
    try {
      await this.honest();
      return 0;
    } catch (error) {
      if (this.encounter === PUB_TO_SUB) return this.#synchronised();
      // A REQ is told by its reply; who speaks to somebody that he has not met is asked, and not told.
      if (!(error instanceof BadReplyError)) {
        await until(() => (this.#haveMet ? this.forgotten.length > told : echoes() > answered));
      }
    }
    await this.honest();
    return 1;
  }

  /** What the sender has signed for its application, as it went over the wire. */
  data(): Recorded[] {
    return ofKind(this.attacker, this.encounter.direction, "data");
  }

  /**
   * Sends recordings to the receiver, each as a message of its own, and waits until so many were refused. To a server
   * over a connection of the attacker's own, so that what it answers does not get in the way of its client.
   */
  async replay(recorded: readonly Frames[]): Promise<Rejection[]> {
    const before = this.refused.length;
    if (this.encounter.direction === "down" || this.encounter === PAIR_TO_PAIR) {
      this.connection.inject(this.encounter.direction, ...recorded);
    } else {
      const stranger = strangerTo(this.attacker.endpoint);
      for (const frames of recorded) await stranger.send([...frames]);
    }
    await until(() => this.refused.length >= before + recorded.length);
    return this.refused.slice(before);
  }

  /** Nothing came twice, and in the order in which it was sent. */
  expectOnce(): void {
    const numbers = this.delivered.map((body) => Number(body.split(" ")[1]));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  }

  #echoesSince(connection: number): number {
    return ofKind(this.attacker, "up", "echo").filter(
      (echo) => this.attacker.connections.indexOf(echo.connection) >= connection,
    ).length;
  }

  /** Itself: a forgery may claim the number that an honest message has. */
  #isRefused(body: string): boolean {
    const wire = this.data().find(({ frames }) => frames.some((frame) => frame.includes(`${body}`)));
    if (wire === undefined) return false;
    const signature = wire.frames[signatureIn(wire.frames)] as Buffer;
    const [epoch, sequence] = [FIELD.epoch, FIELD.sequence].map((at) =>
      Number(signature.readBigUInt64BE(at)),
    );
    return this.refused.some(
      ({ authentic, claimed }) => authentic && claimed?.epoch === epoch && claimed?.sequence === sequence,
    );
  }

  /** A publisher is not told; what it says is lost until the subscriber has asked, and it has answered. */
  async #synchronised(): Promise<number> {
    for (;;) {
      try {
        await this.honest();
        return 1;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  #sides({ sender = {}, receiver = {} }: { sender?: Signing; receiver?: Signing }) {
    return this.encounter.direction === "up"
      ? { client: sender, server: receiver }
      : { client: receiver, server: sender };
  }

  #listening(end: "server" | "client", signing: Signing): Signing {
    const receives = (end === "server") === (this.encounter.direction === "up");
    const told = receives
      ? { onReject: (rejection: Rejection) => void this.refused.push(rejection) }
      : {
          onForgotten: (told: Forgotten) => void this.forgotten.push(told),
          onTwin: (twin: Twin) => void this.twins.push(twin),
        };
    return { ...told, ...signing };
  }

  #listen(receiver: AnySocket): void {
    if (this.encounter.asks) return;
    const loop = async () => {
      for await (const message of receiver as unknown as AsyncIterable<Buffer[]>) {
        this.#deliver(message);
        await this.encounter.heard?.(receiver, message);
      }
    };
    loop().catch((error) => this.delivered.push(`the loop ended: ${error}`));
  }

  #deliver(message: Buffer[]): void {
    const body = String(message.at(-1));
    if (body !== PROBE) this.delivered.push(body);
  }
}

/** A plain socket of the attacker's own, which sends whatever he likes to a ROUTER, REP or DEALER. */
export function strangerTo(endpoint: string, options: { routingId?: string } = {}): zmq.Dealer {
  const stranger = new zmq.Dealer({ linger: 0, sendHighWaterMark: 0, ...options });
  onTestFinished(() => stranger.close());
  stranger.connect(endpoint);
  return stranger;
}
