// Executes a notebook's cells on a kernel, one after another.

import { setTimeout as sleep } from "node:timers/promises";
import { KernelDiedError } from "../../jupyter/client/errors.js";
import type { Execution } from "../../jupyter/client/execution.js";
import type { Output } from "../../jupyter/client/outputs.js";
import type { StartedKernel } from "../../jupyter/manager/manager.js";
import type { CodeCell, NotebookDocument } from "./document.js";
import { CellOutputs, Displays } from "./outputs.js";

/** Milliseconds that an interrupted cell has to stop. */
const GRACE = 10_000;

/** How a cell ended. */
export interface CellEnd {
  readonly cell: CodeCell;
  readonly status: "ok" | "error" | "timeout" | "interrupted" | "died" | "skipped";
  /** What it failed with. */
  readonly error: string | undefined;
  /** Whether its failure was allowed. */
  readonly allowed: boolean;
  readonly milliseconds: number;
}

export interface RunOptions {
  readonly kernel: StartedKernel;
  readonly document: NotebookDocument;
  /** Milliseconds a cell. */
  readonly timeout: number | undefined;
  readonly allowErrors: boolean;
  /** Ends the run: what runs is interrupted. */
  readonly signal: AbortSignal;
  onBegin(cell: CodeCell): void;
  onOutput(output: Output): void;
  onEnd(end: CellEnd): void;
}

/** Runs the cells, and puts outputs into the document. True if all went well, or was allowed to fail. */
export async function runNotebook(options: RunOptions): Promise<boolean> {
  const { document, onBegin, onEnd } = options;
  const displays = new Displays();
  const ran: { cell: CodeCell; outputs: CellOutputs; count: number | null }[] = [];
  let well = true;
  for (const cell of document.cells) {
    if (options.signal.aborted) well = false;
    if (!well) break;
    onBegin(cell);
    const outputs = new CellOutputs(displays);
    const { end, count } = await runCell(cell, outputs, options);
    if (end.status !== "skipped") ran.push({ cell, outputs, count });
    well = end.status === "ok" || end.status === "skipped" || end.allowed;
    onEnd(end);
  }
  // At the end, because a later cell may update what an earlier one shows.
  for (const { cell, outputs, count } of ran) document.set(cell, outputs.toJSON(), count);
  return well;
}

async function runCell(cell: CodeCell, outputs: CellOutputs, options: RunOptions) {
  const began = performance.now();
  const end = (status: CellEnd["status"], error?: string, allowed = false): CellEnd => ({
    cell,
    status,
    error,
    allowed,
    milliseconds: performance.now() - began,
  });
  if (cell.tags.includes("skip-execution")) return { end: end("skipped"), count: null };
  if (cell.source.trim() === "") return { end: end("ok"), count: null };
  const allowed = options.allowErrors || cell.tags.includes("raises-exception");
  // Where the run goes on, the next cell must not be aborted with this one: kernels abort what comes for a while.
  const execution = options.kernel.client.execute(cell.source, { stopOnError: !allowed });
  const limit = limited(execution, options);
  try {
    for await (const output of execution) {
      outputs.add(output);
      options.onOutput(output);
    }
    const reply = await execution.reply;
    const count = reply.executionCount ?? null;
    if (limit.cause === "interrupted") return { end: end("interrupted", "interrupted"), count };
    if (limit.cause === "timeout")
      return { end: end("timeout", `${options.timeout} ms are over`, allowed), count };
    if (reply.status === "ok") return { end: end("ok"), count };
    return { end: end("error", `${reply.ename ?? reply.status}: ${reply.evalue ?? ""}`, allowed), count };
  } catch (error) {
    const { name, message } = error as Error;
    outputs.add({ type: "error", ename: name, evalue: message, traceback: [`${name}: ${message}`] });
    return { end: end(error instanceof KernelDiedError ? "died" : "timeout", message), count: null };
  } finally {
    limit.over();
  }
}

/** Interrupts an execution when its time is over, or the run's; ends the kernel if it does not stop then. */
function limited(execution: Execution, { timeout, signal, kernel }: RunOptions) {
  const limit = { cause: undefined as "timeout" | "interrupted" | undefined, over };
  const timer = timeout === undefined ? undefined : setTimeout(() => void stop("timeout"), timeout);
  const abort = () => void stop("interrupted");
  const done = new AbortController();
  signal.addEventListener("abort", abort);
  async function stop(cause: "timeout" | "interrupted") {
    if (limit.cause !== undefined || execution.over) return;
    limit.cause = cause;
    // Not awaited: a kernel that is told by message may be too busy to answer.
    kernel.interrupt().catch(() => {});
    await sleep(GRACE, undefined, { signal: done.signal }).catch(() => {});
    if (!execution.over) await kernel.shutdown({ grace: 0 });
  }
  function over() {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    done.abort();
  }
  return limit;
}
