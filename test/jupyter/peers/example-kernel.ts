// The example kernel, installed where Jupyter's own programs find it, and nothing else of this machine's user.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installKernelSpec } from "countersign/jupyter";
import { afterAll } from "vitest";

/** The name of its kernelspec. */
export const EXAMPLE = "countersign-typescript";

const PROGRAM = fileURLToPath(new URL("../../../.build/examples/jupyter-kernel/main.js", import.meta.url));

/** Installs it into a folder of this test file's own; returns the environment in which it is found. */
export function installExample(): NodeJS.ProcessEnv {
  const home = mkdtempSync(join(tmpdir(), "jupyter-home-"));
  afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  const env = {
    ...process.env,
    HOME: home,
    JUPYTER_DATA_DIR: join(home, "data"),
    JUPYTER_RUNTIME_DIR: join(home, "runtime"),
    IPYTHONDIR: join(home, "ipython"),
    PYDEVD_DISABLE_FILE_VALIDATION: "1",
  };
  const spec = {
    argv: [process.execPath, PROGRAM, "{connection_file}"],
    display_name: "TypeScript",
    language: "typescript",
  };
  installKernelSpec(EXAMPLE, spec, { env });
  return env;
}
