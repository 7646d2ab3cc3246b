// Keyrings as JWK Sets (RFC 7517): there and back, and every refusal with the place and without the secret.

import { describe, expect, test } from "vitest";
import { exportJwks, importJwks } from "../../src/keys/jwk.js";
import { deriveSenderKey, deriveStreamKey, Key } from "../../src/keys/key.js";
import { Keyring } from "../../src/keys/keyring.js";
import { sampleSecret } from "./sample-keys.js";

const K = sampleSecret(1).toString("base64url");
const oct = (members: object = {}) => ({ kty: "oct", k: K, ...members });
const NOW = 1_764_000_000_000;

describe("there and back", () => {
  const master = new Key(sampleSecret(1), {
    notBefore: NOW,
    notAfter: NOW + 12_345,
    senders: ["alice", "bob"],
    channels: ["shell", ""],
  });
  const ring = new Keyring([
    new Key(sampleSecret(2)),
    master,
    deriveSenderKey(sampleSecret(3), "alice"),
    deriveStreamKey(new Key(sampleSecret(4), { notAfter: 7 }), "bob", "iopub"),
    new Key(Buffer.concat([sampleSecret(5), sampleSecret(6), sampleSecret(7)])),
  ]);

  test.each([
    ["parsed", () => importJwks(exportJwks(ring))],
    ["as text", () => importJwks(JSON.stringify(exportJwks(ring)))],
  ])("%s, every key keeps secret, id, order, terms and role", (_, make) => {
    const back = make();
    expect(back.keys.map(({ id, derived, terms }) => ({ id, derived, terms }))).toEqual(
      ring.keys.map(({ id, derived, terms }) => ({ id, derived, terms })),
    );
    for (const [i, key] of ring.keys.entries()) expect(back.keys[i]?.equals(key)).toBe(true);
  });

  test("milliseconds come back exactly", () => {
    for (let n = 0; n < 300; n++) {
      const key = new Key(sampleSecret(1), { notAfter: NOW + n * 7919, notBefore: n });
      const [back] = importJwks(JSON.stringify(exportJwks(new Keyring([key])))).keys;
      expect(back?.terms).toEqual(key.terms);
    }
  });

  test("a ring that was rotated with an endless overlap too", () => {
    const rotated = new Keyring([sampleSecret(1)]);
    rotated.rotate(sampleSecret(2), { overlap: Number.POSITIVE_INFINITY });
    expect(importJwks(JSON.stringify(exportJwks(rotated))).keys).toHaveLength(2);
  });
});

describe("writing", () => {
  test("a plain key has the standard members alone", () => {
    const key = new Key(sampleSecret(1));
    expect(exportJwks(new Keyring([key]))).toEqual({
      keys: [{ kty: "oct", k: K, kid: key.idText, alg: "HS256", use: "sig" }],
    });
  });

  test("times are seconds, names are lists", () => {
    const terms = { notBefore: 0, notAfter: 1500, senders: ["alice"], channels: ["shell"] };
    expect(exportJwks(new Keyring([new Key(sampleSecret(1), terms)])).keys[0]).toMatchObject({
      nbf: 0,
      exp: 1.5,
      senders: ["alice"],
      channels: ["shell"],
    });
  });

  test("a derived key says from whose and for whom", () => {
    const master = new Key(sampleSecret(1));
    const { keys } = exportJwks(
      new Keyring([deriveSenderKey(master, "alice"), deriveStreamKey(master, "bob", "shell")]),
    );
    expect(keys[0]).toMatchObject({ derived: "sender", sender: "alice", master: master.idText });
    expect(keys[0]).not.toHaveProperty("channel");
    expect(keys[1]).toMatchObject({
      derived: "stream",
      sender: "bob",
      channel: "shell",
      master: master.idText,
    });
  });
});

describe("reading", () => {
  test("takes a set that any JWK tool makes, and its id from the key itself", () => {
    const ring = importJwks({
      keys: [oct({ kid: "2025-11", alg: "HS256", use: "sig", key_ops: ["sign"], x: 1 })],
    });
    expect(ring.keys[0]?.idText).toBe(new Key(sampleSecret(1)).idText);
    expect(ring.keys[0]?.terms).toEqual({});
  });

  test("the first is current", () => {
    const ring = importJwks({ keys: [oct(), oct({ k: sampleSecret(2).toString("base64url") })] });
    expect(ring.current(NOW).equals(new Key(sampleSecret(1)))).toBe(true);
  });

  const derived = { derived: "sender", sender: "alice", master: "0000abcd" };
  test.each<[string, unknown, RegExp]>([
    ["an array", [], /an object with an array "keys"/],
    ["no keys", {}, /an object with an array "keys"/],
    ["keys that are none", { keys: {} }, /an object with an array "keys"/],
    ["text that is not JSON", "{", /it is not JSON/],
    ["the text null", "null", /it is not an object/],
    ["the text 7", "7", /it is not an object/],
    ["an empty text", "", /it is not JSON/],
    ["an empty set", { keys: [] }, /at least one key/],
    ["a key that is null", { keys: [null] }, /keys\[0\] is not an object/],
    ["a key that is a text", { keys: [oct(), K] }, /keys\[1\] is not an object/],
    ["another type", { keys: [oct({ kty: "EC" })] }, /keys\[0\]\.kty must be "oct"/],
    ["no type", { keys: [{ k: K }] }, /keys\[0\]\.kty must be "oct"/],
    ["no secret", { keys: [{ kty: "oct" }] }, /keys\[0\]\.k must be the secret in base64url/],
    ["an empty secret", { keys: [oct({ k: "" })] }, /keys\[0\]\.k must be/],
    ["a padded secret", { keys: [oct({ k: `${K}=` })] }, /keys\[0\]\.k must be/],
    ["a secret in plain base64", { keys: [oct({ k: `${K.slice(1)}+` })] }, /keys\[0\]\.k must be/],
    ["a secret that is a number", { keys: [oct({ k: 5 })] }, /keys\[0\]\.k must be/],
    ["a secret with a line break", { keys: [oct({ k: `${K}\n` })] }, /keys\[0\]\.k must be/],
    ["a short secret", { keys: [oct({ k: "c2hvcnQ" })] }, /at least 32 bytes; this one has 5/],
    ["a cut secret", { keys: [oct({ k: K.slice(0, -2) })] }, /at least 32 bytes; this one has 30|31/],
    ["a zero secret", { keys: [oct({ k: "A".repeat(43) })] }, /equal bytes is no secret/],
    ["another algorithm", { keys: [oct({ alg: "HS512" })] }, /keys\[0\]\.alg must be "HS256"/],
    ["the algorithm none", { keys: [oct({ alg: "none" })] }, /keys\[0\]\.alg must be "HS256"/],
    ["another use", { keys: [oct({ use: "enc" })] }, /keys\[0\]\.use must be "sig"/],
    ["nbf as a text", { keys: [oct({ nbf: "1" })] }, /keys\[0\]\.nbf must be seconds/],
    ["exp as a date", { keys: [oct({ exp: "2030-01-01" })] }, /keys\[0\]\.exp must be seconds/],
    ["exp null", { keys: [oct({ exp: null })] }, /keys\[0\]\.exp must be seconds/],
    [
      "exp beyond numbers",
      `{"keys":[{"kty":"oct","k":"${K}","exp":1e999}]}`,
      /keys\[0\]\.exp must be seconds/,
    ],
    [
      "senders as a text",
      { keys: [oct({ senders: "alice" })] },
      /keys\[0\]\.senders must be a list of names/,
    ],
    ["senders of numbers", { keys: [oct({ senders: [1] })] }, /keys\[0\]\.senders must be a list of names/],
    ["channels null", { keys: [oct({ channels: null })] }, /keys\[0\]\.channels must be a list of names/],
    [
      "an unknown derivation",
      { keys: [oct({ ...derived, derived: "x" })] },
      /keys\[0\]\.derived must be "sender" or "stream"/,
    ],
    [
      "a derived key of nobody",
      { keys: [oct({ derived: "sender", master: "0000abcd" })] },
      /keys\[0\]\.sender must be a name/,
    ],
    [
      "a stream key of no channel",
      { keys: [oct({ ...derived, derived: "stream" })] },
      /channel must be a text/,
    ],
    [
      "a derived key of no master",
      { keys: [oct({ ...derived, master: undefined })] },
      /keys\[0\]\.master must be the id/,
    ],
    ["a master id too short", { keys: [oct({ ...derived, master: "abcd" })] }, /keys\[0\]\.master must be/],
    [
      "a master id in capitals",
      { keys: [oct({ ...derived, master: "0000ABCD" })] },
      /keys\[0\]\.master must be/,
    ],
  ])("refuses %s, says where, and quotes no secret", (_, source, message) => {
    const read = () => importJwks(source as object);
    expect(read).toThrow(message);
    let thrown: Error | undefined;
    try {
      read();
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown?.name).toBe("CountersignError");
    expect(`${thrown?.message}\n${thrown?.stack}\n${JSON.stringify(thrown)}`).not.toContain(K.slice(0, 6));
  });

  test("text that is not JSON is not quoted, however little of it there is", () => {
    const leaking = `{"keys":[{"kty":"oct","k":"${K}"`;
    for (const text of [leaking, `${K}`, leaking.slice(20)]) {
      try {
        importJwks(text);
        expect.unreachable();
      } catch (error) {
        const shown = `${(error as Error).message}${(error as Error).stack}${String((error as Error).cause)}`;
        expect(shown).not.toContain(K.slice(0, 6));
      }
    }
  });
});
