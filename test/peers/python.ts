// Finds a Python 3 for the peers in this folder. Debian's own comes first: it is the one that `.ci/peers` installs for.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The path of a file in this folder. */
export const inThisFolder = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A Python 3 that has these modules; `undefined` where there is none. */
export function findPython(...modules: readonly string[]): string | undefined {
  const program = `import sys; assert sys.version_info >= (3, 8); ${modules.map((name) => `import ${name};`).join(" ")}`;
  return ["/usr/bin/python3", "python3"].find((python) => {
    try {
      execFileSync(python, ["-c", program], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether a peer that is not installed is a reason to skip: not where they are required, as in CI. */
export function maySkip(python: string | undefined): boolean {
  return python === undefined && process.env.COUNTERSIGN_PEERS !== "required";
}

/** The Python that was found, or an error that says what to install. */
export function required(python: string | undefined): string {
  if (python === undefined) throw new Error("This peer is required and not installed: run .ci/peers");
  return python;
}
