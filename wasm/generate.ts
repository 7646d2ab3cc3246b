// The TypeScript file that carries the WebAssembly module, so that nothing is loaded from disk. The same source gives
// the same bytes: test/crypto/sha256-module.test.ts holds the committed file to it.

import loadAssembler from "wabt";
import { LAYOUT, MODULE } from "./sha256.js";

/** The module's bytes. */
async function assemble(): Promise<Uint8Array> {
  const assembler = await loadAssembler();
  const parsed = assembler.parseWat("sha256.wat", MODULE, { simd: true });
  try {
    parsed.validate();
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}

/** The text of src/crypto/sha256-module.ts. */
export async function generate(): Promise<string> {
  const layout = Object.entries(LAYOUT).map(([name, value]) => `  ${name}: ${value},\n`);
  return `// SHA-256 as a WebAssembly module. Made from wasm/sha256.ts by \`npm run build:wasm\`; not to be edited.

/** Where in its memory things are, in bytes: see wasm/sha256.ts. */
export const LAYOUT = {
${layout.join("")}} as const;

/** Its bytes, in Base64. */
export const MODULE =
  "${Buffer.from(await assemble()).toString("base64")}";
`;
}
