// Vectors of control messages (docs/wire.md, section 9): every kind between every pair of socket types, what breaks their
// form, and that they touch no stream.

import { deriveSenderKey, type Kind, type Pattern } from "../../src/core.js";
import type { Reason } from "../../src/reasons.js";
import { syncTopic } from "../../src/wire/control.js";
import {
  type ControlFields,
  controlOf,
  type Fields,
  FLAG,
  KIND,
  payloadOf,
  type Sealing,
  sealDetached,
  sealRegion,
  TYPE,
} from "../wire/reference.js";
import type { Arrival, Receiver, Vector } from "./format.js";
import {
  type Announced,
  answerTo,
  delivered,
  heard,
  MASTER,
  OTHER,
  PEER_ID,
  receiver,
  refused,
  refusedSent,
  SECOND,
  SECRET,
  Sender,
  SINCE,
  vector,
} from "./lab.js";

const nonce = (byte: number) => Buffer.alloc(16, byte);
const ASKED = { answer: nonce(0xa1), ask: nonce(0xb2) };
const GREETING = ["hello", "challenge", "echo"] as const;

/** Two-way socket types, receiver first, with all that each hears. */
const MAY_GREET: readonly (readonly [Pattern, readonly Pattern[]])[] = [
  ["router", ["dealer", "req", "router"]],
  ["dealer", ["router", "rep", "dealer"]],
  ["req", ["rep", "router"]],
  ["rep", ["req", "dealer"]],
  ["pair", ["pair"]],
];

/** The frames that stand in front of a control message from a socket of this type to one of type `to`. */
function routingOf(from: Pattern, to: Pattern): string[] {
  const ids = from === "router" ? ["peer-2"] : [];
  const delimited = (from === "router" && to === "req") || (from === "dealer" && to === "rep");
  return delimited ? [...ids, ""] : ids;
}

function greeting(from: Pattern, to: Pattern, kind: Kind): Vector {
  const me = receiver(to, "kernel", { channel: "shell" });
  const request =
    to === "req"
      ? new Sender({ pattern: "req", name: "kernel", channel: "shell" }).control("hello", { ask: nonce(1) })
      : undefined;
  const sender = new Sender({ pattern: from, name: "alice", channel: "shell" });
  const server = from === "router" || from === "rep";
  const target =
    request === undefined ? (server ? { to: "kernel" } : {}) : { to: answerTo(request, "shell") };
  const said = kind === "hello" ? { ask: ASKED.ask } : { ...ASKED, known: SINCE };
  const arrival = heard(sender.control(kind, said, routingOf(from, to), target), me);
  return vector(`${to}-hears-${kind}-of-${from}`, me, [withTag(arrival, request?.requestTag)]);
}

const withTag = (arrival: Arrival, tag: Buffer | undefined): Arrival =>
  tag === undefined ? arrival : { ...arrival, requestTag: tag.toString("hex") };

/** Every kind of a greeting, from every socket type to every one that hears it. */
export function greetings(): Vector[] {
  return MAY_GREET.flatMap(([to, from]) =>
    from.flatMap((sender) => GREETING.map((kind) => greeting(sender, to, kind))),
  );
}

/** Answers of publishers to a subscriber's nonce, on the topic that holds it. */
export function syncs(): Vector[] {
  const answer = nonce(0xc3);
  const pairs = (["sub", "xsub"] as const).flatMap((to) =>
    (["pub", "xpub"] as const).map((from): Vector => {
      const me = receiver(to, "kernel");
      const sender = new Sender({ pattern: from, name: "alice" });
      for (const text of ["a", "b"]) sender.sign(["weather.oslo", text]);
      return vector(`${to}-hears-sync-of-${from}`, me, [
        heard(sender.control("sync", { answer }, [syncTopic(answer)]), me),
      ]);
    }),
  );
  return [...pairs, syncUnderAnotherTopic(answer), streamKeyMakesASync(answer)];
}

/** The tag covers the topic, whatever it is; that it holds the nonce is for whoever asked to see. */
function syncUnderAnotherTopic(answer: Buffer): Vector {
  const me = receiver("sub", "kernel");
  const sent = new Sender({ pattern: "pub", name: "alice" }).control("sync", { answer }, [syncTopic(answer)]);
  const [, frame] = sent.frames as [Buffer, Buffer];
  return vector("sync-carried-to-another-topic", me, [
    refused([syncTopic(nonce(0xc4)), frame], "bad-signature"),
    refused([Buffer.from("weather.oslo"), frame], "bad-signature"),
    heard(sent, me),
  ]);
}

function streamKeyMakesASync(answer: Buffer): Vector {
  const me = receiver("sub", "kernel");
  const sent = new Sender({ pattern: "pub", name: "alice" }).control("sync", { answer }, [syncTopic(answer)]);
  return vector("sync-and-the-sender-key-alone", me, [heard(sent, me)], [deriveSenderKey(SECRET, "alice")]);
}

/** The other forms that a greeting may have. */
export function forms(): Vector[] {
  return [
    delimitedByADealer(),
    throughABroker(),
    addressedByADealer(),
    addressedWithASenderKey(),
    ofAnInstance(),
    acknowledgement(),
    highestNumbers(),
    whateverTheLimits(),
  ];
}

function delimitedByADealer(): Vector {
  const me = receiver("router", "kernel");
  const sent = new Sender({ pattern: "dealer", name: "alice" }).control("hello", { ask: nonce(1) }, [""]);
  return vector("hello-behind-a-delimiter", me, [heard(sent, me)]);
}

function throughABroker(): Vector {
  const me = receiver("router", "kernel", { hops: 1 });
  const sent = new Sender({ pattern: "dealer", name: "alice" }).control("hello", { ask: nonce(1) });
  const { frames, expect } = heard(sent, me);
  return vector("hello-through-a-broker", me, [
    { frames: [Buffer.from("broker").toString("hex"), ...frames], expect },
  ]);
}

function addressedByADealer(): Vector {
  const me = receiver("router", "kernel");
  const sender = new Sender({ pattern: "dealer", name: "alice", to: "kernel" });
  const toAnother = new Sender({ pattern: "dealer", name: "bob", to: "kernel~2" });
  return vector("hello-that-is-addressed", me, [
    heard(sender.control("hello", { ask: nonce(1) }), me),
    refusedControl(toAnother.control("hello", { ask: nonce(1) }), me, "bad-signature"),
  ]);
}

/** Whoever has a sender key alone addresses without `recipient-key`. */
function addressedWithASenderKey(): Vector {
  const me = receiver("dealer", "kernel");
  const key = deriveSenderKey(SECRET, "alice");
  const sender = new Sender({ pattern: "router", name: "alice", key, to: "kernel" });
  return vector("challenge-signed-with-a-sender-key", me, [
    heard(sender.control("challenge", { ask: nonce(1) }, ["peer-2"]), me),
  ]);
}

function ofAnInstance(): Vector {
  const me = receiver("dealer", "kernel~3");
  const sender = new Sender({ pattern: "router", name: "alice~2", to: "kernel~3" });
  return vector("challenge-between-instances", me, [
    heard(sender.control("challenge", { ask: nonce(1) }, ["peer-2"]), me),
  ]);
}

/** What a REP says to a REQ where there is nothing to say. */
function acknowledgement(): Vector {
  const me = receiver("req", "kernel");
  const request = new Sender({ pattern: "req", name: "kernel" }).control("echo", { answer: nonce(1) });
  const sent = new Sender({ pattern: "rep", name: "alice" }).control("echo", {}, [], {
    to: answerTo(request),
  });
  return vector("echo-that-says-nothing", me, [
    withTag(heard(sent, me), request.requestTag),
    withTag(refusedControl(sent, me, "bad-signature"), Buffer.alloc(32, 1)),
    refusedControl(sent, me, "not-bound"),
  ]);
}

function refusedControl({ from, frames }: Announced, me: Receiver, reason: Reason): Arrival {
  const sent = { from, frames, given: [], origin: undefined as never, requestTag: undefined };
  return refusedSent(sent, me, reason);
}

const MOST = 2n ** 53n - 1n;
const GENUINE = {
  kind: KIND.hello,
  pattern: TYPE.pair,
  sequence: 0n,
  epoch: BigInt(SINCE + 1),
  sentAt: BigInt(SINCE + 1),
};

function sealing(fields: Partial<Fields> = {}, more: Partial<Sealing> = {}): Sealing {
  return { secret: SECRET, ...more, fields: { ...GENUINE, ...fields } };
}

function highestNumbers(): Vector {
  const me = receiver("pair", "kernel");
  const body = { ask: nonce(1), reached: MOST, known: MOST };
  const frames = sealRegion(controlOf(body), sealing({ epoch: MOST, sentAt: MOST }));
  const most = Number(MOST);
  const control = {
    kind: "hello" as const,
    answer: nonce(0).toString("hex"),
    ask: nonce(1).toString("hex"),
    reached: most,
    known: most,
    sender: "alice",
    pattern: "pair" as const,
    keyId: MASTER.idText,
    epoch: most,
    sentAt: most,
    addressed: false,
  };
  return vector("hello-with-the-highest-numbers", me, [
    { frames: frames.map((frame) => frame.toString("hex")), expect: { ok: false, control } },
  ]);
}

/** A control message is no body. */
function whateverTheLimits(): Vector {
  const me = receiver("pair", "kernel", { limits: { frames: 1, bytes: 10 }, maxAge: SECOND });
  const sent = new Sender({ pattern: "pair", name: "alice" }).control("hello", { ask: nonce(1) });
  return vector("hello-whatever-limits-and-age", me, [heard(sent, me)]);
}

/** Control messages that no sender should make, most of them under a genuine tag. */
export function malformed(): Vector[] {
  const body = controlOf({ ask: nonce(1) });
  const pair = (name: string, region: Buffer, fields: Partial<Fields> = {}, reason: Reason = "malformed") =>
    vector(`hello-${name}`, receiver("pair", "kernel"), [
      refused(sealRegion(region, sealing(fields)), reason),
    ]);
  const field = (name: string, given: Partial<ControlFields>) => pair(name, controlOf(given));
  const { inline, addressed, bound, recipientKey, sealed, topic, delimited } = FLAG;
  const detached = sealDetached([body], sealing());
  return [
    pair("of-no-bytes", Buffer.alloc(0)),
    pair("of-47-bytes", body.subarray(0, 47)),
    pair("of-49-bytes", Buffer.concat([body, Buffer.alloc(1)])),
    pair("with-a-payload-in-it", payloadOf(body)),
    field("reached-above-2-53-minus-1", { reached: MOST + 1n }),
    field("known-above-2-53-minus-1", { known: MOST + 1n }),
    field("every-bit-of-what-is-known", { known: 2n ** 64n - 1n }),
    pair("with-sequence-1", body, { sequence: 1n }),
    pair("with-ordinal-1", body, { ordinal: 1 }),
    vector("hello-detached", receiver("pair", "kernel"), [refused(detached, "malformed")]),
    vector("hello-with-a-frame-behind", receiver("pair", "kernel"), [
      refused([...sealRegion(body, sealing()), Buffer.alloc(0)], "malformed"),
    ]),
    pair("topic-flag", body, { flags: inline | topic }),
    pair("delimited-flag", body, { flags: inline | delimited }, "wrong-envelope"),
    pair("recipient-key-and-not-addressed", body, { flags: inline | recipientKey }),
    pair("bound-by-a-pair", body, { flags: inline | addressed | bound }),
    pair("sealed", body, { flags: inline | sealed }, "unsupported"),
    pair("of-a-push", body, { pattern: TYPE.push }, "wrong-pattern"),
    pair("with-a-key-nobody-has", body, { keyId: OTHER.id }, "unknown-key"),
    vector("data-with-sequence-0-to-a-pair", receiver("pair", "kernel"), [
      refused(sealRegion(payloadOf("x"), sealing({ kind: KIND.data })), "malformed"),
    ]),
  ];
}

/** Kinds that mean nothing to whoever receives them. */
export function misplaced(): Vector[] {
  const body = controlOf({ answer: nonce(1) });
  const to = (name: string, me: Pattern, fields: Partial<Fields>, reason: Reason = "unsupported") => {
    const ids = me === "router" ? [PEER_ID] : [];
    const front = me === "sub" || me === "xsub" ? { topic: syncTopic(nonce(1)) } : {};
    const frames = sealRegion(body, sealing(fields, { routing: ids, ...front }));
    return vector(name, receiver(me, "kernel"), [refused(frames, reason)]);
  };
  const { sync, hello, challenge, echo, refused: refusal, handshake } = KIND;
  return [
    to("sync-to-a-router", "router", { kind: sync, pattern: TYPE.dealer }),
    to("sync-to-a-dealer", "dealer", { kind: sync, pattern: TYPE.dealer }),
    to("sync-to-a-pair", "pair", { kind: sync }),
    to("sync-to-a-publisher", "xpub", { kind: sync, pattern: TYPE.xsub }),
    to("sync-to-a-pull", "pull", { kind: sync, pattern: TYPE.push }),
    to("hello-to-a-sub", "sub", { kind: hello, pattern: TYPE.pub }),
    to("challenge-to-a-sub", "sub", { kind: challenge, pattern: TYPE.pub }),
    to("echo-to-an-xsub", "xsub", { kind: echo, pattern: TYPE.xpub }),
    to("hello-to-a-pull", "pull", { kind: hello, pattern: TYPE.push }),
    to("hello-to-a-publisher", "xpub", { kind: hello, pattern: TYPE.xsub }),
    to("refused-to-a-pair", "pair", { kind: refusal }),
    to("handshake-to-a-pair", "pair", { kind: handshake }),
    to(
      "challenge-of-a-router-that-names-nobody",
      "dealer",
      { kind: challenge, pattern: TYPE.router },
      "not-addressed",
    ),
    challengeThatIsNotBound(),
    challengeThatIsBoundToADealer(),
  ];
}

function challengeThatIsNotBound(): Vector {
  const flags = FLAG.inline | FLAG.delimited | FLAG.addressed;
  const fields = { kind: KIND.challenge, pattern: TYPE.rep, flags };
  const frames = sealRegion(controlOf({ ask: nonce(1) }), sealing(fields, { to: "kernel" }));
  const arrival = withTag(refused(frames, "not-bound"), Buffer.alloc(32, 7));
  return vector("challenge-to-a-req-that-is-not-bound", receiver("req", "kernel"), [arrival]);
}

function challengeThatIsBoundToADealer(): Vector {
  const flags = FLAG.inline | FLAG.addressed | FLAG.bound;
  const fields = { kind: KIND.challenge, pattern: TYPE.router, flags };
  const more = { to: "kernel", requestTag: Buffer.alloc(32, 7) };
  const frames = sealRegion(controlOf({ ask: nonce(1) }), sealing(fields, more));
  return vector("challenge-to-a-dealer-that-is-bound", receiver("dealer", "kernel"), [
    refused(frames, "unsupported"),
  ]);
}

/** Of no stream: not remembered, not admitted, and as good the second time. */
export function apart(): Vector[] {
  return [touchesNoStream(), changedOnTheWay(), comesBack()];
}

function touchesNoStream(): Vector {
  const me = receiver("pair", "kernel");
  const sender = new Sender({ pattern: "pair", name: "alice" });
  const first = sender.sign(["one"]);
  const hello = sender.control("hello", { ask: nonce(1) });
  const second = sender.sign(["two"]);
  sender.close();
  const ahead = { epoch: BigInt(SINCE) + 10n ** 12n, sentAt: 1n };
  const later = sealRegion(controlOf({ ask: nonce(2) }), sealing(ahead));
  const control = {
    kind: "hello" as const,
    answer: nonce(0).toString("hex"),
    ask: nonce(2).toString("hex"),
    reached: 0,
    known: 0,
    sender: "alice",
    pattern: "pair" as const,
    keyId: MASTER.idText,
    epoch: SINCE + 10 ** 12,
    sentAt: 1,
    addressed: false,
  };
  return vector("control-touches-no-stream", me, [
    delivered(first, me),
    heard(hello, me),
    heard(hello, me),
    { frames: later.map((frame) => frame.toString("hex")), expect: { ok: false, control } },
    delivered(second, me),
    refusedSent(first, me, "replayed", true),
    heard(hello, me),
  ]);
}

/** Each field of the body, and each of the header that a receiver does not check by itself. */
function changedOnTheWay(): Vector {
  const me = receiver("pair", "kernel");
  const [frame] = sealRegion(
    controlOf({ answer: nonce(1), ask: nonce(2), reached: 3n, known: 4n }),
    sealing(),
  ) as [Buffer];
  const tagEnd = 40 + "alice".length + 32;
  const places = [23, 39, 44, 76, tagEnd, tagEnd + 15, tagEnd + 16, tagEnd + 31, tagEnd + 39, tagEnd + 47];
  const changed = places.map((at) => {
    const copy = Buffer.from(frame);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return refused([copy], "bad-signature");
  });
  const asChallenge = Buffer.from(frame);
  asChallenge[3] = KIND.challenge;
  return vector("control-changed-on-the-way", me, [...changed, refused([asChallenge], "bad-signature")]);
}

function comesBack(): Vector {
  const me = receiver("pair", "alice");
  const sent = new Sender({ pattern: "pair", name: "alice" }).control("hello", { ask: nonce(1) });
  return vector("control-comes-back", me, [refused(sent.frames, "reflected", true)]);
}
