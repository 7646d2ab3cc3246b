// jupyter_kernel_test of Debian on the example kernel: every test of it passes, and none is left out for what the kernel lacks.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { findPython, maySkip, required } from "../../peers/python.js";
import { installExample } from "./example-kernel.js";

const python = findPython("jupyter_kernel_test");
const SCRIPT = fileURLToPath(new URL("./kernel_test.py", import.meta.url));
const LINE = /^(test_\w+) .*\.\.\. (.*)$/;

describe.skipIf(maySkip(python))(
  "jupyter_kernel_test (python3-jupyter-kernel-test)",
  { timeout: 180_000 },
  () => {
    it("passes each test, by name, and skips none", async () => {
      const env = installExample();
      const { stdout: listed } = await promisify(execFile)(
        required(python),
        [
          "-c",
          "import jupyter_kernel_test as t; print(*[n for n in dir(t.KernelTests) if n.startswith('test_')])",
        ],
        { env },
      );
      const all = listed.trim().split(" ");
      const { stderr } = await promisify(execFile)(
        required(python),
        ["-W", "ignore", SCRIPT, "TypeScriptKernel"],
        { env },
      );
      const results = stderr.split("\n").flatMap((line) => {
        const [, name, result] = LINE.exec(line) ?? [];
        return name === undefined ? [] : [[name, result]];
      });
      for (const [name, result] of results) console.log(`jupyter_kernel_test: ${name}: ${result}`);
      expect(Object.fromEntries(results)).toEqual(Object.fromEntries(all.map((name) => [name, "ok"])));
      expect(all.length).toBeGreaterThanOrEqual(12);
      expect(stderr).not.toMatch(/skipped|FAIL/);
    });
  },
);
