// Derived MAC keys: found again when kept, forgotten in order, never confused.

import { expect, test } from "vitest";
import { Key } from "../../src/keys/key.js";
import { DerivedKeys } from "../../src/session/derived-keys.js";
import { sampleSecret } from "../keys/sample-keys.js";

const key = new Key(sampleSecret(1));
const use = (sender: string, recipient?: string) => ({ sender, channel: "c", recipient });

test("what was kept is found, what was not is derived anew", () => {
  const derived = new DerivedKeys();
  const first = derived.find(key, use("a"));
  expect(derived.find(key, use("a"))).not.toBe(first);
  derived.keep(key, use("a"), first!);
  expect(derived.find(key, use("a"))).toBe(first);
  expect(derived.find(key, use("b"))).not.toBe(first);
  expect(derived.find(key, use("a", "b"))).not.toBe(first);
  expect(derived.find(new Key(sampleSecret(2)), use("a"))).not.toBe(first);
});

test("with a recipient and without, names are not confused", () => {
  const derived = new DerivedKeys();
  const toB = derived.find(key, use("a", "b"))!;
  derived.keep(key, use("a", "b"), toB);
  expect(derived.find(key, use("a", "b"))).toBe(toB);
  expect(derived.find(key, use("b", "a"))).not.toBe(toB);
  expect(derived.find(key, use("a"))).not.toBe(toB);
  const toUndefined = derived.find(key, use("a", "undefined"))!;
  derived.keep(key, use("a", "undefined"), toUndefined);
  expect(derived.find(key, use("a"))).not.toBe(toUndefined);
});

test("what is published has another key than what is sent", () => {
  const derived = new DerivedKeys();
  const sent = derived.find(key, use("a"))!;
  derived.keep(key, use("a"), sent);
  const published = derived.find(key, { ...use("a"), published: true })!;
  expect(published).not.toBe(sent);
  derived.keep(key, { ...use("a"), published: true }, published);
  expect(derived.find(key, { ...use("a"), published: true })).toBe(published);
  expect(derived.find(key, use("a"))).toBe(sent);
});

test("what cannot be derived is not found", () => {
  const restricted = new Key(sampleSecret(1), { senders: ["a"] });
  const derived = new DerivedKeys();
  expect(derived.find(restricted, use("b"))).toBeUndefined();
  expect(derived.find(restricted, use("a"))).toBeDefined();
});

test("terms that change make another key, and nothing kept outlives them", () => {
  const derived = new DerivedKeys();
  derived.keep(key, use("a"), derived.find(key, use("a"))!);
  expect(derived.find(key.withTerms({ senders: ["b"] }), use("a"))).toBeUndefined();
});

test("keeping again changes nothing", () => {
  const derived = new DerivedKeys();
  const first = derived.find(key, use("a"))!;
  derived.keep(key, use("a"), first);
  derived.keep(key, use("a"), key.derive(use("a"))!);
  expect(derived.find(key, use("a"))).toBe(first);
});

test("16,384 of each key are kept, the first ones make room", () => {
  const derived = new DerivedKeys();
  const prepared = key.derive(use("x"))!;
  const name = (i: number) => use(`s${i}`);
  for (let i = 0; i < 16_384; i++) derived.keep(key, name(i), prepared);
  expect(derived.find(key, name(0))).toBe(prepared);
  derived.keep(key, name(16_384), prepared);
  expect(derived.find(key, name(0))).not.toBe(prepared);
  for (const i of [1, 2, 16_383, 16_384]) expect(derived.find(key, name(i))).toBe(prepared);
});
