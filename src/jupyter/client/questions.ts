// The questions a client asks besides execution, and what it makes of the answers: cursors in UTF-16 units on this side, code
// points on the wire; what an answer lacks is filled in.

import { toPoints, toUnits } from "../code-points.js";
import type { Dict, ReceivedMessage } from "../message.js";
import { RequestFailedError } from "./errors.js";
import { dictOf, textOf, textsOf, wholeOf } from "./outputs.js";
import type { Patience } from "./pending.js";

/** What could stand at a cursor. */
export interface CompleteAnswer {
  /** The candidates. */
  readonly matches: readonly string[];
  /** Where the text begins that they replace, in UTF-16 units. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** More about them. */
  readonly metadata: Dict;
}

/** What stands at a cursor. */
export interface InspectAnswer {
  /** By MIME type. */
  readonly data: Dict;
  /** About the data. */
  readonly metadata: Dict;
}

/** Whether code is complete. */
export interface IsCompleteAnswer {
  /** The kernel's opinion. */
  readonly status: "complete" | "incomplete" | "invalid" | "unknown";
  /** White space that the next line begins with. */
  readonly indent: string;
}

/** An input of the past. */
export interface PastInput {
  /** The session's number. */
  readonly session: number;
  /** The execution's number. */
  readonly line: number;
  /** The code. */
  readonly input: string;
  /** Its output, where that was asked for and there was one. */
  readonly output: string | undefined;
}

/** Which inputs of the past: the last `n`, a range of lines of one session, or those that fit a pattern of `*` and `?`. */
export type PastInputs = { readonly output?: boolean; readonly raw?: boolean } & (
  | { readonly tail: number }
  | { readonly session?: number; readonly start?: number; readonly stop?: number }
  | { readonly pattern: string; readonly n?: number; readonly unique?: boolean }
);

/** A client's questions. @internal */
export interface ClientQuestions {
  complete(code: string, cursor?: number, patience?: Patience): Promise<CompleteAnswer>;
  inspect(
    code: string,
    cursor?: number,
    detail?: 0 | 1,
    patience?: Patience,
  ): Promise<InspectAnswer | undefined>;
  isComplete(code: string, patience?: Patience): Promise<IsCompleteAnswer>;
  history(which: PastInputs, patience?: Patience): Promise<PastInput[]>;
  commInfo(target?: string, patience?: Patience): Promise<Record<string, string>>;
}

/** The content of a reply that is no error. */
export function answersOf({ header, content }: ReceivedMessage): Dict {
  if (content.status !== "error" && content.status !== "aborted") return content;
  throw new RequestFailedError(header.msg_type.replace(/_reply$/, "_request"), content);
}

type Request = (type: string, content: Dict, patience: Patience | undefined) => Promise<ReceivedMessage>;

/** A client's questions, asked by `request`. */
export function questions(request: Request): ClientQuestions {
  const ask = async (type: string, content: Dict, patience?: Patience) =>
    answersOf(await request(type, content, patience));
  return {
    async complete(code, cursor = code.length, patience) {
      const content = { code, cursor_pos: toPoints(code, cursor) };
      const { matches, cursor_start, cursor_end, metadata } = await ask(
        "complete_request",
        content,
        patience,
      );
      const unit = (point: unknown) => toUnits(code, wholeOf(point) ?? content.cursor_pos);
      return {
        matches: textsOf(matches),
        start: unit(cursor_start),
        end: unit(cursor_end),
        metadata: dictOf(metadata),
      };
    },
    async inspect(code, cursor = code.length, detail = 0, patience) {
      const content = { code, cursor_pos: toPoints(code, cursor), detail_level: detail };
      const { found, data, metadata } = await ask("inspect_request", content, patience);
      return found === true ? { data: dictOf(data), metadata: dictOf(metadata) } : undefined;
    },
    async isComplete(code, patience) {
      const { status, indent } = await ask("is_complete_request", { code }, patience);
      const known = ["complete", "incomplete", "invalid"] as const;
      return { status: known.find((each) => each === status) ?? "unknown", indent: textOf(indent, "") };
    },
    async history(which, patience) {
      const { history } = await ask("history_request", historyRequest(which), patience);
      return Array.isArray(history) ? history.flatMap(pastInput) : [];
    },
    async commInfo(target, patience) {
      const content = target === undefined ? {} : { target_name: target };
      const { comms } = await ask("comm_info_request", content, patience);
      const entries = Object.entries(dictOf(comms));
      return Object.fromEntries(entries.map(([id, about]) => [id, textOf(dictOf(about).target_name, "")]));
    },
  };
}

function historyRequest(which: PastInputs): Dict {
  const { output = false, raw = true } = which;
  const common = { output, raw };
  if ("tail" in which) return { ...common, hist_access_type: "tail", n: which.tail };
  if ("pattern" in which) {
    const { pattern, n, unique = false } = which;
    return { ...common, hist_access_type: "search", pattern, unique, ...(n !== undefined && { n }) };
  }
  const { session = 0, start = 0, stop } = which;
  return { ...common, hist_access_type: "range", session, start, ...(stop !== undefined && { stop }) };
}

function pastInput(entry: unknown): PastInput[] {
  if (!Array.isArray(entry)) return [];
  const [session, line, said] = entry;
  const [input, output] = Array.isArray(said) ? said : [said];
  if (typeof input !== "string") return [];
  return [
    {
      session: wholeOf(session) ?? 0,
      line: wholeOf(line) ?? 0,
      input,
      output: typeof output === "string" ? output : undefined,
    },
  ];
}
