// One TCP connection through the attacker: two lanes, one a direction, each read as ZMTP and written on after the
// attacker has had his say. Between messages anything can be put into either lane.

import { connect, type Socket } from "node:net";

import { encodeCommand, encodeMessage, type Frames, type Item, zmtpParser } from "./zmtp.js";

/** `up`: from the socket that connects to the target that was bound. `down`: from the target back. */
export type Direction = "up" | "down";

export interface Place {
  readonly connection: Connection;
  readonly direction: Direction;
}

/** What the attacker does with what he caught: nothing (it passes), drop it, or send these instead, in this order. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
export type Verdict<Sent> = void | undefined | "drop" | readonly Sent[];

export interface Command {
  readonly name: string;
  readonly data: Buffer;
}

export interface Judge {
  message(frames: Frames, place: Place): Verdict<Frames>;
  command(command: Command, place: Place): Verdict<Command>;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

export class Connection {
  /** Settles once both ends have said READY: from then on messages can be injected. */
  readonly ready: Promise<void>;
  /** Settles when either end, or the attacker, has ended the connection. */
  readonly closed: Promise<void>;
  readonly #peers: Record<Direction, Socket>;
  readonly #judge: Judge;
  readonly #minorVersion: number | undefined;
  readonly #saidReady = new Set<Direction>();
  #becameReady!: () => void;

  constructor(client: Socket, target: Target, judge: Judge, minorVersion: number | undefined) {
    const upstream = connect(target.port, target.host);
    this.#peers = { up: upstream, down: client };
    this.#judge = judge;
    this.#minorVersion = minorVersion;
    this.ready = new Promise((resolve) => {
      this.#becameReady = resolve;
    });
    this.closed = Promise.all([client, upstream].map(closing)).then(() => undefined);
    this.#join(client, "up");
    this.#join(upstream, "down");
  }

  /** Sends a message that nobody sent, or one that somebody sent elsewhere or before. */
  inject(direction: Direction, ...messages: readonly Frames[]): void {
    if (this.#saidReady.size < 2)
      throw new Error("inject before both ends were ready would break the handshake");
    for (const frames of messages) this.#write(direction, encodeMessage(frames));
  }

  /** Sends a command that nobody sent, such as SUBSCRIBE, CANCEL or PING. */
  injectCommand(direction: Direction, { name, data }: Command): void {
    this.#write(direction, encodeCommand(name, data));
  }

  /** Stops reading what goes in this direction: buffers fill up behind it, as on a stalled network. */
  pause(direction: Direction): void {
    this.#source(direction).pause();
  }

  resume(direction: Direction): void {
    this.#source(direction).resume();
  }

  /** Ends both sides. ZeroMQ connects again by itself, over a new connection. */
  cut(): void {
    this.#peers.up.destroy();
    this.#peers.down.destroy();
  }

  #source(direction: Direction): Socket {
    return this.#peers[direction === "up" ? "down" : "up"];
  }

  #join(source: Socket, direction: Direction): void {
    source.setNoDelay(true);
    source.on(
      "data",
      zmtpParser((item) => this.#pass(item, direction)),
    );
    source.on("end", () => this.#peers[direction].end());
    source.on("error", () => this.cut());
  }

  #pass(item: Item, direction: Direction): void {
    const place = { connection: this, direction };
    if (item.kind === "message") {
      const verdict = this.#judge.message(item.frames, place);
      for (const frames of sentInstead(verdict, item.frames)) this.#write(direction, encodeMessage(frames));
    } else if (item.kind === "command") {
      const verdict = this.#judge.command(item, place);
      for (const { name, data } of sentInstead(verdict, item))
        this.#write(direction, encodeCommand(name, data));
      if (item.name === "READY") this.#sawReady(direction);
    } else {
      this.#write(direction, this.#greeting(item.bytes));
    }
  }

  /** The last piece of a greeting begins with the minor version: what both ends agree on is the attacker's choice. */
  #greeting(bytes: Buffer): Buffer {
    if (this.#minorVersion === undefined || bytes.length < 53) return bytes;
    return Buffer.concat([Buffer.of(this.#minorVersion), bytes.subarray(1)]);
  }

  #sawReady(direction: Direction): void {
    this.#saidReady.add(direction);
    if (this.#saidReady.size === 2) this.#becameReady();
  }

  #write(direction: Direction, bytes: Buffer): void {
    const peer = this.#peers[direction];
    if (!peer.destroyed) peer.write(bytes);
  }
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}

function sentInstead<Sent>(verdict: Verdict<Sent>, original: Sent): readonly Sent[] {
  if (verdict === undefined) return [original];
  return verdict === "drop" ? [] : verdict;
}
