// What an execution shows: iopub's messages as a client is given them, under the names that notebooks use. A kernel has the key,
// but not necessarily good manners: what a message lacks is filled in, and what is no output at all is left out.

import type { Dict, ReceivedMessage } from "../message.js";

/** MIME types to values. */
type Bundle = Readonly<Record<string, unknown>>;

/** Text on a stream. */
export interface StreamOutput {
  /** The type of the message. */
  readonly type: "stream";
  /** Which. */
  readonly name: "stdout" | "stderr";
  /** The text. */
  readonly text: string;
}

/** Something shown, or shown anew. */
export interface DisplayOutput {
  /** The type of the message. */
  readonly type: "display_data" | "update_display_data";
  /** By MIME type. */
  readonly data: Bundle;
  /** About the data. */
  readonly metadata: Dict;
  /** The name under which it can be updated. */
  readonly displayId: string | undefined;
  /** Binary data. */
  readonly buffers: readonly Buffer[];
}

/** The value of the code. */
export interface ResultOutput {
  /** The type of the message. */
  readonly type: "execute_result";
  /** The number of the execution. */
  readonly executionCount: number;
  /** By MIME type. */
  readonly data: Bundle;
  /** About the data. */
  readonly metadata: Dict;
  /** The name under which it can be updated. */
  readonly displayId: string | undefined;
}

/** An error. */
export interface ErrorOutput {
  /** The type of the message. */
  readonly type: "error";
  /** Its kind. */
  readonly ename: string;
  /** What it says. */
  readonly evalue: string;
  /** For the eye, in lines, often with ANSI colors. */
  readonly traceback: readonly string[];
}

/** All output so far is to be taken away: now, or when the next comes. */
export interface ClearOutput {
  /** The type of the message. */
  readonly type: "clear_output";
  /** Not before the next. */
  readonly wait: boolean;
}

/** One output of an execution. */
export type Output = StreamOutput | DisplayOutput | ResultOutput | ErrorOutput | ClearOutput;

/** The output that an iopub message is; `undefined` for what is none. */
export function outputOf({ header, content, buffers }: ReceivedMessage): Output | undefined {
  switch (header.msg_type) {
    case "stream":
      return typeof content.text === "string"
        ? { type: "stream", name: content.name === "stderr" ? "stderr" : "stdout", text: content.text }
        : undefined;
    case "display_data":
    case "update_display_data":
      return { type: header.msg_type, ...shown(content), buffers };
    case "execute_result":
      return {
        type: "execute_result",
        executionCount: wholeOf(content.execution_count) ?? 0,
        ...shown(content),
      };
    case "error":
      return { type: "error", ...errorOf(content) };
    case "clear_output":
      return { type: "clear_output", wait: content.wait === true };
    default:
      return undefined;
  }
}

function shown({ data, metadata, transient }: Dict) {
  const { display_id: id } = dictOf(transient);
  return {
    data: dictOf(data),
    metadata: dictOf(metadata),
    displayId: typeof id === "string" ? id : undefined,
  };
}

/** Name, text and traceback of an error, in a message or a reply. */
export function errorOf({ ename, evalue, traceback }: Dict): Omit<ErrorOutput, "type"> {
  return { ename: textOf(ename, "Error"), evalue: textOf(evalue, ""), traceback: textsOf(traceback) };
}

/** A dict from outside; an empty one for what is none. */
export function dictOf(value: unknown): Dict {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Dict) : {};
}

/** Of a list from outside, the texts. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

/** A text from outside. */
export function textOf(value: unknown, usual: string): string {
  return typeof value === "string" ? value : usual;
}

/** A whole number from outside. */
export function wholeOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
