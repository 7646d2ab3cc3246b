// The contents of replies to all requests but those for execution (Jupyter messaging, "Messages on the shell channel").

import { toPoints } from "../code-points.js";
import type { Comms } from "../comm.js";
import { type ConnectionInfo, PORTS } from "../connection.js";
import type { Dict, ReceivedMessage } from "../message.js";
import type { Completeness } from "./contents.js";
import type { KernelHandlers } from "./handlers.js";
import type { InputHistory } from "./input-history.js";
import { readCode, readDetail, readHistory, text } from "./requests.js";

/** What answers are made from. */
export interface AnswerSources {
  readonly handlers: KernelHandlers;
  readonly history: InputHistory;
  readonly comms: Comms;
  /** The content of `kernel_info_reply`. */
  readonly info: Dict;
  readonly connection: ConnectionInfo;
}

type Answer = (message: ReceivedMessage, sources: AnswerSources) => Dict | Promise<Dict>;

const ANSWERS: Readonly<Record<string, Answer>> = {
  kernel_info_request: (_, { info }) => info,
  connect_request: (_, { connection }) =>
    ok(Object.fromEntries(PORTS.map((channel) => [`${channel}_port`, connection[`${channel}_port`]]))),
  comm_info_request: ({ content }, { comms }) =>
    ok({ comms: comms.info(typeof content.target_name === "string" ? content.target_name : undefined) }),
  complete_request: async (message, { handlers }) => {
    const request = readCode(message.content);
    const found = await handlers.complete?.(request, { message });
    const { matches = [], start = request.cursor, end = request.cursor, metadata = {} } = found ?? {};
    return ok({
      matches: [...matches],
      cursor_start: toPoints(request.code, start),
      cursor_end: toPoints(request.code, end),
      metadata,
    });
  },
  inspect_request: async (message, { handlers }) => {
    const request = { ...readCode(message.content), detail: readDetail(message.content) };
    const found = await handlers.inspect?.(request, { message });
    return ok({ found: !!found, data: found?.data ?? {}, metadata: found?.metadata ?? {} });
  },
  is_complete_request: async (message, { handlers }) => {
    const code = text(message.content, "code");
    const said = (await handlers.isComplete?.(code, { message })) ?? "unknown";
    return completeness(said);
  },
  history_request: async (message, { handlers, history }) => {
    const request = readHistory(message.content);
    const entries = (await handlers.history?.(request, { message })) ?? history.find(request);
    return ok({
      history: entries.map(({ session, line, input, output }) => [
        session,
        line,
        request.output ? [input, output ?? null] : input,
      ]),
    });
  },
};

/** The reply's content; `undefined` for a request that this kernel does not know. */
export function answer(message: ReceivedMessage, sources: AnswerSources): Dict | Promise<Dict> | undefined {
  const { msg_type: type } = message.header;
  const { requests = {} } = sources.handlers;
  if (Object.hasOwn(requests, type)) return requests[type]!(message);
  return Object.hasOwn(ANSWERS, type) ? ANSWERS[type]!(message, sources) : undefined;
}

function ok(content: Dict): Dict {
  return { status: "ok", ...content };
}

function completeness(said: Completeness): Dict {
  if (typeof said === "object") return { status: said.status, indent: said.indent };
  return said === "incomplete" ? { status: said, indent: "" } : { status: said };
}
