// How many messages went to each recipient or topic (docs/wire.md, section 10).

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Ordinals } from "../../src/session/ordinals.js";
import { topicName } from "../../src/session/topics.js";

const HIGHEST = 2 ** 32 - 1;

test("each is counted from 1", () => {
  const ordinals = new Ordinals(10);
  const taken = ["a", "b", "a", "a", "b"].map((peer) => ordinals.take(peer, 1, 1));
  expect(taken).toEqual([1, 1, 2, 3, 2]);
});

test("a batch takes as many as it holds and carries that of its first", () => {
  const ordinals = new Ordinals(10);
  expect([ordinals.take("a", 1, 5), ordinals.take("a", 1, 2), ordinals.take("a", 1, 1)]).toEqual([1, 6, 8]);
});

test("what is given back is taken again, of who is known", () => {
  const ordinals = new Ordinals(10);
  ordinals.take("a", 1, 3);
  ordinals.giveBack("a", 2);
  ordinals.giveBack("b", 2);
  expect([ordinals.take("a", 1, 1), ordinals.take("b", 1, 1)]).toEqual([2, 1]);
});

test("a new epoch counts from 1", () => {
  const ordinals = new Ordinals(10);
  ordinals.take("a", 1, 5);
  expect([ordinals.take("a", 2, 1), ordinals.take("a", 2, 1)]).toEqual([1, 2]);
});

test("the count begun first makes room, and begins again at 1", () => {
  const ordinals = new Ordinals(2);
  for (const peer of ["a", "b", "a"]) ordinals.take(peer, 1, 1);
  expect(ordinals.take("c", 1, 1)).toBe(1);
  expect(ordinals.take("b", 1, 1)).toBe(2);
  expect(ordinals.take("a", 1, 1)).toBe(1);
  expect(ordinals.take("c", 1, 1)).toBe(2);
});

test("of one peer at most", () => {
  const ordinals = new Ordinals(1);
  expect(["a", "a", "b", "a"].map((peer) => ordinals.take(peer, 1, 1))).toEqual([1, 2, 1, 1]);
});

test("counting begins again before 32 bits are exceeded", () => {
  const ordinals = new Ordinals(10);
  expect(ordinals.take("a", 1, HIGHEST - 1)).toBe(1);
  expect(ordinals.take("a", 1, 1)).toBe(HIGHEST);
  expect(ordinals.take("a", 1, 1)).toBe(1);
  expect(ordinals.take("b", 1, HIGHEST - 1)).toBe(1);
  expect(ordinals.take("b", 1, 2)).toBe(1);
});

describe("a topic is counted under a name of its own", () => {
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("base64");

  test("that holds it, byte for byte, up to 64 bytes", () => {
    const topic = Buffer.from(Array.from({ length: 64 }, (_, i) => 255 - i));
    expect(topicName(topic).endsWith(topic.toString("latin1"))).toBe(true);
  });

  test("that holds its hash beyond, so that no topic costs more than its share", () => {
    for (const length of [65, 100, 100_000]) {
      const topic = Buffer.alloc(length, 7);
      expect(topicName(topic)).toMatch(/^\w+ \S{44}$/);
      expect(topicName(topic).endsWith(sha256(topic))).toBe(true);
    }
  });

  test("that no other topic has, not even one that is written like a hash", () => {
    const long = Buffer.alloc(65, 1);
    const topics = [
      long,
      Buffer.alloc(65, 2),
      Buffer.alloc(64, 1),
      Buffer.alloc(0),
      Buffer.from(sha256(long)),
    ];
    for (const label of ["sha256", "hash", "topic"]) topics.push(Buffer.from(`${label} ${sha256(long)}`));
    expect(new Set(topics.map(topicName)).size).toBe(topics.length);
  });
});
