// Vectors of who may hear whom: every pair of socket types that may, in both layouts, and every pair that may not
// (docs/wire.md, sections 4 and 5).

import type { Pattern } from "../../src/core.js";
import { FLAG, payloadOf, sealRegion, TYPE } from "../wire/reference.js";
import type { Vector } from "./format.js";
import { answerTo, delivered, PEER_ID, receiver, refused, SECRET, Sender, SINCE, vector } from "./lab.js";

/** Every pair of `receiver ← sender` that wire version 1 allows. */
const MAY_HEAR: readonly (readonly [Pattern, readonly Pattern[]])[] = [
  ["router", ["dealer", "req", "router"]],
  ["dealer", ["router", "rep", "dealer"]],
  ["req", ["rep", "router"]],
  ["rep", ["req", "dealer"]],
  ["sub", ["pub", "xpub"]],
  ["xsub", ["pub", "xpub"]],
  ["xpub", ["xsub"]],
  ["pull", ["push"]],
  ["pair", ["pair"]],
];

/** A message as an application hands it to a socket of this type that speaks to one of type `to`. */
function messageFor(from: Pattern, to: Pattern): string[] {
  const body = ["hello", "world"];
  if (from === "pub" || from === "xpub") return ["weather.oslo", ...body];
  const delimited = (from === "router" && to === "req") || (from === "dealer" && to === "rep");
  const enveloped = delimited ? ["", ...body] : body;
  return from === "router" ? ["peer-2", ...enveloped] : enveloped;
}

/** A request that alice's REQ would have sent, so that kernel can answer it. */
function requestOf(to: Pattern) {
  if (to !== "req") return undefined;
  return new Sender({ pattern: "req", name: "kernel", channel: "shell" }).sign(["ping"]);
}

function allowed(from: Pattern, to: Pattern, layout: "inline" | "detached"): Vector {
  const me = receiver(to, "kernel", { channel: "shell" });
  const addressed = from === "router" || from === "rep";
  const request = requestOf(to);
  const sender = new Sender({
    pattern: from,
    name: "alice",
    channel: "shell",
    inline: layout === "inline" ? 16_384 : 0,
  });
  const target = request ? { to: answerTo(request, "shell") } : addressed ? { to: "kernel" } : {};
  const arrival = delivered(sender.sign(messageFor(from, to), target), me);
  const requestTag = request?.requestTag?.toString("hex");
  const message = { ...arrival, ...(requestTag !== undefined && { requestTag }) };
  return vector(`${to}-hears-${from}-${layout}`, me, [message]);
}

/** A genuine message of a socket type that this one never hears. */
function forbidden(from: Pattern, to: Pattern): Vector {
  const delimited = to === "req" || to === "rep" ? FLAG.delimited : 0;
  const subscriber = to === "sub" || to === "xsub";
  const topic = Buffer.from("weather.oslo");
  const frames = sealRegion(payloadOf("hello"), {
    secret: SECRET,
    channel: "shell",
    fields: {
      pattern: TYPE[from],
      flags: FLAG.inline | delimited | (subscriber ? FLAG.topic : 0),
      epoch: BigInt(SINCE + 1),
      sentAt: BigInt(SINCE + 1),
    },
    ...(to === "router" && { routing: [PEER_ID] }),
    ...(subscriber && { topic }),
  });
  const me = receiver(to, "kernel", { channel: "shell" });
  return vector(`${to}-never-hears-${from}`, me, [refused(frames, "wrong-pattern")]);
}

export function allowedPairs(): Vector[] {
  return MAY_HEAR.flatMap(([to, from]) =>
    from.flatMap((type) => [allowed(type, to, "inline"), allowed(type, to, "detached")]),
  );
}

export function forbiddenPairs(): Vector[] {
  const all = Object.keys(TYPE) as Pattern[];
  return MAY_HEAR.flatMap(([to, from]) =>
    all.filter((type) => !from.includes(type)).map((type) => forbidden(type, to)),
  );
}
