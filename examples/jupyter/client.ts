// A client of kernel.ts: makes the connection file, starts the kernel in a process of its own, has it run cells, and shows
// results and output. Beside it: ../kernel/client.ts, the same in Countersign's own format.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectClient, createConnectionFile, type ReceivedMessage } from "countersign/jupyter";

const folder = mkdtempSync(join(tmpdir(), "jupyter-"));
const { path, connection, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
const kernel = fork(fileURLToPath(new URL("./kernel.js", import.meta.url)), [path]);
await once(kernel, "message"); // it has bound the ports that were kept for it
release();

const client = connectClient(connection, { require: "hardened", socket: { receiveTimeout: 30_000 } });
const { session, shell, iopub, control } = client;
await iopub.receive(); // iopub_welcome: from here on nothing is missed

for (const code of ["let x = 20; x + 1", 'print("twice " + x); x * 2', "nonsense("]) {
  console.log(`In : ${code}`);
  const request = session.message("execute_request", { code, silent: false, store_history: true });
  await shell.send(request);
  for (let idle = false; !idle; ) {
    const { header, content, parent_header } = await iopub.receive();
    if (parent_header.msg_id === request.header.msg_id) show(header.msg_type, content);
    idle = content.execution_state === "idle";
  }
  const reply = await shell.receive();
  console.log(`     ${reply.content.status}, message ${reply.origin?.sequence} of this kernel to me`);
}
console.log(`heartbeat: ${(await client.heartbeat.ping()) > 0}`);

await control.send(session.message("shutdown_request", { restart: false }));
await control.receive();
await once(kernel, "exit");
client.close();
rmSync(folder, { recursive: true });

function show(type: string, content: ReceivedMessage["content"]): void {
  const data = content.data as { "text/plain": string } | undefined;
  if (type === "execute_result") console.log(`Out: ${data?.["text/plain"]}`);
  if (type === "stream") console.log(`iopub: ${String(content.text).trim()}`);
  if (type === "error") console.log(`Err: ${content.evalue}`);
}
