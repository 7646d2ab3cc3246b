// Identity and keys: a routing id is a return address and nothing more, a key speaks for whom it was made, and a
// message never chooses how it is checked.

import { createHash, createHmac } from "node:crypto";
import {
  BadReplyError,
  Dealer,
  deriveSenderKey,
  deriveStreamKey,
  generateKey,
  Key,
  Keyring,
  type Reason,
  Router,
} from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";

import { wallClock } from "../../src/clock.js";
import { expand, extract } from "../../src/keys/hkdf.js";
import { REFUSED } from "../../src/wire/form.js";
import { FLAGS } from "../../src/wire/header.js";
import { type Forgery, Line } from "./attack.js";
import { handMade, isPublished } from "./forge.js";
import { listen } from "./inbox.js";
import { accomplice, between, CHANNEL, FLOWS, flowNamed, KEY, onWire, opened, SENDER } from "./line.js";
import { edited, FIELD, payloadOf, payloadStart, tagStart } from "./tamper.js";
import type { Recorded } from "./wire-proxy.js";
import type { Frames } from "./zmtp.js";

const STREAMING = FLOWS.filter(({ roundTrip }) => !roundTrip);
const WITH_BINDING = FLOWS.filter(({ oneEach }) => oneEach);
/** A message that an insider makes by hand cannot be bound to a request he has not seen. */
const UNBOUND = FLOWS.filter(({ oneEach }) => !oneEach);

const withoutId = (message: readonly Buffer[]) => message.slice(1);

describe("attack 33: routing ids", () => {
  it("taken over by a stranger: he is refused, and the client can take his id back", async () => {
    const router = opened(new Router({ linger: 0, handover: true, signing: { key: KEY, sender: "kernel" } }));
    const signing = { key: KEY, sender: SENDER };
    const honest = opened(new Dealer({ linger: 0, routingId: "client", reconnectInterval: -1, signing }));
    const attacker = await between(router, honest);
    let last: Buffer | undefined;
    const inbox = listen(router, withoutId, ([id]) => {
      last = id;
    });
    await honest.send("genuine");
    expect((await inbox.next()).frames).toEqual(["genuine"]);

    const thief = opened(new zmq.Dealer({ linger: 0, routingId: "client", reconnectInterval: -1 }));
    thief.connect(attacker.endpoint);
    await thief.send("junk");
    const [first] = (await attacker.caught("up")) as [Recorded];
    await thief.send([...first.frames]);
    await expect.poll(() => router.stats.rejected).toMatchObject({ unsigned: 1, replayed: 1 });
    // What goes to the id goes to the thief, as any network may lead it; it is signed for the client alone.
    await router.send([last as Buffer, "for the client"]);
    const [stolen] = (await thief.receive()) as [Buffer];

    honest.disconnect(attacker.endpoint);
    honest.connect(attacker.endpoint);
    const back = await attacker.connection(2);
    await honest.send("genuine again");
    expect((await inbox.next()).frames).toEqual(["genuine again"]);
    back.inject("down", [stolen]);
    expect(String((await honest.receive())[0])).toBe("for the client");
    await router.send([last as Buffer, "answer"]);
    expect(String((await honest.receive())[0])).toBe("answer");
    expect(inbox.all.map(({ origin }) => origin?.sender)).toEqual([SENDER, SENDER]);
  });

  it("squatted before the client comes: the squatter is refused, the client speaks under another", async () => {
    const router = opened(new Router({ linger: 0, signing: { key: KEY, sender: "kernel" } }));
    await router.bind("tcp://127.0.0.1:*");
    const squatter = opened(new zmq.Dealer({ linger: 0, routingId: SENDER }));
    squatter.connect(router.lastEndpoint as string);
    const inbox = listen(router, withoutId);
    await squatter.send("I am alice");
    await expect.poll(() => router.stats.rejected.unsigned).toBe(1);
    const honest = opened(new Dealer({ linger: 0, signing: { key: KEY, sender: SENDER } }));
    honest.connect(router.lastEndpoint as string);
    await honest.send("genuine");
    expect((await inbox.next()).origin?.sender).toBe(SENDER);
    // Nothing verified came from the squatted id, so nobody is addressed there.
    await expect(router.send([SENDER, "secret"])).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
    });
  });

  it("copied by somebody else who holds a key: each message has its own origin, a copied id needs a name", async () => {
    const router = opened(new Router({ linger: 0, signing: { key: KEY, sender: "kernel" } }));
    const honest = opened(
      new Dealer({ linger: 0, routingId: "client", signing: { key: KEY, sender: SENDER } }),
    );
    const attacker = await between(router, honest);
    const ids: Buffer[] = [];
    const inbox = listen(router, withoutId, ([id]) => {
      ids.push(id as Buffer);
    });
    await honest.send("genuine");
    expect((await inbox.next()).origin?.sender).toBe(SENDER);
    await router.send(["client", "by a copy of the id"]);
    expect(String((await honest.receive())[0])).toBe("by a copy of the id");

    const other = onWire(flowNamed("DEALER to ROUTER"), accomplice({ pattern: "dealer", channel: "" }), [
      "also genuine",
    ]);
    (await attacker.connection(0)).inject("up", other);
    expect((await inbox.next()).origin?.sender).toBe("mallory");
    await expect(router.send(["client", "to whom?"])).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
    });
    await router.send([ids[1] as Buffer, "for mallory"]);
    await router.send([ids[0] as Buffer, "for alice"]);
    expect(String((await honest.receive())[0])).toBe("for alice");
    expect(honest.stats.rejected["bad-signature"]).toBe(1);
  });

  it("a replay from another id does not turn the answers that way", async () => {
    const line = await Line.open(flowNamed("DEALER to ROUTER"));
    const { attacker, sender, receiver } = line.ends as typeof line.ends & {
      sender: Dealer;
      receiver: Router;
    };
    const { frames } = await line.honest();
    const stranger = opened(new zmq.Dealer({ linger: 0, routingId: "stranger" }));
    stranger.connect(attacker.endpoint);
    await stranger.send([...frames]);
    await line.refusedSoFar(["replayed"]);
    await expect(receiver.send(["stranger", "x"])).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_RECIPIENT",
    });
    await receiver.send(["client", "answer"]);
    expect(String((await sender.receive())[0])).toBe("answer");
  });
});

describe.each(UNBOUND)("$name", (flow) => {
  it("attack 34: a key that was derived for, or is restricted to, somebody else", async () => {
    const restricted = new Key(generateKey(), { senders: ["mallory"] });
    const elsewhere = new Key(generateKey(), { channels: ["elsewhere"] });
    const ring = new Keyring([KEY, restricted, elsewhere]);
    const line = await Line.open(flow, { receiver: { key: ring } });
    const mallory = deriveSenderKey(KEY, "mallory");
    const elsewhereStream = deriveStreamKey(KEY, SENDER, "elsewhere");
    const borrowed = (key: Key, use: object) => () => handMade(flow, {}, ["x"], { key, use });
    await line.refuses(
      [
        borrowed(mallory, { sender: "mallory" }),
        borrowed(elsewhereStream, { channel: "elsewhere", published: true }),
        borrowed(restricted.withTerms({}), {}),
        borrowed(elsewhere.withTerms({}), {}),
      ],
      ["bad-signature", "bad-signature", "key-out-of-scope", "key-out-of-scope"],
    );
  });

  if (!isPublished(flow))
    it("attack 34: a subscriber's key, on anything but a broadcast", async () => {
      const line = await Line.open(flow);
      const subscribers = deriveStreamKey(KEY, SENDER, CHANNEL);
      const forged = () => handMade(flow, {}, ["x"], { key: subscribers, use: { published: true } });
      await line.refusesEach([forged], "bad-signature");
    });

  it("attack 34: the key of one recipient, used on another", async () => {
    const line = await Line.open(flow);
    const device = deriveSenderKey(KEY, "mallory");
    const flags = handMade(flow, {}, ["x"])[flow.signatureAt]?.readUInt8(FIELD.flags) as number;
    const addressed = { flags: flags | FLAGS.addressed | FLAGS.recipientKey };
    const forged = () => handMade(flow, addressed, ["x"], { key: device, use: { recipient: "mallory" } });
    await line.refusesEach([forged], "bad-signature");
  });

  it("attack 36: another version, flags and kinds that do not exist, with a tag that is right for them", async () => {
    const line = await Line.open(flow);
    const patched = (at: number, value: number) => () =>
      handMade(flow, {}, ["x"], { patch: (header) => void header.writeUInt8(value, at) });
    const flags = handMade(flow, {}, ["x"])[flow.signatureAt]?.readUInt8(FIELD.flags) as number;
    await line.refusesEach(
      [0, 2, 3, 255].map((version) => patched(FIELD.version, version)),
      "unsupported-version",
    );
    await line.refusesEach(
      [0, 9, 255].map((kind) => patched(FIELD.kind, kind)),
      "malformed",
    );
    // A greeting or a sync has no number: where the socket knows the kind, that is what is wrong with it.
    await line.refuses(
      [3, 4, 5, 6, 7, 8].map((kind) => patched(FIELD.kind, kind)),
      [3, 4, 5, 6, 7, 8].map((kind) => (kind < 7 ? ["unsupported", "malformed"] : "unsupported")),
    );
    await line.refusesEach([patched(FIELD.flags, flags | 0x80), patched(FIELD.reserved, 1)], "malformed");
    await line.refusesEach([patched(FIELD.flags, flags | FLAGS.sealed)], "unsupported");
  });

  it("attack 36: another algorithm, or a tag cut short, made with the right key", async () => {
    const line = await Line.open(flow);
    const raw = expand(
      expand(extract(KEY), "sender", SENDER),
      isPublished(flow) ? "publish" : "channel",
      CHANNEL,
    );
    const made = (mac: (covered: Buffer, tag: Buffer) => Buffer) => () => handMade(flow, {}, ["x"], { mac });
    const hmac = (algorithm: string) => (covered: Buffer) => {
      const digest = createHmac(algorithm, raw).update(covered).digest();
      return Buffer.concat([digest, Buffer.alloc(32)]).subarray(0, 32);
    };
    await line.honest();
    await line.refusesEach(
      [
        made(hmac("sha512")),
        made(hmac("md5")),
        made(hmac("sha1")),
        made((covered) => createHash("sha256").update(raw).update(covered).digest()),
        made(() => Buffer.alloc(32)),
        made((_, tag) => Buffer.concat([tag.subarray(0, 16), Buffer.alloc(16)])),
        made((_, tag) => Buffer.concat([tag.subarray(0, 31), Buffer.of((tag.at(31) as number) ^ 1)])),
      ],
      "bad-signature",
    );
    const cut = (length: number) => made((_, tag) => tag.subarray(0, length));
    await line.refuses(
      [cut(0), cut(4), cut(16), cut(20), cut(31)],
      Array(5).fill(["malformed", "too-large", "bad-signature"]),
    );
    if (flow.roundTrip) return;
    // The same message with its whole tag is taken: the tag is all that was wrong.
    const whole = handMade(flow, { sender: "insider" }, ["x"]);
    (await line.ends.attacker.connection(0)).inject(flow.direction, whole);
    expect((await line.ends.inbox.next()).origin?.sender).toBe("insider");
  });

  it("attack 37: an unknown key, and one that is revoked while its messages are on their way", async () => {
    const rogue = new Key(generateKey());
    const ring = new Keyring([KEY, rogue]);
    const line = await Line.open(flow, { receiver: { key: ring } });
    await line.honest();
    const byRogue = handMade(flow, { sender: "mallory" }, ["x"], { key: rogue });
    const byNobody = handMade(flow, { sender: "mallory" }, ["x"], { key: new Key(generateKey()) });
    ring.revoke(rogue);
    await line.refuses([() => byRogue, () => byNobody], ["revoked-key", "unknown-key"]);
  });

  it("attack 39: keys that HMAC would treat alike", async () => {
    const long = Buffer.concat([KEY, KEY, KEY]);
    const alike: readonly [Buffer, Buffer][] = [
      [KEY, Buffer.concat([KEY, Buffer.alloc(1)])],
      [KEY, Buffer.concat([KEY, Buffer.alloc(32)])],
      [long, createHash("sha256").update(long).digest()],
    ];
    for (const [held, other] of alike) {
      const line = await Line.open(flow, { sender: { key: held }, receiver: { key: held } });
      await line.refusesEach([() => handMade(flow, {}, ["x"], { key: new Key(other) })], "unknown-key");
      const id = { keyId: new Key(held).id };
      await line.refusesEach([() => handMade(flow, id, ["x"], { key: new Key(other) })], "bad-signature");
      line.close();
    }
  });
});

describe.each(STREAMING.filter(({ name }) => !/^(ROUTER|REP) to DEALER$/.test(name)))("$name", (flow) => {
  it("attack 37: not yet valid and expired, at the exact boundary", async () => {
    const start = Math.ceil(wallClock() / 1000) + 10_000;
    let now = wallClock();
    const bounded = new Key(generateKey(), { notBefore: start, notAfter: start + 1000 });
    const line = await Line.open(flow, { receiver: { key: new Keyring([KEY, bounded]), clock: () => now } });
    const connection = await line.ends.attacker.connection(0);
    let sequence = 0;
    const epoch = wallClock();
    const at = async (micros: number, reason?: Reason) => {
      now = micros;
      const message = handMade(flow, { sender: "other", epoch, sequence: ++sequence, sentAt: now }, ["x"], {
        key: bounded,
      });
      connection.inject(flow.direction, message);
      if (reason === undefined) expect((await line.ends.inbox.next()).origin?.sender).toBe("other");
      else await line.refusedSoFar([reason]);
    };
    await at(start * 1000 - 1, "key-not-yet-valid");
    await at(start * 1000);
    await at((start + 1000) * 1000);
    await at((start + 1000) * 1000 + 1, "key-expired");
    await at((start + 500) * 1000);
  });
});

describe.each(FLOWS)("$name", (flow) => {
  it("attack 35: signature stripped, and what was never signed", async () => {
    const line = await Line.open(flow, { sender: { limits: { inline: 0 } } });
    const stripped: Forgery = (genuine) => genuine.toSpliced(flow.signatureAt, 1);
    const plain: Forgery = (genuine) => [...genuine.slice(0, flow.signatureAt), Buffer.from("plain")];
    const forgeries = flow.name === "XSUB to XPUB" ? [plain] : [stripped, plain];
    await line.refusesEach(forgeries, "unsigned");
  });

  it("attack 35: under policy report, unsigned is delivered and marked, a bad signature is not", async () => {
    const line = await Line.open(flow, { receiver: { policy: "report" } });
    const { inbox, receiver } = line.ends;
    await line.honest();
    const before = inbox.all.length;
    const plain: Forgery = (genuine) => [...genuine.slice(0, flow.signatureAt), Buffer.from("plain")];
    const bad: Forgery = (genuine) => [
      ...genuine.slice(0, flow.signatureAt),
      Buffer.concat([(genuine[flow.signatureAt] as Buffer).subarray(0, -1), Buffer.from("?")]),
    ];
    const { onMessage } = line.instead((sent) => (flow.oneEach ? [plain(sent)] : [plain(sent), sent]));
    let answers = flow.roundTrip && !flow.oneEach ? 1 : 0;
    line.ends.attacker.hooks = {
      onMessage: (frames, place) => {
        // The answer to the unsigned message is addressed to nobody: an honest REQ would take it for a bad reply.
        const swallow = place.direction !== flow.direction && answers-- > 0;
        return swallow ? "drop" : onMessage?.(frames, place);
      },
    };
    await line.ends.send(["genuine"]);
    expect(await inbox.next()).toEqual({ frames: ["plain"], origin: undefined });
    if (!flow.oneEach) await line.expectDelivered(["genuine"]);
    expect(inbox.all.length).toBe(before + (flow.oneEach ? 1 : 2));
    expect(receiver.stats.unsigned).toBe(1);
    const onSignature =
      (edit: (frame: Buffer) => Buffer): Forgery =>
      (genuine) =>
        edited(genuine, flow.signatureAt, edit);
    const set = (at: number, value: number) =>
      onSignature((frame) => {
        frame.writeUInt8(value, at);
        return frame;
      });
    // Whatever has the magic claims to be signed, and is held to it.
    await line.refuses(
      [
        bad,
        set(FIELD.version, 2),
        set(FIELD.kind, 9),
        set(FIELD.kind, 3),
        set(FIELD.reserved, 1),
        set(FIELD.keyId, 0xff),
        onSignature((frame) => frame.subarray(0, 2)),
        onSignature((frame) => frame.subarray(0, tagStart(frame))),
      ],
      [
        "bad-signature",
        "unsupported-version",
        "malformed",
        ["unsupported", "malformed"],
        "malformed",
        ["unknown-key", "bad-signature"],
        "malformed",
        "malformed",
      ],
    );
    expect(receiver.stats.unsigned).toBe(1);
  });
});

describe.each(FLOWS.filter(({ name }) => name.endsWith(" SUB")))("$name", (flow) => {
  it("attack 34: who holds the key of one publisher hears it, and nobody else", async () => {
    const line = await Line.open(flow, { receiver: { key: deriveStreamKey(KEY, SENDER, CHANNEL) } });
    const other = () => handMade(flow, { sender: "mallory" }, ["x"]);
    await line.refusesEach([other], "key-out-of-scope");
  });
});

describe.each(WITH_BINDING)("$name", (flow) => {
  it("attack 35: junk, an old reply and another's reply to a waiting REQ", async () => {
    const line = await Line.open(flow);
    const other = await Line.open(flow, { sender: { sender: "alice~2" }, receiver: { sender: "carol" } });
    const [old, others] = [await line.honest(), await other.honest()];
    const delimited =
      (...parts: (string | Buffer)[]) =>
      () =>
        ["", ...parts].map((part) => Buffer.from(part as string));
    const signature = (genuine: Frames) => genuine[flow.signatureAt] as Buffer;
    const unbound: Forgery = () => handMade(flow, {}, ["x"]);
    await line.refuses(
      [
        delimited("junk"),
        delimited(""),
        delimited("a", "b"),
        delimited(REFUSED),
        () => old.frames,
        () => others.frames,
        unbound,
        (genuine) => [Buffer.alloc(0), signature(genuine).subarray(0, tagStart(signature(genuine)))],
        (genuine) => [
          Buffer.alloc(0),
          Buffer.concat([
            signature(genuine).subarray(0, payloadStart(signature(genuine))),
            payloadOf([Buffer.from("x")]),
          ]),
        ],
      ],
      [
        "unsigned",
        "unsigned",
        "unsigned",
        "refused",
        "bad-signature",
        "bad-signature",
        "not-bound",
        "malformed",
        "bad-signature",
      ],
    );
  });

  it("attack 35: the error says why, and never that the request was not executed", async () => {
    const line = await Line.open(flow);
    const request = line.ends.receiver as unknown as zmq.Request;
    line.ends.attacker.hooks = { onMessage: (_, { direction }) => (direction === "up" ? "drop" : undefined) };
    await request.send("ask");
    await line.ends.attacker.caught("up");
    (await line.ends.attacker.connection(0)).inject("down", [Buffer.alloc(0), REFUSED]);
    const error = await request.receive().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BadReplyError);
    expect(error).toMatchObject({ code: "ERR_COUNTERSIGN_BAD_REPLY", reason: "refused" });
    expect((error as Error).message).toMatch(/unknown/i);
    line.ends.attacker.hooks = {};
    await line.honest();
  });
});
