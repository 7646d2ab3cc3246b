// HMAC-SHA256 by node:crypto, held to the contract of all engines.

import { nodeHmacSha256 } from "../../src/crypto/node-hmac.js";
import { engineContract, hmacSha256Vectors } from "./engine-contract.js";

engineContract(nodeHmacSha256, hmacSha256Vectors);
