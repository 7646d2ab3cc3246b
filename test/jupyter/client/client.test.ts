// The client kit against kernels that behave badly: that answer late, never, or with garbage, that die, that are not there.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bindKernel,
  createConnectionFile,
  type Dict,
  KernelClient,
  type KernelClientOptions,
  type KernelSockets,
  type ReceivedMessage,
} from "countersign/jupyter";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { deferred, pair } from "../kernel/pair.js";

type Behave = (kernel: KernelSockets, request: ReceivedMessage) => Promise<unknown> | unknown;

/** A kernel made of sockets, which answers kernel_info well and everything else as it likes. */
async function rude(behave: Behave, options: KernelClientOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "client-"));
  const { connection, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
  const kernel = await bindKernel(connection);
  release();
  const serve = async (channel: "shell" | "control") => {
    for await (const request of kernel[channel]) {
      if (request.header.msg_type !== "kernel_info_request") await behave(kernel, request);
      else await kernel[channel].send(kernel.session.reply(request, { status: "ok" }), request);
    }
  };
  void serve("shell");
  void serve("control");
  const client = await KernelClient.connect(connection, options);
  onTestFinished(() => {
    client.close();
    kernel.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { client, kernel };
}

const publish = (kernel: KernelSockets, type: string, content: Dict, parent?: ReceivedMessage) =>
  kernel.iopub.send(kernel.session.message(type, content, { parent }));
const reply = (kernel: KernelSockets, request: ReceivedMessage, content: Dict) =>
  kernel.shell.send(kernel.session.reply(request, content), request);

describe("what belongs to an execution", () => {
  it("is what has it as its parent: replies and outputs of others, and in whatever order, change nothing", async () => {
    const { client } = await rude(async (kernel, request) => {
      const stranger = { ...request, header: { ...request.header, msg_id: "another" } };
      await publish(kernel, "status", { execution_state: "busy" }, request);
      await publish(kernel, "stream", { name: "stdout", text: "not mine" }, stranger);
      await publish(kernel, "status", { execution_state: "idle" }, stranger);
      await publish(kernel, "status", { execution_state: "idle" });
      await reply(kernel, stranger, { status: "error" });
      // The reply first, outputs and idle behind it: they come by different sockets.
      await reply(kernel, request, { status: "ok", execution_count: 5 });
      await reply(kernel, request, { status: "error" });
      await publish(kernel, "stream", { name: "stdout", text: "mine" }, request);
      await publish(kernel, "status", { execution_state: "idle" }, request);
      await publish(kernel, "stream", { name: "stdout", text: "too late" }, request);
    });
    const execution = client.execute("x");
    expect(await execution.outputs()).toEqual([{ type: "stream", name: "stdout", text: "mine" }]);
    expect(await execution.reply).toMatchObject({ status: "ok", executionCount: 5 });
    expect(execution.over).toBe(true);
  });

  it("an idle that was lost on the way is made up for by the next execution", async () => {
    let first: ReceivedMessage | undefined;
    const { client } = await rude(async (kernel, request) => {
      await reply(kernel, request, { status: "ok" });
      await publish(kernel, "status", { execution_state: "busy" }, request);
      if (first !== undefined) await publish(kernel, "status", { execution_state: "idle" }, request);
      first ??= request;
    });
    const [one, two] = [client.execute("1"), client.execute("2")];
    expect((await two.reply).status).toBe("ok");
    expect((await one.reply).status).toBe("ok");
    expect(client.stats).toEqual({ pending: 0, unexpected: 0 });
  });

  it("who leaves the loop gets no more, and the reply all the same", async () => {
    const { client } = await pair({
      handlers: {
        execute(_, cell) {
          for (let n = 0; n < 5; n++) cell.display({ "text/plain": String(n) });
          return undefined;
        },
      },
    });
    const execution = client.execute("");
    for await (const output of execution) {
      expect(output).toMatchObject({ data: { "text/plain": "0" } });
      break;
    }
    expect((await execution.reply).status).toBe("ok");
    expect(await execution.outputs()).toEqual([]);
  });
});

describe("an execution that is looked at twice at a time", () => {
  it("both loops end with it, and each output is in one of them", async () => {
    const looking = deferred();
    const { client } = await pair({
      handlers: {
        async execute(_, cell) {
          await looking.promise;
          cell.display({ "text/plain": "1" });
          return undefined;
        },
      },
    });
    const execution = client.execute("");
    const both = [execution.outputs(), execution.outputs()];
    looking.resolve();
    expect((await Promise.all(both)).flat()).toMatchObject([{ data: { "text/plain": "1" } }]);
  });
});

describe("garbage with a good signature", () => {
  it("is made the best of, and ends nothing", async () => {
    const odd: Dict[] = [
      { name: 7, text: 7 },
      { data: 7, metadata: [], transient: null },
      { ename: {}, traceback: "no list" },
      {},
    ];
    const { client } = await rude(async (kernel, request) => {
      if (request.header.msg_type !== "execute_request") {
        await reply(kernel, request, {
          status: "ok",
          matches: 7,
          history: [7, [1, 2, null], [1, 2, "in"]],
          comms: [],
        });
        return;
      }
      for (const type of [
        "stream",
        "display_data",
        "execute_result",
        "error",
        "status",
        "nonsense",
        "comm_msg",
      ]) {
        for (const content of odd) await publish(kernel, type, content, request);
      }
      await reply(kernel, request, { status: {}, payload: [7], user_expressions: [], execution_count: "x" });
      await publish(kernel, "status", { execution_state: "idle" }, request);
    });
    const execution = client.execute("x");
    const outputs = await execution.outputs();
    expect(outputs).toHaveLength(12);
    expect(outputs.find(({ type }) => type === "error")).toEqual({
      type: "error",
      ename: "Error",
      evalue: "",
      traceback: [],
    });
    expect(await execution.reply).toMatchObject({ status: "aborted", payload: [{}], userExpressions: {} });
    expect((await execution.reply).executionCount).toBeUndefined();
    expect(await client.complete("ab")).toEqual({ matches: [], start: 2, end: 2, metadata: {} });
    expect(await client.history({ tail: 9 })).toEqual([
      { session: 1, line: 2, input: "in", output: undefined },
    ]);
    expect(await client.commInfo()).toEqual({});
    expect(await client.isComplete("x")).toEqual({ status: "unknown", indent: "" });
  });

  it("an error in answer to a question rejects it", async () => {
    const { client } = await rude((kernel, request) =>
      reply(kernel, request, { status: "error", ename: "Oops", evalue: "no" }),
    );
    await expect(client.complete("x")).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_REQUEST_FAILED",
      ename: "Oops",
      evalue: "no",
    });
  });
});

describe("no answer", () => {
  it("timeouts and signals end a call, and interrupt an execution", async () => {
    const { client } = await pair({
      handlers: {
        execute: (_, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          }),
        complete: () => new Promise(() => {}),
      },
    });
    await expect(client.execute("", { timeout: 50 }).reply).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_TIMEOUT",
    });
    const stop = new AbortController();
    const stopped = client.execute("", { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(stopped.reply).rejects.toThrow("enough");
    await expect(stopped.outputs()).rejects.toThrow("enough");
    await expect(client.complete("", 0, { timeout: 50 })).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_TIMEOUT",
    });
    await vi.waitFor(() => expect(client.stats.pending).toBe(0), 20_000);
  });

  it("nobody there: not ready in time", async () => {
    const folder = mkdtempSync(join(tmpdir(), "client-"));
    const { connection, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
    release();
    await expect(KernelClient.connect(connection, { timeout: 300 })).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_TIMEOUT",
    });
    rmSync(folder, { recursive: true });
  });

  it("a kernel whose heart stops: every call that waits rejects, and those after it", async () => {
    const { client, kernel } = await rude(() => {}, { deadAfter: 500 });
    const deaths: unknown[] = [];
    const waiting = [
      client.execute("x").reply,
      client.execute("x").outputs(),
      client.complete("x"),
      client.interrupt(),
    ];
    kernel.close();
    for (const each of waiting) {
      await expect(each.catch((error) => deaths.push(error.code))).resolves.toBeDefined();
    }
    expect(deaths).toEqual(Array(4).fill("ERR_COUNTERSIGN_KERNEL_DIED"));
    expect(client.state).toBe("dead");
    await expect(client.complete("x")).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_KERNEL_DIED" });
    await expect(client.execute("x").reply).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_KERNEL_DIED" });
  });

  it("a client that is closed: every call rejects", async () => {
    const { client } = await rude(() => {});
    const waiting = [client.execute("x").reply, client.request("x_request")];
    client.close();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_CLOSED" });
    await expect(client.request("x_request")).rejects.toMatchObject({ code: "ERR_COUNTERSIGN_CLOSED" });
  });
});

describe("heartbeats of a kernel of the kit", () => {
  const PROGRAM = `
    const { Kernel } = await import(process.argv[2]);
    const kernel = new Kernel({ handlers: { execute() { process.send("busy"); for (;;); } } });
    await kernel.run(process.argv[3]);`;

  it("do not keep a process from exiting", async () => {
    const folder = mkdtempSync(join(tmpdir(), "exit-"));
    const { connection, path, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
    const program = join(folder, "kernel.mjs");
    writeFileSync(program, PROGRAM.replace("for (;;);", "process.exit(3);"));
    const built = new URL("../../../dist/jupyter/index.js", import.meta.url).href;
    const child = fork(program, [built, path]);
    const client = await KernelClient.connect(connection, { deadAfter: false });
    onTestFinished(() => {
      client.close();
      release();
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    });
    const execution = client.execute("");
    expect(await once(child, "exit")).toEqual([3, null]);
    expect(execution.over).toBe(false);
  });

  it("are answered while code runs synchronously", async () => {
    const folder = mkdtempSync(join(tmpdir(), "busy-"));
    const { connection, path, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
    const program = join(folder, "kernel.mjs");
    writeFileSync(program, PROGRAM);
    const built = new URL("../../../dist/jupyter/index.js", import.meta.url).href;
    const child: ChildProcess = fork(program, [built, path]);
    onTestFinished(() => {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    });
    const client = await KernelClient.connect(connection);
    onTestFinished(() => client.close());
    release();
    const busy = once(child, "message");
    const execution = client.execute("");
    await busy;
    for (let n = 0; n < 3; n++)
      expect(await client.sockets.heartbeat.ping({ timeout: 20_000 })).toBeGreaterThan(0);
    expect(execution.over).toBe(false);
  });
});
