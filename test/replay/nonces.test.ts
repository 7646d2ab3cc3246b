// The nonces that senders have yet to answer (docs/wire.md, section 8.6): one a stream, used once, bounded.

import { describe, expect, test } from "vitest";
import { Nonces } from "../../src/replay/nonces.js";

describe("a nonce", () => {
  test("has 16 bytes, is another for each stream, and the same for one until it is answered", () => {
    const nonces = new Nonces(10);
    const [a, b] = [nonces.ask("a"), nonces.ask("b")];
    expect([a.length, b.length]).toEqual([16, 16]);
    expect(a.equals(b)).toBe(false);
    expect(nonces.ask("a")).toEqual(a);
    expect(nonces.take("a", a)).toBe(true);
    expect(nonces.ask("a").equals(a)).toBe(false);
  });

  test("is answered once, by the stream that was asked alone", () => {
    const nonces = new Nonces(10);
    const nonce = nonces.ask("a");
    nonces.ask("b");
    expect(nonces.take("b", nonce)).toBe(false);
    expect(nonces.take("c", nonce)).toBe(false);
    expect(nonces.take("a", Uint8Array.from(nonce))).toBe(true);
    expect(nonces.take("a", nonce)).toBe(false);
  });

  test("is not answered by anything else, and still waits", () => {
    const nonces = new Nonces(10);
    const nonce = nonces.ask("a");
    const other = Buffer.from(nonce);
    other.writeUInt8(other.readUInt8(15) ^ 1, 15);
    for (const wrong of [
      other,
      Buffer.alloc(16),
      Buffer.alloc(0),
      nonce.subarray(1),
      Buffer.concat([nonce, nonce]),
    ]) {
      expect(nonces.take("a", wrong)).toBe(false);
    }
    expect(nonces.take("a", nonce)).toBe(true);
  });

  test("that is dropped is answered by nothing", () => {
    const nonces = new Nonces(10);
    const nonce = nonces.ask("a");
    nonces.drop("a");
    nonces.drop("b");
    expect(nonces.take("a", nonce)).toBe(false);
  });
});

test("beyond the limit, whoever was asked first is forgotten first; asking again does not renew a turn", () => {
  const nonces = new Nonces(2);
  const [a, b] = [nonces.ask("a"), nonces.ask("b")];
  nonces.ask("a");
  const c = nonces.ask("c");
  expect(nonces.take("a", a)).toBe(false);
  expect([nonces.take("b", b), nonces.take("c", c)]).toEqual([true, true]);
});

test("a hundred thousand strangers cost no more than the limit", () => {
  const nonces = new Nonces(1000);
  const all = Array.from({ length: 100_000 }, (_, i) => nonces.ask(`s${i}`));
  const answered = all.filter((nonce, i) => nonces.take(`s${i}`, nonce));
  expect(answered).toHaveLength(1000);
});
