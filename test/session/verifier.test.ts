// The verifying pipeline: every flow delivers what was sent, every reason has its message, reasons come in the order of
// the four questions, and nothing is remembered of a message that was refused.

import { describe, expect, test } from "vitest";
import {
  type Control,
  deriveSenderKey,
  deriveStreamKey,
  Key,
  Keyring,
  type Kind,
  MemoryState,
  type Origin,
  REASONS,
  type Reason,
  type ReplayState,
  Signer,
  type Streams,
  type Verdict,
  type Verifier,
  type VerifierOptions,
} from "../../src/core.js";
import { isControlMessage } from "../../src/session/verifier.js";
import { COLLIDING, sampleSecret } from "../keys/sample-keys.js";
import { batchOf, FLAG, KIND, payloadOf, sealDetached, sealRegion, TYPE } from "../wire/reference.js";
import {
  carry,
  deliveredFrom,
  FLOWS,
  HOUR,
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

const BODY = Buffer.from("body");

function delivered(verdict: Verdict) {
  if (!verdict.ok) return expect.unreachable(`${verdict.reason}: ${verdict.detail}`);
  return verdict;
}
function refused(verdict: Verdict) {
  if (verdict.ok) return expect.unreachable("it was delivered");
  return verdict;
}

describe.each(FLOWS)("%s to %s", (from, to) => {
  const bodies = [["one"], ["", "two", ""], ["x".repeat(20_000)]];

  test.each([
    ["inline", Number.POSITIVE_INFINITY],
    ["detached", 0],
    ["by size", 16_384],
  ])("delivers what was sent, once (%s)", (_, inline) => {
    const link = linkOf({ from, to, signing: { limits: { inline } } });
    for (const body of bodies) {
      const frames = link.send(...body);
      const verdict = delivered(link.verify(frames));
      expect(textOf(verdict.frames)).toEqual(
        textOf(
          deliveredFrom(
            from,
            to,
            body.map((part) => Buffer.from(part)),
          ),
        ),
      );
      expect(verdict.rest).toEqual([]);
      expect(saidOf(link.verify(frames))).toBe("replayed");
    }
    expect(link.verifier.stats).toMatchObject({
      accepted: 3,
      rejected: { replayed: 3 },
      streams: 1,
      gaps: 0,
    });
  });

  test("says where it comes from", () => {
    const link = linkOf({ from, to });
    link.verify(link.send("first"));
    const { origin } = delivered(link.verify(link.send("second")));
    expect({ ...origin }).toEqual({
      sender: "alice",
      channel: "",
      pattern: from,
      keyId: new Key(SECRET).idText,
      epoch: link.signer.epoch,
      sequence: 2,
      sentAt: expect.closeTo(link.clock.now, -3),
      addressed: from === "router" || from === "rep",
      late: false,
    });
  });
});

describe.each(FLOWS.filter(([from, to]) => ![from, to].some((type) => type === "req" || type === "rep")))(
  "a batch from %s to %s",
  (from, to) => {
    test("is delivered whole and in order, once", () => {
      const link = linkOf({ from, to });
      const frames = link.sendBatch(["a"], ["b", ""], ["c"]);
      const { frames: first, origin, rest } = delivered(link.verify(frames));
      const got = [{ frames: first, origin }, ...rest];
      expect(got.map((delivery) => textOf(delivery.frames))).toEqual(
        [["a"], ["b", ""], ["c"]].map((body) =>
          textOf(
            deliveredFrom(
              from,
              to,
              body.map((part) => Buffer.from(part)),
            ),
          ),
        ),
      );
      expect(got.map((delivery) => delivery.origin?.sequence)).toEqual([1, 2, 3]);
      expect(link.verifier.stats).toMatchObject({ accepted: 3 });
      expect(saidOf(link.verify(frames))).toBe("replayed");
      expect(link.verifier.stats.rejected.replayed).toBe(1);
      expect(delivered(link.verify(link.send("d"))).origin?.sequence).toBe(4);
    });
  },
);

describe("messages of a second writer, made from the specification alone", () => {
  const at = () => {
    const clock = testClock();
    const fields = {
      sender: "alice",
      pattern: TYPE.push,
      epoch: BigInt(clock.now),
      sentAt: BigInt(clock.now + SECOND),
    };
    return { clock, fields };
  };

  test.each(["", "shell"])("inline, detached and batched, on channel %j", (channel) => {
    const { clock, fields } = at();
    const verifier = verifierOf({ pattern: "pull", clock, channel });
    const sealing = (sequence: bigint) => ({ secret: SECRET, channel, fields: { ...fields, sequence } });
    expect(textOf(delivered(verifier.verify(sealRegion(payloadOf("a", "b"), sealing(1n)))).frames)).toEqual([
      "a",
      "b",
    ]);
    expect(textOf(delivered(verifier.verify(sealDetached([BODY], sealing(2n)))).frames)).toEqual(["body"]);
    const batch = sealRegion(batchOf(["c"], ["d"]), {
      ...sealing(3n),
      fields: { ...fields, sequence: 3n, kind: KIND.batch, flags: FLAG.inline },
    });
    expect(delivered(verifier.verify(batch)).rest).toHaveLength(1);
  });

  test("with a topic", () => {
    const { clock, fields } = at();
    const verifier = verifierOf({ pattern: "sub", clock });
    const sealing = { secret: SECRET, topic: TOPIC, fields: { ...fields, pattern: TYPE.pub } };
    expect(textOf(delivered(verifier.verify(sealDetached([BODY], sealing))).frames)).toEqual([
      "topic",
      "body",
    ]);
  });

  test("addressed, with the sender's key and with the recipient's", () => {
    const { clock, fields } = at();
    const verifier = verifierOf({ pattern: "dealer", sender: "bob~3", clock });
    const router = { ...fields, pattern: TYPE.router };
    for (const [sequence, recipientKey] of [
      [1n, false],
      [2n, true],
    ] as const) {
      const sealing = { secret: SECRET, to: "bob~3", recipientKey, fields: { ...router, sequence } };
      expect(delivered(verifier.verify(sealRegion(payloadOf("x"), sealing))).origin?.addressed).toBe(true);
    }
    const other = { secret: SECRET, to: "bob", recipientKey: true, fields: { ...router, sequence: 3n } };
    expect(saidOf(verifier.verify(sealRegion(payloadOf("x"), other)))).toBe("bad-signature");
  });

  test("bound to a request", () => {
    const { clock, fields } = at();
    const verifier = verifierOf({ pattern: "req", clock });
    const requestTag = Buffer.alloc(32, 5);
    const rep = {
      ...fields,
      pattern: TYPE.rep,
      flags: FLAG.inline | FLAG.delimited | FLAG.addressed | FLAG.bound,
    };
    const frames = sealRegion(payloadOf("x"), { secret: SECRET, to: "bob", requestTag, fields: rep });
    expect(saidOf(verifier.verify(frames, Buffer.alloc(32, 6)))).toBe("bad-signature");
    expect(saidOf(verifier.verify(frames))).toBe("not-bound");
    expect(saidOf(verifier.verify(frames, requestTag))).toBe("ok");
  });

  test("and a signer writes what the second writer writes, byte for byte", () => {
    const clock = testClock();
    const signer = signerOf({ pattern: "pub", channel: "iopub", sender: "alice~1", clock, to: "bob" });
    const signed = signer.sign([TOPIC, "a", ""]);
    const fields = {
      sender: "alice~1",
      pattern: TYPE.pub,
      flags: FLAG.inline | FLAG.topic | FLAG.addressed | FLAG.recipientKey,
      ordinal: 1,
      epoch: BigInt(signer.epoch),
      sequence: 1n,
      sentAt: (signed[1] as Buffer).readBigUInt64BE(32),
    };
    const sealing = { secret: SECRET, channel: "iopub", topic: TOPIC, to: "bob", recipientKey: true, fields };
    expect(signed).toEqual(sealRegion(payloadOf("a", ""), sealing));
  });
});

/** Reasons that only messages of `countersign/jupyter` are refused for: test/jupyter/receiver.test.ts. */
const OF_JUPYTER = [
  "wrong-channel",
  "wrong-recipient",
  "wrong-topic",
  "bad-buffers",
  "not-hardened",
] as const;
type OfJupyter = (typeof OF_JUPYTER)[number];
const GIVEN = Object.keys(REASONS).filter((reason) => !(OF_JUPYTER as readonly string[]).includes(reason));

/** A message that is refused for each reason, and whether its tag was verified by then. */
const REFUSED: Record<Exclude<Reason, OfJupyter>, readonly [authentic: boolean, () => Verdict]> = {
  unsigned: [false, () => linkOf().verify([BODY])],
  malformed: [
    false,
    () => {
      const link = linkOf();
      return link.verify([...link.send("a"), BODY]);
    },
  ],
  "too-large": [
    false,
    () => {
      const link = linkOf({ verifying: { limits: { bytes: 3 } } });
      return link.verify(link.send("four"));
    },
  ],
  "unsupported-version": [
    false,
    () => {
      const link = linkOf();
      const [frame] = link.send("a") as [Buffer];
      frame[2] = 2;
      return link.verify([frame]);
    },
  ],
  unsupported: [
    false,
    () => {
      const link = linkOf();
      const [frame] = link.send("a") as [Buffer];
      frame[3] = KIND.sync;
      return link.verify([frame]);
    },
  ],
  "wrong-pattern": [
    false,
    () => verifierOf({ pattern: "pull" }).verify(signerOf({ pattern: "pair" }).sign("a")),
  ],
  "wrong-envelope": [
    false,
    () => {
      const link = linkOf({ from: "dealer", to: "router" });
      const [id, ...rest] = link.send("a") as [Buffer, ...Buffer[]];
      return link.verify([id, Buffer.alloc(0), ...rest]);
    },
  ],
  "not-addressed": [
    false,
    () => {
      const link = linkOf({ from: "router", to: "dealer", target: { to: null } });
      return link.verify(link.send("a"));
    },
  ],
  "not-bound": [
    false,
    () => {
      const link = linkOf({ from: "rep", to: "req", target: { to: "bob" } });
      return link.verify(link.send("a"));
    },
  ],
  "unknown-key": [
    false,
    () => {
      const link = linkOf({ signing: { key: sampleSecret(2) } });
      return link.verify(link.send("a"));
    },
  ],
  "revoked-key": [
    false,
    () => {
      const ring = new Keyring([SECRET, sampleSecret(2)]);
      const link = linkOf({ verifying: { key: ring } });
      ring.revoke(new Key(SECRET));
      return link.verify(link.send("a"));
    },
  ],
  "key-not-yet-valid": [
    false,
    () => {
      const link = linkOf({ verifying: { key: new Key(SECRET, { notBefore: Number.MAX_SAFE_INTEGER }) } });
      return link.verify(link.send("a"));
    },
  ],
  "key-expired": [
    false,
    () => {
      const link = linkOf({ verifying: { key: new Key(SECRET, { notAfter: 0 }) } });
      return link.verify(link.send("a"));
    },
  ],
  "key-out-of-scope": [
    false,
    () => {
      const link = linkOf({ verifying: { key: new Key(SECRET, { senders: ["carol"] }) } });
      return link.verify(link.send("a"));
    },
  ],
  "bad-signature": [
    false,
    () => {
      const link = linkOf({ verifying: { channel: "control" } });
      return link.verify(link.send("a"));
    },
  ],
  reflected: [
    true,
    () => {
      const link = linkOf({ from: "pair", to: "pair", verifying: { sender: "alice" } });
      return link.verify(link.send("a"));
    },
  ],
  "not-live": [
    true,
    () => {
      const link = linkOf();
      link.clock.now -= 40_000; // less than what begins a new epoch
      const frames = link.send("a");
      link.clock.now += SECOND;
      const late = verifierOf({ pattern: "pull", clock: link.clock });
      return late.verify(frames);
    },
  ],
  "future-epoch": [
    true,
    () => {
      const clock = testClock();
      const ahead = clock.now + 25 * HOUR;
      const fields = { pattern: TYPE.push, epoch: BigInt(ahead), sentAt: BigInt(ahead) };
      return verifierOf({ pattern: "pull", clock }).verify(
        sealRegion(payloadOf("a"), { secret: SECRET, fields }),
      );
    },
  ],
  "too-old": [
    true,
    () => {
      const link = linkOf({ verifying: { maxAge: 1000 } });
      const frames = link.send("a");
      link.clock.now += 2 * SECOND;
      return link.verify(frames);
    },
  ],
  unasked: [
    true,
    () => refusedControl("echo", (verifier, control) => verifier.begin(control, undefined) as Reason),
  ],
  "stale-epoch": [
    true,
    () => {
      const clock = testClock();
      const verifier = verifierOf({ pattern: "pull", clock });
      const old = signerOf({ pattern: "push", clock });
      old.close();
      const young = signerOf({ pattern: "push", clock });
      verifier.verify(young.sign("a"));
      return verifier.verify(old.sign("b"));
    },
  ],
  replayed: [
    true,
    () => {
      const link = linkOf();
      const frames = link.send("a");
      link.verify(frames);
      return link.verify(frames);
    },
  ],
  "below-window": [
    true,
    () => {
      const link = linkOf({ verifying: { window: 1 } });
      const frames = link.send("a");
      link.verify(link.send("b"));
      return link.verify(frames);
    },
  ],
  "state-unavailable": [
    true,
    () => {
      const link = linkOf({ verifying: { state: brokenState() } });
      return link.verify(link.send("a"));
    },
  ],
  undecodable: [true, () => withdrawn("undecodable")],
  invalid: [true, () => withdrawn("invalid")],
  challenged: [true, () => refusedControl("challenge", () => "challenged")],
  refused: [false, () => linkOf({ from: "rep", to: "req" }).verify([Buffer.from("c153010700040000", "hex")])],
};

function withdrawn(reason: "undecodable" | "invalid"): Verdict {
  const link = linkOf();
  const { origin } = delivered(link.verify(link.send("a")));
  const verdict: Verdict = { ok: false, ...link.verifier.withdraw(origin, reason) };
  const { sender, pattern, keyId, epoch, sequence, sentAt } = origin as Origin;
  expect(verdict).toMatchObject({ claimed: { sender, pattern, keyId, epoch, sequence, sentAt } });
  expect(link.verifier.stats).toMatchObject({ accepted: 0, rejected: { [reason]: 1 } });
  return verdict;
}

/** Why a control message led to nothing, as its receiver found out. */
function refusedControl(kind: Kind, find: (verifier: Verifier, control: Control) => Reason): Verdict {
  const link = linkOf({ from: "dealer", to: "dealer" });
  const body = { answer: Buffer.alloc(16, 1), ask: Buffer.alloc(16), known: 0 };
  const examined = link.verifier.examine(link.signer.signControl(kind, body, [], {}));
  if (!("reason" in examined) || !isControlMessage(examined)) throw new Error("It is a control message.");
  return { ok: false, ...link.verifier.refuseControl(find(link.verifier, examined), examined.origin) };
}

/** A state whose medium is gone. */
function brokenState(): ReplayState {
  const streams: Streams = {
    size: 0,
    admit: () => "state-unavailable",
    ask: () => undefined,
    answered: () => "state-unavailable",
    begin: () => "state-unavailable",
    epochOf: () => 0,
    forgetKey: () => {},
    sinceOf: () => undefined,
  };
  return { asynchronous: false, table: () => streams };
}

describe("every reason", () => {
  test("has a sentence", () => {
    expect(Object.keys(REFUSED)).toEqual(GIVEN);
    for (const sentence of Object.values(REASONS)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  test.each(GIVEN as Exclude<Reason, OfJupyter>[])("%s is given by a message", (reason) => {
    const [authentic, provoke] = REFUSED[reason];
    const rejection = refused(provoke());
    expect(rejection).toMatchObject({
      ok: false,
      reason,
      authentic,
      detail: expect.stringContaining(REASONS[reason]),
    });
    expect(rejection).not.toHaveProperty("frames");
    expect(rejection).not.toHaveProperty("origin");
  });
});

test("a refusal says what the message claims, as far as it can be read", () => {
  const link = linkOf({ verifying: { channel: "control" } });
  const { claimed, channel, receiver } = refused(link.verify(link.send("a")));
  expect({ claimed, channel, receiver }).toEqual({
    claimed: {
      sender: "alice",
      pattern: "push",
      keyId: new Key(SECRET).idText,
      epoch: link.signer.epoch,
      sequence: 1,
      sentAt: expect.any(Number),
    },
    channel: "control",
    receiver: "pull",
  });
  const [frame] = link.send("b") as [Buffer];
  expect(refused(link.verify([frame, BODY])).claimed).toMatchObject({ sender: "alice", sequence: 2 });
  expect(refused(link.verify([frame.subarray(0, 30)]))).not.toHaveProperty("claimed");
  expect(refused(link.verify([BODY]))).not.toHaveProperty("claimed");
});

test.each(FLOWS)("of a malformed message from %s to %s the header is told where it stands", (from, to) => {
  const link = linkOf({ from, to });
  const malformed = [...link.send("a"), Buffer.alloc(0)];
  expect(refused(link.verify(malformed))).toMatchObject({
    reason: "malformed",
    claimed: { sender: "alice" },
  });
});

describe("reasons come in the order of the four questions", () => {
  const SIGNED_AT = 5n * BigInt(SECOND);

  /** A verifier of whose streams, keys and memory everything can be wrong at once; each row mends one thing more. */
  function scene() {
    const clock = testClock();
    const ring = new Keyring([new Key(SECRET, { notAfter: clock.now / 1000 - 1 })]);
    const verifier = verifierOf({ pattern: "pair", sender: "alice", clock, key: ring, maxAge: 1000 });
    return { clock, ring, verifier };
  }

  test("form before key, key before tag, tag before liveness, liveness before newness", () => {
    const { clock, ring, verifier } = scene();
    const now = BigInt(clock.now);
    const fields = { sender: "alice", pattern: TYPE.pair, epoch: now, sentAt: now - SIGNED_AT };
    const message = (changes: object) =>
      sealRegion(payloadOf("a"), { secret: SECRET, fields: { ...fields, ...changes } });
    const tampered = (changes: object) => {
      const [frame] = message(changes) as [Buffer];
      frame.writeUInt8((frame.at(-1) as number) ^ 1, frame.length - 1);
      return [frame];
    };
    expect(saidOf(verifier.verify([...tampered({}), BODY]))).toBe("malformed");
    expect(saidOf(verifier.verify(tampered({ keyId: 1 })))).toBe("unknown-key");
    expect(saidOf(verifier.verify(tampered({})))).toBe("key-expired");
    ring.add(new Key(SECRET, { senders: ["carol"] }));
    expect(saidOf(verifier.verify(tampered({})))).toBe("key-out-of-scope");
    ring.add(SECRET);
    expect(saidOf(verifier.verify(tampered({})))).toBe("bad-signature");
    expect(saidOf(verifier.verify(message({})))).toBe("reflected");
    const from = { sender: "dave" };
    expect(saidOf(verifier.verify(message(from)))).toBe("too-old");
    const far = { ...from, sentAt: now - BigInt(SECOND) / 2n, epoch: now + BigInt(25 * HOUR) };
    expect(saidOf(verifier.verify(message(far)))).toBe("future-epoch");
    expect(saidOf(verifier.verify(message({ ...far, epoch: now })))).toBe("not-live");
    const good = { ...from, sentAt: now + 1000n, sequence: 5n };
    expect(saidOf(verifier.verify(message(good)))).toBe("ok");
    expect(saidOf(verifier.verify(message({ ...good, epoch: now - 1n, sentAt: now - SIGNED_AT })))).toBe(
      "too-old",
    );
    expect(saidOf(verifier.verify(message({ ...good, epoch: now - 1n })))).toBe("stale-epoch");
    expect(saidOf(verifier.verify(message(good)))).toBe("replayed");
    expect(saidOf(verifier.verify(message({ ...good, sequence: 6n })))).toBe("ok");
    expect(verifier.stats).toMatchObject({ accepted: 2, streams: 1 });
  });
});

describe("nothing is remembered of a message that was refused", () => {
  type Forge = (genuine: Buffer, link: ReturnType<typeof linkOf>) => Buffer[][];
  const AHEAD = BigInt(HOUR);

  /** A message under a genuine tag that claims to be of a later epoch than the genuine one. */
  function sealed(link: ReturnType<typeof linkOf>, fields: object, secret = SECRET, body = "forged") {
    const ahead = BigInt(link.clock.now) + AHEAD;
    const later = { pattern: TYPE.push, epoch: ahead, sequence: 999n, sentAt: ahead };
    return sealRegion(payloadOf(body), { secret, fields: { ...later, ...fields } });
  }
  const tooFar = (link: ReturnType<typeof linkOf>) => BigInt(link.clock.now + 30 * HOUR);

  const forgeries: readonly [Reason, Forge][] = [
    ["unsigned", () => [[BODY], []]],
    ["malformed", (genuine) => [[genuine, BODY], [genuine.subarray(0, 50)], [genuine.subarray(0, -1)]]],
    ["too-large", (_, link) => [sealed(link, {}, SECRET, "x".repeat(101))]],
    ["unsupported-version", (_, link) => [sealed(link, { version: 2 })]],
    [
      "unsupported",
      (_, link) => [sealed(link, { kind: KIND.hello }), sealed(link, { flags: FLAG.inline | FLAG.sealed })],
    ],
    ["wrong-pattern", (_, link) => [sealed(link, { pattern: TYPE.pair })]],
    ["wrong-envelope", (_, link) => [sealed(link, { flags: FLAG.inline | FLAG.delimited })]],
    ["unknown-key", (_, link) => [sealed(link, {}, sampleSecret(2))]],
    [
      "bad-signature",
      (genuine, link) => [
        [Buffer.from(genuine).fill(0, 45, 77)],
        [Buffer.from(genuine).fill("x", 90)],
        sealed(link, { keyId: new Key(SECRET).id }, sampleSecret(2)),
      ],
    ],
    [
      "future-epoch",
      (_, link) => [
        sealed(link, { epoch: tooFar(link) }),
        sealed(link, { sender: "new", epoch: tooFar(link) }),
      ],
    ],
    ["not-live", (_, link) => [sealed(link, { sender: "new", sentAt: 1n }), sealed(link, { sentAt: 1n })]],
    ["stale-epoch", (_, link) => [sealed(link, { epoch: 1n })]],
    ["replayed", (_, link) => [sealed(link, { epoch: BigInt(link.signer.epoch), sequence: 1n })]],
  ];

  test.each(forgeries)("%s", (reason, forge) => {
    const link = linkOf({ verifying: { window: 64, limits: { bytes: 100 } } });
    expect(saidOf(link.verify(link.send("before")))).toBe("ok");
    const next = link.send("genuine");
    for (const frames of forge(Buffer.from(next[0] as Buffer), link)) {
      expect(saidOf(link.verify(frames))).toBe(reason);
      expect(link.verifier.stats).toMatchObject({ accepted: 1, streams: 1 });
    }
    expect(textOf(delivered(link.verify(next)).frames)).toEqual(["genuine"]);
    expect(delivered(link.verify(link.send("after"))).origin?.late).toBe(false);
    expect(link.verifier.stats).toMatchObject({ accepted: 3, streams: 1, gaps: 0 });
  });
});

describe("attack 21: a forgery that carries genuine numbers or a genuine tag", () => {
  test("is refused, and the genuine message is still delivered", () => {
    const link = linkOf();
    const genuine = link.send("genuine");
    const [frame] = genuine as [Buffer];
    const forgeries = Array.from({ length: frame.length }, (_, at) => {
      const forged = Buffer.from(frame);
      forged.writeUInt8((forged[at] as number) ^ 0x01, at);
      return forged;
    });
    for (const forged of forgeries) expect(link.verify([forged]).ok).toBe(false);
    expect(link.verifier.stats).toMatchObject({ accepted: 0, streams: 0 });
    expect(saidOf(link.verify(genuine))).toBe("ok");
  });
});

describe("attack 1: any single bit", () => {
  test.each(FLOWS)("of a signed message from %s to %s", (from, to) => {
    for (const inline of [0, Number.POSITIVE_INFINITY]) {
      const link = linkOf({ from, to, signing: { limits: { inline } } });
      const genuine = link.send("some", "body");
      const own = to === "router" ? 1 : 0; // the return address is not covered
      for (let index = own; index < genuine.length; index++) {
        const frame = genuine[index] as Buffer;
        for (let bit = 0; bit < frame.length * 8; bit++) {
          frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7));
          expect(link.verify(genuine).ok, `frame ${index}, bit ${bit}`).toBe(false);
          frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7));
        }
      }
      expect(link.verifier.stats).toMatchObject({ accepted: 0, streams: 0 });
      expect(saidOf(link.verify(genuine))).toBe("ok");
    }
  });
});

describe("keys", () => {
  test("attack 37: a key is valid at its bounds and not beyond", () => {
    const link = linkOf();
    const at = link.clock.now + HOUR;
    const key = new Key(SECRET, { notBefore: at / 1000, notAfter: at / 1000 + 1 });
    let now = at;
    const verifier = verifierOf({
      pattern: "pull",
      key,
      clock: () => now,
      state: new MemoryState({ clock: () => 0 }),
    });
    const said = [at - 1, at, at + 1000, at + 1001].map((moment) => {
      now = moment;
      return saidOf(verifier.verify(link.send("a")));
    });
    expect(said).toEqual(["key-not-yet-valid", "ok", "ok", "key-expired"]);
  });

  test("ids that collide: each key is tried", () => {
    const [one, other] = COLLIDING.secrets;
    for (const key of [one, other]) {
      const link = linkOf({ signing: { key }, verifying: { key: new Keyring([one, other]) } });
      expect(delivered(link.verify(link.send("a"))).origin?.keyId).toBe(COLLIDING.idText);
      link.signer.close();
    }
  });

  test("ids that collide: the reason is that of the key which came furthest", () => {
    const [one, other] = COLLIDING.secrets.map((secret) => new Key(secret)) as [Key, Key];
    const expired = { notAfter: 0 };
    const outOfScope = { senders: ["carol"] };
    const reasonUnder = (...keys: Key[]) => {
      const link = linkOf({ signing: { key: one }, verifying: { key: new Keyring(keys) } });
      const frames = link.send("a");
      link.signer.close();
      return saidOf(link.verify(frames));
    };
    expect(reasonUnder(other)).toBe("bad-signature");
    expect(reasonUnder(other, one.withTerms(expired))).toBe("bad-signature");
    expect(reasonUnder(one.withTerms(expired), other)).toBe("bad-signature");
    expect(reasonUnder(one.withTerms(expired), other.withTerms(outOfScope))).toBe("key-expired");
    expect(reasonUnder(one.withTerms(outOfScope), other.withTerms(expired))).toBe("key-expired");
    expect(reasonUnder(one.withTerms(expired), one.withTerms({ notBefore: 9e15 }))).toBe("key-not-yet-valid");
    expect(reasonUnder(other.withTerms({ notBefore: 9e15 }), one.withTerms(expired))).toBe(
      "key-not-yet-valid",
    );
  });

  test("attack 34: a device's key speaks as itself alone", () => {
    const device = deriveSenderKey(SECRET, "device");
    const own = linkOf({ signing: { key: device, sender: "device" } });
    expect(saidOf(own.verify(own.send("a")))).toBe("ok");
    expect(() => signerOf({ pattern: "push", key: device, sender: "other" })).toThrow(
      /cannot sign as "other"/,
    );
    const clock = testClock();
    const stolen = {
      secret: device.exportSecret(),
      fields: {
        sender: "other",
        pattern: TYPE.push,
        keyId: device.id,
        epoch: BigInt(clock.now),
        sentAt: BigInt(clock.now + 1),
      },
    };
    expect(saidOf(verifierOf({ pattern: "pull", clock }).verify(sealRegion(payloadOf("x"), stolen)))).toBe(
      "bad-signature",
    );
  });

  test("a device verifies what is said to it with the one key that it has", () => {
    const device = deriveSenderKey(SECRET, "device");
    const link = linkOf({ from: "router", to: "dealer", verifying: { key: device, sender: "device~7" } });
    expect(delivered(link.verify(link.send("a"))).origin).toMatchObject({ sender: "alice", addressed: true });
    const broadcast = linkOf({
      from: "dealer",
      to: "dealer",
      verifying: { key: device, sender: "device" },
      signing: { sender: "carol" },
    });
    expect(saidOf(broadcast.verify(broadcast.send("a")))).toBe("key-out-of-scope");
  });

  test("a subscriber verifies its publisher with the key of one stream", () => {
    const key = deriveStreamKey(SECRET, "alice", "iopub");
    const on = (channel: string) =>
      linkOf({ from: "pub", to: "sub", signing: { channel }, verifying: { key, channel } });
    const iopub = on("iopub");
    expect(saidOf(iopub.verify(iopub.send("a")))).toBe("ok");
    const other = on("other");
    expect(saidOf(other.verify(other.send("a")))).toBe("key-out-of-scope");
  });

  test("attack 16: rotation reopens nothing, under the old key or the new", () => {
    const ring = new Keyring([SECRET]);
    const link = linkOf({ signing: { key: ring }, verifying: { key: ring } });
    const old = [link.send("a"), link.send("b")];
    expect(old.map((frames) => saidOf(link.verify(frames)))).toEqual(["ok", "ok"]);
    ring.rotate(sampleSecret(2), { overlap: Number.POSITIVE_INFINITY });
    expect(old.map((frames) => saidOf(link.verify(frames)))).toEqual(["replayed", "replayed"]);
    const { origin } = delivered(link.verify(link.send("c")));
    expect(origin).toMatchObject({ sequence: 3, keyId: new Key(sampleSecret(2)).idText });
    expect(old.map((frames) => saidOf(link.verify(frames)))).toEqual(["replayed", "replayed"]);
    expect(link.verifier.stats.streams).toBe(1);
  });

  test("a revoked key takes along the streams that it moved last, and since is now", () => {
    const ring = new Keyring([SECRET, sampleSecret(2)]);
    const clock = testClock();
    const verifier = verifierOf({ pattern: "pull", key: ring, clock });
    const [leaked, kept] = [SECRET, sampleSecret(2)].map((key, i) =>
      signerOf({ pattern: "push", key, sender: `s${i}`, clock }),
    ) as [ReturnType<typeof signerOf>, ReturnType<typeof signerOf>];
    const recorded = kept.sign("recorded");
    expect([leaked.sign("a"), recorded].map((frames) => saidOf(verifier.verify(frames)))).toEqual([
      "ok",
      "ok",
    ]);
    const unheard = signerOf({ pattern: "push", key: sampleSecret(2), sender: "late", clock }).sign("x");
    ring.revoke(new Key(SECRET));
    expect(saidOf(verifier.verify(leaked.sign("b")))).toBe("revoked-key");
    expect(verifier.stats.streams).toBe(1);
    expect(saidOf(verifier.verify(recorded))).toBe("replayed");
    expect(saidOf(verifier.verify(kept.sign("c")))).toBe("ok");
    expect(saidOf(verifier.verify(unheard))).toBe("not-live");
  });
});

describe("who shares a memory", () => {
  const twice = (options: object, others: object = options) => {
    const link = linkOf({ verifying: options });
    const second = verifierOf({ pattern: "pull", clock: link.clock, ...others });
    const frames = link.send("a");
    return [saidOf(link.verify(frames)), saidOf(second.verify(frames))];
  };

  test("receivers with a state and a name of their own hear it once between them", () => {
    const state = new MemoryState({ clock: () => 0 });
    expect(twice({ state, receiver: "workers" })).toEqual(["ok", "replayed"]);
  });

  test("others hear it once each", () => {
    const state = new MemoryState({ clock: () => 0 });
    expect(twice({ state, receiver: "one" }, { state, receiver: "two" })).toEqual(["ok", "ok"]);
    expect(twice({ state })).toEqual(["ok", "ok"]);
  });

  test("a state that outlives the process is not asked for whoever has no name of its own", () => {
    const memory = new MemoryState();
    const asked: string[] = [];
    const state: ReplayState = {
      asynchronous: true,
      table: (receiver, ...place) => {
        asked.push(`table of ${receiver}`);
        return memory.table(receiver, ...place);
      },
      nextEpoch: ({ sender }, atLeast) => {
        asked.push(`epoch of ${sender}`);
        return atLeast;
      },
    };
    const clock = testClock();
    const verifier = verifierOf({ pattern: "pull", state, clock });
    const nobody = new Signer({ key: SECRET, pattern: "push", state, clock });
    expect(asked).toEqual([]);
    expect(verifier.verify(nobody.sign("a"))).toMatchObject({ ok: true });
    nobody.close();
    verifierOf({ pattern: "pull", state, receiver: "workers" });
    signerOf({ pattern: "push", sender: "somebody", state });
    expect(asked).toEqual(["table of workers", "epoch of somebody"]);
  });

  test.each([
    [{ state: {} }, /^signing\.state must be a memory of streams/],
    [{ state: null }, /^signing\.state must be a memory of streams/],
    [{ state: MemoryState }, /^signing\.state must be a memory of streams/],
    [{ receiver: "" }, /^signing\.receiver must be a name/],
    [{ receiver: 5 }, /^signing\.receiver must be a name/],
  ])("%o is told when it is given", (wrong, message) => {
    const options = wrong as unknown as Partial<VerifierOptions>;
    expect(() => verifierOf({ pattern: "pull", ...options })).toThrow(message);
    if ("state" in wrong)
      expect(() => new Signer({ key: SECRET, pattern: "push", ...options })).toThrow(message);
  });

  test("windows that differ are told when the receiver is made, not when it hears something", () => {
    const state = new MemoryState();
    verifierOf({ pattern: "pull", state, receiver: "workers" });
    expect(() => verifierOf({ pattern: "pull", state, receiver: "workers", window: 64 })).toThrow(
      /must have the same window/,
    );
  });
});

describe("attack 18: bounded streams", () => {
  test("an evicted stream's past stays out, its next message comes in", () => {
    const clock = testClock();
    const verifier = verifierOf({ pattern: "pull", clock, limits: { streams: 10 } });
    const victim = signerOf({ pattern: "push", sender: "victim", clock });
    const recorded = Array.from({ length: 5 }, (_, i) => victim.sign(`${i}`));
    for (const frames of recorded) expect(saidOf(verifier.verify(frames))).toBe("ok");
    for (let i = 0; i < 30; i++) {
      expect(
        saidOf(verifier.verify(signerOf({ pattern: "push", sender: `crowd-${i}`, clock }).sign("x"))),
      ).toBe("ok");
    }
    expect(verifier.stats.streams).toBe(10);
    for (const frames of recorded) expect(saidOf(verifier.verify(frames))).toBe("not-live");
    expect(saidOf(verifier.verify(victim.sign("next")))).toBe("ok");
    for (const frames of recorded) expect(saidOf(verifier.verify(frames))).toBe("replayed");
  });
});

describe("not live", () => {
  test("says the first time by how much, and then briefly", () => {
    const clock = testClock();
    const signer = signerOf({ pattern: "push", clock });
    const early = signer.sign("a");
    clock.now += 2 * SECOND;
    const verifier = verifierOf({ pattern: "pull", clock });
    clock.now += SECOND;
    const { detail } = refused(verifier.verify(early));
    expect(detail).toMatch(
      /signed 2000\.0 ms before this receiver began to remember, 3000\.0 ms ago by its sender's clock/,
    );
    expect(refused(verifier.verify(early)).detail).toBe(REASONS["not-live"]);
    expect(saidOf(verifier.verify(signer.sign("b")))).toBe("ok");
    expect(saidOf(verifier.verify(early))).toBe("replayed");
  });

  test("a skew asks for more, exactly", () => {
    const clock = testClock();
    const verifier = verifierOf({ pattern: "pull", skew: 5, clock: () => clock.now });
    const since = clock.now;
    const fields = (sentAt: number) => ({ pattern: TYPE.push, epoch: BigInt(since), sentAt: BigInt(sentAt) });
    const message = (sentAt: number) =>
      sealRegion(payloadOf("a"), { secret: SECRET, fields: fields(sentAt) });
    expect(saidOf(verifier.verify(message(since + 5000)))).toBe("not-live");
    expect(saidOf(verifier.verify(message(since + 5001)))).toBe("ok");
  });

  test("what answers me is live however old it says it is", () => {
    for (const to of ["dealer", "req"] as const) {
      const link = linkOf({
        from: "router",
        to,
        signing: { clock: () => 5 },
        ...(to === "dealer" && { verifying: { sender: undefined } }),
      });
      expect(saidOf(link.verify(link.send("a")))).toBe("ok");
    }
  });

  test("a fresh name is no evidence for what is not addressed to it", () => {
    const link = linkOf({
      from: "dealer",
      to: "dealer",
      signing: { clock: () => 5 },
      verifying: { sender: undefined },
    });
    expect(saidOf(link.verify(link.send("a")))).toBe("not-live");
    expect(saidOf(link.verify(link.signer.sign("b", { to: link.verifier.identity.name })))).toBe("ok");
  });

  test("a name that was given is no evidence", () => {
    const link = linkOf({ from: "router", to: "dealer", signing: { clock: () => 5 } });
    expect(saidOf(link.verify(link.send("a")))).toBe("not-live");
  });
});

describe("one's own message", () => {
  test("is one's own name from one's own socket type; another's of that name is not", () => {
    const same = linkOf({ from: "dealer", to: "dealer", verifying: { sender: "alice" } });
    expect(saidOf(same.verify(same.send("a")))).toBe("reflected");
    const other = linkOf({ from: "router", to: "dealer", verifying: { sender: "alice" } });
    expect(saidOf(other.verify(other.send("a")))).toBe("ok");
    const instance = linkOf({ from: "dealer", to: "dealer", verifying: { sender: "alice~2" } });
    expect(saidOf(instance.verify(instance.send("a")))).toBe("ok");
  });
});

describe("under policy report", () => {
  const reporting = (from: "push" | "pub", to: "pull" | "sub") =>
    linkOf({ from, to, verifying: { policy: "report" } });

  test("what is unsigned is handed on without origin, and counted", () => {
    const link = reporting("push", "pull");
    expect(link.verify([BODY, BODY])).toEqual({
      ok: true,
      frames: [BODY, BODY],
      origin: undefined,
      rest: [],
    });
    expect(reporting("pub", "sub").verify([TOPIC, BODY])).toMatchObject({
      ok: true,
      frames: [TOPIC, BODY],
      origin: undefined,
    });
    expect(link.verifier.stats).toMatchObject({ accepted: 0, unsigned: 1, rejected: { unsigned: 0 } });
  });

  test("attack 35: what is badly signed is refused all the same", () => {
    const link = reporting("push", "pull");
    const [frame] = link.send("a") as [Buffer];
    const bad = [
      Buffer.from(frame).fill(0, 45, 77),
      frame.subarray(0, 60),
      frame.subarray(0, 2),
      Buffer.from([0xc1, 0x53, 9]),
    ];
    for (const tampered of bad) expect(link.verify([tampered]).ok).toBe(false);
    expect(saidOf(link.verify([frame]))).toBe("ok");
    expect(saidOf(link.verify([frame]))).toBe("replayed");
  });

  test("what does not decode was not handed on after all", () => {
    const link = reporting("push", "pull");
    link.verify([BODY]);
    const rejection = link.verifier.withdraw(undefined, "undecodable");
    expect(rejection).toMatchObject({ reason: "undecodable", authentic: false });
    expect(rejection).not.toHaveProperty("claimed");
    expect(link.verifier.stats).toMatchObject({ accepted: 0, unsigned: 0, rejected: { undecodable: 1 } });
  });
});

test("frames may be plain Uint8Arrays, views into larger memory included", () => {
  const link = linkOf({ signing: { limits: { inline: 0 } } });
  const asView = (frame: Buffer) => {
    const memory = new Uint8Array(frame.length + 20).fill(9);
    memory.set(frame, 10);
    return memory.subarray(10, 10 + frame.length);
  };
  const { frames } = delivered(link.verifier.verify(link.send("a", "bc").map(asView)));
  expect(frames.every((frame) => Buffer.isBuffer(frame))).toBe(true);
  expect(textOf(frames)).toEqual(["a", "bc"]);
});

describe("hops", () => {
  test("stand in front and are told apart as return address, never as part of the message", () => {
    const hop = Buffer.from("broker");
    const link = linkOf({ from: "dealer", to: "router", verifying: { hops: 1 } });
    const [id, ...rest] = link.send("a") as [Buffer, ...Buffer[]];
    expect(textOf(delivered(link.verify([id, hop, ...rest])).frames)).toEqual(["id", "broker", "a"]);
    expect(saidOf(link.verify([id, ...rest]))).toBe("unsigned");
    expect(saidOf(link.verify([id, hop, hop, ...rest]))).toBe("unsigned");
  });
});

describe("gaps", () => {
  const gapsOf = (verifier: Verifier) => ({ gaps: verifier.stats.gaps, lost: verifier.stats.lost });

  test("are told with the message that showed them", () => {
    const seen: unknown[] = [];
    const link = linkOf({ from: "pub", to: "sub", verifying: { onGap: (gap) => seen.push(gap) } });
    link.verify(link.send("1"));
    link.send("lost");
    link.send("lost");
    link.verify(link.send("4"));
    expect(seen).toEqual([
      {
        sender: "alice",
        channel: "",
        pattern: "pub",
        topic: TOPIC,
        lost: 2,
        epoch: link.signer.epoch,
        sequence: 4,
      },
    ]);
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 2 });
  });

  test("are counted by recipient where there is one", () => {
    const link = linkOf({ from: "router", to: "dealer" });
    link.verify(link.send("1"));
    link.signer.sign([ID, "to another"], { to: "carol" });
    link.verify(link.send("2"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
    link.send("lost");
    link.verify(link.send("4"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 1 });
  });

  test("are counted by topic", () => {
    const link = linkOf({ from: "pub", to: "sub" });
    const publish = (topic: string) => link.signer.sign([topic, "x"]);
    for (const topic of ["a", "b", "a", "b"]) link.verify(publish(topic));
    publish("a");
    link.verify(publish("b"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
    link.verify(publish("a"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 1 });
  });

  test("are counted by topic, however long it is", () => {
    const link = linkOf({ from: "pub", to: "sub" });
    const [one, other] = ["a", "b"].map((end) => Buffer.from("x".repeat(1000) + end)) as [Buffer, Buffer];
    for (const topic of [one, other, one, other]) link.verify(link.signer.sign([topic, "x"]));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
    link.signer.sign([one, "lost"]);
    link.verify(link.signer.sign([one, "x"]));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 1 });
  });

  test("what was refused counts for nothing until it is lost", () => {
    const link = linkOf({ from: "pub", to: "sub" });
    link.verify(link.send("1"));
    const second = link.send("2");
    const forged = link.send("3").map((frame) => Buffer.from(frame));
    forged[1]?.fill(0, 45, 77);
    link.verify(forged);
    link.verify(second);
    expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
    link.verify(link.send("4"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 1 });
  });

  test("behind a broker a DEALER's unaddressed messages are not counted, its addressed ones are", () => {
    for (const [to, hops] of [
      ["router", 1],
      ["rep", 0],
    ] as const) {
      const link = linkOf({ from: "dealer", to, verifying: { hops }, target: { onePeer: true } });
      const via = (frames: Buffer[]) => (hops === 1 ? [ID, ...frames] : frames);
      link.verify(via(link.send("1")));
      link.send("lost");
      expect(saidOf(link.verify(via(link.send("3"))))).toBe("ok");
      expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
      link.signer.close();
      const named = linkOf({ from: "dealer", to, verifying: { hops }, target: { to: "bob" } });
      named.verify(via(named.send("1")));
      named.send("lost");
      expect(saidOf(named.verify(via(named.send("3"))))).toBe("ok");
      expect(gapsOf(named.verifier)).toEqual({ gaps: 1, lost: 1 });
      named.signer.close();
    }
  });

  test("messages that make no claim neither count nor begin a count again", () => {
    const link = linkOf({ from: "dealer", to: "router" });
    const send = (onePeer: boolean) => link.verify([ID, ...link.signer.sign("x", { onePeer })]);
    for (const onePeer of [true, false, true, false, false, true]) expect(saidOf(send(onePeer))).toBe("ok");
    expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
  });

  test("senders are counted apart, addressed or not", () => {
    for (const target of [{ to: "bob" }, { onePeer: true }]) {
      const clock = testClock();
      const verifier = verifierOf({ pattern: "router", clock });
      const senders = ["one", "two"].map((sender) => signerOf({ pattern: "dealer", sender, clock }));
      for (const which of [0, 0, 0, 1, 0, 1]) {
        verifier.verify([ID, ...(senders[which] as (typeof senders)[0]).sign("x", target)]);
      }
      expect(verifier.stats).toMatchObject({ accepted: 6, gaps: 0, lost: 0 });
    }
  });

  test("directly, a DEALER with one peer is counted", () => {
    const link = linkOf({ from: "dealer", to: "router", target: { onePeer: true } });
    link.verify(link.send("1"));
    link.send("lost");
    link.verify(link.send("3"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 1 });
  });

  test("a reset begins again with the next message", () => {
    const link = linkOf({ from: "pub", to: "sub" });
    link.verify(link.send("1"));
    link.send("unheard");
    link.verifier.resetGaps();
    link.verify(link.send("3"));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 0, lost: 0 });
  });

  test("a lost batch is as many messages", () => {
    const link = linkOf({ from: "pub", to: "sub" });
    link.verify(link.sendBatch(["a"], ["b"]));
    link.sendBatch(["c"], ["d"], ["e"]);
    link.verify(link.sendBatch(["f"], ["g"]));
    expect(gapsOf(link.verifier)).toEqual({ gaps: 1, lost: 3 });
  });
});

test("late messages are marked, and only with a window", () => {
  const link = linkOf({ verifying: { window: 10 } });
  const [one, two, three] = [link.send("1"), link.send("2"), link.send("3")];
  const lateness = [one, three, two].map((frames) => delivered(link.verify(frames)).origin?.late);
  expect(lateness).toEqual([false, false, true]);
});

test("what one is delivered does not change when the peer's message is reused", () => {
  const link = linkOf({ from: "req", to: "router" });
  const frames = link.send("a");
  const { origin } = delivered(link.verify(frames));
  const reply = signerOf({ pattern: "router", sender: "bob", clock: link.clock });
  const tag = Buffer.from(link.signer.requestTag as Buffer);
  for (const frame of frames) frame.fill(0);
  const back = carry("router", "req", reply.sign([ID, "", "answer"], { to: origin }));
  const waiting = verifierOf({ pattern: "req", sender: "alice", clock: link.clock });
  expect(saidOf(waiting.verify(back, tag))).toBe("ok");
});
