// Message shapes: whatever zeromq.js takes arrives as zeromq.js would deliver it, whichever way it travels.

import { Dealer, Pair, Pull, Push, Router } from "countersign";
import type { MessageLike } from "countersign/core";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, failure, opened, signing, TRANSPORTS, text } from "./harness.js";

const shared = new SharedArrayBuffer(3);
new Uint8Array(shared).set([1, 2, 3]);
const bytes = (...values: number[]) => Buffer.from(values);

/** What is given to send, and the frames that must arrive. */
const SHAPES: [string, MessageLike, Buffer[]][] = [
  ["a string", "hello", [Buffer.from("hello")]],
  ["an empty string", "", [bytes()]],
  ["text beyond ASCII", "grüße 𝄞", [Buffer.from("grüße 𝄞")]],
  ["null", null, [bytes()]],
  ["a number", 123.5, [Buffer.from("123.5")]],
  ["a Buffer", bytes(1, 2), [bytes(1, 2)]],
  ["an empty Buffer", bytes(), [bytes()]],
  ["a Uint8Array", new Uint8Array([1, 2]), [bytes(1, 2)]],
  ["part of a Uint16Array", new Uint16Array([1, 2, 3]).subarray(1, 2), [bytes(2, 0)]],
  ["a Float64Array", new Float64Array([0]), [Buffer.alloc(8)]],
  ["a DataView", new DataView(Uint8Array.from([1, 2, 3]).buffer, 1), [bytes(2, 3)]],
  ["an ArrayBuffer", Uint8Array.from([1, 2]).buffer, [bytes(1, 2)]],
  ["a SharedArrayBuffer", shared, [bytes(1, 2, 3)]],
  ["several frames", ["one", "two", "three"], ["one", "two", "three"].map((frame) => Buffer.from(frame))],
  ["empty frames", ["", "body", null, ""], [bytes(), Buffer.from("body"), bytes(), bytes()]],
  ["only an empty frame", [""], [bytes()]],
  ["mixed kinds", [null, 7, "x", bytes(9)], [bytes(), Buffer.from("7"), Buffer.from("x"), bytes(9)]],
  [
    "100 frames",
    Array.from({ length: 100 }, (_, i) => `${i}`),
    Array.from({ length: 100 }, (_, i) => Buffer.from(`${i}`)),
  ],
  [
    "frames that look signed",
    [bytes(0xc1, 0x53, 1, 0), bytes(0xc1, 0x53)],
    [bytes(0xc1, 0x53, 1, 0), bytes(0xc1, 0x53)],
  ],
  ["a frame as large as the inline limit", Buffer.alloc(16_384, 1), [Buffer.alloc(16_384, 1)]],
  ["2 MB", [Buffer.alloc(2_000_000, 7), "end"], [Buffer.alloc(2_000_000, 7), Buffer.from("end")]],
];

/** Compares as bytes: large frames element by element would take long. */
function expectFrames(received: readonly Buffer[], expected: readonly Buffer[]): void {
  expect(received.map((frame) => Buffer.isBuffer(frame) && frame.length)).toEqual(
    expected.map((frame) => frame.length),
  );
  expect(received.every((frame, i) => frame.equals(expected[i]!))).toBe(true);
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  it.each(SHAPES)("%s", async (_, message, expected) => {
    const left = opened(new Pair({ linger: 0, signing: as("left") }));
    const right = opened(new Pair({ linger: 0, signing: as("right") }));
    right.connect(await bound(left, transport));
    await left.send(message as never);
    const received = await right.receive();
    expectFrames(received, expected);
    await right.send(received);
    expectFrames(await left.receive(), expected);
  });
});

describe.each([
  ["inline", Number.POSITIVE_INFINITY],
  ["detached", 0],
])("%s", (_, inline) => {
  it.each(SHAPES)("%s, from DEALER to ROUTER and back", async (__, message, expected) => {
    const limits = { inline };
    const router = opened(new Router({ linger: 0, signing: as("router", { limits }) }));
    const dealer = opened(new Dealer({ linger: 0, routingId: "d", signing: as("dealer", { limits }) }));
    dealer.connect(await bound(router));
    await dealer.send(message as never);
    const received = await router.receive();
    expectFrames(received, [Buffer.from("d"), ...expected]);
    await router.send(received);
    expectFrames(await dealer.receive(), expected);
    expect([router.stats.accepted, dealer.stats.accepted]).toEqual([1, 1]);
  });
});

it("a message without frames is none", async () => {
  const pull = opened(new Pull({ signing }));
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(await bound(pull));
  await push.send([]);
  await push.send("first");
  const message = await pull.receive();
  expect([text(message), message.origin.sequence]).toEqual([["first"], 1]);
  expect(push.stats.sent).toBe(1);
});

it("what coerces to a string arrives as that string", async () => {
  const pull = opened(new Pull({ signing }));
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(await bound(pull));
  const values: unknown[] = [false, { toString: () => "named" }, 10n, new Date(0)];
  await push.send(values as string[]);
  expect(text(await pull.receive())).toEqual(["false", "named", "10", String(new Date(0))]);
});

it("the message is the plain array that zeromq.js gives, but for its origin", async () => {
  const pull = opened(new Pull({ signing }));
  const push = opened(new Push({ linger: 0, signing: as("push", { channel: "" }) }));
  push.connect(await bound(pull));
  await push.send(["one", "two"]);
  const message = await pull.receive();
  expect(Array.isArray(message)).toBe(true);
  expect(message).toEqual([Buffer.from("one"), Buffer.from("two")]);
  expect(Object.keys(message)).toEqual(["0", "1"]);
  expect(JSON.stringify(message)).toBe(JSON.stringify([Buffer.from("one"), Buffer.from("two")]));
  expect([...message]).not.toHaveProperty("origin");
  expect(message.origin.sender).toBe("push");
});

it("received frames can be kept and changed without touching others", async () => {
  const pull = opened(new Pull({ signing }));
  const push = opened(new Push({ linger: 0, signing }));
  push.connect(await bound(pull));
  await push.send(["aaaa", "bbbb"]);
  await push.send(["cccc", "dddd"]);
  const first = await pull.receive();
  first[0]!.fill("z");
  expect([text(first), text(await pull.receive())]).toEqual([
    ["zzzz", "bbbb"],
    ["cccc", "dddd"],
  ]);
});

describe("maxMessageSize", () => {
  it("counts the signature too: a peer that sends more is cut off", async () => {
    const pull = opened(new Pull({ maxMessageSize: 300, receiveTimeout: 100, signing: as("pull") }));
    const push = opened(new Push({ linger: 0, signing: as("push") }));
    push.connect(await bound(pull));
    await push.send(Buffer.alloc(100));
    expect((await pull.receive())[0]).toHaveLength(100);
    await push.send(Buffer.alloc(300));
    expect(await failure(() => pull.receive())).toMatchObject({ code: "EAGAIN" });
  });
});

it("the bytes on the wire are what a plain socket sees: signature frame first, body behind or inside it", async () => {
  const plain = opened(new zmq.Pull());
  const limits = { inline: 10 };
  const push = opened(new Push({ linger: 0, signing: as("push", { limits }) }));
  push.connect(await bound(plain));
  await push.send("ab");
  await push.send("larger than inline");
  const inline = await plain.receive();
  const detached = await plain.receive();
  expect([inline.length, detached.length]).toEqual([1, 2]);
  for (const [signature] of [inline, detached])
    expect(signature!.subarray(0, 3)).toEqual(bytes(0xc1, 0x53, 1));
  expect(inline[0]!.subarray(-2)).toEqual(Buffer.from("ab"));
  expect(detached[1]).toEqual(Buffer.from("larger than inline"));
});
