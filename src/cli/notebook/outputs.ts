// Outputs of a running notebook, as nbformat 4 keeps them: texts of one stream in one piece, clears done, displays updated
// wherever they stand.

import type { Output } from "../../jupyter/client/outputs.js";
import type { NotebookOutput } from "./document.js";

type Draft = { output_type: string } & Record<string, unknown>;

/** The outputs of one cell. */
export class CellOutputs {
  readonly #drafts: Draft[] = [];
  readonly #displays: Displays;
  #clearWithNext = false;

  constructor(displays: Displays) {
    this.#displays = displays;
  }

  /** As they stand now. */
  toJSON(): NotebookOutput[] {
    return this.#drafts.map(written);
  }

  add(output: Output): void {
    if (output.type === "clear_output") {
      if (output.wait) this.#clearWithNext = true;
      else this.#drafts.length = 0;
      return;
    }
    if (output.type === "update_display_data") {
      this.#displays.update(output.displayId, output);
      return;
    }
    if (this.#clearWithNext) this.#drafts.length = 0;
    this.#clearWithNext = false;
    const last = this.#drafts.at(-1);
    if (output.type === "stream" && last?.output_type === "stream" && last.name === output.name) {
      last.text += output.text;
      return;
    }
    const draft = draftOf(output);
    this.#drafts.push(draft);
    if ("displayId" in output) this.#displays.add(output.displayId, draft);
  }
}

/** Displays of a whole notebook by their ids: what one cell shows, another may update. */
export class Displays {
  readonly #shown = new Map<string, Draft[]>();

  add(id: string | undefined, draft: Draft): void {
    if (id !== undefined) this.#shown.set(id, [...(this.#shown.get(id) ?? []), draft]);
  }

  update(
    id: string | undefined,
    { data, metadata }: { readonly data: unknown; readonly metadata: unknown },
  ): void {
    for (const draft of this.#shown.get(id ?? "") ?? []) Object.assign(draft, { data, metadata });
  }
}

function draftOf(output: Exclude<Output, { type: "clear_output" | "update_display_data" }>): Draft {
  const { type: output_type } = output;
  if (output.type === "stream") return { output_type, name: output.name, text: output.text };
  if (output.type === "error") {
    const { ename, evalue, traceback } = output;
    return { output_type, ename, evalue, traceback };
  }
  const { data, metadata } = output;
  if (output.type !== "execute_result") return { output_type, data, metadata };
  return { output_type, data, metadata, execution_count: output.executionCount };
}

function written(draft: Draft): NotebookOutput {
  if (draft.output_type === "stream") return { ...draft, text: lines(draft.text as string) };
  if (!("data" in draft)) return draft;
  const entries = Object.entries(draft.data as object).map(([type, value]) => [
    type,
    typeof value === "string" && isText(type) ? lines(value) : value,
  ]);
  return { ...draft, data: Object.fromEntries(entries) };
}

/** Types of which nbformat keeps the lines apart. */
function isText(type: string): boolean {
  return type.startsWith("text/") || type === "image/svg+xml" || type === "application/javascript";
}

/** Ends of lines as Python's `str.splitlines` knows them, by which nbformat takes text apart. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: U+001C to U+001E do end lines there.
const LINE_END = /(?<=\r\n|\r(?!\n)|[\n\v\f\x1c-\x1e\x85\u2028\u2029])/;

function lines(text: string): string[] {
  return text.split(LINE_END).filter((line) => line !== "");
}
