// One key: what it derives, against a second derivation made with node's HKDF; what it is good for; what it refuses to be.

import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { PreparedKey } from "../../src/crypto/engine.js";
import {
  deriveSenderKey,
  deriveStreamKey,
  formatKeyId,
  generateKey,
  Key,
  type KeyTerms,
} from "../../src/keys/key.js";
import {
  channelSecretOf,
  hmac,
  keyIdOf,
  recipientSecretOf,
  senderSecretOf,
  streamSecretOf,
} from "../wire/reference.js";
import { COLLIDING, sampleSecret } from "./sample-keys.js";

const SECRET = sampleSecret(1);
const DATA = Buffer.from("data");
const USE = { sender: "alice", channel: "shell" };
const PUBLISHED = { ...USE, published: true };

/** The tag of a fixed text: tells whether two MAC keys are the same. */
function tagOf(key: PreparedKey | undefined): string | undefined {
  if (key === undefined) return undefined;
  const tag = Buffer.alloc(32);
  key.mac([DATA], tag, 0);
  return tag.toString("hex");
}
const tagUnder = (secret: Buffer) => hmac(secret, DATA).toString("hex");

describe("a master key", () => {
  const key = new Key(SECRET);

  test("has the id that HKDF gives it", () => {
    expect(key.id).toBe(keyIdOf(SECRET));
    expect(key.idText).toBe(keyIdOf(SECRET).toString(16).padStart(8, "0"));
  });

  test("derives the key of each sender on each channel", () => {
    for (const sender of ["alice", "bob"]) {
      for (const channel of ["", "shell", "ünïcode"]) {
        const [said, published] = [
          { sender, channel },
          { sender, channel, published: true },
        ];
        expect(tagOf(key.derive(said))).toBe(tagUnder(channelSecretOf(SECRET, sender, channel)));
        expect(tagOf(key.derive(published))).toBe(tagUnder(streamSecretOf(SECRET, sender, channel)));
      }
    }
  });

  test("derives what one says to another from the other's key", () => {
    const expected = tagUnder(recipientSecretOf(SECRET, "bob", "alice", "shell"));
    expect(tagOf(key.derive({ ...USE, recipient: "bob" }))).toBe(expected);
    expect(expected).not.toBe(tagUnder(recipientSecretOf(SECRET, "alice", "bob", "shell")));
  });

  test.each([32, 33, 64, 65, 200])("may have %i bytes", (length) => {
    const secret = Buffer.alloc(length, 1).fill(2, 0, 7);
    const long = new Key(secret);
    expect(long.id).toBe(keyIdOf(secret));
    expect(tagOf(long.derive(USE))).toBe(tagUnder(channelSecretOf(secret, "alice", "shell")));
  });

  test("may be a plain Uint8Array, and is copied", () => {
    const secret = new Uint8Array(SECRET);
    const copied = new Key(secret);
    secret.fill(0);
    expect(copied.equals(key)).toBe(true);
    expect(tagOf(copied.derive(USE))).toBe(tagOf(key.derive(USE)));
    copied.exportSecret().fill(0);
    expect(copied.exportSecret()).toEqual(SECRET);
  });
});

describe("a sender key", () => {
  const key = deriveSenderKey(SECRET, "alice");

  test("is K_sender under the master's id, and says whose it is", () => {
    expect(key.exportSecret()).toEqual(senderSecretOf(SECRET, "alice"));
    expect(key.id).toBe(keyIdOf(SECRET));
    expect(key.derived).toEqual({ from: "sender", sender: "alice" });
  });

  test("speaks as its sender on every channel, and as nobody else (attack 34)", () => {
    expect(tagOf(key.derive(USE))).toBe(tagUnder(channelSecretOf(SECRET, "alice", "shell")));
    expect(tagOf(key.derive(PUBLISHED))).toBe(tagUnder(streamSecretOf(SECRET, "alice", "shell")));
    expect(tagOf(key.derive({ ...USE, channel: "" }))).toBe(tagUnder(channelSecretOf(SECRET, "alice", "")));
    expect(key.derive({ ...USE, sender: "bob" })).toBeUndefined();
    expect(key.derive({ ...USE, sender: "alic" })).toBeUndefined();
  });

  test("verifies what is said to its sender, and to nobody else", () => {
    const toAlice = key.derive({ sender: "bob", channel: "shell", recipient: "alice" });
    expect(tagOf(toAlice)).toBe(tagUnder(recipientSecretOf(SECRET, "alice", "bob", "shell")));
    expect(key.derive({ ...USE, recipient: "bob" })).toBeUndefined();
  });

  test("of an instance is that of its holder", () => {
    expect(deriveSenderKey(SECRET, "alice~2").equals(key)).toBe(true);
    expect(deriveSenderKey(SECRET, "alice~2").derived).toEqual({ from: "sender", sender: "alice" });
  });

  test("derives no other", () => {
    for (const derive of [() => deriveSenderKey(key, "alice"), () => deriveStreamKey(key, "alice")]) {
      expect(derive).toThrow(expect.objectContaining({ code: "ERR_COUNTERSIGN_KEY" }));
      expect(derive).toThrow(/needs a master key/);
    }
  });
});

describe("a stream key", () => {
  const key = deriveStreamKey(SECRET, "alice", "shell");

  test("is K under the master's id, and says whose it is", () => {
    expect(key.exportSecret()).toEqual(streamSecretOf(SECRET, "alice", "shell"));
    expect(key.id).toBe(keyIdOf(SECRET));
    expect(key.derived).toEqual({ from: "stream", sender: "alice", channel: "shell" });
  });

  test("is good for what its sender publishes on its channel alone", () => {
    expect(tagOf(key.derive(PUBLISHED))).toBe(tagUnder(streamSecretOf(SECRET, "alice", "shell")));
    expect(key.derive(USE)).toBeUndefined();
    expect(key.derive({ ...PUBLISHED, channel: "" })).toBeUndefined();
    expect(key.derive({ ...PUBLISHED, sender: "bob" })).toBeUndefined();
    expect(key.derive({ ...PUBLISHED, recipient: "alice" })).toBeUndefined();
    expect(key.derive({ sender: "bob", channel: "shell", recipient: "alice" })).toBeUndefined();
  });

  test("is for the channel without a name, if none is given", () => {
    expect(deriveStreamKey(SECRET, "alice~7").derived).toEqual({
      from: "stream",
      sender: "alice",
      channel: "",
    });
  });

  test("derives no other", () => {
    expect(() => deriveSenderKey(key, "alice")).toThrow(/needs a master key/);
  });
});

test("derived keys keep the terms of their master", () => {
  const master = new Key(SECRET, { notAfter: 5, senders: ["alice"] });
  expect(deriveSenderKey(master, "alice").terms).toEqual(master.terms);
  expect(deriveStreamKey(master, "alice").terms).toEqual(master.terms);
});

test.each(["", "a b", "~2", undefined])("no key is derived for the sender %j", (sender) => {
  expect(() => deriveSenderKey(SECRET, sender as string)).toThrow(/sender must be a name/);
  expect(() => deriveStreamKey(SECRET, sender as string)).toThrow(/sender must be a name/);
});

test("no key is derived for a channel that is none", () => {
  expect(() => deriveStreamKey(SECRET, "alice", "x".repeat(256))).toThrow(/channel must be a text/);
});

describe("terms", () => {
  const restricted = new Key(SECRET, { senders: ["alice", "bob"], channels: ["shell", ""] });

  test("name the senders and channels it is good for", () => {
    expect(restricted.allows(USE)).toBe(true);
    expect(restricted.derive({ sender: "bob", channel: "" })).toBeDefined();
    expect(restricted.derive({ sender: "eve", channel: "shell" })).toBeUndefined();
    expect(restricted.derive({ sender: "alice", channel: "control" })).toBeUndefined();
    expect(restricted.derive({ sender: "eve", channel: "shell", recipient: "alice" })).toBeUndefined();
    expect(restricted.derive({ sender: "alice", channel: "shell", recipient: "eve" })).toBeDefined();
  });

  test("that name nobody allow nobody", () => {
    expect(new Key(SECRET, { senders: [] }).derive(USE)).toBeUndefined();
    expect(new Key(SECRET, { channels: [] }).derive(USE)).toBeUndefined();
  });

  test("are a copy that nobody can change", () => {
    const senders = ["alice"];
    const terms = { notAfter: 5, senders };
    const key = new Key(SECRET, terms);
    senders.push("eve");
    terms.notAfter = 99;
    expect(key.terms).toMatchObject({ notAfter: 5, senders: ["alice"] });
    expect(() => (key.terms.senders as string[]).push("eve")).toThrow(TypeError);
    expect(() => Object.assign(key.terms, { notAfter: 99 })).toThrow(TypeError);
  });

  test.each<[string, unknown]>([
    ["notBefore", Number.NaN],
    ["notAfter", Number.NaN],
    ["notAfter", Number.POSITIVE_INFINITY],
    ["notBefore", Number.NEGATIVE_INFINITY],
    ["notAfter", "2030-01-01"],
    ["notAfter", new Date(5)],
    ["notAfter", null],
    ["notBefore", 5n],
    ["senders", "alice"],
    ["senders", [1]],
    ["senders", ["a b"]],
    ["senders", [""]],
    ["senders", ["alice~2"]],
    ["senders", null],
    ["channels", "shell"],
    ["channels", [undefined]],
    ["channels", ["x".repeat(256)]],
  ])("whose %s is %s are refused: they would allow what they should not, or nothing", (name, value) => {
    expect(() => new Key(SECRET, { [name]: value } as KeyTerms)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(new RegExp(name.replace(/s$/, ""))) }),
    );
  });

  test("are changed by making another key of the same secret and id", () => {
    const key = deriveSenderKey(SECRET, "alice");
    const ending = key.withTerms({ notAfter: 7 });
    expect(ending.terms.notAfter).toBe(7);
    expect(ending.equals(key)).toBe(true);
    expect(ending).toMatchObject({ id: key.id, derived: key.derived });
    expect(key.terms.notAfter).toBeUndefined();
  });
});

describe("two keys are the same", () => {
  test("when secret and role are, whatever their terms", () => {
    expect(new Key(SECRET).equals(new Key(Buffer.from(SECRET), { notAfter: 1 }))).toBe(true);
    expect(new Key(SECRET).equals(new Key(sampleSecret(2)))).toBe(false);
    expect(new Key(SECRET).equals(deriveSenderKey(SECRET, "alice"))).toBe(false);
    expect(deriveSenderKey(SECRET, "alice").equals(deriveSenderKey(SECRET, "bob"))).toBe(false);
  });

  test("and not when only their ids collide", () => {
    const [one, other] = COLLIDING.secrets.map((secret) => new Key(secret)) as [Key, Key];
    expect([one.idText, other.idText]).toEqual([COLLIDING.idText, COLLIDING.idText]);
    expect(one.equals(other)).toBe(false);
  });

  test("nor when one secret stands in two roles under one id", () => {
    const id = new Key(SECRET).id;
    expect(new Key(SECRET).equals(new Key(SECRET, {}, { from: "sender", sender: "alice" }, id))).toBe(false);
  });
});

describe("attack 38: what is no key", () => {
  test.each<[string, unknown, RegExp]>([
    ["empty", Buffer.alloc(0), /at least 32 bytes; this one has 0\. Make one with generateKey/],
    ["one byte", Buffer.from("x"), /this one has 1/],
    ["31 bytes", sampleSecret(1).subarray(1), /this one has 31/],
    ["32 zero bytes", Buffer.alloc(32), /32 equal bytes is no secret/],
    ["64 equal bytes", Buffer.alloc(64, 0x61), /64 equal bytes is no secret/],
    ['the text "undefined"', "undefined", /bytes, not a string: decode it first/],
    ["a text of 64 digits", sampleSecret(1).toString("hex"), /bytes, not a string/],
    ["undefined", undefined, /must be a Buffer or Uint8Array of at least 32 secret bytes; got undefined/],
    ["null", null, /got null/],
    ["a number", 32, /got number/],
    ["an array", Array.from(sampleSecret(1)), /got object/],
    ["an ArrayBuffer", new ArrayBuffer(32), /got object/],
    ["wider elements", new Uint16Array(32).fill(3, 1), /got object/],
  ])("%s", (_, secret, message) => {
    for (const make of [
      () => new Key(secret as Uint8Array),
      () => deriveSenderKey(secret as Uint8Array, "alice"),
      () => deriveStreamKey(secret as Uint8Array, "alice"),
    ]) {
      expect(make).toThrow(
        expect.objectContaining({ name: "CountersignError", code: "ERR_COUNTERSIGN_KEY" }),
      );
      expect(make).toThrow(message);
    }
  });

  test("one byte that differs, anywhere, is enough", () => {
    for (const at of [0, 15, 31]) expect(() => new Key(Buffer.alloc(32).fill(1, at, at + 1))).not.toThrow();
  });
});

test("generated keys are 32 random bytes", () => {
  const keys = Array.from({ length: 50 }, generateKey);
  for (const key of keys) expect(key).toHaveLength(32);
  expect(new Set(keys.map(String)).size).toBe(50);
});

test("ids are written with all eight digits", () => {
  expect(formatKeyId(0)).toBe("00000000");
  expect(formatKeyId(0xab)).toBe("000000ab");
  expect(formatKeyId(0xffffffff)).toBe("ffffffff");
});

test("a key shows nothing of its secret", () => {
  const keys = [new Key(SECRET), deriveSenderKey(SECRET, "alice"), deriveStreamKey(SECRET, "alice")];
  for (const key of keys) {
    const shown = [
      inspect(key, { showHidden: true, depth: 10 }),
      JSON.stringify(key),
      String(key),
      JSON.stringify(Object.entries(key)),
    ].join("\n");
    for (const secret of [SECRET, key.exportSecret()]) {
      for (const encoding of ["hex", "base64", "base64url", "latin1"] as const) {
        expect(shown).not.toContain(secret.toString(encoding).slice(0, 8));
      }
      expect(shown).not.toContain([...secret.subarray(0, 4)].join(","));
    }
  }
});
