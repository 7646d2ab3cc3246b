// An inspection for people: aligned, quiet, and with nothing from outside that a terminal would obey.

import type { Answer } from "./answer.js";
import { wrap } from "./command.js";
import { controlRows, controlSummary } from "./control.js";
import type { Fault, Field } from "./dissect.js";
import type { Inspection } from "./inspection.js";
import type { Body, Signed } from "./signed.js";
import { type Paint, preview } from "./terminal.js";

/** Most messages and most frames of one that are listed. */
const MOST_LISTED = 32;
const INDENT = "  ";

/** The lines to show. */
export function renderText({ captured, signed, answer }: Inspection, paint: Paint): string {
  const sections = [
    ...(signed === undefined
      ? [framesSection(captured, paint)]
      : signedSections(captured.length, signed, paint)),
    answerSection(answer, signed, paint),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function framesSection(captured: readonly Buffer[], paint: Paint): string[] {
  return [heading("Captured", count(captured.length, "frame"), paint), ...listFrames(captured, paint)];
}

function signedSections(total: number, signed: Signed, paint: Paint): string[][] {
  const { at, bytes, dissection, faults, routing } = signed;
  const place = total === 1 ? "" : `, frame ${at + 1} of ${total}`;
  const sections = [
    [heading("Signature", `${count(bytes, "byte")}${place}`, paint), ...fieldLines(dissection.fields, paint)],
  ];
  if (faults.length > 0)
    sections.push([paint.bold("Malformed"), ...faults.map((fault) => faultLine(fault, paint))]);
  if (routing.length > 0) {
    const rows = routing.map(({ role, bytes }) => [role, sized(bytes.length), preview(bytes)] as const);
    sections.push([heading("In front", count(routing.length, "frame"), paint), ...aligned(rows, paint)]);
  }
  const body = controlSection(signed, paint) ?? bodySection(signed, paint);
  return body === undefined ? sections : [...sections, body];
}

function fieldLines(fields: readonly Field[], paint: Paint): string[] {
  const names = Math.max(...fields.map(({ name }) => name.length));
  const values = Math.max(
    ...fields.flatMap(({ rows }) => rows).map(([value, meaning]) => (meaning === "" ? 0 : value.length)),
  );
  return fields.flatMap(({ name, at, rows }) =>
    rows.map(([value, meaning], index) => {
      const left =
        index === 0 ? `${paint.dim(String(at).padStart(3))}  ${name.padEnd(names)}` : " ".repeat(names + 5);
      return `${INDENT}${left}  ${meaning === "" ? value : `${value.padEnd(values)}  ${paint.dim(meaning)}`}`;
    }),
  );
}

function faultLine({ field, at, found, expected }: Fault, paint: Paint): string {
  return `${INDENT}byte ${at}, ${paint.red(field)}: found ${found}, expected ${expected}`;
}

function controlSection({ control, dissection: { header } }: Signed, paint: Paint): string[] | undefined {
  if (control === undefined || typeof header !== "object") return undefined;
  const rows = controlRows(control);
  const names = Math.max(...rows.map(([name]) => name.length));
  const values = Math.max(...rows.map(([, value]) => value.length));
  return [
    heading("Control", controlSummary(header, control), paint),
    ...rows.map(([name, value, meaning]) =>
      `${INDENT}${name.padEnd(names)}  ${value.padEnd(values)}  ${paint.dim(meaning)}`.trimEnd(),
    ),
  ];
}

function bodySection({ layout, bodies, dissection }: Signed, paint: Paint): string[] | undefined {
  const [first] = bodies;
  if (layout === undefined || first === undefined) return undefined;
  const { header } = dissection;
  if (typeof header === "object" && header.kind === "batch") return batchSection(bodies, paint);
  if (layout === "detached" && first.frames.length === 0) {
    return [heading("Body", "detached: no frame behind the signature", paint)];
  }
  const bytes = first.frames.reduce((sum, frame) => sum + frame.length, 0);
  const title = `${layout}, ${count(first.frames.length, "frame")}, ${count(bytes, "byte")}`;
  return [heading("Body", title, paint), ...listFrames(first.frames, paint)];
}

function batchSection(bodies: readonly Body[], paint: Paint): string[] {
  const lines = bodies
    .slice(0, MOST_LISTED)
    .flatMap(({ sequence, frames }) => [
      `${INDENT}${paint.dim("sequence")} ${sequence}`,
      ...listFrames(frames, paint).map((line) => INDENT + line),
    ]);
  return [
    heading("Body", `batch, ${count(bodies.length, "message")}`, paint),
    ...lines,
    ...more(bodies.length, "message", paint),
  ];
}

function listFrames(frames: readonly Buffer[], paint: Paint): string[] {
  const rows = frames
    .slice(0, MOST_LISTED)
    .map((frame, index) => [String(index + 1), sized(frame.length), preview(frame)] as const);
  return [...aligned(rows, paint), ...more(frames.length, "frame", paint)];
}

function more(total: number, what: string, paint: Paint): string[] {
  const rest = total - MOST_LISTED;
  return rest > 0
    ? [`${INDENT}${paint.dim(`and ${rest.toLocaleString("en-US")} more ${what}${rest === 1 ? "" : "s"}`)}`]
    : [];
}

/** Rows of a name, a right-aligned size and the beginning of the bytes. */
function aligned(rows: readonly (readonly [string, string, string])[], paint: Paint): string[] {
  const names = Math.max(0, ...rows.map(([name]) => name.length));
  const sizes = Math.max(0, ...rows.map(([, size]) => size.length));
  return rows.map(
    ([name, size, shown]) => `${INDENT}${name.padStart(names)}  ${paint.dim(size.padStart(sizes))}  ${shown}`,
  );
}

function answerSection(answer: Answer, signed: Signed | undefined, paint: Paint): string[] {
  const marked = {
    accepted: paint.green,
    "well-formed": paint.bold,
    undecided: paint.yellow,
    refused: paint.red,
  };
  const word = answer.answer === "well-formed" ? "well formed" : answer.answer;
  const reason = answer.reason === undefined ? "" : `: ${answer.reason}`;
  const lines = answer.explanation.flatMap((sentence) => wrap(sentence, INDENT));
  return [
    `${paint.bold("Verdict")}  ${marked[answer.answer](word + reason)}`,
    ...lines,
    ...receiverLines(signed, paint),
  ];
}

function receiverLines(signed: Signed | undefined, paint: Paint): string[] {
  if (signed?.receiver === undefined) return [];
  const { pattern, hops, assumed } = signed.receiver;
  const socket = `a ${pattern.toUpperCase()}${hops > 0 ? ` with ${count(hops, "hop")}` : ""}`;
  const how = assumed
    ? `Read as ${socket} would receive it; --pattern and --hops choose another.`
    : `Read as ${socket} would receive it.`;
  return wrap(how, INDENT).map(paint.dim);
}

function heading(title: string, detail: string, paint: Paint): string {
  return `${paint.bold(title)}  ${paint.dim(detail)}`;
}

function sized(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} B`;
}

function count(number: number, what: string): string {
  return `${number.toLocaleString("en-US")} ${what}${number === 1 ? "" : "s"}`;
}
