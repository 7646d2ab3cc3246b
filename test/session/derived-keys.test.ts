// Derived MAC keys: found again when kept, forgotten in bounded memory, never confused.

import { expect, test } from "vitest";
import type { PreparedKey } from "../../src/crypto/engine.js";
import { Key } from "../../src/keys/key.js";
import { DerivedKeys, type Signed } from "../../src/session/derived-keys.js";
import { FLAGS } from "../../src/wire/header.js";
import { sampleSecret } from "../keys/sample-keys.js";

const key = new Key(sampleSecret(1));
const MOST = 100;
const keysOf = (channel = "c", holder = "me") => new DerivedKeys(channel, holder, MOST);
const by = (sender: string): Signed => ({ sender, pattern: "dealer", flags: 0 });
const publishedBy = (sender: string): Signed => ({ ...by(sender), pattern: "pub" });
const toMeBy = (sender: string): Signed => ({ ...by(sender), flags: FLAGS.addressed | FLAGS.recipientKey });

function tagOf(prepared: PreparedKey | undefined): Buffer {
  const tag = Buffer.alloc(32);
  prepared?.mac([Buffer.from("text")], tag, 0);
  return tag;
}

test("what was kept is found, what was not is derived anew", () => {
  const derived = keysOf();
  const first = derived.find(key, by("a"));
  expect(derived.find(key, by("a"))).not.toBe(first);
  derived.keep(key, by("a"), first!);
  expect(derived.find(key, by("a"))).toBe(first);
  expect(derived.find(key, by("b"))).not.toBe(first);
  expect(derived.find(new Key(sampleSecret(2)), by("a"))).not.toBe(first);
});

test("what was kept is found behind others, too", () => {
  const derived = keysOf();
  const held = new Map(["a", "b", "c"].map((sender) => [sender, derived.find(key, by(sender))!]));
  for (const [sender, prepared] of held) derived.keep(key, by(sender), prepared);
  for (const [sender, prepared] of held) expect(derived.find(key, by(sender))).toBe(prepared);
});

test("each kind of use has a key of its own, whichever was asked for last", () => {
  const derived = keysOf();
  const kinds = [by("a"), publishedBy("a"), toMeBy("a")];
  const found = kinds.map((kind) => derived.find(key, kind)!);
  expect(new Set(found.map((prepared) => tagOf(prepared).toString("hex"))).size).toBe(3);
  for (const [i, kind] of kinds.entries()) derived.keep(key, kind, found[i]!);
  for (const [i, kind] of kinds.entries()) expect(derived.find(key, kind)).toBe(found[i]);
});

test("they are what the key derives for this use, an instance's those of its holder", () => {
  const derived = keysOf("c", "me");
  const direct = (use: Parameters<Key["derive"]>[0]) => tagOf(key.derive(use));
  expect(tagOf(derived.find(key, by("a~1")))).toEqual(direct({ sender: "a", channel: "c" }));
  expect(tagOf(derived.find(key, publishedBy("a")))).toEqual(
    direct({ sender: "a", channel: "c", published: true }),
  );
  expect(tagOf(derived.find(key, toMeBy("a")))).toEqual(
    direct({ sender: "a", channel: "c", recipient: "me" }),
  );
});

test("what cannot be derived is not found", () => {
  const restricted = new Key(sampleSecret(1), { senders: ["a"] });
  const derived = keysOf();
  expect(derived.find(restricted, by("b"))).toBeUndefined();
  expect(derived.find(restricted, by("a"))).toBeDefined();
});

test("terms that change make another key, and nothing kept outlives them", () => {
  const derived = keysOf();
  derived.keep(key, by("a"), derived.find(key, by("a"))!);
  expect(derived.find(key.withTerms({ senders: ["b"] }), by("a"))).toBeUndefined();
});

test("keeping again changes nothing", () => {
  const derived = keysOf();
  const first = derived.find(key, by("a"))!;
  derived.keep(key, by("a"), first);
  derived.keep(key, by("b"), derived.find(key, by("b"))!);
  derived.keep(key, by("a"), key.derive({ sender: "a", channel: "c" })!);
  derived.keep(key, by("b"), derived.find(key, by("b"))!);
  expect(derived.find(key, by("a"))).toBe(first);
});

test("no more than so many of each kind are kept, and half of them at least, the latest", () => {
  const derived = keysOf();
  const prepared = key.derive({ sender: "x", channel: "c" })!;
  for (let i = 0; i < 3 * MOST; i++) derived.keep(key, by(`s${i}`), { ...prepared } as PreparedKey);
  const isKept = (i: number) => {
    const found = derived.find(key, by(`s${i}`));
    return found === derived.find(key, by(`s${i}`));
  };
  const kept = Array.from({ length: 3 * MOST }, (_, i) => i).filter(isKept);
  expect(kept.length).toBeLessThanOrEqual(MOST);
  expect(kept.length).toBeGreaterThanOrEqual(MOST / 2);
  expect(kept.at(0)).toBe(3 * MOST - kept.length);
});
