// Runs the built command line as its users do: a process of its own, its exit code, what it wrote where.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";

/** The built entry of the command line. */
export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
if (!existsSync(MAIN)) throw new Error(`${MAIN} does not exist: npm run build`);

/** What a finished command left. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run, besides its arguments. */
export interface Conditions {
  readonly input?: string | Buffer;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `countersign` with these arguments. */
export function countersign(args: readonly string[], conditions: Conditions = {}): Promise<Outcome> {
  return run(process.execPath, [MAIN, ...args], conditions);
}

/** Runs `countersign` from a shell line, in which it is written `$countersign`. */
export function shell(line: string, conditions: Conditions = {}): Promise<Outcome> {
  const env = { countersign: `${process.execPath} ${MAIN}`, ...conditions.env };
  return run("/bin/bash", ["-c", line], { ...conditions, env });
}

/** Runs `countersign` with a pseudo-terminal for its output (util-linux `script`). */
export function onTerminal(args: readonly string[], conditions: Conditions = {}): Promise<Outcome> {
  return run("script", ["-qec", [process.execPath, MAIN, ...args].join(" "), "/dev/null"], conditions);
}

function run(command: string, args: readonly string[], conditions: Conditions): Promise<Outcome> {
  const { input = "", cwd, env } = conditions;
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = process.env; // each says whether to color
  const options = {
    env: { ...inherited, TERM: "xterm", ...env },
    ...(cwd && { cwd }),
  };
  const child = spawn(command, args, options);
  child.stdin.on("error", () => {}); // it may end without reading
  child.stdin.end(input);
  const written = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (written.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (written.stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...written }));
  });
}

/** A folder of this test file's own, gone when it ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "countersign-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The command refused with exit code 2 and this advice, without a stack trace and without output. */
export function expectFailure(outcome: Outcome, advice: string | RegExp): void {
  expect(outcome.stderr).toMatch(advice);
  expect(outcome.stderr).toMatch(/^countersign: /);
  expect(outcome.stderr).not.toMatch(/^\s+at /m);
  expect(outcome).toMatchObject({ code: 2, stdout: "" });
}
