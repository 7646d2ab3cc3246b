// The package as users get it: packed, installed into an empty project, used from ES modules and from
// `require`, compiled against with every strictness on. Needs dist/, which `npm test` builds.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const scratch = mkdtempSync(join(tmpdir(), "countersign-package-"));
const project = join(scratch, "consumer");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The installed versions of this checkout, so that npm finds every one of them in its cache. */
const installed = (name: string): string =>
  JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;

/** npm as a user would call it: without what an npm that runs these tests has put into the environment. */
function npm(cwd: string, ...parameters: string[]): string {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(cache|registry|userconfig)$)/i.test(name),
    ),
  );
  return runs(cwd, "npm", parameters, environment);
}

function runs(cwd: string, command: string, parameters: string[], env = process.env): string {
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd, env, encoding: "utf8" });
  expect(status, `${command} ${parameters.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}
let packed: Packed;

beforeAll(() => {
  expect(existsSync(join(root, "dist/index.js")), "run `npm run build` first").toBe(true);
  packed = JSON.parse(npm(root, "pack", "--ignore-scripts", "--json", "--pack-destination", scratch))[0];

  cpSync(join(root, "test/package/consumer"), project, { recursive: true });
  const dependencies = {
    countersign: `file:../${packed.filename}`,
    zeromq: installed("zeromq"),
    "@types/node": installed("@types/node"),
  };
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  npm(project, "install", "--prefer-offline", "--no-audit", "--no-fund");
}, 120_000);

describe("the tarball", () => {
  test("holds the build of every source file, the documents that users need, and nothing else", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => path.replaceAll("\\", "/").slice(0, -".ts".length));
    const expected = [
      ...sources.flatMap((path) => [`dist/${path}.js`, `dist/${path}.d.ts`]),
      ...["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"],
      ...[
        "docs/drop-in.md",
        "docs/handshake.md",
        "docs/jupyter.md",
        "docs/observation.md",
        "docs/performance.md",
        "docs/wire.md",
      ],
    ];
    expect(packed.files.map((file) => file.path).sort()).toEqual(expected.sort());
  });

  test("points at nothing that it does not hold", () => {
    const targets = Object.values<string | { types: string; default: string }>(manifest.exports)
      .flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)))
      .concat(Object.values<string>(manifest.bin));
    const paths = new Set(packed.files.map((file) => file.path));
    expect(targets.map((target) => target.replace(/^\.\//, "")).filter((path) => !paths.has(path))).toEqual(
      [],
    );

    const code = packed.files.filter((file) => /\.(js|ts)$/.test(file.path));
    const mapped = code.filter((file) =>
      readFileSync(join(root, file.path), "utf8").includes("sourceMappingURL"),
    );
    expect(mapped).toEqual([]);
  });
});

describe("an installed tarball", () => {
  beforeAll(() => {
    const options = {
      target: "es2023",
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      verbatimModuleSyntax: true,
      skipLibCheck: false,
      types: ["node"],
      outDir: "out",
      rootDir: ".",
    };
    const config = { compilerOptions: options, include: ["*.mts", "*.cts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    runs(project, process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."]);
  }, 120_000);

  const node = (...parameters: string[]) => runs(project, process.execPath, parameters);

  test("signs and verifies over sockets from an ES module", () => {
    expect(node("out/sockets.mjs")).toBe("pong to client\n");
  });

  test("signs and verifies over sockets from `require`", () => {
    expect(node("out/sockets.cjs")).toBe("pong to client\n");
  });

  test("signs and verifies without zeromq from countersign/core", () => {
    const hidden = join(project, "zeromq-away");
    renameSync(join(project, "node_modules/zeromq"), hidden);
    onTestFinished(() => renameSync(hidden, join(project, "node_modules/zeromq")));
    const lines = "ping from client\nreplayed\nERR_COUNTERSIGN_MESSAGE function\n";
    expect(node("out/core.mjs")).toBe(lines);
    expect(node("out/core.cjs")).toBe(lines);
  });

  test("has a command that prints its help", () => {
    expect(runs(project, join(project, "node_modules/.bin/countersign"), ["--help"])).toContain("keygen");
  });
});
