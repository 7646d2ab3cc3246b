// The signing pipeline: what stands where, which layout is chosen, to whom it is signed, how it is numbered and
// counted, and what cannot be signed.

import { describe, expect, test, vi } from "vitest";
import {
  deriveSenderKey,
  deriveStreamKey,
  Key,
  Keyring,
  type MessageLike,
  type Origin,
  type Pattern,
  type Signer,
} from "../../src/core.js";
import { FLAGS, type Header, readHeader } from "../../src/wire/header.js";
import { sampleSecret } from "../keys/sample-keys.js";
import {
  ID,
  linkOf,
  SECOND,
  SECRET,
  saidOf,
  signerOf,
  TOPIC,
  testClock,
  textOf,
  verifierOf,
} from "./parties.js";

function headerAt(frames: readonly Buffer[], index = 0): Header {
  const header = readHeader(frames[index] as Buffer);
  return typeof header === "string" ? expect.unreachable(header) : header;
}
const flagsOf = (frames: readonly Buffer[], index = 0) => {
  const { flags } = headerAt(frames, index);
  return Object.entries(FLAGS)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name)
    .join(" ");
};
const MESSAGE_ERROR = { name: "CountersignError", code: "ERR_COUNTERSIGN_MESSAGE" };

describe("where the signature stands", () => {
  test.each<[Pattern, MessageLike, number, string]>([
    ["push", "a", 0, "inline"],
    ["pair", "a", 0, "inline"],
    ["req", "a", 0, "inline delimited"],
    ["dealer", "a", 0, "inline"],
    ["dealer", ["", "a"], 1, "inline delimited"],
    ["xsub", "a", 0, "inline"],
    ["pub", ["topic", "a"], 1, "inline topic"],
    ["pub", "topic", 1, "inline topic"],
    ["xpub", ["", "a"], 1, "inline topic"],
    ["router", ["id", "a"], 1, "inline addressed recipientKey"],
    ["router", ["id", "", "a"], 2, "inline delimited addressed recipientKey"],
    ["router", ["id", ""], 2, "inline delimited addressed recipientKey"],
    ["rep", "a", 0, "inline delimited addressed recipientKey"],
  ])("%s %j: frame %i, flags %s", (pattern, message, index, flags) => {
    const addressed = pattern === "router" || pattern === "rep";
    const frames = signerOf({ pattern, clock: testClock(), ...(addressed && { to: "bob" }) }).sign(message);
    expect(frames).toHaveLength(index + 1);
    expect(flagsOf(frames, index)).toBe(flags);
    expect(headerAt(frames, index)).toMatchObject({ kind: "data", pattern, sender: "alice" });
    expect(textOf(frames.slice(0, index))).toEqual(textOf([message].flat().slice(0, index) as Buffer[]));
  });

  test("behind the hops of a ROUTER and of a DEALER", () => {
    const router = signerOf({ pattern: "router", hops: 2, to: "bob", clock: testClock() });
    expect(textOf(router.sign(["id", "b1", "b2", "", "x"]).slice(0, 4))).toEqual(["id", "b1", "b2", ""]);
    const dealer = signerOf({ pattern: "dealer", hops: 1, clock: testClock() });
    expect(flagsOf(dealer.sign(["b1", "", "x"]), 2)).toBe("inline delimited");
    expect(flagsOf(dealer.sign(["b1", "x"]), 1)).toBe("inline");
  });
});

describe("the layout", () => {
  const sized = (length: number) => Buffer.alloc(length, 7);

  test("is inline up to the limit, payload counts and lengths included, and detached above it", () => {
    const push = signerOf({ pattern: "push", clock: testClock(), limits: { inline: 100 } });
    expect(push.sign(sized(92))).toHaveLength(1);
    expect(push.sign(sized(93))).toHaveLength(2);
    expect(push.sign([sized(44), sized(44)])).toHaveLength(1);
    expect(push.sign([sized(44), sized(45)])).toHaveLength(3);
  });

  test("of 0 bytes inline is detached always, an XSUB's never", () => {
    const limits = { inline: 0 };
    expect(signerOf({ pattern: "push", clock: testClock(), limits }).sign("")).toHaveLength(2);
    expect(signerOf({ pattern: "pub", clock: testClock(), limits }).sign("topic")).toHaveLength(2);
    expect(signerOf({ pattern: "xsub", clock: testClock(), limits }).sign(sized(1_000_000))).toHaveLength(1);
  });

  test("is 32 KiB by default", () => {
    const push = signerOf({ pattern: "push", clock: testClock() });
    expect(push.sign(sized(32_768 - 8))).toHaveLength(1);
    expect(push.sign(sized(32_768 - 7))).toHaveLength(2);
  });

  test("detached frames follow the signature as they were given", () => {
    const frames = signerOf({ pattern: "push", clock: testClock(), limits: { inline: 0 } }).sign([
      "a",
      "",
      "b",
    ]);
    expect(textOf(frames.slice(1))).toEqual(["a", "", "b"]);
    expect(frames[0]).toHaveLength(40 + 5 + 32);
    expect(flagsOf(frames)).toBe("");
  });
});

describe("attack 32: what is signed is a snapshot", () => {
  test.each([
    ["inline", Number.POSITIVE_INFINITY],
    ["detached", 0],
  ])("of body and topic (%s)", (_, inline) => {
    const link = linkOf({ from: "pub", to: "sub", signing: { limits: { inline } } });
    const topic = Buffer.from("topic");
    const body = Buffer.from("body");
    const frames = link.signer.sign([topic, body]);
    topic.fill("x");
    body.fill("x");
    const verdict = link.verify(frames);
    expect(verdict.ok && textOf(verdict.frames)).toEqual(["topic", "body"]);
  });
});

describe("numbers", () => {
  test("rise by one a message and by the messages of a batch, in one epoch", () => {
    const push = signerOf({ pattern: "push", clock: testClock() });
    const headers = [push.sign("a"), push.signBatch(["b", "c", "d"]), push.sign("e")].map((frames) =>
      headerAt(frames),
    );
    expect(headers.map(({ sequence }) => sequence)).toEqual([1, 2, 5]);
    expect(headers.map(({ epoch }) => epoch)).toEqual(new Array(3).fill(push.epoch));
    expect(headers.map(({ kind }) => kind)).toEqual(["data", "batch", "data"]);
  });

  test("signing time is the clock's and never decreases", () => {
    const clock = testClock();
    const push = signerOf({ pattern: "push", clock });
    const first = headerAt(push.sign("a")).sentAt;
    clock.now -= 50_000;
    expect(headerAt(push.sign("b")).sentAt).toBe(first);
    clock.now += 200_000;
    expect(headerAt(push.sign("c")).sentAt).toBe(clock.now);
  });

  test("a message that cannot be signed takes none", () => {
    const push = signerOf({ pattern: "push", clock: testClock(), limits: { bytes: 10 } });
    push.sign("a");
    expect(() => push.sign("x".repeat(11))).toThrow();
    expect(() => push.signBatch([])).toThrow();
    expect(() => push.sign("b", { to: "no name" })).toThrow();
    expect(headerAt(push.sign("c")).sequence).toBe(2);
  });
});

describe("retracting", () => {
  const sequenceOf = (frames: readonly Buffer[]) => headerAt(frames).sequence;

  test("gives the last message's number to the next one", () => {
    const pair = signerOf({ pattern: "pair", clock: testClock() });
    pair.sign("a");
    const unsent = pair.sign("b");
    pair.retract(unsent);
    const next = pair.sign("c");
    expect(headerAt(next)).toMatchObject({ sequence: 2, ordinal: 2 });
  });

  test("gives back a whole batch", () => {
    const pair = signerOf({ pattern: "pair", clock: testClock() });
    pair.retract(pair.signBatch(["a", "b", "c"]));
    expect(headerAt(pair.sign("d"))).toMatchObject({ sequence: 1, ordinal: 1 });
  });

  test("is possible once, and for the last message alone", () => {
    const push = signerOf({ pattern: "push", clock: testClock() });
    const first = push.sign("a");
    const second = push.sign("b");
    push.retract(first);
    expect(sequenceOf(push.sign("c"))).toBe(3);
    push.retract(second);
    const fourth = push.sign("d");
    expect(sequenceOf(fourth)).toBe(4);
    push.retract(fourth);
    push.retract(fourth);
    expect(sequenceOf(push.sign("e"))).toBe(4);
  });

  test("takes the count of its own recipient back, and no other", () => {
    const router = signerOf({ pattern: "router", clock: testClock() });
    const ordinalTo = (to: string) => headerAt(router.sign([ID, "x"], { to }), 1).ordinal;
    expect([ordinalTo("bob"), ordinalTo("carol")]).toEqual([1, 1]);
    router.retract(router.sign([ID, "x"], { to: "bob" }));
    expect([ordinalTo("bob"), ordinalTo("carol")]).toEqual([2, 2]);
  });
});

describe("ordinals", () => {
  const ordinalOf = (signer: Signer, message: MessageLike, target = {}) => {
    const frames = signer.sign(message, target);
    return headerAt(frames, frames.length - 1).ordinal;
  };

  test("count by topic where a body follows it", () => {
    const pub = signerOf({ pattern: "pub", clock: testClock() });
    const counted = [["a", "x"], ["b", "x"], ["a", "x"], ["a"], ["a", "x"], ["b", "x"]];
    expect(counted.map((message) => ordinalOf(pub, message))).toEqual([1, 1, 2, 0, 3, 2]);
  });

  test("tell topics apart by their bytes", () => {
    const pub = signerOf({ pattern: "pub", clock: testClock() });
    const topics = [Buffer.from([0xff]), Buffer.from([0xfe]), Buffer.from([0xef, 0xbf, 0xbd])];
    expect(topics.map((topic) => ordinalOf(pub, [topic, "x"]))).toEqual([1, 1, 1]);
  });

  test("count by recipient", () => {
    const router = signerOf({ pattern: "router", clock: testClock() });
    const to = ["bob", "carol", "bob", "bob", "carol"];
    expect(to.map((name) => ordinalOf(router, [ID, "x"], { to: name }))).toEqual([1, 1, 2, 3, 2]);
  });

  test("make no claim where messages may go to several peers, or one answers one", () => {
    expect(ordinalOf(signerOf({ pattern: "push", clock: testClock() }), "x")).toBe(0);
    expect(ordinalOf(signerOf({ pattern: "dealer", clock: testClock() }), "x")).toBe(0);
    expect(
      ordinalOf(signerOf({ pattern: "req", clock: testClock() }), "x", { to: "bob", onePeer: true }),
    ).toBe(0);
    expect(ordinalOf(signerOf({ pattern: "rep", clock: testClock() }), "x", { to: "bob" })).toBe(0);
  });

  test("make no claim in the answer to a REQ: who misses one knows", () => {
    const link = linkOf({ from: "req", to: "router" });
    const verdict = link.verify(link.send("question"));
    const to = (verdict.ok && verdict.origin) as Origin;
    const router = signerOf({ pattern: "router", sender: "bob", clock: link.clock });
    expect(ordinalOf(router, [ID, "", "x"], { to })).toBe(0);
    expect(ordinalOf(router, [ID, "x"], { to: "alice" })).toBe(1);
  });

  test("count for the only peer: a PAIR's always unless told, others' when told", () => {
    const pair = signerOf({ pattern: "pair", clock: testClock() });
    expect([ordinalOf(pair, "x"), ordinalOf(pair, "x"), ordinalOf(pair, "x", { onePeer: false })]).toEqual([
      1, 2, 0,
    ]);
    const dealer = signerOf({ pattern: "dealer", clock: testClock() });
    expect([1, 2].map(() => ordinalOf(dealer, "x", { onePeer: true }))).toEqual([1, 2]);
  });

  test("begin again with a new epoch", () => {
    const clock = testClock();
    const pair = signerOf({ pattern: "pair", clock });
    expect([ordinalOf(pair, "x"), ordinalOf(pair, "x")]).toEqual([1, 2]);
    clock.now -= SECOND;
    expect(ordinalOf(pair, "x")).toBe(1);
  });

  test("are bounded by limits.peers", () => {
    const pub = signerOf({ pattern: "pub", clock: testClock(), limits: { peers: 2 } });
    expect(["a", "b", "a", "c", "b", "a"].map((topic) => ordinalOf(pub, [topic, "x"]))).toEqual([
      1, 1, 2, 1, 2, 1,
    ]);
  });
});

describe("recipients", () => {
  test("a ROUTER and a REP must name theirs", () => {
    for (const [pattern, message] of [
      ["router", [ID, "x"]],
      ["rep", "x"],
    ] as const) {
      const server = signerOf({ pattern, clock: testClock() });
      expect(() => server.sign(message)).toThrow(
        expect.objectContaining({
          code: "ERR_COUNTERSIGN_RECIPIENT",
          message: expect.stringContaining('with "to"'),
        }),
      );
      expect(flagsOf(server.sign(message, { to: "bob" }), pattern === "router" ? 1 : 0)).toContain(
        "addressed",
      );
    }
  });

  test("the option names one for all, a message another, null nobody", () => {
    const dealer = signerOf({ pattern: "dealer", to: "bob", clock: testClock() });
    const heardBy = (name: string, frames: Buffer[]) =>
      saidOf(verifierOf({ pattern: "router", sender: name, clock: testClock() }).verify([ID, ...frames]));
    // Another clock's later start refuses what was signed before, so only a genuine tag gets as far as "not-live".
    expect(heardBy("bob", dealer.sign("x"))).toBe("not-live");
    expect(heardBy("carol", dealer.sign("x"))).toBe("bad-signature");
    expect(heardBy("carol", dealer.sign("x", { to: "carol" }))).toBe("not-live");
    expect(flagsOf(dealer.sign("x", { to: null }))).toBe("inline");
    expect(flagsOf(dealer.sign("x", {}))).toBe("inline addressed recipientKey");
    expect(flagsOf(dealer.sign("x", { to: undefined }))).toBe("inline addressed recipientKey");
  });

  test.each(["", "a b", "~x", "x".repeat(65), 7])("%j is no recipient", (to) => {
    expect(() => signerOf({ pattern: "push", to: to as string })).toThrow(/^to must be a name/);
    const push = signerOf({ pattern: "push", clock: testClock() });
    expect(() => push.sign("x", { to: to as string })).toThrow(/^to must be a name/);
  });

  test("who has only his own key signs with it, and says to whom", () => {
    const device = signerOf({
      pattern: "dealer",
      sender: "device",
      key: deriveSenderKey(SECRET, "device"),
      to: "server",
      clock: testClock(),
    });
    expect(flagsOf(device.sign("x"))).toBe("inline addressed");
    const stream = signerOf({
      pattern: "pub",
      sender: "device",
      key: deriveStreamKey(SECRET, "device"),
      to: "server",
      clock: testClock(),
    });
    expect(flagsOf(stream.sign(["topic", "x"]), 1)).toBe("inline topic addressed");
  });

  test("an answer goes to who asked, and is bound to the request of a REQ", () => {
    const link = linkOf({ from: "req", to: "router" });
    const verdict = link.verify(link.send("question"));
    const origin = (verdict.ok && verdict.origin) as Origin;
    const router = signerOf({ pattern: "router", sender: "bob", clock: link.clock });
    expect(flagsOf(router.sign([ID, "", "x"], { to: origin }), 2)).toBe(
      "inline delimited bound addressed recipientKey",
    );
    const dealerLink = linkOf({ from: "dealer", to: "router" });
    const asked = dealerLink.verify(dealerLink.send("question"));
    const other = (asked.ok && asked.origin) as Origin;
    expect(flagsOf(router.sign([ID, "x"], { to: other }), 1)).toBe("inline addressed recipientKey");
  });

  test("an answer is signed with the key that verified the question, while it is valid", () => {
    const [old, next] = [new Key(SECRET), new Key(sampleSecret(2))];
    const ring = new Keyring([old]);
    const link = linkOf({ from: "dealer", to: "router", signing: { key: old }, verifying: { key: ring } });
    const verdict = link.verify(link.send("question"));
    const to = (verdict.ok && verdict.origin) as Origin;
    const router = signerOf({ pattern: "router", sender: "bob", key: ring, clock: link.clock });
    const keyOf = (frames: Buffer[]) => headerAt(frames, 1).keyId;
    ring.rotate(next, { overlap: 1000, now: link.clock.now / 1000 });
    expect(keyOf(router.sign([ID, "x"], { to }))).toBe(old.id);
    expect(keyOf(router.sign([ID, "x"], { to: "alice" }))).toBe(next.id);
    link.clock.now += 2 * SECOND;
    expect(keyOf(router.sign([ID, "x"], { to }))).toBe(next.id);
  });

  test("an answer that the verified key cannot sign is signed with the current one", () => {
    const master = new Key(sampleSecret(2));
    const ring = new Keyring([master, deriveSenderKey(SECRET, "alice")]);
    const link = linkOf({ from: "dealer", to: "router", verifying: { key: ring, sender: "bob" } });
    const verdict = link.verify(link.send("question"));
    const to = (verdict.ok && verdict.origin) as Origin;
    const router = signerOf({ pattern: "router", sender: "bob", key: ring, clock: link.clock });
    expect(headerAt(router.sign([ID, "x"], { to }), 1).keyId).toBe(master.id);
  });
});

describe("keys", () => {
  test("the current one signs, from the next message after a change", () => {
    const clock = testClock();
    const ring = new Keyring([SECRET]);
    const push = signerOf({ pattern: "push", key: ring, clock });
    const keyOf = () => headerAt(push.sign("x")).keyId;
    expect(keyOf()).toBe(new Key(SECRET).id);
    ring.rotate(sampleSecret(2), { overlap: 0 });
    expect(keyOf()).toBe(new Key(sampleSecret(2)).id);
    ring.replace(new Keyring([sampleSecret(3)]));
    expect(keyOf()).toBe(new Key(sampleSecret(3)).id);
  });

  test("none that is valid is an error that says why, for each message", () => {
    const clock = testClock();
    const key = new Key(SECRET, { notAfter: clock.now / 1000 + 1000 });
    const push = signerOf({ pattern: "push", key, clock });
    push.sign("x");
    clock.now += 2 * SECOND;
    expect(() => push.sign("x")).toThrow(`No key to sign with: ${key.idText} is key-expired`);
  });

  test("one that cannot sign as this sender on this channel is refused at once", () => {
    const cases = [
      { key: deriveSenderKey(SECRET, "bob") },
      { key: deriveStreamKey(SECRET, "alice", "other") },
      { key: deriveStreamKey(SECRET, "alice", "shell") },
      { key: new Key(SECRET, { senders: ["bob"] }) },
      { key: new Key(SECRET, { channels: ["other"] }) },
    ];
    for (const { key } of cases) {
      expect(() => signerOf({ pattern: "push", key, channel: "shell" })).toThrow(
        expect.objectContaining({
          code: "ERR_COUNTERSIGN_KEY",
          message: `Key ${key.idText} cannot sign as "alice" on channel "shell": it was derived for, or is restricted to, others.`,
        }),
      );
    }
  });

  test("one that cannot sign to this recipient is refused when it is named", () => {
    const ring = new Keyring([SECRET]);
    const push = signerOf({ pattern: "push", key: ring, clock: testClock() });
    ring.rotate(new Key(sampleSecret(2), { senders: ["bob"] }), { overlap: 0 });
    expect(() => push.sign("x", { to: "carol" })).toThrow(/cannot sign as "alice"/);
    expect(() => push.sign("x")).toThrow(/cannot sign as "alice"/);
  });

  test("are derived once for each recipient, not for each message", () => {
    const derive = vi.spyOn(Key.prototype, "derive");
    try {
      const router = signerOf({ pattern: "router", clock: testClock() });
      for (let i = 0; i < 10; i++) for (const to of ["bob", "carol"]) router.sign([ID, "x"], { to });
      // Once for nobody in particular, when the signer was made.
      expect(derive).toHaveBeenCalledTimes(3);
    } finally {
      derive.mockRestore();
    }
  });

  test("instances sign with the key of their holder", () => {
    const key = deriveSenderKey(SECRET, "alice");
    expect(
      headerAt(signerOf({ pattern: "push", key, sender: "alice~7", clock: testClock() }).sign("x")).sender,
    ).toBe("alice~7");
  });
});

describe("a request's tag", () => {
  test("is that of the last message, on a REQ alone", () => {
    const req = signerOf({ pattern: "req", clock: testClock() });
    expect(req.requestTag).toBeUndefined();
    const tags = ["a", "b"].map((text) => {
      const [frame] = req.sign(text) as [Buffer];
      expect(req.requestTag).toEqual(frame.subarray(45, 77));
      return req.requestTag?.toString("hex");
    });
    expect(tags[0]).not.toBe(tags[1]);
    const push = signerOf({ pattern: "push", clock: testClock() });
    push.sign("x");
    expect(push.requestTag).toBeUndefined();
  });

  test("is a copy", () => {
    const req = signerOf({ pattern: "req", clock: testClock() });
    const [frame] = req.sign("x") as [Buffer];
    const before = Buffer.from(req.requestTag as Buffer);
    frame.fill(0);
    expect(req.requestTag).toEqual(before);
  });
});

describe("what cannot be signed", () => {
  test.each<[Pattern, MessageLike, string]>([
    ["push", [], "A push message has 0 frame(s) of routing, then a body; got 0 frame(s)."],
    ["req", [], "A req message has 0 frame(s) of routing, then a body; got 0 frame(s)."],
    ["router", [], "A router message has 1 frame(s) of routing, then a body; got 0 frame(s)."],
    ["router", ["id"], "A router message has 1 frame(s) of routing, then a body; got 1 frame(s)."],
    ["pub", [], "A pub message has 1 frame(s) of routing, then a body; got 0 frame(s)."],
    ["xsub", [], "A xsub message has 0 frame(s) of routing, then a body; got 0 frame(s)."],
    ["dealer", [], "A dealer message has 0 frame(s) of routing, then a body; got 0 frame(s)."],
  ])("%s %j", (pattern, message, why) => {
    const signer = signerOf({ pattern, to: "bob", clock: testClock() });
    expect(() => signer.sign(message)).toThrow(expect.objectContaining({ ...MESSAGE_ERROR, message: why }));
    expect(() => signer.signBatch([message])).toThrow(expect.objectContaining(MESSAGE_ERROR));
  });

  test("an empty frame is a body where it is no delimiter", () => {
    for (const pattern of ["push", "pair", "req"] as const) {
      expect(signerOf({ pattern, clock: testClock() }).sign("")).toHaveLength(1);
    }
  });

  test("an undefined frame", () => {
    const push = signerOf({ pattern: "push", clock: testClock() });
    expect(() => push.sign([undefined] as unknown as MessageLike)).toThrow(/send null or an empty Buffer/);
  });

  test("what receivers with the same limits would refuse, exactly", () => {
    const push = signerOf({ pattern: "push", clock: testClock(), limits: { frames: 2, bytes: 10 } });
    expect(push.sign(["12345", "67890"])).toHaveLength(1);
    for (const message of [
      ["12345", "678901"],
      ["1", "2", "3"],
    ]) {
      expect(() => push.sign(message)).toThrow(
        expect.objectContaining({
          ...MESSAGE_ERROR,
          message:
            "The message is over the limits (2 frames, 10 bytes): receivers would refuse it. Raise limits on both sides.",
        }),
      );
    }
  });

  test("routing frames do not count towards the limits", () => {
    const limits = { frames: 1, bytes: 1 };
    expect(signerOf({ pattern: "pub", clock: testClock(), limits }).sign(["long topic", "x"])).toHaveLength(
      2,
    );
  });
});

describe("a batch", () => {
  const push = () => signerOf({ pattern: "push", clock: testClock() });

  test("holds 1 to 256 messages", () => {
    const many = (count: number) => new Array(count).fill("x");
    for (const count of [1, 2, 256]) {
      expect(headerAt(push().signBatch(many(count))).kind).toBe("batch");
    }
    for (const count of [0, 257]) {
      expect(() => push().signBatch(many(count))).toThrow(
        expect.objectContaining({
          ...MESSAGE_ERROR,
          message: `A batch holds 1 to 256 messages; got ${count}.`,
        }),
      );
    }
  });

  test("is inline whatever its size", () => {
    const small = signerOf({ pattern: "push", clock: testClock(), limits: { inline: 0 } });
    expect(small.signBatch(["x".repeat(100_000), "y"])).toHaveLength(1);
  });

  test("goes to one peer or topic", () => {
    const pub = signerOf({ pattern: "pub", clock: testClock() });
    expect(() =>
      pub.signBatch([
        ["a", "x"],
        ["b", "x"],
      ]),
    ).toThrow(/go to one peer or topic/);
    expect(() =>
      pub.signBatch([
        ["a", "x"],
        ["a", "y"],
        ["", "z"],
      ]),
    ).toThrow(/go to one peer or topic/);
    const router = signerOf({ pattern: "router", hops: 1, to: "bob", clock: testClock() });
    expect(() =>
      router.signBatch([
        ["id", "b1", "x"],
        ["id", "b2", "x"],
      ]),
    ).toThrow(/go to one peer or topic/);
    const frames = router.signBatch([
      ["id", "b1", "x"],
      ["id", "b1", "y"],
    ]);
    expect(textOf(frames.slice(0, 2))).toEqual(["id", "b1"]);
  });

  test("has no delimiter", () => {
    const dealer = signerOf({ pattern: "dealer", clock: testClock() });
    expect(() => dealer.signBatch([["", "x"]])).toThrow(/with a delimiter cannot be batched/);
    expect(() => dealer.signBatch(["x", ["", "y"]])).toThrow(/with a delimiter cannot be batched/);
    expect(() => signerOf({ pattern: "req", clock: testClock() }).signBatch(["x"])).toThrow(
      /with a delimiter cannot be batched/,
    );
  });

  test("answers no REQ", () => {
    const link = linkOf({ from: "req", to: "router" });
    const verdict = link.verify(link.send("question"));
    const router = signerOf({ pattern: "router", sender: "bob", clock: link.clock });
    const to = (verdict.ok && verdict.origin) as Origin;
    expect(() => router.signBatch([[ID, "x"]], { to })).toThrow("A batch cannot answer a REQ.");
    expect(headerAt(router.sign([ID, "x"], { to }), 1).sequence).toBe(1);
  });

  test("may be of topics alone", () => {
    const link = linkOf({ from: "pub", to: "sub" });
    const verdict = link.verify(link.signer.signBatch([TOPIC, TOPIC]));
    expect(verdict.ok && [verdict.frames, ...verdict.rest.map(({ frames }) => frames)].map(textOf)).toEqual([
      ["topic"],
      ["topic"],
    ]);
  });
});

test("a socket type that sends nothing has nothing to sign", () => {
  for (const pattern of ["sub", "pull"] as const) {
    expect(() => signerOf({ pattern })).toThrow(
      expect.objectContaining({
        code: "ERR_COUNTERSIGN_OPTIONS",
        message: `A ${pattern} sends nothing that could be signed.`,
      }),
    );
  }
});

test("the epoch is told", () => {
  const clock = testClock();
  const push = signerOf({ pattern: "push", clock: () => clock.now });
  expect(push.epoch).toBe(clock.now);
  expect(headerAt(push.sign("x")).epoch).toBe(push.epoch);
});
