// How every row is asserted. A message that is refused is not delivered, is counted exactly once and under the right
// reason, changes no state (the genuine message it was made from, or the next one, is delivered after it) and does not
// end the receive loop.

import type { Reason, Rejection } from "countersign";
import { expect, vi } from "vitest";
import type { Connection } from "./connection.js";
import type { Delivered } from "./inbox.js";
import { type Body, type Ends, type Flow, SENDER, type Sides } from "./line.js";
import type { Hooks, Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

/** What the attacker makes of a genuine message that he has in his hands. */
export type Forgery = (genuine: Frames) => Frames;

export type Reasons = Reason | readonly Reason[];
/** Why a forgery must be refused: a reason, several where the format leaves it open, or what its original says. */
export type Expected = Reasons | ((genuine: Frames) => Reasons);

const REFUSED_KIND = 7;

/** An honest message that has not arrived yet. */
export interface Held {
  readonly body: readonly string[];
  readonly recorded: Recorded;
}

export class Line {
  readonly flow: Flow;
  readonly ends: Ends;
  /** Why messages were refused, in order, as `onReject` told it; taken out by each assertion. */
  readonly #reasons: Reason[];
  readonly #sender: string;
  #honest = 0;

  private constructor(flow: Flow, ends: Ends, reasons: Reason[], sender: string) {
    this.flow = flow;
    this.ends = ends;
    this.#reasons = reasons;
    this.#sender = sender;
  }

  static async open(flow: Flow, sides: Sides = {}): Promise<Line> {
    const reasons: Reason[] = [];
    const { onReject, ...given } = sides.receiver ?? {};
    const tell = (rejection: Rejection) => {
      reasons.push(rejection.reason);
      onReject?.(rejection);
    };
    const receiver = { ...given, onReject: tell };
    const ends = await flow.open({ ...sides, receiver });
    return new Line(flow, ends, reasons, String(sides.sender?.sender ?? SENDER));
  }

  /** Ends both sockets, as a process that stops: the sender's name is free again. */
  close(): void {
    this.ends.sender.close();
    this.ends.receiver.close();
  }

  /** Cuts the connection and waits until both ends speak again over a new one. */
  async reconnect(): Promise<Connection> {
    const { attacker, again } = this.ends;
    const next = attacker.connections.length;
    for (const connection of attacker.connections) connection.cut();
    const connection = await attacker.connection(next);
    await again?.();
    return connection;
  }

  /** Sends a message that nobody has sent before, sees it delivered, and returns it as it went over the wire. */
  async honest(body: Body = this.newBody()): Promise<Recorded> {
    await this.ends.send(body);
    await this.expectDelivered(body);
    return this.lastOnWire();
  }

  /** Sends this many honest messages and catches them on the way: they are the attacker's to release. */
  async hold(count: number): Promise<Held[]> {
    const { attacker } = this.ends;
    const { direction } = this.flow;
    const already = attacker.sent(direction).length;
    attacker.hooks = { onMessage: (_, place) => (place.direction === direction ? "drop" : undefined) };
    const bodies = Array.from({ length: count }, () => this.newBody());
    for (const body of bodies) await this.ends.send(body);
    const caught = await attacker.caught(direction, already + count);
    attacker.hooks = {};
    return bodies.map((body, index) => ({ body, recorded: caught[already + index] as Recorded }));
  }

  newBody(): string[] {
    return [`honest ${++this.#honest}`, "", "tail"];
  }

  async expectDelivered(body: Body): Promise<Delivered> {
    const delivered = await this.ends.inbox.next();
    const { frames, origin } = delivered;
    expect(frames).toEqual(body.map((part) => Buffer.from(part as string).toString("latin1")));
    expect(origin?.sender).toBe(this.#sender);
    return delivered;
  }

  lastOnWire(): Recorded {
    return this.ends.attacker.sent(this.flow.direction).at(-1) as Recorded;
  }

  /** Puts forgeries in front of the next genuine message; each must be refused for its reason, in order. */
  async refuses(
    forgeries: readonly Forgery[],
    expected: readonly Expected[],
    body: Body = this.newBody(),
  ): Promise<void> {
    expect(expected.length).toBe(forgeries.length);
    const originals: Frames[] = [];
    const forge = (forgery: Forgery, genuine: Frames) => {
      originals.push(genuine);
      return forgery(genuine);
    };
    const before = this.ends.receiver.stats;
    const delivered = this.ends.inbox.all.length;
    if (this.flow.oneEach)
      for (const forgery of forgeries) await this.#replace((genuine) => [forge(forgery, genuine)], body);
    else this.#next((genuine) => [...forgeries.map((forgery) => forge(forgery, genuine)), genuine]);
    await this.honest(body);
    this.ends.attacker.hooks = {};
    expect(this.ends.inbox.all.length).toBe(delivered + 1);
    const told = this.expectReasons(
      expected.map((reason, index) => resolved(reason, originals[index] as Frames)),
    );
    expect(this.ends.receiver.stats.accepted).toBe(before.accepted + 1);
    expect(differences(before.rejected, this.ends.receiver.stats.rejected)).toEqual(tally(told));
  }

  /** The same, all of them for one reason. */
  async refusesEach(forgeries: readonly Forgery[], reason: Reason): Promise<void> {
    expect(forgeries.length).toBeGreaterThan(0);
    await this.refuses(
      forgeries,
      forgeries.map(() => reason),
    );
  }

  /** Waits until so many messages were refused, and compares the reasons: for attacks over another connection. */
  async refusedSoFar(expected: readonly Reasons[]): Promise<void> {
    await vi.waitUntil(() => this.#reasons.length >= expected.length, { timeout: 20_000, interval: 1 });
    this.expectReasons(expected);
  }

  /** Compares the reasons told since the last look with the expected ones, one by one; returns them. */
  expectReasons(expected: readonly Reasons[]): readonly Reason[] {
    const told = this.#reasons.splice(0);
    expect(told.length).toBe(expected.length);
    const wrong = told
      .map((reason, index) => ({ index, reason, expected: expected[index] as Reasons }))
      .filter(({ reason, expected }) => ![expected].flat().includes(reason));
    expect(wrong).toEqual([]);
    return told;
  }

  async #replace(judge: (genuine: Frames) => readonly Frames[], body: Body): Promise<void> {
    this.#next(judge);
    await this.ends.send(body);
  }

  #next(judge: (genuine: Frames) => readonly Frames[]): void {
    this.ends.attacker.hooks = this.instead(judge);
  }

  /** Hooks that send these in the place of the next message on the flow, and leave the rest alone. */
  instead(judge: (genuine: Frames) => readonly Frames[]): Hooks {
    const { direction, refusalsBack } = this.flow;
    let done = false;
    return {
      onMessage: (frames, place) => {
        if (place.direction !== direction) return refusalsBack && isRefusal(frames) ? "drop" : undefined;
        if (done) return undefined;
        done = true;
        return judge(frames);
      },
    };
  }
}

function resolved(expected: Expected, genuine: Frames): Reasons {
  return typeof expected === "function" ? expected(genuine) : expected;
}

function isRefusal(frames: Frames): boolean {
  return frames.at(-1)?.at(3) === REFUSED_KIND && frames.at(-1)?.length === 8;
}

/** How often each reason occurs. */
function tally(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** The counters that have moved, and by how much. */
function differences(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const moved = Object.entries(after).map(
    ([name, count]) => [name, count - (before[name] as number)] as const,
  );
  return Object.fromEntries(moved.filter(([, by]) => by !== 0));
}
