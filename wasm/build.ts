// `npm run build:wasm`: assembles the module and writes src/crypto/sha256-module.ts, which carries it.

import { writeFileSync } from "node:fs";
import { generate } from "./generate.js";

writeFileSync("src/crypto/sha256-module.ts", await generate());
