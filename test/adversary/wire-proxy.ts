// The attacker: a TCP man in the middle of ZeroMQ sockets of any pattern. He reads, records, drops, edits,
// duplicates, reorders, invents and splices whole messages, in both directions, and cuts or stalls connections.
//
// What he sees is what ZMTP carries: no id frame of a ROUTER, but the empty delimiter of REQ and REP; subscriptions as
// SUBSCRIBE and CANCEL commands under ZMTP 3.1, as messages that begin with 1 or 0 under 3.0.

import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import {
  type Command,
  Connection,
  type Direction,
  type Judge,
  type Place,
  type Target,
  type Verdict,
} from "./connection.js";
import type { Frames } from "./zmtp.js";

export interface Recorded extends Place {
  readonly frames: Frames;
}

export interface Hooks {
  /** Asked for each message that was sent, before it is passed on. Injected ones are not asked about. */
  onMessage?(frames: Frames, place: Place): Verdict<Frames>;
  /** The same for commands: READY, SUBSCRIBE, CANCEL, PING, PONG. */
  onCommand?(command: Command, place: Place): Verdict<Command>;
  /** Rewrites the minor version in both greetings: 0 makes both ends speak ZMTP 3.0. */
  readonly minorVersion?: number;
}

export class Attacker implements Judge {
  /** Every message that was sent, as it was sent, in the order in which it came by. */
  readonly recorded: Recorded[] = [];
  readonly connections: Connection[] = [];
  /** May be changed while traffic flows, as the rules of a broker may. */
  hooks: Hooks;
  readonly #server: Server;
  readonly #events = new EventEmitter();
  #target: Target;

  private constructor(target: string, hooks: Hooks) {
    this.#target = parseEndpoint(target);
    this.hooks = hooks;
    this.#events.setMaxListeners(0);
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on a free port; whoever connects there is connected to the target, through the attacker. */
  static async between(target: string, hooks: Hooks = {}): Promise<Attacker> {
    const attacker = new Attacker(target, hooks);
    attacker.#server.listen(0, "127.0.0.1");
    await once(attacker.#server, "listening");
    return attacker;
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where new connections lead: a target that has restarted has another port. */
  set target(endpoint: string) {
    this.#target = parseEndpoint(endpoint);
  }

  /** The n-th connection (from 0), once it stands. */
  async connection(index: number): Promise<Connection> {
    while (this.connections.length <= index) await once(this.#events, "connection");
    const connection = this.connections[index] as Connection;
    await connection.ready;
    return connection;
  }

  /** What was sent in one direction so far. */
  sent(direction: Direction): Recorded[] {
    return this.recorded.filter((recorded) => recorded.direction === direction);
  }

  /** The first `count` messages that were sent in one direction, as soon as there are so many. */
  async caught(direction: Direction, count = 1): Promise<Recorded[]> {
    while (this.sent(direction).length < count) await once(this.#events, "message");
    return this.sent(direction).slice(0, count);
  }

  /** Sends something recorded once more, or at last if it was dropped: where it was going. */
  replay(...recorded: readonly Recorded[]): void {
    for (const { connection, direction, frames } of recorded) connection.inject(direction, frames);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.connections) connection.cut();
    await closed;
  }

  message(frames: Frames, place: Place): Verdict<Frames> {
    this.recorded.push({ ...place, frames });
    const verdict = this.hooks.onMessage?.(frames, place);
    queueMicrotask(() => this.#events.emit("message"));
    return verdict;
  }

  command(command: Command, place: Place): Verdict<Command> {
    return this.hooks.onCommand?.(command, place);
  }

  #accept(client: Socket): void {
    this.connections.push(new Connection(client, this.#target, this, this.hooks.minorVersion));
    this.#events.emit("connection");
  }
}

function parseEndpoint(endpoint: string): Target {
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port: Number(port) };
}
