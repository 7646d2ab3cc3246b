// Finds the peers of the tests in this folder: by name, in the places where Debian and pyenv put them.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A program that is there; `undefined` where it is not. */
export function findProgram(...paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

/** A Python, with its version. */
export interface Python {
  readonly path: string;
  readonly version: string;
  /** What it speaks: from 3.12 on, SHA-256. */
  readonly dialect: "md5" | "sha256";
}

/** Debian's Python 3, and what pyenv has of 3.8 and later. */
export function findPythons(): Python[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const others = existsSync(versions)
    ? readdirSync(versions).map((name) => join(versions, name, "bin", "python3"))
    : [];
  return ["/usr/bin/python3", ...others.sort()].flatMap((path) => {
    try {
      const program = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
      const version = execFileSync(path, ["-c", program], { encoding: "utf8" }).trim();
      const [major = 0, minor = 0] = version.split(".").map(Number);
      if (major !== 3 || minor < 8) return [];
      return [{ path, version, dialect: minor < 12 ? ("md5" as const) : ("sha256" as const) }];
    } catch {
      return [];
    }
  });
}

/** Whether a peer that is not there is a reason to skip: not where they are required, as in CI. */
export function mayBeMissing(peer: unknown): boolean {
  return peer === undefined && process.env.COUNTERSIGN_PEERS !== "required";
}

/** The peer that was found, or an error that says what to install. */
export function found<Peer>(peer: Peer | undefined): Peer {
  if (peer === undefined) throw new Error("This peer is required and not installed: run .ci/peers");
  return peer;
}
