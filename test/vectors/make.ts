// Makes the test vectors: `npm run vectors`. The files come out the same every time, byte for byte, or the wire has
// changed. Run by hand, never by the tests: what they check is that nothing changes.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { vectorFiles } from "./files.js";
import { exchangesFile } from "./handshake.js";

const folder = process.argv[2] ?? join("test", "vectors");
for (const [name, text] of vectorFiles()) writeFileSync(join(folder, name), text);
writeFileSync(join(folder, "handshake", "exchanges.json"), await exchangesFile());
