// Decoding: hostile bodies from a genuine sender. They are looked at after verification only, cost no more than the
// limits allow, are refused and counted, and use up their number.

import { BadReplyError, Reply, Request, XPublisher, XSubscriber } from "countersign";
import { type Codec, json, msgpack } from "countersign/codec";
import { describe, expect, it } from "vitest";

import { type Forgery, Line } from "./attack.js";
import { listen, type Received } from "./inbox.js";
import { between, FLOWS, KEY, opened, RECEIVER, SENDER } from "./line.js";
import { edited } from "./tamper.js";

/** Flows whose receiver never sends, so that its codec matters in one direction alone. */
const ONE_WAY = FLOWS.filter(({ roundTrip, name }) => !roundTrip && !/^(ROUTER|REP) to DEALER$/.test(name));

const bytes = (...values: number[]) => Buffer.from(values);
const nested = (open: number[], levels: number, inmost: number[]) =>
  Buffer.concat([Buffer.alloc(open.length * levels, bytes(...open)), bytes(...inmost)]);
const text = (value: string) => Buffer.concat([bytes(0xa0 + value.length), Buffer.from(value)]);

const HOSTILE_JSON: readonly (readonly [string, Buffer | string])[] = [
  ["nothing", ""],
  ["no JSON", "{]"],
  ["two values", "1 2"],
  ["a __proto__ key", '{"__proto__":{"polluted":true}}'],
  ["a __proto__ key, escaped", '{"\\u005f_proto__":{"polluted":true}}'],
  ["a __proto__ key deep inside", '{"a":[{"b":{"__proto__":{"polluted":true}}}]}'],
  ["a key twice", '{"a":1,"a":2}'],
  ["200,000 levels", "[".repeat(200_000) + "]".repeat(200_000)],
  ["a million and one values", `[${"0,".repeat(1_000_001)}0]`],
  ["more than 16 MiB", `"${"x".repeat(16 * 2 ** 20)}"`],
  ["a number beyond a double", "1e999"],
  ["bytes that are not UTF-8", bytes(0x22, 0xff, 0xfe, 0x22)],
  ["a byte order mark", bytes(0xef, 0xbb, 0xbf, 0x31)],
];

const HOSTILE_MSGPACK: readonly (readonly [string, Buffer])[] = [
  ["nothing", bytes()],
  ["the byte that never occurs", bytes(0xc1)],
  ["two values", bytes(5, 6)],
  [
    "a __proto__ key",
    Buffer.concat([bytes(0x81), text("__proto__"), bytes(0x81), text("polluted"), bytes(0xc3)]),
  ],
  ["a key twice", Buffer.concat([bytes(0x82), text("a"), bytes(1), text("a"), bytes(2)])],
  ["a key that is no string", bytes(0x81, 1, 2)],
  ["200,000 levels", nested([0x91], 200_000, [0xc0])],
  ["200,000 levels of maps", Buffer.concat([Buffer.alloc(600_000, bytes(0x81, 0xa1, 0x61)), bytes(0xc0)])],
  ["an array of 2^32 - 1 and no more", bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ["a map of 2^32 - 1 and no more", bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ["a string of 2^32 - 1 and no more", bytes(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ["a binary of 2^32 - 1 and no more", bytes(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ["an extension of 2^32 - 1 and no more", bytes(0xc9, 0xff, 0xff, 0xff, 0xff, 0x01)],
  ["a record definition", bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
  ["a reference to itself", bytes(0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1)],
  ["an Error", bytes(0xd4, 0x65, 0x00, 0x93, 0xa1, 0x45, 0xa1, 0x6d, 0xc0)],
  ["a RegExp", bytes(0xd4, 0x78, 0x00, 0x92, 0xa1, 0x61, 0xa0)],
  ["a Set", bytes(0xd4, 0x73, 0x00, 0x91, 0x01)],
  ["a structured extension of nobody", bytes(0xd4, 0x7f, 0x00)],
  ["a string that is not UTF-8", bytes(0xa2, 0xff, 0xfe)],
  ["a million and one values", Buffer.concat([bytes(0xdd, 0, 0x0f, 0x42, 0x41), Buffer.alloc(1_000_001)])],
];

const CODECS = [
  ["json", json, HOSTILE_JSON, '{"fine":true}'],
  ["msgpack", msgpack, HOSTILE_MSGPACK, Buffer.concat([bytes(0x81), text("fine"), bytes(0xc3)])],
] as const;

describe.each(ONE_WAY)("$name", (flow) => {
  it.each(CODECS)("attack 60: hostile %s from a genuine sender", async (_, codec, hostile, fine) => {
    const line = await Line.open(flow, { codec: codec() });
    const { inbox, receiver, attacker } = line.ends;
    const [accepted, delivered] = [receiver.stats.accepted, inbox.all.length];
    for (const [, body] of hostile) await line.ends.send([body]);
    await line.ends.send([fine, fine]); // two frames are not one value
    await line.ends.send([fine]);
    expect((await inbox.next()).frames).toEqual(['{"fine":true}']);
    line.expectReasons([...hostile, "two frames"].map(() => "undecodable" as const));
    expect(receiver.stats.rejected.undecodable).toBe(hostile.length + 1);
    expect(receiver.stats.accepted).toBe(accepted + 1);

    // Their numbers are used: none of them comes in again, decodable or not.
    const recorded = attacker.sent(flow.direction).slice(-2 - hostile.length);
    attacker.replay(...recorded);
    await line.refusedSoFar(recorded.map(() => "replayed" as const));
    await line.ends.send([fine]);
    expect((await inbox.next()).frames).toEqual(['{"fine":true}']);
    expect(inbox.all.length).toBe(delivered + 2);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("attack 60: what is not verified is never decoded", async () => {
    const seen: string[] = [];
    const codec: Codec<unknown> = {
      name: "watched",
      encode: () => [],
      decode: (frames) => {
        seen.push(frames.map(String).join());
        return frames.map(String);
      },
    };
    const line = await Line.open(flow, { codec });
    const already = seen.length;
    const changed: Forgery = (genuine) =>
      edited(genuine, flow.signatureAt, (frame) => {
        frame.writeUInt8(frame.readUInt8(frame.length - 1) ^ 1, frame.length - 1);
        return frame;
      });
    const plain: Forgery = (genuine) => [...genuine.slice(0, flow.signatureAt), Buffer.from("plain")];
    line.ends.attacker.hooks = line.instead((genuine) => [
      changed(genuine),
      plain(genuine),
      genuine,
      genuine,
    ]);
    await line.ends.send(["genuine"]);
    expect((await line.ends.inbox.next()).frames).toEqual(['["genuine"]']);
    await line.refusedSoFar(["bad-signature", "unsigned", "replayed"]);
    expect(seen.slice(already)).toEqual(["genuine"]);
  });

  it("attack 60: a codec that throws what it likes does not end the loop", async () => {
    let decoded = 0;
    const thrown = [new Error("broken"), "a string", undefined, null];
    const codec: Codec<unknown> = {
      name: "broken",
      encode: () => [],
      decode: ([body]) => {
        if (String(body) !== "hostile") return String(body);
        if (decoded++ % 2 === 0) throw thrown[decoded % thrown.length];
        return Promise.reject(thrown[decoded % thrown.length]);
      },
    };
    const line = await Line.open(flow, { codec });
    for (let count = 0; count < 8; count++) await line.ends.send(["hostile"]);
    await line.ends.send(["fine"]);
    expect((await line.ends.inbox.next()).frames).toEqual(['"fine"']);
    line.expectReasons(Array(8).fill("undecodable"));
  });
});

describe("attack 60: XSUB", () => {
  it.each([0, 1])(
    "the value %i, which msgpack writes like a subscription, is a signed message like any other",
    async (value) => {
      const receiver = opened(
        new XPublisher({ linger: 0, codec: msgpack(), signing: { key: KEY, sender: RECEIVER } }),
      );
      const sender = opened(
        new XSubscriber({ linger: 0, codec: msgpack(), signing: { key: KEY, sender: SENDER } }),
      );
      await between(receiver, sender);
      await sender.send([value]);
      const message = await receiver.receive();
      expect([[...message], message.origin?.sender]).toEqual([[value], SENDER]);
    },
  );
});

describe("attack 60: REQ and REP", () => {
  it("a REP refuses a request that does not decode, and both go on", async () => {
    const codec = json();
    const rep = opened(new Reply({ linger: 0, codec, signing: { key: KEY, sender: RECEIVER } }));
    const req = opened(new Request({ linger: 0, signing: { key: KEY, sender: SENDER } }));
    await between(rep, req);
    const inbox = listen(rep as unknown as AsyncIterable<Received>, undefined, () => rep.send(["done"]));
    for (const [, body] of HOSTILE_JSON) {
      await req.send(body);
      await expect(req.receive()).rejects.toMatchObject({ reason: "refused" });
    }
    await req.send('"fine"');
    expect(String((await req.receive())[0])).toBe('"done"');
    expect((await inbox.next()).frames).toEqual(['"fine"']);
    expect(rep.stats.rejected.undecodable).toBe(HOSTILE_JSON.length);
  });

  it("a REQ is told of a reply that does not decode, and goes on", async () => {
    const rep = opened(new Reply({ linger: 0, signing: { key: KEY, sender: SENDER } }));
    const req = opened(new Request({ linger: 0, codec: msgpack(), signing: { key: KEY, sender: RECEIVER } }));
    await between(rep, req);
    const bodies = [...HOSTILE_MSGPACK.map(([, body]) => body), bytes(7)];
    listen(rep, undefined, () => rep.send(bodies.shift() as Buffer));
    for (const _ of HOSTILE_MSGPACK) {
      await req.send(["ask"]);
      const error = await req.receive().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(BadReplyError);
      expect(error).toMatchObject({ reason: "undecodable" });
    }
    await req.send(["ask"]);
    expect([...(await req.receive())]).toEqual([7]);
  });
});
