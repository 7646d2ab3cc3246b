// The committed WebAssembly module is what its source gives, byte for byte.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { INITIAL_STATE, ROUND_CONSTANTS } from "../../wasm/constants.js";
import { generate } from "../../wasm/generate.js";

test("src/crypto/sha256-module.ts is what npm run build:wasm writes", async () => {
  const committed = readFileSync(new URL("../../src/crypto/sha256-module.ts", import.meta.url), "utf8");
  const made = await generate();
  expect(made === committed, "run npm run build:wasm").toBe(true);
  expect(await generate()).toBe(made);
});

test("its constants are those of FIPS 180-4", () => {
  expect(INITIAL_STATE.map((word) => word.toString(16))).toEqual(
    "6a09e667 bb67ae85 3c6ef372 a54ff53a 510e527f 9b05688c 1f83d9ab 5be0cd19".split(" "),
  );
  expect(ROUND_CONSTANTS).toHaveLength(64);
  expect([0, 1, 62, 63].map((i) => ROUND_CONSTANTS[i]!.toString(16))).toEqual(
    "428a2f98 71374491 bef9a3f7 c67178f2".split(" "),
  );
});
