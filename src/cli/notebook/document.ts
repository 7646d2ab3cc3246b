// A notebook (nbformat 4) as a text of which only outputs and execution counts change: every other byte stays.

import { OperatorError } from "../failure.js";
import { itemsAt, type Member, membersAt, type Span, skipSpace } from "./scan.js";

/** An output as nbformat writes it. */
export type NotebookOutput = Readonly<Record<string, unknown>> & { readonly output_type: string };

/** A cell of code. */
export interface CodeCell {
  /** Its place among all cells, from 0. */
  readonly index: number;
  readonly source: string;
  readonly tags: readonly string[];
}

interface Edit extends Span {
  readonly text: string;
}

/** A notebook that was read. */
export class NotebookDocument {
  /** The cells of code. */
  readonly cells: readonly CodeCell[];
  /** The name of the kernelspec that it was made with. */
  readonly kernelName: string | undefined;
  readonly #text: string;
  readonly #spans: readonly Span[];
  readonly #indent: string;
  readonly #lineEnd: string;
  readonly #edits: Edit[] = [];

  /** @throws OperatorError for what is no notebook */
  constructor(text: string, path: string) {
    const content = parsed(text, path);
    this.#text = text;
    const root = membersAt(text, skipSpace(text, text.startsWith("\ufeff") ? 1 : 0));
    this.#spans = itemsAt(text, (root.get("cells") as Member).start);
    this.cells = content.cells.flatMap((cell, index) => codeCell(cell, index));
    const name = content.metadata?.kernelspec?.name;
    this.kernelName = typeof name === "string" ? name : undefined;
    this.#indent = /^\s*\{\r?\n([ \t]*)"/.exec(text)?.[1] ?? (text.includes("\n") ? " " : "");
    this.#lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  }

  /** Gives a cell its outputs, once. */
  set({ index }: CodeCell, outputs: readonly NotebookOutput[], executionCount: number | null): void {
    const span = this.#spans[index] as Span;
    const members = membersAt(this.#text, span.start);
    this.#put(span, members, "execution_count", executionCount);
    this.#put(span, members, "outputs", outputs.map(sorted));
  }

  /** The text with what was set. */
  toString(): string {
    const edits = [...this.#edits].sort((a, b) => b.start - a.start);
    return edits.reduce(
      (text, { start, end, text: put }) => text.slice(0, start) + put + text.slice(end),
      this.#text,
    );
  }

  #put(cell: Span, members: Map<string, Member>, name: string, value: unknown): void {
    const member = members.get(name);
    const anchor = member ?? [...members.values()][0];
    const margin = anchor && /(?:^|\n)([ \t]*)$/.exec(this.#text.slice(0, anchor.nameStart))?.[1];
    const rendered = this.#render(value, margin);
    if (member !== undefined) {
      this.#edits.push({ start: member.start, end: member.end, text: rendered });
      return;
    }
    const at = anchor?.nameStart ?? cell.start + 1;
    const gap = margin === undefined ? " " : this.#lineEnd + margin;
    this.#edits.push({ start: at, end: at, text: `"${name}": ${rendered}${anchor ? `,${gap}` : ""}` });
  }

  /** As the file is written: with its indent, behind the margin of its line; on one line if it is. */
  #render(value: unknown, margin: string | undefined): string {
    if (margin === undefined || this.#indent === "") return JSON.stringify(value);
    return JSON.stringify(value, null, this.#indent).replaceAll("\n", this.#lineEnd + margin);
  }
}

interface Content {
  readonly cells: readonly Readonly<Record<string, unknown>>[];
  readonly metadata?: { readonly kernelspec?: { readonly name?: unknown } };
}

function parsed(text: string, path: string): Content {
  let content: Record<string, unknown>;
  try {
    content = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new OperatorError(`${path} is no notebook: it is no JSON.`, { cause });
  }
  const { nbformat, cells } = content ?? {};
  if (nbformat !== 4) {
    throw new OperatorError(
      typeof nbformat === "number"
        ? `${path} has nbformat ${nbformat}, and this reads nbformat 4: convert it with jupyter nbconvert --to notebook.`
        : `${path} is no notebook: it says no nbformat.`,
    );
  }
  const isCell = (cell: unknown) => typeof cell === "object" && cell !== null && !Array.isArray(cell);
  if (!Array.isArray(cells) || !cells.every(isCell))
    throw new OperatorError(`${path} is no notebook: its cells are no list.`);
  return content as unknown as Content;
}

function codeCell(cell: Readonly<Record<string, unknown>>, index: number): CodeCell[] {
  if (cell.cell_type !== "code") return [];
  const { source = "", metadata } = cell;
  const { tags = [] } = (metadata ?? {}) as { tags?: unknown };
  return [
    {
      index,
      source: Array.isArray(source) ? source.join("") : String(source),
      tags: Array.isArray(tags) ? tags.map(String) : [],
    },
  ];
}

/** nbformat writes members in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // defineProperty, because a member may be called __proto__.
  const result = {};
  for (const [name, each] of entries) {
    Object.defineProperty(result, name, { value: sorted(each), enumerable: true });
  }
  return result;
}
