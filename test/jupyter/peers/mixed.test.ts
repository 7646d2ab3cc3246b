// Mixed company on one iopub: a kernel that hardens, and a hardened client, a plain one of this library and jupyter_client
// that hear it. Each gets everything; the attacker between the two hardened ones gets nothing through.

import { JupyterSocket, type ReceivedMessage, Session } from "countersign/jupyter";
import { afterEach, describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { JupyterClientPeer, noJupyterClient } from "./peer.js";

const KEY = "a0436f6c-1916-498b-8eb9-e81ab9368e84";
const COUNT = 200;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});
function opened<Closes extends { close(): void }>(closes: Closes): Closes {
  closers.push(() => closes.close());
  return closes;
}

/** Passes on what he hears, and whatever he can make of it and of what plain peers have said. */
async function attack(
  from: string,
  plainOnes: readonly Buffer[][],
): Promise<{ address: string; injected: () => number }> {
  const ear = opened(new zmq.Subscriber());
  const mouth = opened(new zmq.XPublisher({ sendHighWaterMark: 0 }));
  await mouth.bind("tcp://127.0.0.1:*");
  ear.connect(from);
  ear.subscribe();
  let injected = 0;
  let previous: Buffer[] | undefined;
  void (async () => {
    for await (const frames of ear) {
      const [topic, ...rest] = frames as [Buffer, ...Buffer[]];
      const flipped = frames.map((frame) => Buffer.from(frame));
      flipped.at(-1)![0]! ^= 1;
      const forgeries = [
        [...frames, Buffer.from("one buffer more")],
        frames.slice(0, -1),
        flipped,
        [Buffer.from("another.topic"), ...rest],
        rest,
        [topic, topic, ...rest],
        ...(previous ? [previous] : []),
        ...plainOnes.map((plain) => [topic, ...plain]),
      ];
      for (const forgery of forgeries) await mouth.send(forgery);
      await mouth.send(frames);
      await mouth.send(frames);
      injected += forgeries.length + 1;
      previous = frames;
    }
  })().catch(() => {});
  return { address: mouth.lastEndpoint as string, injected: () => injected };
}

function listen(socket: JupyterSocket): ReceivedMessage[] {
  const heard: ReceivedMessage[] = [];
  void (async () => {
    for await (const message of socket) if (message.header.msg_type !== "iopub_welcome") heard.push(message);
  })();
  return heard;
}

const numbers = (heard: readonly ReceivedMessage[]) =>
  heard.map(({ content }) => content.n).filter((n) => typeof n === "number");

describe.skipIf(noJupyterClient)("mixed company on one iopub", () => {
  it("each gets everything, and the attacker gets nothing through between the hardened ones (42, 45 to 47)", async () => {
    const kernel = opened(new Session({ key: KEY, role: "kernel" }));
    const iopub = opened(new JupyterSocket(kernel, "iopub", { sendHighWaterMark: 0 }));
    await iopub.bind("tcp://127.0.0.1:*");
    const address = iopub.lastEndpoint as string;

    const hardenedSession = opened(new Session({ key: KEY, role: "client" }));
    const plainSession = opened(new Session({ key: KEY, role: "client", harden: false }));
    // What plain holders of the key have said elsewhere since the hardened client began.
    const otherKernel = new Session({ key: KEY, role: "kernel", harden: false });
    const plainOnes = [
      plainSession.serialize(plainSession.message("execute_request", { code: "evil" })),
      plainSession.serialize(plainSession.message("comm_msg", { n: -1 })),
      otherKernel.serialize(otherKernel.message("stream", { name: "stdout", n: -2 })),
    ];

    const hardened = opened(new JupyterSocket(hardenedSession, "iopub", { receiveHighWaterMark: 0 }));
    const plain = opened(new JupyterSocket(plainSession, "iopub", { receiveHighWaterMark: 0 }));
    plain.connect(address);
    const python = opened(new JupyterClientPeer({ role: "subscribe", address, key: KEY }));
    // Before the attacker comes the client has heard its kernel: until then plain ones may be from anybody (docs/jupyter.md, 3.4).
    hardened.connect(address);
    const heard = listen(hardened);
    const heardPlainly = listen(plain);

    let joined: unknown;
    void python.line().then((line) => {
      joined = line;
    });
    for (let probe = 0; !joined || heard.length === 0 || heardPlainly.length === 0; probe++) {
      if (iopub.stats.sent < 5000) await iopub.send(kernel.message("status", { probe }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    hardened.disconnect(address);
    const attacker = await attack(address, plainOnes);
    hardened.connect(attacker.address);
    const before = heard.length;
    for (let probe = -1; heard.length === before; probe--) {
      await iopub.send(kernel.message("status", { probe }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }

    for (let n = 0; n < COUNT; n++) {
      const buffers = n % 2 === 0 ? [Buffer.from(`buffer ${n}`)] : [];
      await iopub.send(kernel.message("display_data", { n }, { buffers, metadata: { nested: { n } } }));
    }
    await iopub.send(kernel.message("status", { last: true }));

    const all = Array.from({ length: COUNT }, (_, n) => n);
    let line: Record<string, unknown>;
    do line = (await python.line()) as Record<string, unknown>;
    while ("heard" in line);
    expect(line).toEqual({ delivered: all, refused: [] });
    const done = (messages: readonly ReceivedMessage[]) => messages.some(({ content }) => content.last);
    while (!done(heard) || !done(heardPlainly)) await new Promise((resolve) => setTimeout(resolve, 5));

    expect(numbers(heard)).toEqual(all);
    expect(heard.every(({ origin }) => origin?.sender === kernel.id)).toBe(true);
    expect(numbers(heardPlainly)).toEqual(all);
    expect(heardPlainly.every(({ origin }) => origin === undefined)).toBe(true);
    const { rejected, accepted } = hardened.stats;
    expect(accepted).toBeGreaterThanOrEqual(COUNT + 1);
    expect(rejected["not-hardened"]).toBeGreaterThan(COUNT);
    expect(rejected["bad-buffers"]).toBeGreaterThan(COUNT);
    expect(rejected["wrong-topic"]).toBeGreaterThan(2 * COUNT);
    expect(rejected.replayed).toBeGreaterThan(COUNT);
    expect(attacker.injected()).toBeGreaterThan(9 * COUNT);
  });
});
