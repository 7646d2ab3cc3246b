// The verifier that was written from docs/wire.md alone agrees with every test vector.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DerivationFile, MemoryFile, VectorFile } from "../vectors/format.js";
import { findPython, inThisFolder, maySkip, required } from "./python.js";

const python = findPython();
const folder = inThisFolder("../vectors/");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => folder + name);

const scratch = mkdtempSync(join(tmpdir(), "countersign-vectors-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function countVectors(): number {
  const counts = files.map((file) => {
    const { vectors, derivations, memories } = JSON.parse(readFileSync(file, "utf8")) as Partial<
      VectorFile & DerivationFile & MemoryFile
    >;
    return (vectors ?? derivations ?? memories ?? []).length;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

describe.skipIf(maySkip(python))("the Python verifier (python3)", () => {
  it("agrees with every vector", () => {
    const told = execFileSync(required(python), [inThisFolder("verify.py"), ...files], {
      encoding: "utf8",
    });
    expect(told).toBe(`${countVectors()} vectors agree, 0 do not\n`);
  });

  it("says so where one differs", () => {
    const { about, vectors } = JSON.parse(readFileSync(`${folder}pairs.json`, "utf8")) as VectorFile;
    const text = JSON.stringify({ about, vectors: vectors.slice(0, 2) });
    const wrong = join(scratch, "wrong.json");
    writeFileSync(wrong, text.replace('"sequence":1', '"sequence":2'));
    const { status, stdout } = spawnSync(required(python), [inThisFolder("verify.py"), wrong], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stdout).toMatch(/router-hears-dealer-inline: message 1: expected/);
    expect(stdout).toMatch(/1 vectors agree, 1 do not\n$/);
  });
});
