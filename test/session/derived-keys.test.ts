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

/** Finds a key and keeps it, as a verifier does. */
function kept(derived: DerivedKeys, signed: Signed): PreparedKey {
  const found = derived.find(key, signed)!;
  derived.keep(key, signed, found);
  return found;
}

test("what was kept is found behind others, too", () => {
  const derived = keysOf();
  const held = new Map(["a", "b", "c"].map((sender) => [sender, kept(derived, by(sender))]));
  for (const [sender, prepared] of held) expect(derived.find(key, by(sender))).toBe(prepared);
});

test("what was found and did not verify is not kept, whatever is kept after it", () => {
  const derived = keysOf();
  const forged = derived.find(key, by("forged"));
  kept(derived, by("a"));
  expect(derived.find(key, by("forged"))).not.toBe(forged);
});

test("each kind of use has a key of its own, whichever was asked for last", () => {
  const derived = keysOf();
  const kinds = [by("a"), publishedBy("a"), toMeBy("a")];
  const found = kinds.map((kind) => kept(derived, kind));
  expect(new Set(found.map((prepared) => tagOf(prepared).toString("hex"))).size).toBe(3);
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
  const first = kept(derived, by("a"));
  kept(derived, by("b"));
  expect(kept(derived, by("a"))).toBe(first);
});

test("no more than so many of each kind are kept, and what was dropped is derived again", () => {
  const derived = keysOf();
  const found = Array.from({ length: MOST }, (_, i) => kept(derived, by(`s${i}`)));
  for (const [i, prepared] of found.entries()) expect(derived.find(key, by(`s${i}`))).toBe(prepared);
  const published = kept(derived, publishedBy("s0"));
  const another = kept(derived, by("one more"));
  expect(derived.find(key, by("s0"))).not.toBe(found[0]);
  expect(tagOf(derived.find(key, by("s0")))).toEqual(tagOf(found[0]));
  expect(derived.find(key, by("one more"))).toBe(another);
  expect(derived.find(key, publishedBy("s0"))).toBe(published);
});
