// The contents of requests, as they came from outside, to what handlers are given. What is not as Jupyter messaging says is a
// BadRequest, which is answered with an error and counted.

import { toUnits } from "../code-points.js";
import type { Dict } from "../message.js";
import type { CodeRequest, ExecuteRequest, HistoryRequest } from "./contents.js";

/** A request whose content is not as it must be; the message says what is wrong with it. */
export class BadRequest extends Error {
  override readonly name = "BadRequest";
}

/** Content of `execute_request`. */
export function readExecute(content: Dict): ExecuteRequest {
  const silent = flag(content, "silent", false);
  return {
    code: text(content, "code"),
    silent,
    storeHistory: !silent && flag(content, "store_history", true),
    userExpressions: texts(content, "user_expressions"),
    allowStdin: flag(content, "allow_stdin", true),
    stopOnError: flag(content, "stop_on_error", true),
  };
}

/** Content of `complete_request` and `inspect_request`. */
export function readCode(content: Dict): CodeRequest {
  const code = text(content, "code");
  const position = content.cursor_pos ?? undefined;
  return {
    code,
    cursor: position === undefined ? code.length : toUnits(code, whole(content, "cursor_pos")),
  };
}

/** Content of `inspect_request` besides the place. */
export function readDetail(content: Dict): 0 | 1 {
  return content.detail_level === 1 ? 1 : 0;
}

/** Content of `history_request`. */
export function readHistory(content: Dict): HistoryRequest {
  const common = { output: flag(content, "output", false), raw: flag(content, "raw", true) };
  const all = Number.MAX_SAFE_INTEGER;
  switch (content.hist_access_type) {
    case "tail":
      return { ...common, access: "tail", n: whole(content, "n", all) };
    case "range":
      return {
        ...common,
        access: "range",
        session: whole(content, "session", 0),
        start: whole(content, "start", 0),
        stop: whole(content, "stop", all),
      };
    case "search":
      return {
        ...common,
        access: "search",
        pattern: typeof content.pattern === "string" ? content.pattern : "*",
        n: (content.n ?? undefined) === undefined ? undefined : whole(content, "n"),
        unique: flag(content, "unique", false),
      };
    default:
      throw new BadRequest('hist_access_type must be "tail", "range" or "search".');
  }
}

/** A text that must be there. */
export function text(content: Dict, name: string): string {
  const value = content[name];
  if (typeof value === "string") return value;
  throw new BadRequest(`${name} must be a text.`);
}

function flag(content: Dict, name: string, usual: boolean): boolean {
  const value = content[name] ?? usual;
  if (typeof value === "boolean") return value;
  throw new BadRequest(`${name} must be true or false.`);
}

function whole(content: Dict, name: string, usual?: number): number {
  const value = content[name] ?? usual;
  if (Number.isSafeInteger(value)) return value as number;
  throw new BadRequest(`${name} must be a whole number.`);
}

function texts(content: Dict, name: string): Record<string, string> {
  const value = content[name] ?? {};
  if (typeof value === "object" && Object.values(value).every((each) => typeof each === "string")) {
    return value as Record<string, string>;
  }
  throw new BadRequest(`${name} must be a dict of texts.`);
}
