// A kernel in Jupyter's own format, hardened for clients that understand it: signed shell and iopub, control, heartbeat. Any
// Jupyter client can use it: `jupyter console --existing FILE`. Beside it: ../kernel/kernel.ts, the same in Countersign's.
import { createContext, runInContext } from "node:vm";
import { bindKernel, type ReceivedMessage, readConnectionFile } from "countersign/jupyter";

const kernel = await bindKernel(readConnectionFile(process.argv[2] as string));
const { session, shell, iopub, control } = kernel;
process.send?.("bound");

let execution_count = 0;
const printed: string[] = [];
const context = createContext({ print: (text: unknown) => printed.push(String(text)) });

async function execute(request: ReceivedMessage): Promise<object> {
  const publish = (type: string, content: object) =>
    iopub.send(session.message(type, { ...content }, { parent: request }));
  const code = String(request.content.code);
  execution_count++;
  await publish("execute_input", { code, execution_count });
  try {
    const value: unknown = runInContext(code, context, { timeout: 1000 });
    for (const text of printed.splice(0)) await publish("stream", { name: "stdout", text: `${text}\n` });
    await publish("execute_result", { execution_count, data: { "text/plain": String(value) }, metadata: {} });
    return { status: "ok", execution_count, payload: [], user_expressions: {} };
  } catch (error) {
    const failure = { ename: (error as Error).name, evalue: (error as Error).message, traceback: [] };
    await publish("error", failure);
    return { status: "error", execution_count, ...failure };
  }
}

const answers: Record<string, (request: ReceivedMessage) => object | Promise<object>> = {
  execute_request: execute,
  kernel_info_request: () => ({
    status: "ok",
    protocol_version: "5.4",
    implementation: "example",
    implementation_version: "1.0",
    language_info: {
      name: "javascript",
      version: process.version,
      mimetype: "text/javascript",
      file_extension: ".js",
    },
    banner: "A kernel on countersign/jupyter",
    help_links: [],
  }),
};

async function serve(): Promise<void> {
  for await (const request of shell) {
    const status = (execution_state: string) =>
      iopub.send(session.message("status", { execution_state }, { parent: request }));
    await status("busy");
    const answer = answers[request.header.msg_type];
    if (answer) await shell.send(session.reply(request, { ...(await answer(request)) }), request);
    await status("idle");
  }
}

async function untilShutdown(): Promise<void> {
  for await (const request of control) {
    if (request.header.msg_type !== "shutdown_request") continue;
    await control.send(session.reply(request, { status: "ok", restart: false }), request);
    return;
  }
}

void serve();
await untilShutdown();
kernel.close();
