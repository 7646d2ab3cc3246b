// The `signing` options: every wrong one is told when something is built from it, and what to write instead.

import { describe, expect, test } from "vitest";
import {
  type KeySource,
  Signer,
  type SignerOptions,
  Verifier,
  type VerifierOptions,
} from "../../src/core.js";
import { limitsOf } from "../../src/session/options.js";
import { DEFAULT_LIMITS } from "../../src/wire/limits.js";
import { sampleSecret } from "../keys/sample-keys.js";
import { SECRET, signerOf, verifierOf } from "./parties.js";

const OPTIONS_ERROR = { name: "CountersignError", code: "ERR_COUNTERSIGN_OPTIONS" };

const build = (options: object) => [
  () => signerOf({ pattern: "dealer", ...options }),
  () => verifierOf({ pattern: "dealer", ...options }),
];

describe("both ends refuse", () => {
  test.each<[string, object, RegExp]>([
    [
      "another socket type",
      { pattern: "subscriber" },
      /^pattern must be one of pair, pub, .*; got subscriber\.$/,
    ],
    ["a socket type by number", { pattern: 5 }, /^pattern must be one of .*; got 5\.$/],
    ["a list of socket types", { pattern: ["dealer"] }, /^pattern must be one of .*; got dealer\.$/],
    ["no socket type", { pattern: undefined }, /^pattern must be one of .*; got undefined\.$/],
    [
      "a socket type of the prototype",
      { pattern: "toString" },
      /^pattern must be one of .*; got toString\.$/,
    ],
    [
      "a sender with a space",
      { sender: "kernel 1" },
      /^sender must be a name of 1 to 64 visible ASCII characters/,
    ],
    ["an empty sender", { sender: "" }, /^sender must be a name .*; got ""\.$/],
    [
      "a channel that is no text",
      { channel: 7 },
      /^channel must be a text of at most 255 bytes, .*; got number\.$/,
    ],
    ["a channel too long", { channel: "é".repeat(128) }, /^channel must be a text/],
    ["hops below 0", { hops: -1 }, /^hops must be a whole number from 0 to 255; got -1\.$/],
    ["hops above 255", { hops: 256 }, /^hops must be a whole number from 0 to 255; got 256\.$/],
    ["half a hop", { hops: 0.5 }, /^hops must be .*; got 0\.5\.$/],
    ["hops as a text", { hops: "1" }, /^hops must be .*; got 1\.$/],
    [
      "a limit that does not exist",
      { limits: { size: 1 } },
      /^limits\.size does not exist; the limits are frames, bytes, inline, streams, peers, queueBytes\.$/,
    ],
    ["a limit of the prototype", { limits: { toString: 1 } }, /^limits\.toString does not exist/],
    ["a limit below 0", { limits: { frames: -1 } }, /^limits\.frames must be a number of 0 or more\.$/],
    [
      "a limit that is no number",
      { limits: { bytes: "1" } },
      /^limits\.bytes must be a number of 0 or more\.$/,
    ],
    [
      "a limit that is NaN",
      { limits: { inline: Number.NaN } },
      /^limits\.inline must be a number of 0 or more\.$/,
    ],
    [
      "no stream at all",
      { limits: { streams: 0 } },
      /^limits\.streams and limits\.peers must be at least 1\.$/,
    ],
    ["no peer at all", { limits: { peers: 0 } }, /^limits\.streams and limits\.peers must be at least 1\.$/],
    [
      "an option that nobody reads",
      { windw: 64 },
      /^signing\.windw does not exist; there are key, sender, channel, /,
    ],
  ])("%s", (_, options, message) => {
    for (const make of build(options)) {
      expect(make).toThrow(expect.objectContaining(OPTIONS_ERROR));
      expect(make).toThrow(message);
    }
  });

  test.each([undefined, null, 7, "key"])("options that are %s", (options) => {
    for (const make of [
      () => new Signer(options as unknown as SignerOptions),
      () => new Verifier(options as unknown as VerifierOptions),
    ]) {
      expect(make).toThrow(expect.objectContaining(OPTIONS_ERROR));
      expect(make).toThrow("Signing options are missing: pass { key, sender, channel }.");
    }
  });

  test("no key", () => {
    for (const make of build({ key: undefined })) {
      expect(make).toThrow(expect.objectContaining({ code: "ERR_COUNTERSIGN_KEY" }));
      expect(make).toThrow(
        "signing.key is missing: pass at least 32 secret bytes, such as generateKey(), or a mechanism to log in",
      );
    }
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["short", Buffer.alloc(31, 1).fill(2, 1)],
    ["zero", Buffer.alloc(32)],
    ['"undefined"', "undefined"],
    ["null", null],
    ["a number", 5],
    ["an object", {}],
    ["a function that returns nothing", () => undefined],
    ["a promise", Promise.resolve(SECRET)],
  ])("attack 38: a key that is %s", (_, key) => {
    for (const make of build({ key: key as KeySource })) {
      expect(make).toThrow(
        expect.objectContaining({ name: "CountersignError", code: "ERR_COUNTERSIGN_KEY" }),
      );
    }
  });
});

describe("a verifier refuses", () => {
  test.each<[string, object, RegExp]>([
    [
      "a socket type that receives nothing",
      { pattern: "pub" },
      /^A pub receives nothing that could be verified\.$/,
    ],
    ["and another", { pattern: "push" }, /^A push receives nothing that could be verified\.$/],
    ["a window below 0", { window: -1 }, /^window must be a whole number from 0 to 65536; got -1\.$/],
    [
      "a window too large",
      { window: 65_537 },
      /^window must be a whole number from 0 to 65536; got 65537\.$/,
    ],
    ["an endless window", { window: Number.POSITIVE_INFINITY }, /^window must be/],
    [
      "another admission",
      { admit: "everything" },
      /^admit must be "clock" or "challenge"; got everything\.$/,
    ],
    [
      "a challenge to a PUSH, which hears nothing",
      { pattern: "pull", admit: "challenge" },
      /^A pull cannot ask whoever speaks to it: .* Use "clock"\.$/,
    ],
    ["a negative skew", { skew: -1 }, /^skew must be milliseconds, 0 or more; got -1\.$/],
    ["a skew that is no number", { skew: "5" }, /^skew must be milliseconds, 0 or more; got 5\.$/],
    ["a skew that is NaN", { skew: Number.NaN }, /^skew must be/],
    ["a negative age", { maxAge: -1 }, /^maxAge must be milliseconds, 0 or more; got -1\.$/],
    ["an age that is NaN", { maxAge: Number.NaN }, /^maxAge must be/],
    ["an age that is null", { maxAge: null }, /^maxAge must be .*; got null\.$/],
    [
      "a listener that is no function",
      { onReject: "log" },
      /^signing\.onReject must be a function; got string\.$/,
    ],
    ["and another", { onGap: {} }, /^signing\.onGap must be a function; got object\.$/],
    ["another policy", { policy: "off" }, /^policy must be "enforce" or "report"; got off\.$/],
  ])("%s", (_, options, message) => {
    const make = () => verifierOf({ pattern: "dealer", ...options });
    expect(make).toThrow(expect.objectContaining(OPTIONS_ERROR));
    expect(make).toThrow(message);
  });
});

describe("what both ends take", () => {
  test.each<[string, object]>([
    ["every edge of the ranges", { hops: 255, channel: "x".repeat(255), sender: "x".repeat(64) }],
    ["no hops", { hops: 0 }],
    [
      "limits of zero where nothing would break",
      { limits: { frames: 0, bytes: 0, inline: 0, queueBytes: 0, streams: 1, peers: 1 } },
    ],
    ["endless limits", { limits: { streams: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY } }],
    [
      "the options of the other end and of the socket",
      { to: "bob", window: 0, reply: "signed", policy: "enforce", maxAge: 5, skew: 5 },
    ],
    [
      "options that are undefined",
      { hops: undefined, channel: undefined, limits: undefined, clock: undefined },
    ],
  ])("%s", (_, options) => {
    for (const make of build(options)) expect(make).not.toThrow();
  });

  test("a verifier takes the widest window, and no bound on age or skew", () => {
    for (const options of [
      { window: 65_536 },
      { window: 0 },
      { maxAge: 0 },
      { maxAge: Number.POSITIVE_INFINITY, skew: 0 },
    ]) {
      expect(() => verifierOf({ pattern: "dealer", ...options })).not.toThrow();
    }
  });
});

test("limits that are not set have their defaults, and the caller's object stays as it is", () => {
  const limits = Object.freeze({ frames: 5 });
  expect(limitsOf({ key: SECRET, limits })).toEqual({ ...DEFAULT_LIMITS, frames: 5 });
  expect(limitsOf({ key: SECRET })).toEqual(DEFAULT_LIMITS);
});

test("options are read once: the caller's object may be frozen, and may change later", () => {
  const options = Object.freeze({ key: SECRET, pattern: "pull" as const, channel: "shell" });
  expect(new Verifier(options).channel).toBe("shell");
  const mutable = { key: sampleSecret(2), pattern: "pull" as const, channel: "shell" };
  const verifier = new Verifier(mutable);
  mutable.channel = "control";
  expect(verifier.channel).toBe("shell");
});
