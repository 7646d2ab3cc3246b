// A peer in another language, over real tcp: Python with pyzmq and the verifier written from docs/wire.md, against
// Countersign's sockets, in both directions.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { Dealer, generateKey, Pull, Push, Reply, Request, Router, Subscriber, XPublisher } from "countersign";
import { afterEach, describe, expect, it } from "vitest";
import { findPython, inThisFolder, maySkip, required } from "./python.js";

const python = findPython("zmq");
const COUNT = 10;
const key = generateKey();

interface Told {
  readonly ok: boolean;
  readonly delivered: readonly (readonly string[])[];
  readonly origin: { readonly sender: string; readonly sequence: number };
}

/** One Python peer. */
class Peer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly ended: Promise<number | null>;

  constructor(role: string, rest: { address?: string; to?: string } = {}) {
    this.#child = spawn(required(python), [inThisFolder("peer.py")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.ended = new Promise((resolve) => this.#child.on("close", resolve));
    const order = { secret: key.toString("hex"), role, count: COUNT, ...rest };
    this.#child.stdin.end(`${JSON.stringify(order)}\n`);
  }

  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the Python peer ended early");
    return JSON.parse(value);
  }

  async address(): Promise<string> {
    return ((await this.line()) as { address: string }).address;
  }

  /** Everything that it was told of arriving messages. */
  async verdicts(): Promise<Told[]> {
    const verdicts: Told[] = [];
    for (let i = 0; i < COUNT; i++) verdicts.push((await this.line()) as Told);
    expect(await this.ended).toBe(0);
    return verdicts;
  }

  kill(): void {
    this.#child.kill();
  }
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function peer(role: string, rest?: { address?: string; to?: string }): Peer {
  const made = new Peer(role, rest);
  closers.push(() => made.kill());
  return made;
}

function open<Socket extends { close(): void }>(socket: Socket): Socket {
  closers.push(() => socket.close());
  return socket;
}

const signing = { key, sender: "node", channel: "shell" };
const options = { linger: 0, receiveTimeout: 20_000, signing };
const sequences = Array.from({ length: COUNT }, (_, i) => i + 1);
const hex = (...frames: string[]) => frames.map((text) => Buffer.from(text).toString("hex"));
const texts = (message: readonly Buffer[]) => message.map((frame) => frame.toString());

/** What Python says of `COUNT` messages of ours, each delivered with these frames behind `skip` others. */
function expectHeard(verdicts: readonly Told[], skip: number, frames: (number: number) => string[]): void {
  expect(verdicts.map(({ ok }) => ok)).toEqual(sequences.map(() => true));
  expect(verdicts.map(({ origin }) => origin)).toMatchObject(
    sequences.map((sequence) => ({ sender: "node", sequence })),
  );
  expect(verdicts.map(({ delivered }) => delivered.map((message) => message.slice(skip)))).toEqual(
    sequences.map((number) => [hex(...frames(number))]),
  );
}

describe.skipIf(maySkip(python))("a Python peer (python3-zmq)", () => {
  it("signs as a DEALER what our ROUTER delivers, and verifies its answers", async () => {
    const router = open(new Router(options));
    await router.bind("tcp://127.0.0.1:*");
    const python = peer("dealer", { address: router.lastEndpoint as string });
    for (const sequence of sequences) {
      const message = await router.receive();
      const [id, ...body] = message;
      expect(texts(body)).toEqual(["question", "", String(sequence)]);
      expect(message.origin).toMatchObject({
        sender: "python",
        pattern: "dealer",
        channel: "shell",
        sequence,
      });
      await router.send([id as Buffer, "answer", String(sequence)]);
    }
    expectHeard(await python.verdicts(), 0, (number) => ["answer", String(number)]);
    expect(router.stats).toMatchObject({ accepted: COUNT, sent: COUNT });
  });

  it("verifies as a ROUTER what our DEALER signs, and addresses its answers", async () => {
    const python = peer("router");
    const dealer = open(new Dealer(options));
    dealer.connect(await python.address());
    for (const sequence of sequences) {
      await dealer.send(["question", "x".repeat(sequence * 4000)]);
      const answer = await dealer.receive();
      expect(texts(answer)).toEqual(["answer", "question", "x".repeat(sequence * 4000)]);
      expect(answer.origin).toMatchObject({ sender: "python", addressed: true, sequence });
    }
    expectHeard(await python.verdicts(), 1, (number) => ["question", "x".repeat(number * 4000)]);
  });

  it("asks as a REQ; our REP binds its replies", async () => {
    const reply = open(new Reply(options));
    await reply.bind("tcp://127.0.0.1:*");
    const python = peer("req", { address: reply.lastEndpoint as string });
    for (const sequence of sequences) {
      expect(texts(await reply.receive())).toEqual(["question", "", String(sequence)]);
      await reply.send(["answer", String(sequence)]);
    }
    expectHeard(await python.verdicts(), 0, (number) => ["answer", String(number)]);
  });

  it("answers as a REP; our REQ takes its bound replies", async () => {
    const python = peer("rep");
    const request = open(new Request(options));
    request.connect(await python.address());
    for (const sequence of sequences) {
      await request.send(["question", String(sequence)]);
      expect(texts(await request.receive())).toEqual(["answer", "question", String(sequence)]);
    }
    expectHeard(await python.verdicts(), 0, (number) => ["question", String(number)]);
  });

  it("answers as a ROUTER to our REQ", async () => {
    const python = peer("router");
    const request = open(new Request(options));
    request.connect(await python.address());
    for (const sequence of sequences) {
      await request.send(["question", String(sequence)]);
      expect(texts(await request.receive())).toEqual(["answer", "question", String(sequence)]);
    }
    expectHeard(await python.verdicts(), 2, (number) => ["question", String(number)]);
  });

  it("publishes to our SUB", async () => {
    const python = peer("xpub");
    const subscriber = open(new Subscriber(options));
    subscriber.subscribe("topic");
    subscriber.connect(await python.address());
    for (const sequence of sequences) {
      const message = await subscriber.receive();
      expect(texts(message)).toEqual(["topic", "news", String(sequence)]);
      expect(message.origin).toMatchObject({ sender: "python", pattern: "xpub", sequence });
    }
    expect(await python.ended).toBe(0);
  });

  it("subscribes to our XPUB", async () => {
    const publisher = open(new XPublisher(options));
    await publisher.bind("tcp://127.0.0.1:*");
    const python = peer("sub", { address: publisher.lastEndpoint as string });
    expect(texts(await publisher.receive())).toEqual(["\u0001topic"]);
    for (const sequence of sequences) await publisher.send(["topic/a", "news", "", String(sequence)]);
    expectHeard(await python.verdicts(), 0, (number) => ["topic/a", "news", "", String(number)]);
  });

  it("pulls what our PUSH signs", async () => {
    const push = open(new Push({ linger: 0, signing: { ...signing, to: "python" } }));
    await push.bind("tcp://127.0.0.1:*");
    const python = peer("pull", { address: push.lastEndpoint as string });
    for (const sequence of sequences) await push.send(["job", String(sequence)]);
    expectHeard(await python.verdicts(), 0, (number) => ["job", String(number)]);
  });

  it("is refused on another channel", async () => {
    const reasons: string[] = [];
    let allRefused = () => {};
    const refused = new Promise<void>((resolve) => {
      allRefused = resolve;
    });
    const onReject = ({ reason }: { readonly reason: string }) => {
      if (reasons.push(reason) === COUNT) allRefused();
    };
    const pull = open(new Pull({ ...options, signing: { ...signing, channel: "control", onReject } }));
    await pull.bind("tcp://127.0.0.1:*");
    const received = pull.receive();
    peer("push", { address: pull.lastEndpoint as string });
    await refused;
    const meant = open(new Push({ linger: 0, signing: { ...signing, channel: "control", sender: "other" } }));
    meant.connect(pull.lastEndpoint as string);
    await meant.send("meant");
    expect(texts(await received)).toEqual(["meant"]);
    expect(reasons).toEqual(sequences.map(() => "bad-signature"));
  });
});
