// How the tests run. Forked processes, because zeromq's native addon does not survive vitest's worker threads;
// `countersign` resolves to the sources, so a test fails on what is written, not on what was last built.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import manifest from "./package.json" with { type: "json" };

const { "./package.json": _, ...subpaths } = manifest.exports;
const alias = Object.entries(subpaths).map(([subpath, { default: built }]) => ({
  find: new RegExp(`^countersign${subpath.slice(1)}$`),
  replacement: fileURLToPath(new URL(built.replace(/^\.\/dist\/(.+)\.js$/, "./src/$1.ts"), import.meta.url)),
}));

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Most tests wait for sockets, processes or disks rather than for the processor.
    maxWorkers: "100%",
    // Generous, for machines that do other work: nothing is asserted of time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
