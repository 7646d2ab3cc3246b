// Vectors of whom a message is for: channel, recipient, request, and one's own message coming back
// (docs/wire.md, sections 5 and 7).

import { deriveSenderKey, type Pattern } from "../../src/core.js";
import { FLAG, payloadOf, sealRegion, TYPE } from "../wire/reference.js";
import type { Arrival, Receiver, Vector } from "./format.js";
import {
  answerTo,
  arrive,
  delivered,
  HOUR,
  MASTER,
  receiver,
  refused,
  refusedSent,
  SECRET,
  Sender,
  type Sent,
  SINCE,
  vector,
} from "./lab.js";

const DEVICE = deriveSenderKey(SECRET, "kernel");
const ALICE = deriveSenderKey(SECRET, "alice");

const withTag = (arrival: Arrival, request: Sent): Arrival => ({
  ...arrival,
  requestTag: request.requestTag?.toString("hex") as string,
});

function addressed(name: string, to: string, me: Receiver, keys = [MASTER], key = MASTER): Vector {
  const sender = new Sender({ pattern: "router", name: "alice", to, key });
  return vector(name, me, [delivered(sender.sign(["peer-2", "hello"]), me)], keys);
}

export function recipients(): Vector[] {
  const me = receiver("dealer", "kernel");
  return [
    addressed("addressed-with-the-recipients-key", "kernel", me),
    addressed("addressed-verified-with-the-recipients-key-alone", "kernel", me, [DEVICE]),
    addressed("addressed-with-the-senders-key", "kernel", me, [MASTER], ALICE),
    addressed("addressed-to-an-instance", "kernel~2", receiver("dealer", "kernel~2"), [DEVICE]),
    addressedToOthers(),
    addressedToAnotherInstance(),
    senderKeyCannotHear(),
    unaddressedRouter("router", "unaddressed-between-routers"),
    unaddressedRouter("dealer", "router-must-address-a-dealer"),
    addressedFromPush(),
    addressedWithATopic(),
  ];
}

function addressedToOthers(): Vector {
  const me = receiver("dealer", "kernel");
  const sender = new Sender({ pattern: "router", name: "alice" });
  const send = (to: string) => sender.sign(["peer-2", "hello"], { to });
  return vector("addressed-to-another", me, [
    refusedSent(send("kernel2"), me, "bad-signature"),
    refusedSent(send("kerne"), me, "bad-signature"),
    delivered(send("kernel"), me),
  ]);
}

/** Same key, another name: the tag covers the whole name. */
function addressedToAnotherInstance(): Vector {
  const me = receiver("dealer", "kernel~2");
  const sender = new Sender({ pattern: "router", name: "alice" });
  const send = (to: string) => sender.sign(["peer-2", "hello"], { to });
  return vector("addressed-to-another-instance", me, [
    refusedSent(send("kernel"), me, "bad-signature"),
    refusedSent(send("kernel~1"), me, "bad-signature"),
    delivered(send("kernel~2"), me),
  ]);
}

/** The holder of alice's key alone cannot check what is signed with the recipient's. */
function senderKeyCannotHear(): Vector {
  const me = receiver("dealer", "kernel");
  const sender = new Sender({ pattern: "router", name: "alice", to: "kernel" });
  return vector(
    "recipient-key-and-only-the-senders-key-held",
    me,
    [refusedSent(sender.sign(["peer-2", "hello"]), me, "key-out-of-scope")],
    [ALICE],
  );
}

function unaddressedRouter(to: Pattern, name: string): Vector {
  const me = receiver(to, "kernel");
  const sent = new Sender({ pattern: "router", name: "alice" }).sign(["peer-2", "hello"], { to: null });
  return vector(name, me, [to === "router" ? delivered(sent, me) : refusedSent(sent, me, "not-addressed")]);
}

function addressedFromPush(): Vector {
  const me = receiver("pull", "kernel");
  const sender = new Sender({ pattern: "push", name: "alice" });
  return vector("addressed-push", me, [
    delivered(sender.sign(["hello"], { to: "kernel" }), me),
    refusedSent(sender.sign(["hello"], { to: "other" }), me, "bad-signature"),
    delivered(sender.sign(["hello"]), me),
  ]);
}

function addressedWithATopic(): Vector {
  const me = receiver("sub", "kernel");
  const sender = new Sender({ pattern: "pub", name: "alice" });
  const topic = "weather.oslo";
  return vector("addressed-with-a-topic", me, [
    delivered(sender.sign([topic, "rain"], { to: "kernel" }), me),
    refusedSent(sender.sign([topic, "rain"], { to: "other" }), me, "bad-signature"),
  ]);
}

/** A request of kernel, and alice's socket that answers it. */
function conversation(from: "rep" | "router") {
  const me = receiver("req", "kernel");
  const requester = new Sender({ pattern: "req", name: "kernel" });
  const server = new Sender({ pattern: from, name: "alice" });
  const message = from === "router" ? ["peer-2", "", "pong"] : ["pong"];
  return {
    me,
    requester,
    answer: (request: Sent) => server.sign(message, { to: answerTo(request) }),
    server,
  };
}

export function requests(): Vector[] {
  return [
    requestAfterRequest("rep"),
    requestAfterRequest("router"),
    unboundReply(),
    noRequestWaits(),
    boundTo("dealer", "unsupported"),
    boundWithoutRecipient(),
    boundByADealer(),
    boundLiveByConstruction(),
    boundAndFarAhead(),
    boundAndTooOld(),
  ];
}

function requestAfterRequest(from: "rep" | "router"): Vector {
  const { me, requester, answer } = conversation(from);
  const [first, second] = [requester.sign(["ping"]), requester.sign(["ping"])];
  const [pong, late] = [answer(first), answer(first)];
  return vector(`reply-from-${from}-is-for-one-request`, me, [
    withTag(delivered(pong, me), first),
    withTag(refusedSent(pong, me, "bad-signature"), second),
    withTag(refusedSent(late, me, "bad-signature"), second),
    withTag(delivered(answer(second), me), second),
  ]);
}

function unboundReply(): Vector {
  const { me, requester, server } = conversation("router");
  const request = requester.sign(["ping"]);
  const unbound = server.sign(["peer-2", "", "pong"], { to: "kernel" });
  return vector("reply-that-is-not-bound", me, [withTag(refusedSent(unbound, me, "not-bound"), request)]);
}

function noRequestWaits(): Vector {
  const { me, requester, answer } = conversation("rep");
  return vector("reply-while-no-request-waits", me, [
    refusedSent(answer(requester.sign(["ping"])), me, "not-bound"),
  ]);
}

const TAG = Buffer.alloc(32, 7);
const AFTER = { epoch: BigInt(SINCE + 1), sentAt: BigInt(SINCE + 1) };

/** A bound message at a socket that asks nothing. */
function boundTo(to: Pattern, reason: "unsupported"): Vector {
  const fields = { ...AFTER, pattern: TYPE.router };
  const sealing = { secret: SECRET, fields, to: "kernel", requestTag: TAG };
  const frames = sealRegion(payloadOf("pong"), sealing);
  return vector(`bound-to-a-${to}`, receiver(to, "kernel"), [refused(frames, reason)]);
}

function boundWithoutRecipient(): Vector {
  const fields = { ...AFTER, pattern: TYPE.rep, flags: FLAG.inline | FLAG.bound | FLAG.delimited };
  const frames = sealRegion(payloadOf("pong"), { secret: SECRET, fields, requestTag: TAG });
  const arrival = { ...refused(frames, "malformed"), requestTag: TAG.toString("hex") };
  return vector("bound-and-not-addressed", receiver("req", "kernel"), [arrival]);
}

function boundByADealer(): Vector {
  const flags = FLAG.inline | FLAG.bound | FLAG.delimited | FLAG.addressed;
  const fields = { ...AFTER, pattern: TYPE.dealer, flags };
  const frames = sealRegion(payloadOf("pong"), { secret: SECRET, fields, to: "kernel", requestTag: TAG });
  return vector("bound-by-a-dealer", receiver("rep", "kernel"), [refused(frames, "malformed")]);
}

/** A reply to the request that kernel waits for, as far out of time as told. */
function answerFrom(epoch: number, sentAt: number) {
  const fields = {
    pattern: TYPE.rep,
    flags: FLAG.inline | FLAG.bound | FLAG.delimited | FLAG.addressed,
    epoch: BigInt(epoch),
    sentAt: BigInt(sentAt),
  };
  return sealRegion(payloadOf("pong"), { secret: SECRET, fields, to: "kernel", requestTag: TAG });
}

/** Signed, by its sender's clock, long before the receiver began: the request that it answers was not. */
function boundLiveByConstruction(): Vector {
  const origin = {
    sender: "alice",
    pattern: "rep" as const,
    keyId: MASTER.idText,
    epoch: 5,
    sequence: 1,
    sentAt: 5,
    addressed: true,
    late: false,
  };
  const delivered = [[Buffer.from("pong").toString("hex")]];
  const arrival: Arrival = {
    frames: answerFrom(5, 5).map((frame) => frame.toString("hex")),
    requestTag: TAG.toString("hex"),
    expect: { ok: true, delivered, origin },
  };
  return vector("bound-needs-no-other-evidence", receiver("req", "kernel"), [arrival]);
}

/** Live by construction, and with an epoch that would lock its sender out for a long time. */
function boundAndFarAhead(): Vector {
  const me = receiver("req", "kernel");
  const far = answerFrom(me.now + 24 * HOUR + 1, me.now);
  const arrival = { ...refused(far, "future-epoch", true), requestTag: TAG.toString("hex") };
  return vector("bound-with-an-epoch-too-far-ahead", me, [arrival]);
}

/** Age is asked of every message. */
function boundAndTooOld(): Vector {
  const me = receiver("req", "kernel", { maxAge: HOUR });
  const arrival = {
    ...refused(answerFrom(5, me.now - HOUR - 1), "too-old", true),
    requestTag: TAG.toString("hex"),
  };
  return vector("bound-and-too-old", me, [arrival]);
}

export function places(): Vector[] {
  return [
    anotherChannel(),
    reflectedPair(),
    reflectedDealer(),
    sameNameOtherPattern(),
    sameNameOtherInstance(),
  ];
}

function anotherChannel(): Vector {
  const me = receiver("pull", "kernel", { channel: "shell" });
  const onChannel = (channel: string) =>
    new Sender({ pattern: "push", name: "alice", channel }).sign(["hello"]);
  return vector("another-channel", me, [
    refusedSent(onChannel("control"), me, "bad-signature"),
    refusedSent(onChannel(""), me, "bad-signature"),
    refusedSent(onChannel("shell "), me, "bad-signature"),
    delivered(onChannel("shell"), me),
  ]);
}

function reflectedPair(): Vector {
  const me = receiver("pair", "kernel");
  const mine = new Sender({ pattern: "pair", name: "kernel" }).sign(["hello"]);
  return vector("own-message-comes-back", me, [refusedSent(mine, me, "reflected", true)]);
}

function reflectedDealer(): Vector {
  const me = receiver("dealer", "kernel");
  const mine = new Sender({ pattern: "dealer", name: "kernel", to: "kernel" }).sign(["hello"]);
  return vector("own-message-to-oneself-comes-back", me, [refusedSent(mine, me, "reflected", true)]);
}

/** A stream belongs to a socket type: a ROUTER of the same name is somebody else. */
function sameNameOtherPattern(): Vector {
  const me = receiver("dealer", "kernel");
  const sent = new Sender({ pattern: "router", name: "kernel", to: "kernel" }).sign(["peer-2", "hello"]);
  return vector("same-name-from-another-socket-type", me, [delivered(sent, me)]);
}

function sameNameOtherInstance(): Vector {
  const me = receiver("pair", "kernel~1");
  const sent = new Sender({ pattern: "pair", name: "kernel~2" }).sign(["hello"]);
  return vector("same-holder-another-instance", me, [delivered(sent, me)]);
}

/** Messages to a name that was made at random for this start. */
export function freshNames(): Vector[] {
  const name = "AAECAwQFBgcICQoLDA0ODw";
  const me = receiver("dealer", name, { fresh: true, since: SINCE + 3_000_000_000, limits: { streams: 1 } });
  const [alice, bob] = ["alice", "bob"].map(
    (from) => new Sender({ pattern: "router", name: from, to: name }),
  );
  const first = (alice as Sender).sign(["peer-2", "hello"]);
  const second = (bob as Sender).sign(["peer-2", "hello"]);
  const frames = arrive("router", "dealer", first.frames);
  return [
    vector("fresh-name-is-evidence-until-something-was-forgotten", me, [
      delivered(first, me),
      refused(frames, "replayed", true),
      delivered(second, me),
      refused(frames, "not-live", true),
    ]),
    addressedToAnOldName(),
    unaddressedToAFreshName(name),
    freshAndFarAhead(name),
  ];
}

const AT_START = { since: SINCE + 4_000_000_000 };
const BEFORE = { epoch: BigInt(SINCE), sentAt: BigInt(SINCE) };

/** A name that is given may have been heard by an earlier run. */
function addressedToAnOldName(): Vector {
  const sealing = {
    secret: SECRET,
    fields: { ...BEFORE, pattern: TYPE.router },
    to: "kernel",
    recipientKey: true,
  };
  const me = receiver("dealer", "kernel", AT_START);
  return vector("addressed-to-a-name-that-is-not-fresh", me, [
    refused(sealRegion(payloadOf("hello"), sealing), "not-live", true),
  ]);
}

/** What is said to nobody in particular may have been said before this start. */
function unaddressedToAFreshName(name: string): Vector {
  const frames = sealRegion(payloadOf("hello"), { secret: SECRET, fields: BEFORE });
  const me = receiver("dealer", name, { ...AT_START, fresh: true });
  return vector("unaddressed-to-a-fresh-name", me, [refused(frames, "not-live", true)]);
}

function freshAndFarAhead(name: string): Vector {
  const me = receiver("dealer", name, { ...AT_START, fresh: true });
  const epoch = BigInt(me.now + 24 * HOUR + 1);
  const fields = { ...BEFORE, epoch, pattern: TYPE.router };
  const frames = sealRegion(payloadOf("hello"), { secret: SECRET, fields, to: name, recipientKey: true });
  return vector("fresh-name-and-an-epoch-too-far-ahead", me, [refused(frames, "future-epoch", true)]);
}
