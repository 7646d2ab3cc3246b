// HMAC-SHA256 in WebAssembly, by its three ways of hashing one by one, held to the contract of all engines and, over
// all lengths, keys and cuts, to node:crypto.

import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fastHmacSha256, type Lengths } from "../../src/crypto/fast-hmac.js";
import { instantiate, LAYOUT } from "../../src/crypto/sha256.js";
import { engineContract, hmacSha256Vectors } from "./engine-contract.js";

const MOST = LAYOUT.capacity - 64;

const WAYS: Record<string, Lengths> = {
  "WebAssembly alone, as far as its memory goes": { short: MOST, medium: MOST },
  "one-shot hash, as far as the memory goes": { short: -1, medium: MOST },
  "createHash alone": { short: -1, medium: -1 },
  "a little of each": { short: 100, medium: 200 },
};

const expected = (key: Uint8Array, data: Uint8Array) => createHmac("sha256", key).update(data).digest();

function cut(data: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (data.length + 1)).sort((a, b) => a - b), data.length];
  return places.slice(1).map((end, i) => data.subarray(places[i], end));
}

const key = fc.uint8Array({ minLength: 32, maxLength: 200 });
const cuts = fc.array(fc.nat(1000), { maxLength: 6 });

describe.each(Object.entries(WAYS))("%s", (_, lengths) => {
  const engine = fastHmacSha256(instantiate(), lengths);
  engineContract(engine, hmacSha256Vectors);

  test("gives the tags of node:crypto for every length to 400, under any key, however it is cut", () => {
    for (let length = 0; length <= 400; length++) {
      const data = fc.uint8Array({ minLength: length, maxLength: length });
      const property = fc.property(key, data, cuts, (secret, message, at) => {
        const out = Buffer.alloc(32);
        engine.prepare(secret).mac(cut(message, at), out, 0);
        expect(out).toEqual(expected(secret, message));
      });
      fc.assert(property, { numRuns: 5 });
    }
  });

  test("seals and matches any frame as node:crypto would", () => {
    const pieces = fc.record({
      secret: key,
      head: fc.uint8Array({ maxLength: 300 }),
      between: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
      tail: fc.uint8Array({ maxLength: 300 }),
      rest: fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 3 }),
    });
    const property = fc.property(pieces, ({ secret, head, between, tail, rest }) => {
      const prepared = engine.prepare(secret);
      const frame = Buffer.concat([head, Buffer.alloc(32), tail]);
      prepared.seal(frame, head.length, between, rest);
      const tag = expected(secret, Buffer.concat([head, between ?? new Uint8Array(0), tail, ...rest]));
      expect(frame.subarray(head.length, head.length + 32)).toEqual(tag);
      expect(prepared.matches(frame, head.length, between, rest)).toBe(true);
      frame[head.length]! ^= 0x80;
      expect(prepared.matches(frame, head.length, between, rest)).toBe(false);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});

test("asks for no more memory than the module has", () => {
  const sha256 = instantiate();
  expect(() => fastHmacSha256(sha256, { short: 0, medium: MOST + 1 })).toThrow(RangeError);
});

test("engines that share an instance do not disturb each other", () => {
  const sha256 = instantiate();
  const [one, two] = [WAYS["a little of each"]!, { short: 640, medium: 1000 }].map((lengths, i) =>
    fastHmacSha256(sha256, lengths).prepare(Buffer.alloc(32, i + 1)),
  );
  for (let length = 0; length < 300; length += 7) {
    const data = Buffer.alloc(length, 9);
    const out = Buffer.alloc(64);
    one!.mac([data], out, 0);
    two!.mac([data], out, 32);
    expect(out).toEqual(Buffer.concat([1, 2].map((fill) => expected(Buffer.alloc(32, fill), data))));
  }
});
