// Whole Jupyter ends from Debian: ipykernel on a connection file of ours, with our client; jupyter_client's own client on the
// example's kernel, which hardens.

import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connectClient, createConnectionFile } from "countersign/jupyter";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { findPython, maySkip, required } from "../../peers/python.js";

const python = findPython("ipykernel", "jupyter_client");
const folder = mkdtempSync(join(tmpdir(), "jupyter-peers-"));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(maySkip(python))("Jupyter's own ends", { timeout: 120_000 }, () => {
  it.each(["tcp", "ipc"] as const)(
    "ipykernel binds the ports that were kept for it: %s",
    async (transport) => {
      const { path, connection, release } = await createConnectionFile({
        path: join(folder, `ipykernel-${transport}.json`),
        transport,
        signature_scheme: "hmac-sha512",
      });
      const ipykernel = spawn(required(python), ["-m", "ipykernel_launcher", "-f", path], {
        stdio: "ignore",
      });
      children.push(ipykernel);
      // Its clock began before ours: what it says from now on is what counts.
      const client = connectClient(connection, { socket: { receiveTimeout: 60_000 } });
      const { session, shell, iopub, control } = client;
      while (!(await client.heartbeat.ping({ timeout: 500 }).catch(() => 0)));
      release();
      // Its iopub says something of every request; once that is heard, the subscription is there.
      let subscribed = false;
      const first = iopub.receive().then(() => {
        subscribed = true;
      });
      while (!subscribed) {
        await shell.send(session.message("kernel_info_request"));
        await Promise.race([first, setTimeout(100)]);
      }
      const request = session.message("execute_request", {
        code: "print('hä'); 6 * 7",
        silent: false,
        store_history: true,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      });
      await shell.send(request);
      const heard: Record<string, unknown> = {};
      for (let idle = false; !idle; ) {
        const message = await iopub.receive();
        if (message.parent_header.msg_id !== request.header.msg_id) continue;
        heard[message.header.msg_type] = message.content;
        idle = message.content.execution_state === "idle";
      }
      expect(heard).toMatchObject({
        stream: { text: "hä\n" },
        execute_result: { data: { "text/plain": "42" } },
      });
      let reply = await shell.receive();
      while (reply.parent_header.msg_id !== request.header.msg_id) reply = await shell.receive();
      expect(reply.content.status).toBe("ok");
      expect(reply.origin).toBeUndefined();
      await control.send(session.message("shutdown_request", { restart: false }));
      expect((await control.receive()).header.msg_type).toBe("shutdown_reply");
      client.close();
    },
  );

  it("jupyter_client's BlockingKernelClient on a kernel of ours", async () => {
    const { path, release } = await createConnectionFile({ path: join(folder, "ours.json") });
    const program = fileURLToPath(new URL("../../../.build/examples/jupyter/kernel.js", import.meta.url));
    const kernel = fork(program, [path], { stdio: "ignore" });
    children.push(kernel);
    await once(kernel, "message");
    release();
    const script = join(folder, "client.py");
    writeFileSync(
      script,
      `import sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=60)
shown = []
reply = client.execute_interactive("print('hi'); 6 * 7", timeout=60, output_hook=lambda message: shown.append(message))
print(reply["content"]["status"], client.hb_channel.is_beating())
print([m["content"].get("text") or m["content"]["data"]["text/plain"] for m in shown if m["msg_type"] in ("stream", "execute_result")])
client.shutdown()
client.stop_channels()
`,
    );
    const { stdout } = await promisify(execFile)(required(python), ["-W", "ignore", script, path], {
      timeout: 100_000,
    });
    expect(stdout).toBe("ok True\n['hi\\n', '42']\n");
    if (kernel.exitCode === null) await once(kernel, "exit");
  });
});
