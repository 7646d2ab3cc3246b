// Which engine HS256 stands for: the fast one where it works, node:crypto with a warning where it does not.

import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ALGORITHMS } from "../../src/crypto/algorithms.js";
import { hmacSha256, hmacSha256Over, LENGTHS } from "../../src/crypto/hmac-sha256.js";
import { nodeHmacSha256 } from "../../src/crypto/node-hmac.js";
import { instantiate, LAYOUT, type Sha256 } from "../../src/crypto/sha256.js";
import { engineContract, hmacSha256Vectors } from "./engine-contract.js";

engineContract(hmacSha256, hmacSha256Vectors);

const KEY = Buffer.alloc(32, 5);

function tagOf(engine: typeof hmacSha256): Buffer {
  const tag = Buffer.alloc(32);
  engine.prepare(KEY).mac([Buffer.from("a message")], tag, 0);
  return tag;
}
const TAG = createHmac("sha256", KEY).update("a message").digest();

afterEach(() => vi.restoreAllMocks());
const watchWarnings = () => vi.spyOn(process, "emitWarning").mockImplementation(() => {});

test("is what the algorithm HS256 stands for", () => {
  expect(ALGORITHMS).toEqual({ HS256: hmacSha256 });
});

test("is the fast engine here", () => {
  const warned = watchWarnings();
  const engine = hmacSha256Over(instantiate);
  expect(tagOf(engine)).toEqual(TAG);
  expect(engine.name).toBe("WebAssembly and node:crypto");
  expect(warned).not.toHaveBeenCalled();
});

test("loads nothing before the first key, and once only", () => {
  const load = vi.fn(instantiate);
  const engine = hmacSha256Over(load);
  expect(load).not.toHaveBeenCalled();
  for (let i = 0; i < 3; i++) engine.prepare(KEY);
  expect(load).toHaveBeenCalledOnce();
});

/** The module with one function that does its work and then spoils it. */
function broken(
  name: "absorb" | "mac" | "outer" | "closeUp",
  spoil: (sha256: Sha256, length: number) => void,
) {
  const sha256 = instantiate();
  const work = sha256[name] as (...args: number[]) => void;
  return {
    ...sha256,
    [name]: (...args: number[]) => {
      work(...args);
      spoil(sha256, args[1] as number);
    },
  };
}

const flip = (at: number) => (sha256: Sha256) => {
  sha256.bytes[at]! ^= 1;
};

describe("falls back to node:crypto, and warns once, when", () => {
  const FAULTS: Record<string, () => Sha256> = {
    "there is no WebAssembly": () => {
      throw new ReferenceError("WebAssembly is not defined");
    },
    "every tag is wrong": () => broken("mac", flip(LAYOUT.tag)),
    "the outer hash alone is wrong": () => broken("outer", flip(LAYOUT.tag + 31)),
    "key states are wrong": () => broken("absorb", flip(LAYOUT.states + 32)),
    "frames are not closed up": () => broken("closeUp", flip(LAYOUT.message + 32)),
    "one length is wrong: the longest whose padding fits into its block": () =>
      broken("mac", (sha256, length) => length === 55 && flip(LAYOUT.tag)(sha256)),
    "one length is wrong: the longest short one": () =>
      broken("mac", (sha256, length) => length === LENGTHS.short && flip(LAYOUT.tag)(sha256)),
  };

  test.each(Object.entries(FAULTS))("%s", (_, load) => {
    const warned = watchWarnings();
    const engine = hmacSha256Over(load);
    for (let i = 0; i < 3; i++) expect(tagOf(engine)).toEqual(TAG);
    expect(engine.name).toBe(nodeHmacSha256.name);
    expect(warned).toHaveBeenCalledOnce();
    expect(warned.mock.calls[0]![0]).toMatch(/^Countersign makes its tags with node:crypto alone: .+/);
    expect(warned.mock.calls[0]![1]).toEqual({ type: "CountersignWarning", code: "COUNTERSIGN_SLOW_MAC" });
  });
});

test("without WebAssembly (node --jitless) a program signs and verifies all the same", () => {
  const program = `
    import { Signer, Verifier } from "countersign/core";
    const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
    const signer = new Signer({ key, pattern: "push", sender: "alice" });
    const verifier = new Verifier({ key, pattern: "pull" });
    console.log(verifier.verify(signer.sign(["text"])).ok);`;
  const args = ["--jitless", "--no-warnings", "--input-type=module", "--eval", program];
  expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toBe("true\n");
});
