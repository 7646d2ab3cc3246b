// HMAC-SHA256 by node:crypto, held to the contract of all engines.

import { expect, test } from "vitest";
import { ALGORITHMS } from "../../src/crypto/algorithms.js";
import { nodeHmacSha256 } from "../../src/crypto/node-hmac.js";
import { engineContract, hmacSha256Vectors } from "./engine-contract.js";

engineContract(nodeHmacSha256, hmacSha256Vectors);

test("is what the algorithm HS256 stands for", () => {
  expect(ALGORITHMS).toEqual({ HS256: nodeHmacSha256 });
});
