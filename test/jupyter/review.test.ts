// What a hostile reading found: each of these got through, used up what was genuine, or stopped what should go on.

import { createHmac } from "node:crypto";
import { msgpack } from "countersign/codec";
import { HARDENED_KEY, HeartbeatEcho, JupyterSocket } from "countersign/jupyter";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { HardenedPeers } from "../../src/jupyter/memory.js";
import { clientOf, delivered, KEY, kernelOf, saidOf, testClock } from "./ends.js";

/** Signed by a key holder whose code is not this library's. */
function signed(parts: readonly Uint8Array[]): Buffer[] {
  const mac = createHmac("sha256", KEY);
  for (const part of parts) mac.update(part);
  return [
    Buffer.from("<IDS|MSG>"),
    Buffer.from(mac.digest("hex")),
    ...parts.map((part) => Buffer.from(part)),
  ];
}

describe("a genuine signature over parts that are cut elsewhere (42)", () => {
  it.each(["json", "msgpack"] as const)("%s: is refused and uses nothing up", (packer) => {
    const clock = testClock();
    const kernel = kernelOf({ clock, packer });
    const plain = clientOf({ clock, packer, harden: false });
    const genuine = plain.serialize(plain.message("execute_request", { code: "1" }));
    const [delimiter, signature, header, parent, metadata, content] = genuine as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const cut = [header, Buffer.concat([parent, metadata]), content, Buffer.alloc(0)];
    const shell = kernel.channel("shell");
    expect(saidOf(shell.deserialize([delimiter, signature, ...cut]))).toBe("undecodable");
    expect(delivered(shell.deserialize(genuine)).content).toEqual({ code: "1" });
    expect(saidOf(shell.deserialize(genuine))).toBe("replayed");
  });
});

describe("between two ends that harden", () => {
  it.each(["", "x", "<IDS|MSG"])("a frame put in front of what a DEALER gets: %j", (front) => {
    const clock = testClock();
    const [kernel, client] = [kernelOf({ clock }), clientOf({ clock })];
    const reply = kernel.message("execute_reply");
    const [, ...frames] = kernel
      .channel("shell")
      .serialize(reply, { identities: [Buffer.from("id")], to: client.id });
    const shell = client.channel("shell");
    expect(saidOf(shell.deserialize([Buffer.from(front), ...frames]))).toBe("malformed");
    expect(saidOf(shell.deserialize(frames))).toBe("ok");
  });
});

describe("who hardens", () => {
  it("is known, and forgotten, by ids of any length: a long one is kept as its hash", () => {
    const peers = new HardenedPeers(2);
    const ids = ["a", "b".repeat(1000), "c".repeat(1000)];
    for (const id of ids) peers.learn(id);
    expect(ids.map((id) => peers.has(id))).toEqual([false, true, true]);
  });
});

describe("MessagePack of other languages", () => {
  const codec = msgpack<Record<string, unknown>>();
  const pack = (value: object): Uint8Array => codec.encode(value as Record<string, unknown>)[0] as Uint8Array;

  it("numbers of a hardened message may be 64-bit integers", () => {
    const clock = testClock();
    const [kernel, client] = [kernelOf({ clock, packer: "msgpack" }), clientOf({ clock, packer: "msgpack" })];
    const frames = client.channel("shell").serialize(client.message("x"));
    const stamp = (codec.decode([frames[4]!]) as Record<string, object>)[HARDENED_KEY] as Record<
      string,
      unknown
    >;
    const wide = Object.entries(stamp).map(([name, value]) => [
      name,
      typeof value === "number" ? BigInt(value) : value,
    ]);
    const stamped = (changes: object = {}) => {
      const metadata = pack({ [HARDENED_KEY]: { ...Object.fromEntries(wide), ...changes } });
      return signed([frames[2]!, frames[3]!, metadata, frames[5]!]);
    };
    const shell = kernel.channel("shell");
    expect(saidOf(shell.deserialize(stamped({ sequence: 2n ** 53n })))).toBe("malformed");
    expect(saidOf(shell.deserialize(stamped({ sequence: 2n ** 53n + 1n })))).toBe("malformed");
    expect(delivered(shell.deserialize(stamped())).origin?.epoch).toBe(stamp.epoch);
  });

  it.each([
    ["binary", pack({ a: Buffer.from("x") }).subarray(3)],
    ["a timestamp", pack({ a: new Date(0) }).subarray(3)],
  ])("a part that is %s is no dict", (_, part) => {
    const clock = testClock();
    const kernel = kernelOf({ clock, packer: "msgpack" });
    const plain = clientOf({ clock, packer: "msgpack", harden: false });
    const [, , header, parent, metadata, content] = plain.serialize(plain.message("x")) as Buffer[];
    const shell = kernel.channel("shell");
    expect(saidOf(shell.deserialize(signed([header!, parent!, metadata!, part])))).toBe("undecodable");
    expect(saidOf(shell.deserialize(signed([header!, parent!, part, content!])))).toBe("undecodable");
  });
});

describe("sockets", () => {
  it("32: content that was packed before may be written over right after send", async () => {
    const session = clientOf();
    const kernel = new JupyterSocket(kernelOf(), "shell", { receiveTimeout: 2000 });
    const client = new JupyterSocket(session, "shell");
    try {
      await kernel.bind("tcp://127.0.0.1:*");
      const content = Buffer.from(JSON.stringify({ text: "a".repeat(100_000) }));
      const sent = client.send({ ...session.message("x_request"), content });
      content.fill("x");
      client.connect(kernel.lastEndpoint as string);
      await sent;
      expect((await kernel.receive()).content).toEqual({ text: "a".repeat(100_000) });
      expect(kernel.stats.rejected["bad-signature"]).toBe(0);
    } finally {
      client.close();
      kernel.close();
    }
  });

  it("a heartbeat that is bound twice leaves the event loop to others", async () => {
    const echo = new HeartbeatEcho();
    const ping = new zmq.Request({ receiveTimeout: 5000 });
    try {
      await echo.bind("tcp://127.0.0.1:*");
      await echo.bind("tcp://127.0.0.1:*");
      ping.connect(echo.lastEndpoint as string);
      await ping.send("x");
      expect(String(await ping.receive())).toBe("x");
    } finally {
      ping.close();
      echo.close();
    }
  });

  it("subscriptions, which anybody can make, forget no topic's count: a welcome claims no ordinal", async () => {
    const session = kernelOf({ limits: { peers: 3 } });
    const kernel = new JupyterSocket(session, "iopub");
    const stranger = new zmq.Subscriber({ receiveTimeout: 5000 });
    const ordinals: [topic: string, ordinal: number][] = [];
    const hear = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const [topic, , , , , metadata] = await stranger.receive();
        ordinals.push([String(topic), JSON.parse(String(metadata))[HARDENED_KEY].ordinal]);
      }
    };
    try {
      await kernel.bind("tcp://127.0.0.1:*");
      stranger.connect(kernel.lastEndpoint as string);
      stranger.subscribe("stdout");
      await hear(1);
      await kernel.send(session.message("stream"), "stdout");
      stranger.subscribe("a", "b", "c", "d");
      await hear(5);
      await kernel.send(session.message("stream"), "stdout");
      await hear(1);
      const counted = ordinals.filter(([, ordinal]) => ordinal > 0);
      expect(counted).toEqual([
        ["stdout", 1],
        ["stdout", 2],
      ]);
      expect(ordinals).toHaveLength(7);
    } finally {
      stranger.close();
      kernel.close();
    }
  });

  it("junk sent to a kernel's iopub does not pile up in front of who subscribes", async () => {
    const session = kernelOf();
    const kernel = new JupyterSocket(session, "iopub");
    const attacker = new zmq.XSubscriber({ linger: 0 });
    const honest = new zmq.Subscriber({ receiveTimeout: 5000 });
    try {
      await kernel.bind("tcp://127.0.0.1:*");
      attacker.connect(kernel.lastEndpoint as string);
      for (let i = 0; i < 20_000; i++) await attacker.send(Buffer.alloc(100, 7));
      honest.connect(kernel.lastEndpoint as string);
      const began = performance.now();
      honest.subscribe("");
      const [topic] = await honest.receive();
      expect(topic).toHaveLength(0);
      // At a hundred in 20 ms it would be four seconds.
      expect(performance.now() - began).toBeLessThan(2500);
    } finally {
      attacker.close();
      honest.close();
      kernel.close();
    }
  });
});
