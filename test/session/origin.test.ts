// What `message.origin` tells an application, and what it keeps to itself.

import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Origin } from "../../src/core.js";
import { linkOf, SECRET } from "./parties.js";

function originOf(from: "req" | "dealer") {
  const link = linkOf({ from, to: "router" });
  const verdict = link.verify(link.send("a"));
  return verdict.ok && verdict.origin ? verdict.origin : expect.unreachable();
}

test("the peer of an answer is known to the library alone", () => {
  const origin = originOf("req");
  const { name, key, requestTag } = Origin.peerOf(origin);
  expect({ name, id: key.idText, length: requestTag?.length }).toEqual({
    name: "alice",
    id: origin.keyId,
    length: 32,
  });
  expect(Origin.peerOf(originOf("dealer")).requestTag).toBeUndefined();
  const shown = inspect(origin, { showHidden: true, depth: 10 }) + JSON.stringify(origin);
  expect(shown).not.toContain(requestTag?.toString("hex").slice(0, 8));
  expect(shown).not.toContain(SECRET.toString("hex").slice(0, 8));
  expect(Object.keys(origin)).toEqual([
    "sender",
    "channel",
    "pattern",
    "keyId",
    "epoch",
    "sequence",
    "sentAt",
    "addressed",
    "late",
  ]);
});
