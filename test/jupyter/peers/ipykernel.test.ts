// The client kit on ipykernel of Debian: started from its kernelspec, asked everything, interrupted, started again, killed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Comm,
  type CommMessage,
  KernelClient,
  type Output,
  type ReceivedMessage,
  type StartedKernel,
  startKernel,
} from "countersign/jupyter";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findPython, maySkip } from "../../peers/python.js";
import { deferred } from "../kernel/pair.js";

const python = findPython("ipykernel");
/** COUNTERSIGN_MANY=100 executes fewer. */
const MANY = Number(process.env.COUNTERSIGN_MANY ?? 10_000);
const AT_ONCE = 50;

describe.skipIf(maySkip(python))(
  "KernelClient on ipykernel (python3-ipykernel)",
  { timeout: 300_000 },
  () => {
    const home = mkdtempSync(join(tmpdir(), "ipykernel-"));
    // Histories and runtime files of its own.
    const env = { ...process.env, IPYTHONDIR: home, PYDEVD_DISABLE_FILE_VALIDATION: "1" };
    const targets: Record<string, (comm: Comm, opening: CommMessage) => void> = {};
    let kernel: StartedKernel;
    beforeAll(async () => {
      kernel = await startKernel("python3", {
        env,
        connection: { path: join(home, "kernel.json") },
        client: { comms: { view: (comm, opening) => targets.view?.(comm, opening) } },
      });
    }, 120_000);
    afterAll(async () => {
      await kernel?.shutdown();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    });
    const run = async (code: string) => {
      const execution = kernel.client.execute(code);
      const outputs = await execution.outputs();
      return { outputs, reply: await execution.reply };
    };

    it("streams as they come, results, rich output, updates", async () => {
      const streams: Output[] = [];
      const execution = kernel.client.execute(
        "import sys\nprint('hä', flush=True)\nprint('oh', file=sys.stderr)\n6 * 7",
      );
      for await (const output of execution) streams.push(output);
      expect(streams).toEqual([
        { type: "stream", name: "stdout", text: "hä\n" },
        { type: "stream", name: "stderr", text: "oh\n" },
        {
          type: "execute_result",
          executionCount: 1,
          data: { "text/plain": "42" },
          metadata: {},
          displayId: undefined,
        },
      ]);
      expect(await execution.reply).toMatchObject({ status: "ok", executionCount: 1 });
      const { outputs } = await run(
        "from IPython.display import *\nh = display(HTML('<b>1</b>'), display_id='d')\nh.update(HTML('<b>2</b>'))\nclear_output(wait=True)",
      );
      expect(outputs).toMatchObject([
        { type: "display_data", data: { "text/html": "<b>1</b>" }, displayId: "d" },
        { type: "update_display_data", data: { "text/html": "<b>2</b>" }, displayId: "d" },
        { type: "clear_output", wait: true },
      ]);
    });

    it("errors, and what they abort", async () => {
      const executions = ["1 / 0", "2"].map((code) => kernel.client.execute(code));
      expect(await executions[0]!.outputs()).toMatchObject([{ type: "error", ename: "ZeroDivisionError" }]);
      expect(await Promise.all(executions.map(async ({ reply }) => (await reply).status))).toEqual([
        "error",
        "aborted",
      ]);
      // What comes before it is over is aborted as well, which on a busy machine may be what the next test asks.
      while ((await run("3")).reply.status === "aborted");
    });

    it("stdin", async () => {
      const asked: unknown[] = [];
      const input = (prompt: string, { password }: { password: boolean }) => {
        asked.push([prompt, password]);
        return "bob";
      };
      const code = "import getpass\n(input('name? '), getpass.getpass('word? '))";
      expect(await kernel.client.execute(code, { input }).outputs()).toMatchObject([
        { data: { "text/plain": "('bob', 'bob')" } },
      ]);
      expect(asked).toEqual([
        ["name? ", false],
        ["word? ", true],
      ]);
      expect((await kernel.client.execute("input()").reply).ename).toBe("StdinNotImplementedError");
    });

    it("complete, inspect, is_complete, history, user expressions, kernel_info", async () => {
      const { client } = kernel;
      expect((await client.complete("'😀'; impor")).matches).toContain("import");
      expect((await client.inspect("print"))?.data["text/plain"]).toMatch(/print/);
      expect(await client.inspect("no_such_name")).toBeUndefined();
      expect(await client.isComplete("def f():")).toEqual({ status: "incomplete", indent: "    " });
      await client.execute("x = 'remembered'").reply;
      expect((await client.history({ tail: 1 }))[0]?.input).toBe("x = 'remembered'");
      const { userExpressions } = await client.execute("", { userExpressions: { x: "x" } }).reply;
      expect(userExpressions).toMatchObject({ x: { status: "ok", data: { "text/plain": "'remembered'" } } });
      expect(await client.kernelInfo()).toMatchObject({ implementation: "ipython" });
    });

    it("a comm, opened from either end, with binary buffers both ways", async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
      await run(`
def echo(comm, opening):
    comm.on_msg(lambda message: comm.send(message["content"]["data"], buffers=message["buffers"]))
get_ipython().kernel.comm_manager.register_target("echo", echo)`);
      const heard = deferred<CommMessage>();
      const comm = await kernel.client.comms.open("echo", {}, { onMessage: heard.resolve });
      await comm.send({ n: 1 }, { buffers: [bytes, Buffer.from("two")] });
      const { data, buffers, unsignedBuffers } = await heard.promise;
      expect({ data, buffers, unsignedBuffers }).toEqual({
        data: { n: 1 },
        buffers: [bytes, Buffer.from("two")],
        unsignedBuffers: true,
      });
      expect(await kernel.client.commInfo("echo")).toEqual({ [comm.id]: "echo" });
      await comm.close();
      const opened = deferred<CommMessage>();
      const closed = deferred<CommMessage>();
      targets.view = (theirs, opening) => {
        theirs.onClose = closed.resolve;
        opened.resolve(opening);
      };
      await run(`
from ipykernel.comm import Comm
theirs = Comm(target_name="view", data={"from": "kernel"}, buffers=[b"\\x00\\xff"])
theirs.close()`);
      expect(await opened.promise).toMatchObject({
        data: { from: "kernel" },
        buffers: [Buffer.from([0, 255])],
      });
      await closed.promise;
    });

    it("interrupts a busy loop", async () => {
      const execution = kernel.client.execute("print('loop', flush=True)\nwhile True: pass");
      for await (const output of execution) {
        if (output.type === "stream") await kernel.interrupt();
      }
      expect(await execution.reply).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
      expect((await run("1 + 1")).reply.status).toBe("ok");
    });

    it(`${MANY} small executions: every one answered, every output there, in order, nothing lost`, async () => {
      let [done, next] = [0, 0];
      const worker = async () => {
        while (next < MANY) {
          const n = next++;
          // One in five shows its value; the others are silent, which is faster.
          const silent = n % 5 !== 0;
          const execution = kernel.client.execute(`${n}`, { storeHistory: false, silent });
          const values = (await execution.outputs()).map((output) =>
            output.type === "execute_result" ? output.data["text/plain"] : output.type,
          );
          if (values.join() !== (silent ? "" : `${n}`)) throw new Error(`${n} came to ${values}`);
          if ((await execution.reply).status === "ok") done++;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect(done).toBe(MANY);
      expect(kernel.client.stats).toEqual({ pending: 0, unexpected: 0 });
      for (const channel of ["shell", "iopub"] as const) {
        const { rejected } = kernel.client.sockets[channel].stats;
        expect(Object.values(rejected).reduce((sum, count) => sum + count, 0)).toBe(0);
      }
    });

    it("restart: calls that wait reject, declarations are gone, the client is the same", async () => {
      await run("kept = 1");
      const before = kernel.pid;
      const waiting = kernel.client.execute("import time; time.sleep(600)");
      const refused = expect(waiting.reply).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_KERNEL_DIED" });
      await kernel.restart();
      await refused;
      expect(kernel.pid).not.toBe(before);
      expect((await run("kept")).reply).toMatchObject({ ename: "NameError" });
    });

    it("death by SIGKILL: every call that waits rejects; it can be started again", async () => {
      const waiting = [
        kernel.client.execute("import os, signal, time; time.sleep(600)").reply,
        kernel.client.complete("x"),
        kernel.client.execute("1").outputs(),
      ];
      process.kill(kernel.pid as number, "SIGKILL");
      for (const each of waiting) await expect(each).rejects.toThrow(/ended by SIGKILL/);
      expect(kernel.pid).toBeUndefined();
      await expect(kernel.client.execute("1").reply).rejects.toMatchObject({
        code: "ERR_COUNTERSIGN_KERNEL_DIED",
      });
      await kernel.restart();
      expect((await run("1 + 1")).outputs).toMatchObject([{ data: { "text/plain": "2" } }]);
    });

    it("a shutdown is told to every client", async () => {
      const told = deferred<ReceivedMessage>();
      const another = await KernelClient.connect(join(home, "kernel.json"), {
        onMessage: (message) => message.header.msg_type === "shutdown_reply" && told.resolve(message),
      });
      await kernel.client.shutdown();
      expect((await told.promise).content).toMatchObject({ status: "ok", restart: false });
      another.close();
    });
  },
);
