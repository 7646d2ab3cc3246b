// What the holder of a stream key can forge: its publisher's broadcasts, and nothing else that this sender says, from
// any socket type, to anybody (docs/wire.md, section 2.3).

import { describe, expect, test } from "vitest";
import { deriveSenderKey, deriveStreamKey, type Key, Keyring, type Pattern } from "../../src/core.js";
import { FLAG, payloadOf, type Sealing, sealRegion, streamSecretOf, TYPE } from "../wire/reference.js";
import { FLOWS, ID, SECRET, saidOf, TOPIC, testClock, verifierOf } from "./parties.js";

const CHANNEL = "shell";
const STREAM = deriveStreamKey(SECRET, "alice", CHANNEL);
const BOB = deriveSenderKey(SECRET, "bob");
const REQUEST_TAG = Buffer.alloc(32, 9);
const isPublished = ([from]: readonly [Pattern, Pattern]) => from === "pub" || from === "xpub";
const hidesDelimiter = (pattern: Pattern) => pattern === "req" || pattern === "rep";

type Address = "nobody" | "bob" | "bob, with his key";
type Ring = readonly (Uint8Array | Key)[];

/** A message of alice to bob as bob receives it, well formed for its sockets, under the key that is due or another. */
function fromAlice([from, to]: readonly [Pattern, Pattern], address: Address, now: number, tagKey?: Buffer) {
  const delimited = hidesDelimiter(from) || hidesDelimiter(to);
  const recipientKey = address === "bob, with his key";
  const bound = to === "req";
  const flags =
    FLAG.inline |
    (delimited ? FLAG.delimited : 0) |
    (isPublished([from, to]) ? FLAG.topic : 0) |
    (address === "nobody" ? 0 : FLAG.addressed) |
    (bound ? FLAG.bound : 0) |
    (recipientKey ? FLAG.recipientKey : 0);
  const visible = delimited && !hidesDelimiter(to) ? [Buffer.alloc(0)] : [];
  const sealing: Sealing = {
    secret: SECRET,
    channel: CHANNEL,
    fields: { pattern: TYPE[from], flags, epoch: BigInt(now), sentAt: BigInt(now) },
    routing: [...(to === "router" ? [ID] : []), ...visible],
    ...(isPublished([from, to]) && { topic: TOPIC }),
    ...(address !== "nobody" && { to: "bob" }),
    ...(bound && { requestTag: REQUEST_TAG }),
    recipientKey,
    ...(tagKey && { tagKey }),
  };
  return sealRegion(payloadOf("body"), sealing);
}

/** What bob says of the message if he holds these keys. */
function said(flow: readonly [Pattern, Pattern], address: Address, ring: Ring, tagKey?: Buffer) {
  const clock = testClock();
  const bob = verifierOf({ pattern: flow[1], channel: CHANNEL, key: new Keyring(ring), clock });
  const frames = fromAlice(flow, address, clock(), tagKey);
  return saidOf(bob.verify(frames, flow[1] === "req" ? REQUEST_TAG : undefined));
}

const FORGED = streamSecretOf(SECRET, "alice", CHANNEL);
const mustAddress = ([from, to]: readonly [Pattern, Pattern]) =>
  (from === "router" || from === "rep") && to !== "router";
const CASES = FLOWS.filter((flow) => !isPublished(flow)).flatMap((flow) =>
  (["nobody", "bob", "bob, with his key"] as const)
    .filter((address) => address !== "nobody" || !mustAddress(flow))
    .map((address) => [...flow, address] as const),
);

describe("a stream key forges nothing but broadcasts (attack 34)", () => {
  test.each(CASES)("%s to %s, addressed to %s", (from, to, address) => {
    const flow = [from, to] as const;
    expect(said(flow, address, [SECRET])).toBe("ok");
    expect(said(flow, address, [SECRET], FORGED)).toBe("bad-signature");
    const withBobsKey = address === "bob, with his key";
    expect(said(flow, address, [BOB, STREAM], FORGED)).toBe(
      withBobsKey ? "bad-signature" : "key-out-of-scope",
    );
    expect(said(flow, address, [STREAM], FORGED)).toBe("key-out-of-scope");
    if (withBobsKey) expect(said(flow, address, [BOB, STREAM])).toBe("ok");
  });

  test("and broadcasts it does forge: HMAC is symmetric", () => {
    for (const flow of FLOWS.filter(isPublished)) {
      for (const ring of [[SECRET], [BOB, STREAM], [STREAM]] as Ring[]) {
        expect(said(flow, "nobody", ring, FORGED)).toBe("ok");
      }
      expect(said(flow, "bob, with his key", [BOB, STREAM], FORGED)).toBe("bad-signature");
    }
  });
});
