// What an author of a kernel writes: handlers, one a question that clients ask. Only `execute` must be there; what is left out
// is answered as Jupyter's documents say for kernels that have no such thing.

import { misuse } from "../../errors.js";
import type { Dict, ReceivedMessage } from "../message.js";
import type { Cell } from "./cell.js";
import type {
  Awaitable,
  CodeRequest,
  Completeness,
  Completions,
  ExecuteRequest,
  ExecuteResult,
  HistoryEntry,
  HistoryRequest,
  MimeBundle,
} from "./contents.js";

/** What handlers besides `execute` are told of the request. */
export interface RequestContext {
  /** The request: verified; its origin names the sender where that one hardens. */
  readonly message: ReceivedMessage;
}

/** A kernel's handlers. Each may be async; shell's run one after another, in the order of the requests. */
export interface KernelHandlers {
  /** Runs code. What it throws is the error that the client sees; `cell` takes output and knows of interrupts. */
  execute(request: ExecuteRequest, cell: Cell): Awaitable<ExecuteResult | undefined>;
  /** Evaluates a user expression. */
  evaluate?(expression: string, cell: Cell): Awaitable<ExecuteResult>;
  /** Says what could stand at the cursor. Default: nothing. */
  complete?(request: CodeRequest, context: RequestContext): Awaitable<Completions>;
  /** Says what stands at the cursor; `undefined` if nothing is known of it. Default: nothing. */
  inspect?(
    request: CodeRequest & { readonly detail: 0 | 1 },
    context: RequestContext,
  ): Awaitable<{ readonly data: MimeBundle; readonly metadata?: Dict | undefined } | undefined>;
  /** Says whether code is complete. Default: "unknown". */
  isComplete?(code: string, context: RequestContext): Awaitable<Completeness>;
  /** Inputs of the past. Default: those of this session, which the kit remembers. */
  history?(request: HistoryRequest, context: RequestContext): Awaitable<readonly HistoryEntry[]>;
  /** Stops what runs: by message or by SIGINT. `cell.signal` is aborted besides. */
  interrupt?(): Awaitable<void>;
  /** The kernel ends, to be started again or not. */
  shutdown?(restart: boolean): Awaitable<void>;
  /** Requests of other types, by type, as `debug_request`: returns the content of the reply. */
  readonly requests?: Readonly<Record<string, (message: ReceivedMessage) => Awaitable<Dict>>> | undefined;
}

const OPTIONAL = ["evaluate", "complete", "inspect", "isComplete", "history", "interrupt", "shutdown"];

/** @throws CountersignError for handlers that cannot be */
export function assertHandlers(handlers: KernelHandlers): void {
  if (typeof handlers !== "object" || handlers === null || typeof handlers.execute !== "function") {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      "A kernel needs a handler that runs code: new Kernel({ handlers: { execute({ code }, cell) { … } } }).",
    );
  }
  const known = ["execute", "requests", ...OPTIONAL];
  for (const [name, handler] of Object.entries(handlers)) {
    if (!known.includes(name)) {
      throw misuse(
        "ERR_COUNTERSIGN_OPTIONS",
        `There is no handler ${name}; there are ${known.join(", ")}. Other message types go into requests.`,
      );
    }
    if (name !== "requests" && handler !== undefined && typeof handler !== "function") {
      throw misuse("ERR_COUNTERSIGN_OPTIONS", `handlers.${name} must be a function.`);
    }
  }
  for (const [type, handler] of Object.entries(handlers.requests ?? {})) {
    if (typeof handler === "function" && type.endsWith("_request")) continue;
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `handlers.requests: ${type} must end in _request and have a function.`,
    );
  }
}
