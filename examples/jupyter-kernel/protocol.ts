// What goes between the kernel and the realm in which cells run.
import type { MimeBundle } from "countersign/jupyter";

export interface Question {
  readonly kind: "run" | "evaluate" | "complete" | "inspect" | "interrupt" | "answer";
  readonly id: number;
  readonly code: string; // run, evaluate, complete, inspect
  readonly cursor: number; // complete, inspect
  readonly answer?: string; // answer
  readonly problem?: string;
}

export interface FromRealm {
  readonly kind: "stream" | "display" | "update" | "clear" | "page" | "input" | "done" | "failed";
  readonly id?: number; // input, done, failed
  readonly name?: "stdout" | "stderr"; // stream
  readonly text?: string; // stream, input
  readonly password?: boolean; // input
  readonly data?: MimeBundle; // display, update, page
  readonly display?: string; // display, update
  readonly wait?: boolean; // clear
  readonly result?: unknown; // done
  readonly ename?: string; // failed
  readonly evalue?: string;
  readonly traceback?: readonly string[];
}
