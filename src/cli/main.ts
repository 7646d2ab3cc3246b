#!/usr/bin/env node
// countersign: makes keys and verifiers, looks at messages, shows what the library does. Commands are loaded when they are asked for,
// so that keygen and inspect need no zeromq.

import { readFileSync } from "node:fs";
import { CountersignError } from "../errors.js";
import type { Command } from "./command.js";
import { EXIT, type ExitCode, OperatorError, suggestion, UsageError } from "./failure.js";
import { type Paint, paintFor, printableLines } from "./terminal.js";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  keygen: {
    summary: "make a key file, rotate its key, derive keys for a device",
    load: () => import("./keygen.js"),
  },
  passwd: {
    summary: "manage a file of SCRAM verifiers: users who may log in",
    load: () => import("./passwd.js"),
  },
  inspect: {
    summary: "show a captured message in words, and what a verifier says",
    load: () => import("./inspect.js"),
  },
  jupyter: {
    summary: "manage Jupyter's kernelspecs, execute notebooks",
    load: () => import("./jupyter.js"),
  },
  demo: {
    summary: "watch an attacker's broker try everything on real traffic",
    load: () => import("./demo.js"),
  },
};
const NAMES = Object.keys(COMMANDS);

async function main([first, ...rest]: readonly string[]): Promise<ExitCode> {
  switch (first) {
    case undefined:
      process.stderr.write(overview(paintFor(process.stderr)));
      return EXIT.failed;
    case "--version":
    case "-V":
      process.stdout.write(`countersign ${version()}\n`);
      return EXIT.ok;
    case "--help":
    case "-h":
    case "help":
      return help(rest);
    default:
      return (await load(first)).run(rest);
  }
}

async function help([name]: readonly string[]): Promise<ExitCode> {
  const paint = paintFor(process.stdout);
  process.stdout.write(name === undefined ? overview(paint) : (await load(name)).help(paint));
  return EXIT.ok;
}

async function load(name: string): Promise<Command> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined) return (await entry.load()).command;
  if (name.startsWith("-")) {
    const options = suggestion(name.replace(/^-+/, ""), ["help", "version"], "--");
    throw new UsageError(`There is no option ${name} in front of a command.${options}`);
  }
  throw new UsageError(
    `There is no command "${name}"; there are ${NAMES.join(", ")}.${suggestion(name, NAMES)}`,
  );
}

function overview(paint: Paint): string {
  const width = Math.max(...NAMES.map((name) => name.length));
  return [
    "Signed, replay-proof ZeroMQ for TypeScript.",
    "",
    paint.bold("Usage"),
    "  countersign COMMAND [ARGUMENTS]",
    "",
    paint.bold("Commands"),
    ...NAMES.map((name) => `  ${name.padEnd(width)}   ${COMMANDS[name]?.summary}`),
    `  ${"help".padEnd(width)}   explain a command: countersign help keygen`,
    "",
    paint.bold("Options"),
    "  -h, --help      show this help",
    "  -V, --version   show the version",
    "",
    "Exit code: 0 done, or the answer is yes; 1 the answer is no; 2 wrong usage, or something to mend.",
    "",
  ].join("\n");
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Tells the operator what went wrong and what to do. A stack trace means a defect of ours, and is shown as one. */
function complain(error: unknown): ExitCode {
  const paint = paintFor(process.stderr);
  const expected = error instanceof OperatorError || error instanceof CountersignError;
  const text = expected
    ? error.message
    : `This is a defect of countersign; please report it.\n${(error as Error).stack}`;
  process.stderr.write(`${paint.red("countersign:")} ${printableLines(text)}\n`);
  if (error instanceof UsageError) {
    const name = process.argv[2] ?? "";
    process.stderr.write(paint.dim(`See: countersign help${NAMES.includes(name) ? ` ${name}` : ""}\n`));
  }
  return EXIT.failed;
}

/** Whoever reads the output may stop reading; any other failure to write it must not pass for success. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(
    error.code === "EPIPE"
      ? EXIT.failed
      : complain(new OperatorError(`The output was not written: ${error.message}.`)),
  );
});

process.exitCode = await main(process.argv.slice(2)).catch(complain);
