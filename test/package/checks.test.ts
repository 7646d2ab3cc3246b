// The checks of `npm run check` that are this project's own must be able to fail: each is run on small trees
// that break one rule, and on one that breaks none.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const script = (name: string) => fileURLToPath(new URL(`../../.ci/${name}`, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "countersign-checks-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(scratch, "tree-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

function run(cwd: string, name: string, ...parameters: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script(name), ...parameters], {
    cwd,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("layering", () => {
  const sound = {
    "src/index.ts": 'export { Router } from "./sockets/router.js";\nexport { Signer } from "./core.js";',
    "src/core.ts": 'export { Signer } from "./session/signer.js";',
    "src/errors.ts": "export class SigningError extends Error {}",
    "src/cli/main.ts": 'import { Router } from "../index.js";\nvoid Router;',
    "src/sockets/router.ts":
      'import { Router as Plain } from "zeromq";\nimport { Signer } from "../session/signer.js";\nexport class Router extends Plain { signer = Signer; }',
    "src/session/signer.ts":
      'import type { Header } from "../wire/header.js";\nexport const Signer = {} as Header;',
    "src/wire/header.ts": 'import { SigningError } from "../errors.js";\nexport type Header = SigningError;',
  };

  test("accepts imports that point downward", () => {
    const result = run(tree(sound), "layering.mjs");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("7 files, 7 imports, 0 problems");
  });

  test.each([
    [
      "a layer that imports one above",
      "src/wire/header.ts",
      'import "../session/signer.js";',
      "stands above it",
    ],
    [
      "a type-only import upward",
      "src/errors.ts",
      'import type { A } from "./wire/header.js";',
      "stands above it",
    ],
    [
      "a dynamic import upward",
      "src/wire/header.ts",
      'await import("../sockets/router.js");',
      "stands above it",
    ],
    [
      "a re-export upward",
      "src/session/signer.ts",
      'export * from "../sockets/router.js";',
      "stands above it",
    ],
    [
      "an import over several lines",
      "src/wire/header.ts",
      'import {\n  a,\n} from "../cli/main.js";',
      "nobody imports cli",
    ],
    [
      "an import of an entry point",
      "src/sockets/router.ts",
      'import "../core.js";',
      "core is an entry point",
    ],
    [
      "zeromq within reach of the core",
      "src/wire/header.ts",
      'import type {} from "zeromq";',
      "must not import zeromq",
    ],
    [
      "a codec that knows more than leaves",
      "src/codec/json.ts",
      'import "../wire/header.js";',
      "leaves only",
    ],
    ["a folder without a layer", "src/misc/a.ts", "export {};", "has no layer"],
    ["an import of nothing", "src/errors.ts", 'import "./gone.js";', "does not exist"],
    [
      "an import of the package by its own name",
      "src/errors.ts",
      'import "countersign/core";',
      "its own files",
    ],
  ])("refuses %s", (_, path, text, why) => {
    const result = run(tree({ ...sound, [path]: `// a comment\n${text}` }), "layering.mjs");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(why);
    expect(result.stderr).toMatch(
      new RegExp(`^${path}:${path === "src/misc/a.ts" ? 1 : 1 + text.split("\n").length}: `),
    );
  });

  test("refuses a cycle of files within one folder", () => {
    const cyclic = {
      ...sound,
      "src/keys/a.ts": 'export { b } from "./b.js";\nexport const a = 1;',
      "src/keys/b.ts": 'export { a } from "./a.js";\nexport const b = 1;',
    };
    const result = run(tree(cyclic), "layering.mjs");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("cycle of files: src/keys/a.ts → src/keys/b.ts → src/keys/a.ts");
  });

  test("refuses a cycle of folders that no cycle of files shows", () => {
    const cyclic = {
      ...sound,
      "src/keys/a.ts": 'import "../crypto/a.js";',
      "src/crypto/a.ts": "export {};",
      "src/crypto/b.ts": 'import "../keys/b.js";',
      "src/keys/b.ts": "export {};",
    };
    const result = run(tree(cyclic), "layering.mjs");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("cycle of folders");
  });

  test("takes no notice of what a comment says", () => {
    const commented = {
      ...sound,
      "src/errors.ts": '/* import "./core.js"; */ // import "./gone.js"\nexport {};',
    };
    expect(run(tree(commented), "layering.mjs")).toMatchObject({ status: 0, stderr: "" });
  });

  test("fails on an empty tree", () => {
    expect(run(tree({ "src/readme": "" }), "layering.mjs").status).toBe(1);
  });
});

describe("exports", () => {
  const manifest = {
    name: "sample",
    type: "module",
    exports: {
      ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
      "./package.json": "./package.json",
    },
    bin: { sample: "dist/main.js" },
  };
  const sound = {
    "package.json": JSON.stringify(manifest),
    "tsconfig.build.json":
      '{"compilerOptions":{"module":"nodenext","target":"es2022","types":[],"noLib":true},"include":["src"]}',
    "README.md": 'import { answer } from "sample"',
    "dist/index.js": "",
    "dist/index.d.ts": "",
    "dist/main.js": "#!/usr/bin/env node\n",
    "src/index.ts": 'export { answer, type Reply } from "./answer.js";',
    "src/answer.ts":
      "/** The answer. */\nexport const answer = 42;\n/** A reply. */\nexport interface Reply {\n  /** Its text. */\n  text: string;\n}",
  };

  test("accepts a package whose entry points exist and are documented", () => {
    expect(run(tree(sound), "exports.mjs")).toMatchObject({
      status: 0,
      stdout: "exports: 1 subpaths, 2 names, 0 problems\n",
      stderr: "",
    });
  });

  test.each([
    ["an entry point without a README entry", { "README.md": "sample" }, "README.md: the subpath sample"],
    [
      "an export without a comment",
      { "src/index.ts": "export const bare = 1;" },
      "src/index.ts:1: bare has no",
    ],
    [
      "a member without a comment",
      {
        "src/answer.ts":
          "/** A. */\nexport const answer = 1;\n/** R. */\nexport interface Reply {\n  text: string;\n}",
      },
      "src/answer.ts:5: Reply.text has no",
    ],
    ["a command that cannot be run", { "dist/main.js": "process.exit()" }, 'no "#!/usr/bin/env node" line'],
  ])("refuses %s", (_, change, why) => {
    const result = run(tree({ ...sound, ...change }), "exports.mjs");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(why);
  });

  test("refuses a subpath without files", () => {
    const exports = {
      ...manifest.exports,
      "./gone": { types: "./dist/gone.d.ts", default: "./dist/gone.js" },
    };
    const changed = {
      ...sound,
      "package.json": JSON.stringify({ ...manifest, exports }),
      "README.md": '"sample" "sample/gone"',
    };
    const result = run(tree(changed), "exports.mjs");
    expect(result.status).toBe(1);
    expect(result.stderr.trim().split("\n")).toHaveLength(3);
  });
});

describe("the closing line of .ci/run", () => {
  const report = (passed: number, failed: number, skipped: readonly string[] = []) =>
    JSON.stringify({
      numTotalTests: passed + failed + skipped.length,
      numPassedTests: passed,
      numFailedTests: failed,
      testResults: [
        {
          assertionResults: [
            ...Array.from({ length: passed }, () => ({ fullName: "runs", status: "passed" })),
            ...Array.from({ length: failed }, () => ({ fullName: "fails", status: "failed" })),
            ...skipped.map((fullName) => ({ fullName, status: "skipped" })),
          ],
        },
      ],
    });
  const folder = tree({
    "a.json": report(3, 0, ["needs a peer"]),
    "b.json": report(4, 0, ["needs a peer", "needs another"]),
    "bad.json": report(2, 2),
    "none.json": report(0, 0),
  });

  test.each([
    ["adds up both runs", ["0", "a.json", "b.json"], "7 passed, 0 failed", 0],
    [
      "counts failed tests once, not their step as well",
      ["1", "a.json", "bad.json"],
      "5 passed, 2 failed",
      1,
    ],
    ["counts a failed step that no test accounts for", ["1", "a.json", "b.json"], "7 passed, 1 failed", 1],
    ["counts a missing report", ["0", "a.json", "gone.json"], "3 passed, 1 failed", 1],
    ["counts a run without tests", ["0", "a.json", "none.json"], "3 passed, 1 failed", 1],
  ])("%s", (_, parameters, line, status) => {
    const result = run(folder, "count.mjs", ...parameters);
    expect(result.stdout.trimEnd().split("\n").at(-1)).toBe(line);
    expect(result.status).toBe(status);
  });

  test("names what was skipped, once, before it", () => {
    expect(run(folder, "count.mjs", "0", "a.json", "b.json").stdout).toBe(
      "skipped: needs a peer\nskipped: needs another\n7 passed, 0 failed\n",
    );
  });
});
