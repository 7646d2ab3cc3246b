// The demonstration as a user runs it: processes, sockets, attacker and all. Signed it exits with 0, plain with 1.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ACTS } from "../../src/cli/demo/acts.js";

const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs `countersign demo`; `npm test` builds it first. */
function demo(...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, "demo", "--fast", ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, lines: `${stdout}${stderr}`.split("\n") });
    });
  });
}

test("signed: every promise is kept, every kind of attack was tried, exit code 0", async () => {
  const { code, lines } = await demo("--seed", "7");
  expect(lines.filter((line) => line.startsWith("BROKEN"))).toEqual([]);
  expect(lines.filter((line) => line.startsWith("kept"))).toHaveLength(7);
  for (const { says } of Object.values(ACTS)) {
    const row = lines.find((line) => line.startsWith(says) && /\d+\s+\d+\s+0$/.test(line));
    expect(row, says).toBeDefined();
  }
  expect(lines).toContain("Every promise was kept.");
  expect(code).toBe(0);
});

test("plain: the same attacks get through, and the exit code says so", async () => {
  const { code, lines } = await demo("--plain");
  expect(lines.filter((line) => line.includes("GOT THROUGH")).length).toBeGreaterThan(15);
  expect(lines).toContain("6 of 7 promises were broken.");
  expect(code).toBe(1);
});

test("a wrong option is said, with exit code 2", async () => {
  const { code, lines } = await demo("--cells", "two");
  expect(lines.join("\n")).toContain("--cells takes a whole number from 6 to 1000");
  expect(code).toBe(2);
});
