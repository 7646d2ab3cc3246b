// Whom a ROUTER answers, without sockets: the buffer that was received stands for one message, a copy of its bytes for
// one stream, and of a REQ for one request. No copy ever binds an answer to another request.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { Key, type Pattern } from "../../src/core.js";
import { Origin } from "../../src/session/origin.js";
import { type Addressee, ReturnAddresses } from "../../src/sockets/return-addresses.js";
import { sampleSecret } from "../keys/sample-keys.js";

const KEY = new Key(sampleSecret(1));
let requests = 0;

/** A verified message; a REQ's has a tag of its own. */
function from(sender: string, pattern: Pattern = "req", key = KEY): Origin {
  const sequence = ++requests;
  const numbers = { epoch: 1, sequence, ordinal: 0, sentAt: 1, keyId: key.id };
  const requestTag = pattern === "req" ? Buffer.alloc(32, sequence) : undefined;
  const header = { kind: "data" as const, flags: 0, pattern, sender, ...numbers };
  return new Origin(header, "", false, 0, { name: sender, key, requestTag });
}

/** Ids as they came with a message: new buffers each time. */
const ids = (...texts: string[]) => texts.map((text) => Buffer.from(text));

/** What a received envelope, and a copy of it, lead to. */
function book(limit = 100) {
  let now = 0;
  const addresses = new ReturnAddresses(limit, () => now);
  const byCopy = (...texts: string[]) => {
    const found = addresses.ofBytes(ids(...texts));
    return typeof found === "string" ? found : found.addressee;
  };
  return {
    /** A message comes; gives the envelope that came with it. */
    hear(addressee: Addressee, ...texts: string[]) {
      const envelope = ids(...texts);
      addresses.learn(envelope, envelope.length, addressee, false);
      return envelope;
    },
    byBuffer: (envelope: Buffer[]) => addresses.ofBuffers(envelope)?.addressee,
    byCopy,
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

describe("a received buffer", () => {
  test("keeps the key that it came under, when its sender goes over to another", () => {
    const { hear, byBuffer, byCopy } = book();
    const [before, after] = [from("bob", "dealer"), from("bob", "dealer", new Key(sampleSecret(2)))];
    const first = hear(before, "id");
    const second = hear(after, "id");
    expect([byBuffer(first), byBuffer(second), byCopy("id")]).toEqual([before, after, after]);
    expect(byBuffer(first)).toBe(before);
  });

  test("leads to its sender and socket type alone, when another takes the id", () => {
    const { hear, byBuffer } = book();
    const others = [from("bob", "dealer"), from("bob", "router"), from("eve", "router")];
    const envelopes = others.map((origin) => hear(origin, "id"));
    for (const [i, envelope] of envelopes.entries()) expect(byBuffer(envelope)).toBe(others[i]);
  });
});

describe("a copied id", () => {
  test("leads to the one request behind it", () => {
    const { hear, byCopy } = book();
    const asked = from("bob");
    hear(asked, "id");
    expect(byCopy("id")).toBe(asked);
    expect(byCopy("other")).toBe("unknown");
  });

  test("follows from one answered request to the next", () => {
    const { hear, byCopy, byBuffer } = book();
    const [first, second, third] = [from("bob"), from("bob"), from("bob")];
    hear(first, "id");
    expect(byCopy("id")).toBe(first);
    const envelope = hear(second, "id");
    expect(byBuffer(envelope)).toBe(second);
    hear(third, "id");
    expect(byCopy("id")).toBe(third);
  });

  test("never binds the answer of a request to a later one", () => {
    const { hear, byCopy, byBuffer } = book();
    const [first, second] = [from("bob"), from("bob")];
    const envelopes = [hear(first, "id"), hear(second, "id")];
    expect(byCopy("id")).toBe("ambiguous");
    expect(envelopes.map(byBuffer)).toEqual([first, second]);
    hear(from("bob"), "id");
    expect(byCopy("id")).toBe("ambiguous");
  });

  test("never binds the answer to a DEALER's message to a request of the same name", () => {
    const { hear, byCopy } = book();
    const told = from("bob", "dealer");
    hear(told, "id");
    expect(byCopy("id")).toBe(told);
    hear(from("bob"), "id");
    expect(byCopy("id")).toBe("ambiguous");
  });

  test("stands for as many messages of a DEALER as there are: their answers are bound to none", () => {
    const { hear, byCopy } = book();
    hear(from("bob", "dealer"), "id");
    const last = from("bob", "dealer");
    hear(last, "id");
    expect(byCopy("id")).toBe(last);
  });

  test("never leads to one of two names, nor to nobody where an unsigned message came", () => {
    const { hear, byCopy } = book();
    hear(from("bob", "dealer"), "two");
    hear(from("carol", "dealer"), "two");
    hear(from("bob", "dealer"), "two");
    expect(byCopy("two")).toBe("ambiguous");
    hear(null, "unsigned");
    expect(byCopy("unsigned")).toBeNull();
    hear(from("bob", "dealer"), "unsigned");
    expect(byCopy("unsigned")).toBe("ambiguous");
  });

  test("is the whole stack of ids", () => {
    const { hear, byCopy } = book();
    const [bob, carol] = [from("bob"), from("carol")];
    hear(bob, "broker", "1");
    hear(carol, "broker", "2");
    expect(byCopy("broker", "1")).toBe(bob);
    expect(byCopy("broker", "2")).toBe(carol);
    expect(byCopy("broker")).toBe("unknown");
    expect(byCopy("brok", "er1")).toBe("unknown");
  });

  test("is forgotten, those first seen first, and the buffer is not", () => {
    const { hear, byCopy, byBuffer } = book(1);
    const bob = from("bob");
    const envelope = hear(bob, "a");
    hear(from("carol"), "b");
    expect(byCopy("a")).toBe("unknown");
    expect(byBuffer(envelope)).toBe(bob);
  });
});

describe("what meant two things", () => {
  test("means one again when it has for half a minute", () => {
    const { hear, byCopy, wait } = book();
    hear(from("mallory", "dealer"), "id");
    const bob = from("bob", "dealer");
    hear(bob, "id");
    wait(29_999);
    expect(byCopy("id")).toBe("ambiguous");
    wait(1);
    expect(byCopy("id")).toBe(bob);
    const later = from("bob", "dealer");
    hear(later, "id");
    expect(byCopy("id")).toBe(later);
  });

  test("never does where a REQ could take the answer to something else for its own", () => {
    const pairs: [Origin, Origin][] = [
      [from("bob"), from("bob")],
      [from("bob"), from("mallory")],
      [from("mallory", "dealer"), from("bob")],
      [from("bob"), from("mallory", "dealer")],
    ];
    for (const [first, second] of pairs) {
      const { hear, byCopy, byBuffer, wait } = book();
      hear(first, "id");
      const envelope = hear(second, "id");
      wait(3_600_000);
      expect(byCopy("id")).toBe("ambiguous");
      expect(byBuffer(envelope)).toBe(second);
      hear(second, "id");
      expect(byCopy("id")).toBe("ambiguous");
    }
  });

  test("does not while both go on", () => {
    const { hear, byCopy, wait } = book();
    for (let i = 0; i < 4; i++) {
      hear(from(i % 2 === 0 ? "bob" : "mallory", "dealer"), "id");
      wait(20_000);
    }
    expect(byCopy("id")).toBe("ambiguous");
  });
});

test("buffers of two messages put together are no envelope that was received", () => {
  const { hear, byBuffer } = book();
  const first = hear(from("bob"), "broker", "1");
  const second = hear(from("carol"), "broker", "2");
  expect(byBuffer([first[0] as Buffer, second[1] as Buffer])).toBeUndefined();
});

describe("ids longer than ZeroMQ's own, as only a broker can put them there", () => {
  test("lead where they came from, and no other does", () => {
    const { hear, byCopy } = book();
    const [bob, carol] = [from("bob", "dealer"), from("carol", "dealer")];
    hear(bob, "broker", `${"x".repeat(300)}1`);
    hear(carol, "broker", `${"x".repeat(300)}2`);
    expect(byCopy("broker", `${"x".repeat(300)}1`)).toBe(bob);
    expect(byCopy("broker", `${"x".repeat(300)}2`)).toBe(carol);
    expect(byCopy("broker", `${"x".repeat(300)}3`)).toBe("unknown");
  });

  test("cost no more memory than others", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const { hear } = book();
    const before = held();
    for (let n = 0; n < 64; n++) hear(from("bob", "dealer"), "broker", `${n}`.padStart(1_000_000, "x"));
    expect(held() - before).toBeLessThan(8_000_000);
  });
});
