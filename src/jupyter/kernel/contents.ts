// What handlers are asked and answer: the contents of Jupyter's messages in the names of this language.

import type { Dict } from "../message.js";

/** MIME types to values: `{ "text/plain": "42" }`. Binary data in base64. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** A handler answers at once or later. */
export type Awaitable<Value> = Value | Promise<Value>;

/** Code to be run. */
export interface ExecuteRequest {
  /** The code. */
  readonly code: string;
  /** Nothing of it is to be seen: the kit publishes no output and counts it not. */
  readonly silent: boolean;
  /** Whether it counts and goes into the history. */
  readonly storeHistory: boolean;
  /** Expressions to be evaluated behind it, by name. */
  readonly userExpressions: Readonly<Record<string, string>>;
  /** Whether the client answers `cell.input`. */
  readonly allowStdin: boolean;
  /** Whether an error aborts what is queued behind it. */
  readonly stopOnError: boolean;
}

/** What code came to. */
export interface ExecuteResult {
  /** Its value, by MIME type; none is shown if left out. */
  readonly data?: MimeBundle | undefined;
  /** About the value: sizes of images, for example. */
  readonly metadata?: Dict | undefined;
  /** Payloads of the reply: `{ source: "page", data, start: 0 }`. */
  readonly payload?: readonly Dict[] | undefined;
}

/** A place in code. */
export interface CodeRequest {
  /** The code. */
  readonly code: string;
  /** Where the cursor is, in UTF-16 units as JavaScript counts them (on the wire it is in code points). */
  readonly cursor: number;
}

/** What could stand at the cursor. */
export interface Completions {
  /** The candidates. */
  readonly matches: readonly string[];
  /** Where the text begins that they replace, in UTF-16 units. Default: the cursor. */
  readonly start?: number | undefined;
  /** Where it ends. Default: the cursor. */
  readonly end?: number | undefined;
  /** More about them. */
  readonly metadata?: Dict | undefined;
}

/** Whether code can be run as it stands. */
export type Completeness =
  | "complete"
  | "incomplete"
  | "invalid"
  | "unknown"
  | {
      /** It goes on. */
      readonly status: "incomplete";
      /** White space that the next line begins with. */
      readonly indent: string;
    };

/** Which inputs of the past are wanted. */
export type HistoryRequest = {
  /** Whether outputs are wanted, too. */
  readonly output: boolean;
  /** Whether inputs are wanted as they were typed. */
  readonly raw: boolean;
} & (
  | { readonly access: "tail"; readonly n: number }
  | { readonly access: "range"; readonly session: number; readonly start: number; readonly stop: number }
  | {
      readonly access: "search";
      readonly pattern: string;
      readonly n: number | undefined;
      readonly unique: boolean;
    }
);

/** An input of the past. */
export interface HistoryEntry {
  /** The session's number. */
  readonly session: number;
  /** The execution count. */
  readonly line: number;
  /** The code. */
  readonly input: string;
  /** What its value was as text. */
  readonly output?: string | undefined;
}
