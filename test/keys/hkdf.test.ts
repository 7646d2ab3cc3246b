// Derivation against node's own HKDF, from the text of docs/wire.md, section 2.

import { createHmac, hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import { expand, extract } from "../../src/keys/hkdf.js";
import { sampleSecret } from "./sample-keys.js";

const u32 = (value: number) =>
  Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const field = (text: string) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)]);

test("extract is HKDF-Extract with the protocol's name as salt", () => {
  for (const length of [32, 33, 63, 64, 65, 200]) {
    const secret = Buffer.alloc(length, 7).fill(9, 0, 5);
    expect(extract(secret)).toEqual(createHmac("sha256", "countersign/1").update(secret).digest());
  }
});

test.each([
  [["key id"]],
  [["sender", "alice"]],
  [["channel", ""]],
  [["to", "alice", "shell"]],
  [["label", "ünïcode €"]],
])("extract and expand together are HKDF with the info %j", (fields) => {
  const info = Buffer.concat(["countersign/1", ...fields].map(field));
  const expected = Buffer.from(hkdfSync("sha256", sampleSecret(1), "countersign/1", info, 32));
  const [label, ...args] = fields as [string, ...string[]];
  expect(expand(extract(sampleSecret(1)), label, ...args)).toEqual(expected);
});

test("no two derivations share an input, however their names run together", () => {
  const prk = extract(sampleSecret(1));
  const derived = [
    expand(prk, "to", "ab", "c"),
    expand(prk, "to", "a", "bc"),
    expand(prk, "to", "abc"),
    expand(prk, "to", "abc", ""),
    expand(prk, "toabc"),
    expand(prk, "to"),
    expand(prk, ""),
  ].map((key) => key.toString("hex"));
  expect(new Set(derived).size).toBe(derived.length);
});

test("attack 39: keys that HMAC treats alike are told apart", () => {
  const padded = Buffer.concat([sampleSecret(1), Buffer.alloc(32)]);
  const long = Buffer.alloc(100, 5).fill(6, 0, 3);
  const hashed = Buffer.from(hkdfSync("sha256", long, "x", "y", 32));
  const roots = [sampleSecret(1), padded, padded.subarray(0, 33), long, hashed].map((key) =>
    extract(key).toString("hex"),
  );
  expect(new Set(roots).size).toBe(roots.length);
});
