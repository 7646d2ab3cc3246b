// Vectors of keys: who holds what, since when and until when, and whose message a key may vouch for
// (docs/wire.md, section 2).

import { deriveSenderKey, deriveStreamKey, Key, type KeyTerms } from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";
import { FLAG, payloadOf, type Sealing, sealRegion, streamSecretOf, TYPE } from "../wire/reference.js";
import type { Arrival, Receiver, Vector } from "./format.js";
import {
  answerTo,
  delivered,
  HOUR,
  MASTER,
  OTHER,
  OTHER_SECRET,
  receiver,
  refused,
  refusedSent,
  SECRET,
  Sender,
  SINCE,
  vector,
} from "./lab.js";

const PUSH = { pattern: "push", name: "alice", channel: "shell" } as const;
const PUB = { pattern: "pub", name: "alice", channel: "shell" } as const;
const ME = receiver("pull", "kernel", { channel: "shell" });
const SUBSCRIBER = receiver("sub", "kernel", { channel: "shell" });
const ALICE = deriveSenderKey(SECRET, "alice");
const ALICE_ON_SHELL = deriveStreamKey(SECRET, "alice", "shell");
const BOB = deriveSenderKey(SECRET, "bob");
const IMPOSTOR = new Key(OTHER_SECRET, {}, { from: "master" }, MASTER.id);

/** A message that verifies with these keys. */
function accepted(name: string, signedWith: Key, held: readonly Key[]): Vector {
  return vector(name, ME, [delivered(new Sender({ ...PUSH, key: signedWith }).sign(["hello"]), ME)], held);
}

/** A broadcast that verifies with these keys. */
function heard(name: string, signedWith: Key, held: readonly Key[]): Vector {
  const sent = new Sender({ ...PUB, key: signedWith }).sign(["weather", "rain"]);
  return vector(name, SUBSCRIBER, [delivered(sent, SUBSCRIBER)], held);
}

export function holders(): Vector[] {
  return [
    accepted("sender-key-to-master", ALICE, [MASTER]),
    accepted("master-to-sender-key", MASTER, [ALICE]),
    heard("stream-key-to-master", ALICE_ON_SHELL, [MASTER]),
    heard("master-to-stream-key", MASTER, [ALICE_ON_SHELL]),
    heard("sender-key-to-stream-key", ALICE, [ALICE_ON_SHELL]),
    heard("stream-key-to-sender-key", ALICE_ON_SHELL, [ALICE]),
    accepted("second-of-two-keys", MASTER, [OTHER, MASTER]),
    accepted("one-id-several-keys", MASTER, [BOB, ALICE]),
    accepted("ids-that-collide", MASTER, [IMPOSTOR, MASTER]),
    senderKeyOfAnother(),
    outOfScope("stream-key-on-another-channel", PUB, deriveStreamKey(SECRET, "alice", "control")),
    outOfScope("stream-key-of-another-sender", PUB, deriveStreamKey(SECRET, "bob", "shell")),
    outOfScope("stream-key-and-nothing-published", PUSH, ALICE_ON_SHELL),
    outOfScope("sender-key-of-another-sender", PUSH, BOB),
    collidingIds(),
    paddedKey(),
  ];
}

function outOfScope(name: string, from: typeof PUSH | typeof PUB, held: Key): Vector {
  const me = from === PUB ? SUBSCRIBER : ME;
  const sent = new Sender(from).sign(from === PUB ? ["weather", "rain"] : ["hello"]);
  return vector(name, me, [refusedSent(sent, me, "key-out-of-scope")], [held]);
}

/** What alice says on other sockets than PUB and XPUB, forged by whoever holds the key of her broadcasts. */
export function subscribersForgeries(): Vector[] {
  const DEVICE = deriveSenderKey(SECRET, "kernel");
  const dealer = receiver("dealer", "kernel", { channel: "shell" });
  const router = new Sender({ ...PUSH, pattern: "router", to: "kernel" });
  return [
    vector("stream-key-forges-no-push", ME, [
      forged("push", ME, "bad-signature"),
      delivered(new Sender(PUSH).sign(["hello"]), ME),
    ]),
    vector("stream-key-forges-no-subscriber", receiver("xpub", "kernel", { channel: "shell" }), [
      forged("xsub", ME, "bad-signature"),
    ]),
    vector("stream-key-forges-no-dealer", receiver("rep", "kernel", { channel: "shell" }), [
      forged("dealer", ME, "bad-signature", { flags: FLAG.inline | FLAG.delimited }),
    ]),
    vector(
      "stream-key-forges-no-router-beside-ones-own-key",
      dealer,
      [
        forged("router", dealer, "key-out-of-scope", { to: "kernel" }),
        forged("router", dealer, "bad-signature", { to: "kernel", recipientKey: true }),
        delivered(router.sign(["peer-2", "hello"]), dealer),
      ],
      [DEVICE, ALICE_ON_SHELL],
    ),
    forgedReply(
      [DEVICE, ALICE_ON_SHELL],
      "key-out-of-scope",
      "stream-key-forges-no-reply-beside-ones-own-key",
    ),
    forgedReply([MASTER], "bad-signature", "stream-key-forges-no-reply"),
  ];
}

interface Forgery extends Pick<Sealing, "to" | "recipientKey" | "requestTag"> {
  readonly flags?: number;
}

/** A message of alice's under the key of what she publishes on shell. */
function forged(
  from: keyof typeof TYPE,
  { channel }: Receiver,
  reason: Reason,
  { flags, ...rest }: Forgery = {},
): Arrival {
  const frames = sealRegion(payloadOf("forged"), {
    secret: SECRET,
    channel,
    fields: {
      pattern: TYPE[from],
      epoch: BigInt(SINCE + 1),
      sentAt: BigInt(SINCE + 1),
      ...(flags !== undefined && { flags }),
    },
    tagKey: streamSecretOf(SECRET, "alice", channel),
    ...rest,
  });
  return refused(frames, reason);
}

function forgedReply(held: readonly Key[], reason: Reason, name: string): Vector {
  const me = receiver("req", "kernel", { channel: "shell" });
  const request = new Sender({ ...PUSH, pattern: "req", name: "kernel" }).sign(["ping"]);
  const answering = { to: "kernel", requestTag: request.requestTag as Buffer };
  const flags = FLAG.inline | FLAG.delimited | FLAG.bound | FLAG.addressed;
  const requestTag = answering.requestTag.toString("hex");
  const server = new Sender({ ...PUSH, pattern: "rep" });
  const pong = server.sign(["pong"], { to: answerTo(request, "shell") });
  const withKey = { ...answering, recipientKey: true, flags: flags | FLAG.recipientKey };
  const messages = [
    forged("rep", me, reason, { ...answering, flags }),
    forged("rep", me, "bad-signature", withKey),
    delivered(pong, me),
  ];
  return vector(
    name,
    me,
    messages.map((arrival) => ({ ...arrival, requestTag })),
    held,
  );
}

/** Bob's device speaks under alice's name: its key is K_bob, which alice's receivers never ask for. */
function senderKeyOfAnother(): Vector {
  const asAlice = new Key(BOB.exportSecret(), {}, { from: "sender", sender: "alice" }, MASTER.id);
  const forged = new Sender({ ...PUSH, key: asAlice }).sign(["hello"]);
  return vector("bobs-key-under-alices-name", ME, [refusedSent(forged, ME, "bad-signature")]);
}

function collidingIds(): Vector {
  const sent = new Sender({ ...PUSH, key: IMPOSTOR }).sign(["hello"]);
  return vector("same-id-another-key", ME, [refusedSent(sent, ME, "bad-signature")]);
}

/** HMAC would treat a zero-padded key as the same; HKDF's extraction does not. */
function paddedKey(): Vector {
  const padded = new Key(Buffer.concat([SECRET, Buffer.alloc(32)]));
  return vector("zero-padded-key", ME, [
    refusedSent(new Sender({ ...PUSH, key: padded }).sign(["hello"]), ME, "unknown-key"),
  ]);
}

const NOW_MS = (SINCE + HOUR) / 1000;

function withTerms(name: string, terms: KeyTerms, reason?: Parameters<typeof refusedSent>[2]): Vector {
  const sent = new Sender(PUSH).sign(["hello"]);
  const arrival = reason === undefined ? delivered(sent, ME) : refusedSent(sent, ME, reason);
  return vector(name, ME, [arrival], [new Key(SECRET, terms)]);
}

export function terms(): Vector[] {
  return [
    withTerms("not-before-is-now", { notBefore: NOW_MS }),
    withTerms("not-before-is-a-millisecond-ahead", { notBefore: NOW_MS + 1 }, "key-not-yet-valid"),
    withTerms("not-after-is-now", { notAfter: NOW_MS }),
    withTerms("not-after-is-a-millisecond-ago", { notAfter: NOW_MS - 1 }, "key-expired"),
    withTerms("sender-on-the-list", { senders: ["bob", "alice"] }),
    withTerms("sender-not-on-the-list", { senders: ["bob"] }, "key-out-of-scope"),
    withTerms("channel-on-the-list", { channels: ["shell"] }),
    withTerms("channel-not-on-the-list", { channels: ["iopub"] }, "key-out-of-scope"),
    listedHolder(),
    microsecondsCount(),
    expiredAndOutOfScope(),
    ...precedence(),
    ...derivedKeysWithTerms(),
    listedSenderToAnother(),
  ];
}

/** Which of several faults is told. */
function precedence(): Vector[] {
  const expired = { notAfter: NOW_MS - 1 };
  const early = { notBefore: NOW_MS + 1 };
  const faults = (name: string, held: readonly Key[], reason: Reason) =>
    vector(name, ME, [refusedSent(new Sender(PUSH).sign(["hello"]), ME, reason)], held);
  return [
    faults("time-before-scope", [new Key(SECRET, { ...expired, senders: ["bob"] })], "key-expired"),
    faults("first-outside-its-time-1", [BOB.withTerms(expired), ALICE.withTerms(early)], "key-expired"),
    faults("first-outside-its-time-2", [BOB.withTerms(early), ALICE.withTerms(expired)], "key-not-yet-valid"),
    faults("another-tag-beside-expired-1", [IMPOSTOR, new Key(SECRET, expired)], "bad-signature"),
    faults("another-tag-beside-expired-2", [new Key(SECRET, expired), IMPOSTOR], "bad-signature"),
  ];
}

/** The lists restrict derived keys too. */
function derivedKeysWithTerms(): Vector[] {
  const restricted = (name: string, held: Key, from: typeof PUSH | typeof PUB = PUSH) =>
    outOfScope(name, from, held);
  return [
    restricted("sender-key-with-another-sender-listed", ALICE.withTerms({ senders: ["bob"] })),
    restricted("sender-key-with-another-channel-listed", ALICE.withTerms({ channels: ["control"] })),
    restricted("stream-key-with-another-sender-listed", ALICE_ON_SHELL.withTerms({ senders: ["bob"] }), PUB),
    restricted(
      "stream-key-with-another-channel-listed",
      ALICE_ON_SHELL.withTerms({ channels: ["control"] }),
      PUB,
    ),
    accepted("sender-key-with-its-sender-listed", MASTER, [
      ALICE.withTerms({ senders: ["alice"], channels: ["shell"] }),
    ]),
  ];
}

/** The list is of senders: whom they speak to does not matter. */
function listedSenderToAnother(): Vector {
  const sender = new Sender({ ...PUSH, to: "kernel" });
  const listed = (senders: readonly string[]) => [new Key(SECRET, { senders })];
  return vector("recipient-not-on-the-list", ME, [delivered(sender.sign(["hello"]), ME)], listed(["alice"]));
}

/** Lists name holders; an instance is its holder's. */
function listedHolder(): Vector {
  const sent = new Sender({ ...PUSH, name: "alice~2" }).sign(["hello"]);
  const keys = [new Key(SECRET, { senders: ["alice"] })];
  return vector("instance-of-a-sender-on-the-list", ME, [delivered(sent, ME)], keys);
}

function microsecondsCount(): Vector {
  const sent = new Sender(PUSH).sign(["hello"]);
  const late = { ...refusedSent(sent, ME, "key-expired"), now: SINCE + HOUR + 1 };
  return vector("not-after-was-a-microsecond-ago", ME, [late], [new Key(SECRET, { notAfter: NOW_MS })]);
}

/** Several keys with the id and none that fits: what is wrong with the first that could have fitted. */
function expiredAndOutOfScope(): Vector {
  const sent = new Sender(PUSH).sign(["hello"]);
  const expired = ALICE.withTerms({ notAfter: NOW_MS - 1 });
  return vector("expired-beside-out-of-scope", ME, [refusedSent(sent, ME, "key-expired")], [BOB, expired]);
}

export function rings(): Vector[] {
  return [unknown(), revoked(), revokedBesideItsId(), revokedThief()];
}

/** Another key with the id is left, so that the id is not a revoked one; what it vouched for is forgotten with it. */
function revokedBesideItsId(): Vector {
  const sender = new Sender(PUSH);
  const [before, after] = [sender.sign(["hello"]), sender.sign(["hello"])];
  const other = new Sender({ ...PUSH, name: "bob" }).sign(["hello"]);
  return vector(
    "revoked-key-and-another-with-its-id",
    ME,
    [
      delivered(before, ME),
      delivered(other, ME),
      { ...refusedSent(after, ME, "key-out-of-scope"), revoke: 0 },
      refusedSent(other, ME, "not-live", true),
    ],
    [ALICE, BOB],
  );
}

function unknown(): Vector {
  const sent = new Sender({ ...PUSH, key: OTHER }).sign(["hello"]);
  return vector("unknown-key", ME, [refusedSent(sent, ME, "unknown-key")]);
}

function revoked(): Vector {
  const sender = new Sender(PUSH);
  const [before, after] = [sender.sign(["hello"]), sender.sign(["hello"])];
  return vector(
    "revoked-key",
    ME,
    [delivered(before, ME), { ...refusedSent(after, ME, "revoked-key"), revoke: 0 }],
    [MASTER, OTHER],
  );
}

/** What a stolen key moved is forgotten with it: the sender goes on with another key, and with proof of being alive. */
function revokedThief(): Vector {
  const thief = sealRegion(payloadOf("stolen"), {
    secret: SECRET,
    channel: "shell",
    fields: { pattern: 8, epoch: BigInt(SINCE + HOUR), sequence: 1_000_000n, sentAt: BigInt(SINCE + HOUR) },
  });
  const { expect, frames } = delivered(
    {
      from: "push",
      frames: thief,
      given: [[Buffer.from("stolen")]],
      requestTag: undefined,
      origin: {
        sender: "alice",
        pattern: "push",
        keyId: MASTER.idText,
        epoch: SINCE + HOUR,
        sequence: 1_000_000,
        sentAt: SINCE + HOUR,
        addressed: false,
        late: false,
      },
    },
    ME,
  );
  const honest = new Sender({ ...PUSH, key: OTHER });
  const early = honest.sign(["signed before the revocation"]);
  honest.wait(2 * HOUR);
  const now = SINCE + 3 * HOUR;
  return vector(
    "revoked-key-takes-its-streams-along",
    ME,
    [
      { frames, expect },
      { ...refusedSent(early, ME, "stale-epoch", true), now: SINCE + HOUR },
      { ...refusedSent(early, ME, "not-live", true), revoke: 0, now: SINCE + HOUR + 5 },
      { ...delivered(honest.sign(["signed after it"]), ME), now },
    ],
    [MASTER, OTHER],
  );
}

/** A message that names a key it was not signed with. */
export function claims(): Vector[] {
  const fields = { pattern: 8, keyId: MASTER.id, epoch: BigInt(SINCE + 1), sentAt: BigInt(SINCE + 1) };
  const frames = sealRegion(payloadOf("hello"), { secret: OTHER_SECRET, channel: "shell", fields });
  return [vector("key-id-of-another-key", ME, [refused(frames, "bad-signature")], [MASTER, OTHER])];
}
