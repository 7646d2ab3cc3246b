// Keys over time: rotation, addition, revocation, replacement, ids that collide, and validity at its exact bounds.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { deriveSenderKey, Key } from "../../src/keys/key.js";
import { Keyring, validity } from "../../src/keys/keyring.js";
import { COLLIDING, sampleSecret } from "./sample-keys.js";

const NOW = 1_764_000_000_000;
const [A, B, C] = [1, 2, 3].map((n) => new Key(sampleSecret(n))) as [Key, Key, Key];
const KEY_ERROR = { code: "ERR_COUNTERSIGN_KEY" };

/** The keys of a ring in order, by their place in the alphabet above. */
const order = (ring: Keyring) =>
  ring.keys.map((key) => "ABC"[[A, B, C].findIndex((known) => known.equals(key))]).join("");

describe("a ring is made", () => {
  test("of keys and of secret bytes, current one first", () => {
    const ring = new Keyring([A, sampleSecret(2)]);
    expect(order(ring)).toBe("AB");
    expect(ring.current(NOW)).toBe(A);
  });

  test("of at least one key", () => {
    expect(() => new Keyring([])).toThrow(expect.objectContaining(KEY_ERROR));
    expect(() => new Keyring([])).toThrow(/at least one key: new Keyring\(\[generateKey\(\)\]\)/);
  });

  test("from whatever an option may give", () => {
    const ring = new Keyring([A]);
    expect(Keyring.from(ring)).toBe(ring);
    expect(Keyring.from(() => ring)).toBe(ring);
    expect(Keyring.from(A).current(NOW)).toBe(A);
    expect(order(Keyring.from(sampleSecret(1)))).toBe("A");
    expect(order(Keyring.from(() => sampleSecret(1)))).toBe("A");
    expect(order(Keyring.from(() => B))).toBe("B");
  });

  test.each([
    undefined,
    null,
    "undefined",
    Buffer.alloc(0),
    Buffer.alloc(32),
    7,
    () => undefined,
    () => "secret",
    {},
  ])("attack 38: not from %s", (source) => {
    expect(() => Keyring.from(source as Buffer)).toThrow(expect.objectContaining(KEY_ERROR));
  });
});

describe("adding", () => {
  test("accepts one more, behind the others", () => {
    const ring = new Keyring([A]);
    expect(ring.add(sampleSecret(2)).equals(B)).toBe(true);
    expect(ring.add(C)).toBe(C);
    expect(order(ring)).toBe("ABC");
    expect(ring.current(NOW)).toBe(A);
    expect(ring.find(C.id)).toEqual([C]);
  });

  test("a key that is there already puts it under its new terms, once", () => {
    const ring = new Keyring([A, B]);
    ring.add(A.withTerms({ notAfter: NOW }));
    expect(order(ring)).toBe("BA");
    expect(ring.find(A.id)).toHaveLength(1);
    expect(ring.keys[1]?.terms.notAfter).toBe(NOW);
  });
});

describe("rotating", () => {
  test("puts the next key in front and lets the others end after the overlap", () => {
    const ring = new Keyring([A]);
    expect(ring.rotate(B, { overlap: 60_000, now: NOW })).toBe(B);
    expect(order(ring)).toBe("BA");
    expect(ring.current(NOW)).toBe(B);
    expect(ring.keys.map(({ terms }) => terms.notAfter)).toEqual([undefined, NOW + 60_000]);
  });

  test("takes a key that was added before to the front, and secret bytes too", () => {
    const ring = new Keyring([A]);
    ring.add(B);
    ring.rotate(sampleSecret(2), { overlap: 1000, now: NOW });
    expect(order(ring)).toBe("BA");
    expect(ring.keys[0]?.terms.notAfter).toBeUndefined();
  });

  test("never lets a key live longer than it did", () => {
    const ring = new Keyring([A.withTerms({ notAfter: NOW + 10, senders: ["alice"] }), C]);
    ring.rotate(B, { overlap: 1000, now: NOW });
    expect(ring.keys.map(({ terms }) => terms.notAfter)).toEqual([undefined, NOW + 10, NOW + 1000]);
    expect(ring.keys[1]?.terms.senders).toEqual(["alice"]);
    ring.rotate(A, { overlap: 5, now: NOW });
    expect(ring.keys.map(({ terms }) => terms.notAfter)).toEqual([undefined, NOW + 5, NOW + 5]);
  });

  test("with no overlap ends the others now, with an endless one never", () => {
    const ring = new Keyring([A]);
    ring.rotate(B, { overlap: 0, now: NOW });
    expect(ring.keys[1]?.terms.notAfter).toBe(NOW);
    const endless = new Keyring([A, C.withTerms({ notAfter: NOW })]);
    endless.rotate(B, { overlap: Number.POSITIVE_INFINITY, now: NOW });
    expect(endless.keys.map(({ terms }) => terms.notAfter)).toEqual([undefined, undefined, NOW]);
  });

  test("counts from now, if no time is given", () => {
    const ring = new Keyring([A]);
    const before = Date.now();
    ring.rotate(B, { overlap: 1000 });
    expect(ring.keys[1]?.terms.notAfter).toBeGreaterThanOrEqual(before + 1000);
    expect(ring.keys[1]?.terms.notAfter).toBeLessThanOrEqual(Date.now() + 1000);
  });

  test.each([-1, Number.NaN, "1000", undefined, null])(
    "with an overlap of %s is refused and changes nothing",
    (overlap) => {
      const ring = new Keyring([A]);
      const { revision } = ring;
      expect(() => ring.rotate(B, { overlap: overlap as number })).toThrow(
        expect.objectContaining({
          code: "ERR_COUNTERSIGN_OPTIONS",
          message: expect.stringContaining("milliseconds, 0 or more"),
        }),
      );
      expect(order(ring)).toBe("A");
      expect(ring.revision).toBe(revision);
    },
  );

  test("to what is no key is refused and changes nothing", () => {
    const ring = new Keyring([A]);
    expect(() => ring.rotate(Buffer.alloc(32), { overlap: 0 })).toThrow(expect.objectContaining(KEY_ERROR));
    expect(order(ring)).toBe("A");
  });
});

describe("revoking", () => {
  test("takes a key out, by itself or by its id", () => {
    const ring = new Keyring([A, B, C]);
    ring.revoke(B);
    expect(order(ring)).toBe("AC");
    ring.revoke(C.idText);
    expect(order(ring)).toBe("A");
    expect(ring.find(B.id)).toBe("revoked-key");
    expect(ring.find(C.id)).toBe("revoked-key");
    expect(ring.find(A.id)).toEqual([A]);
  });

  test("a key that the ring does not hold is a mistake", () => {
    const ring = new Keyring([A]);
    for (const stranger of [B, B.idText, "A"]) {
      expect(() => ring.revoke(stranger)).toThrow(expect.objectContaining(KEY_ERROR));
      expect(() => ring.revoke(stranger)).toThrow(/holds no key/);
    }
  });

  test("may leave the ring empty: nothing is accepted, nothing is signed", () => {
    const ring = new Keyring([A]);
    ring.revoke(A);
    expect(ring.find(A.id)).toBe("revoked-key");
    expect(() => ring.current(NOW)).toThrow(/No key to sign with: the keyring is empty; add one/);
  });

  test("is undone by adding the key again", () => {
    const ring = new Keyring([A, B]);
    ring.revoke(B);
    ring.add(B);
    expect(ring.find(B.id)).toEqual([B]);
  });

  test("an id revokes every key that has it, a key itself alone", () => {
    const device = deriveSenderKey(A, "alice");
    const byKey = new Keyring([A, device]);
    byKey.revoke(device);
    expect(byKey.find(A.id)).toEqual([A]);
    const byId = new Keyring([A, device, B]);
    byId.revoke(A.idText);
    expect(byId.find(A.id)).toBe("revoked-key");
  });

  test("is remembered for 1,024 keys, the last ones", () => {
    const ring = new Keyring([A]);
    const keys = Array.from({ length: 1026 }, (_, n) => ring.add(sampleSecret(100 + n)));
    for (const key of keys) ring.revoke(key);
    const said = keys.map((key) => ring.find(key.id));
    expect(said.slice(0, 3)).toEqual(["unknown-key", "unknown-key", "revoked-key"]);
    expect(said.slice(2).every((reason) => reason === "revoked-key")).toBe(true);
  });
});

test("replacing takes over another ring, and revokes what is missing from it", () => {
  const ring = new Keyring([A, B]);
  const other = new Keyring([C, B.withTerms({ notAfter: NOW })]);
  ring.replace(other);
  expect(order(ring)).toBe("CB");
  expect(ring.find(A.id)).toBe("revoked-key");
  expect(ring.keys[1]?.terms.notAfter).toBe(NOW);
  other.revoke(C);
  expect(order(ring)).toBe("CB");
});

test("every change raises the revision", () => {
  const ring = new Keyring([A]);
  const revisions = [ring.revision];
  const changes = [
    () => ring.add(B),
    () => ring.rotate(C, { overlap: 0 }),
    () => ring.revoke(B),
    () => ring.replace(new Keyring([A])),
  ];
  for (const change of changes) {
    change();
    revisions.push(ring.revision);
  }
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  expect(new Set(revisions).size).toBe(5);
});

test("an id that nobody had is unknown", () => {
  expect(new Keyring([A]).find(B.id)).toBe("unknown-key");
  expect(new Keyring([A]).find(-1)).toBe("unknown-key");
});

describe("ids that collide", () => {
  const [one, other] = COLLIDING.secrets.map((secret) => new Key(secret)) as [Key, Key];

  test("give every key that has them", () => {
    const ring = new Keyring([one, A, other]);
    expect(ring.find(one.id)).toEqual([one, other]);
  });

  test("stay with the one when the other is revoked", () => {
    const ring = new Keyring([one, other]);
    ring.revoke(one);
    expect(ring.find(one.id)).toEqual([other]);
    ring.revoke(other);
    expect(ring.find(one.id)).toBe("revoked-key");
  });

  test("are usable each under its own terms", () => {
    const ring = new Keyring([one.withTerms({ notAfter: NOW - 1 }), other]);
    expect(ring.usable(one, NOW)).toBeUndefined();
    expect(ring.usable(other, NOW)).toBe(other);
  });
});

describe("attack 37: validity, both ends included", () => {
  const key = A.withTerms({ notBefore: NOW, notAfter: NOW + 10 });

  test.each([
    [NOW - 1, "key-not-yet-valid"],
    [NOW - 0.001, "key-not-yet-valid"],
    [NOW, undefined],
    [NOW + 10, undefined],
    [NOW + 10.001, "key-expired"],
    [NOW + 11, "key-expired"],
  ])("at %d it is %s", (now, reason) => {
    expect(validity(key, now)).toBe(reason);
  });

  test("without bounds it always is", () => {
    for (const now of [-1, 0, NOW, 1e18]) expect(validity(A, now)).toBeUndefined();
  });

  test("of one moment is possible, of none is not", () => {
    expect(validity(A.withTerms({ notBefore: NOW, notAfter: NOW }), NOW)).toBeUndefined();
    expect(validity(A.withTerms({ notBefore: NOW + 1, notAfter: NOW }), NOW)).toBe("key-not-yet-valid");
    expect(validity(A.withTerms({ notBefore: 0, notAfter: 0 }), 0)).toBeUndefined();
    expect(validity(A.withTerms({ notBefore: 0 }), -1)).toBe("key-not-yet-valid");
    expect(validity(A.withTerms({ notAfter: 0 }), 1)).toBe("key-expired");
  });

  test("the first valid key signs", () => {
    const ring = new Keyring([A.withTerms({ notBefore: NOW + 5 }), B.withTerms({ notAfter: NOW }), C]);
    expect(ring.current(NOW).equals(B)).toBe(true);
    expect(ring.current(NOW + 1).equals(C)).toBe(true);
    expect(ring.current(NOW + 5).equals(A)).toBe(true);
  });

  test("no valid key says why for each", () => {
    const ring = new Keyring([A.withTerms({ notBefore: NOW + 5 }), B.withTerms({ notAfter: NOW - 5 })]);
    expect(() => ring.current(NOW)).toThrow(
      `No key to sign with: ${A.idText} is key-not-yet-valid, ${B.idText} is key-expired`,
    );
  });

  test("a key is usable as the ring holds it now", () => {
    const ring = new Keyring([A, B]);
    expect(ring.usable(A, NOW)).toBe(A);
    expect(ring.usable(A.withTerms({ notAfter: 0 }), NOW)).toBe(A);
    expect(ring.usable(C, NOW)).toBeUndefined();
    ring.rotate(B, { overlap: 10, now: NOW });
    expect(ring.usable(A, NOW + 10)?.terms.notAfter).toBe(NOW + 10);
    expect(ring.usable(A, NOW + 11)).toBeUndefined();
    ring.revoke(A);
    expect(ring.usable(A, NOW)).toBeUndefined();
  });
});

test("a ring shows the ids of its keys and nothing else", () => {
  const ring = new Keyring([A, B]);
  expect(JSON.parse(JSON.stringify(ring))).toEqual({ keys: [A.idText, B.idText] });
  const shown = inspect(ring, { showHidden: true, depth: 10 }) + JSON.stringify({ signing: { key: ring } });
  for (const n of [1, 2]) {
    for (const encoding of ["hex", "base64", "base64url", "latin1"] as const) {
      expect(shown).not.toContain(sampleSecret(n).toString(encoding).slice(0, 8));
    }
  }
});
