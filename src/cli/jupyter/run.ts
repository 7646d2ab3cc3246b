// countersign jupyter run: executes a notebook on any installed kernel, and writes what it shows into it.

import { isUtf8 } from "node:buffer";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Output } from "../../jupyter/client/outputs.js";
import { findKernelSpec } from "../../jupyter/manager/kernelspec.js";
import { startKernel } from "../../jupyter/manager/manager.js";
import { defineCommand } from "../command.js";
import { EXIT, type ExitCode, OperatorError, UsageError } from "../failure.js";
import { NotebookDocument } from "../notebook/document.js";
import { type CellEnd, runNotebook } from "../notebook/runner.js";
import { type Paint, paintFor, printable, printableLines } from "../terminal.js";
import { onDisk } from "./place.js";

const LABEL_WIDTH = 50;
/** What ends a run early; what there is so far is written. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export const command = defineCommand({
  name: "jupyter run",
  purpose:
    "Executes a notebook (nbformat 4) from top to bottom on a kernel started for it, and writes the outputs back. Nothing else of the file changes; it is replaced as a whole or not at all.",
  usage: ["jupyter run NOTEBOOK [OPTIONS]"],
  options: {
    output: { type: "string", value: "FILE", short: "o", help: "write there, and leave NOTEBOOK as it is" },
    kernel: {
      type: "string",
      value: "NAME",
      help: "the kernelspec (default: the one that the notebook names)",
    },
    timeout: {
      type: "string",
      value: "SECONDS",
      help: "a cell's time; then it is interrupted (default: none)",
    },
    "allow-errors": { type: "boolean", help: "go on when a cell fails" },
    watch: { type: "boolean", help: "show outputs as they come" },
  },
  notes: [
    "A cell with the tag raises-exception may fail, one with skip-execution is not run. The kernel works in the notebook's folder. When a cell fails, what was shown so far is written, and the cells behind it stay as they are; so it is on Ctrl-C.",
    "Exit code: 0 every cell was run, or was allowed to fail; 1 a cell failed, took too long or was interrupted, or the kernel died; 2 the notebook could not be run or written.",
  ],
  examples: [
    "countersign jupyter run report.ipynb",
    "countersign jupyter run report.ipynb --output done.ipynb --timeout 60 --watch",
  ],
  positionals: 1,
  async run(values, [path]) {
    if (path === undefined) throw new UsageError("Name the notebook: countersign jupyter run NOTEBOOK");
    const timeout = values.timeout === undefined ? undefined : secondsOf(values.timeout);
    const text = read(path);
    const document = new NotebookDocument(text, path);
    const name = values.kernel ?? document.kernelName;
    if (name === undefined) {
      throw new OperatorError(`${path} names no kernel: name one with --kernel (countersign jupyter list).`);
    }
    findKernelSpec(name);
    // Sooner than when hours of outputs cannot be written.
    const folder = dirname(resolve(values.output ?? path));
    onDisk(() => accessSync(folder, constants.W_OK));
    const well = await execute({ ...values, path, document, name, timeout });
    return write(document.toString(), { path, text, target: values.output }, well);
  },
});

interface Given {
  readonly path: string;
  readonly document: NotebookDocument;
  readonly name: string;
  readonly timeout: number | undefined;
  readonly "allow-errors"?: boolean;
  readonly watch?: boolean;
}

async function execute({ path, document, name, timeout, ...values }: Given): Promise<boolean> {
  const paint = paintFor(process.stdout);
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, interrupt);
  const starting = startKernel(name, { cwd: dirname(resolve(path)), signal: stop.signal });
  try {
    const kernel = await starting.catch((cause: Error) => {
      throw new OperatorError(`The kernel ${name} could not be started: ${cause.message}`, { cause });
    });
    let n = 0;
    try {
      return await runNotebook({
        kernel,
        document,
        timeout,
        allowErrors: values["allow-errors"] === true,
        signal: stop.signal,
        onBegin: () => n++,
        onOutput: (output) => (values.watch ? show(output, paint) : undefined),
        onEnd: (end) => say(`${paint.dim(`[${n}/${document.cells.length}]`)} ${ending(end, paint)}`),
      });
    } finally {
      await kernel.shutdown();
    }
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

function ending({ cell, status, error, allowed, milliseconds }: CellEnd, paint: Paint): string {
  const [line = ""] = cell.source.trimStart().split("\n");
  const label = printable(line).slice(0, LABEL_WIDTH).padEnd(LABEL_WIDTH);
  const time = `${(milliseconds / 1000).toFixed(1)} s`;
  if (error === undefined) return `${label}  ${paint.green(status)}  ${time}`;
  return `${label}  ${(allowed ? paint.yellow : paint.red)(status)}  ${time}  ${printable(plain(error))}`;
}

function show(output: Output, paint: Paint): void {
  const text = textOf(output);
  if (text === undefined) return;
  const shown = printableLines(plain(text));
  const isLoud = output.type === "error" || (output.type === "stream" && output.name === "stderr");
  process.stdout.write(isLoud ? paint.red(shown) : shown);
  if (!shown.endsWith("\n") && output.type !== "stream") process.stdout.write("\n");
}

function textOf(output: Output): string | undefined {
  if (output.type === "clear_output") return undefined;
  if (output.type === "stream") return output.text;
  if (output.type === "error") return output.traceback.join("\n") || `${output.ename}: ${output.evalue}`;
  const { "text/plain": text } = output.data;
  return Array.isArray(text) ? text.join("") : String(text ?? `(${Object.keys(output.data).join(", ")})`);
}

/** Without colors, and with lines that end as ours do. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll("\r\n", "\n");
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && seconds > 0 && seconds <= 2_000_000) return seconds * 1000;
  throw new UsageError(`--timeout takes seconds, more than 0; got "${text}".`);
}

interface Target {
  readonly path: string;
  /** What was read. */
  readonly text: string;
  readonly target: string | undefined;
}

/** The text of a file, of which every byte can be written again. */
function read(path: string): string {
  const bytes = onDisk(() => readFileSync(path));
  if (!isUtf8(bytes)) throw new OperatorError(`${path} is no notebook: it is no UTF-8.`);
  return bytes.toString();
}

/** Whether a file still says what was read; one that was removed does not. */
function isAsRead(path: string, text: string): boolean {
  return onDisk(() => existsSync(path) && readFileSync(path, "utf8") === text);
}

function write(result: string, { path, text, target }: Target, well: boolean): ExitCode {
  const isChanged = target === undefined && !isAsRead(path, text);
  const into = isChanged ? path.replace(/(\.ipynb)?$/, `.${process.pid}.ipynb`) : (target ?? path);
  onDisk(() => replace(into, result, path));
  if (!isChanged) return well ? EXIT.ok : EXIT.no;
  throw new OperatorError(
    `${path} was changed or removed while it ran, and is left so: the outputs are in ${into}.`,
  );
}

/** Writes beside, and moves into place. The file keeps its mode, and a link stays one. */
function replace(path: string, text: string, like: string): void {
  let place = path;
  let mode = 0o600;
  try {
    mode = statSync(like).mode;
    place = realpathSync(path);
    mode = statSync(place).mode;
  } catch {
    // One of the two is not there.
  }
  const beside = join(dirname(place), `.${basename(place)}.${process.pid}`);
  try {
    const file = openSync(beside, "wx", mode & 0o777);
    try {
      fchmodSync(file, mode & 0o777);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, place);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
