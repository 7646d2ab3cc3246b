// The kernel kit, asked by the client kit: what each message comes to, in which order.

import {
  type Cell,
  type ExecuteRequest,
  ExecutionError,
  Kernel,
  KernelClient,
  type KernelOptions,
  type ReceivedMessage,
} from "countersign/jupyter";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { deferred, pair, saidOf } from "./pair.js";

/** Runs cells whose code names what they do. */
const PROGRAMS: Record<string, (cell: Cell, request: ExecuteRequest) => unknown> = {
  value: () => ({ data: { "text/plain": "42" }, metadata: { wide: true } }),
  nothing: () => undefined,
  streams(cell) {
    for (let n = 0; n < 1000; n++) cell.stream("stdout", `${n}\n`);
    cell.stream("stderr", "oh");
    cell.stream("stdout", "last");
  },
  displays(cell) {
    cell.display({ "text/html": "<b>1</b>" }, { id: "d", metadata: { m: 1 }, buffers: [Buffer.from("raw")] });
    cell.updateDisplay("d", { "text/html": "<b>2</b>" });
    cell.clearOutput({ wait: true });
    cell.page({ "text/plain": "page" });
  },
  fails() {
    throw new TypeError("no");
  },
  failsOddly() {
    throw null;
  },
  failsOwn() {
    throw new ExecutionError("Odd", "text", ["line 1", "line 2"]);
  },
};

const run = ({ code }: ExecuteRequest, cell: Cell) =>
  PROGRAMS[code]!(cell, { code } as ExecuteRequest) as undefined;

describe("execute", () => {
  it("busy, input, result, idle; the reply counts", async () => {
    const { client, heard } = await pair({ handlers: { execute: run } });
    const execution = client.execute("value");
    expect(await execution.outputs()).toEqual([
      {
        type: "execute_result",
        executionCount: 1,
        data: { "text/plain": "42" },
        metadata: { wide: true },
        displayId: undefined,
      },
    ]);
    expect(await execution.reply).toMatchObject({ status: "ok", executionCount: 1, payload: [] });
    expect(saidOf(heard, execution.id)).toEqual(["busy", "execute_input", "execute_result", "idle"]);
    expect((await client.execute("nothing").reply).executionCount).toBe(2);
  });

  it("what is written to a stream in one turn leaves as one message, in order with the rest", async () => {
    const { client } = await pair({ handlers: { execute: run } });
    const outputs = await client.execute("streams").outputs();
    expect(outputs).toEqual([
      { type: "stream", name: "stdout", text: Array.from({ length: 1000 }, (_, n) => `${n}\n`).join("") },
      { type: "stream", name: "stderr", text: "oh" },
      { type: "stream", name: "stdout", text: "last" },
    ]);
  });

  it("displays, updates, clears, pages", async () => {
    const { client } = await pair({ handlers: { execute: run } });
    const execution = client.execute("displays");
    const [shown, updated, cleared] = await execution.outputs();
    expect(shown).toMatchObject({ type: "display_data", displayId: "d", metadata: { m: 1 } });
    expect(shown).toMatchObject({ buffers: [Buffer.from("raw")] });
    expect(updated).toMatchObject({
      type: "update_display_data",
      displayId: "d",
      data: { "text/html": "<b>2</b>" },
    });
    expect(cleared).toEqual({ type: "clear_output", wait: true });
    expect((await execution.reply).payload).toEqual([
      { source: "page", data: { "text/plain": "page" }, start: 0 },
    ]);
  });

  it.each([
    ["fails", "TypeError", "no", /kernel\.test/],
    ["failsOddly", "Error", "null", /Thrown: null/],
    ["failsOwn", "Odd", "text", /^line 1\nline 2$/],
  ])("%s: the error is shown and replied", async (code, ename, evalue, traceback) => {
    const { client } = await pair({ handlers: { execute: run } });
    const execution = client.execute(code);
    const [error] = await execution.outputs();
    expect(error).toMatchObject({ type: "error", ename, evalue });
    const reply = await execution.reply;
    expect(reply).toMatchObject({ status: "error", ename, evalue });
    expect(reply.traceback?.join("\n")).toMatch(traceback);
  });

  it("an error aborts what is queued behind it, but not where stop_on_error is false", async () => {
    const { client, kernel } = await pair({ handlers: { execute: run } });
    const statuses = async (stopOnError: boolean) => {
      const executions = ["nothing", "fails", "nothing", "nothing"].map((code) =>
        client.execute(code, { stopOnError }),
      );
      const replies = await Promise.all(executions.map(({ reply }) => reply));
      return replies.map(({ status }) => status);
    };
    expect(await statuses(true)).toEqual(["ok", "error", "aborted", "aborted"]);
    expect(kernel.stats.aborted).toBe(2);
    expect(await statuses(false)).toEqual(["ok", "error", "ok", "ok"]);
    expect((await client.execute("nothing").reply).status).toBe("ok");
  });

  it("silent: nothing is shown, counted or remembered", async () => {
    const { client, heard } = await pair({ handlers: { execute: run } });
    const execution = client.execute("streams", { silent: true });
    expect(await execution.outputs()).toEqual([]);
    expect((await execution.reply).executionCount).toBe(0);
    expect(saidOf(heard, execution.id)).toEqual(["busy", "idle"]);
    await client.execute("value", { silent: true }).reply;
    await client.execute("value", { storeHistory: false }).reply;
    expect(await client.history({ tail: 10 })).toEqual([]);
  });

  it("user expressions: values, errors, and a kernel that has none", async () => {
    const evaluate = (expression: string) => {
      if (expression === "bad") throw new RangeError("out");
      return { data: { "text/plain": expression } };
    };
    const { client } = await pair({ handlers: { execute: run, evaluate } });
    const userExpressions = { a: "1", b: "bad" };
    const { userExpressions: values } = await client.execute("nothing", { userExpressions }).reply;
    expect(values).toMatchObject({
      a: { status: "ok", data: { "text/plain": "1" } },
      b: { status: "error", ename: "RangeError" },
    });
    const none = await pair();
    const said = await none.client.execute("", { userExpressions: { a: "1" } }).reply;
    expect(said.userExpressions).toMatchObject({ a: { status: "error" } });
  });
});

describe("stdin, interrupts and control", () => {
  it("asks the client whose code runs, with or without password", async () => {
    const execute = async (_: ExecuteRequest, cell: Cell) => ({
      data: { "text/plain": (await cell.input("name? ")) + (await cell.input("word? ", { password: true })) },
    });
    const { client } = await pair({ handlers: { execute } });
    const asked: unknown[] = [];
    const input = (prompt: string, about: object) => asked.push([prompt, about]).toString();
    expect(await client.execute("", { input }).outputs()).toMatchObject([{ data: { "text/plain": "12" } }]);
    expect(asked).toEqual([
      ["name? ", { password: false }],
      ["word? ", { password: true }],
    ]);
    expect(await client.execute("").reply).toMatchObject({
      status: "error",
      ename: "StdinNotImplementedError",
    });
  });

  it("an input callback that throws ends its execution, and the kernel goes on", async () => {
    const execute = async (_: ExecuteRequest, cell: Cell) => ({ data: { "text/plain": await cell.input() } });
    const { client } = await pair({ handlers: { execute } });
    const input = () => {
      throw new Error("nobody here");
    };
    await expect(client.execute("", { input }).reply).rejects.toThrow("nobody here");
    expect((await client.execute("", { input: () => "x" }).reply).status).toBe("ok");
  });

  it("serves control, and interrupts, while shell is busy", async () => {
    const started = deferred();
    let told = 0;
    const execute = (_: ExecuteRequest, { signal }: Cell) => {
      started.resolve();
      return new Promise<undefined>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    const { client, heard } = await pair({ handlers: { execute, interrupt: () => void told++ } });
    const execution = client.execute("forever");
    const queued = client.execute("behind it");
    await started.promise;
    const info = await client.request("kernel_info_request", {}, { channel: "control" });
    const { msg_id: id } = info.parent_header;
    await vi.waitFor(() => expect(saidOf(heard, id as string)).toEqual(["busy", "idle"]), 20_000);
    await client.interrupt();
    expect(await execution.reply).toMatchObject({ status: "error", ename: "KeyboardInterrupt" });
    expect((await queued.reply).status).toBe("aborted");
    expect(told).toBe(1);
  });

  it("an interrupt ends a question to the user; a late answer is stale", async () => {
    const asked = deferred();
    const answer = deferred<string>();
    const execute = async (_: ExecuteRequest, cell: Cell) => ({ data: { "text/plain": await cell.input() } });
    const { client, kernel } = await pair({ handlers: { execute } });
    const input = () => {
      asked.resolve();
      return answer.promise;
    };
    const execution = client.execute("", { input });
    await asked.promise;
    await client.interrupt();
    expect(await execution.reply).toMatchObject({ ename: "KeyboardInterrupt" });
    answer.resolve("too late");
    const next = client.execute("", { input: () => "in time" });
    expect(await next.outputs()).toMatchObject([{ data: { "text/plain": "in time" } }]);
    expect(kernel.stats.staleAnswers).toBe(1);
  });

  it.each([true, false])("shutdown, restart: %s: replied, told to all, then it ends", async (restart) => {
    const told: boolean[] = [];
    const { client, kernel, connection } = await pair({
      handlers: { shutdown: (again) => void told.push(again) },
    });
    const heard: ReceivedMessage[] = [];
    const broadcast = deferred<ReceivedMessage>();
    const another = await KernelClient.connect(connection, {
      onMessage(message) {
        heard.push(message);
        if (message.header.msg_type === "shutdown_reply") broadcast.resolve(message);
      },
    });
    onTestFinished(() => another.close());
    await client.shutdown({ restart });
    expect(await kernel.ended).toEqual({ restart });
    expect(told).toEqual([restart]);
    const { content, parent_header } = await broadcast.promise;
    expect(content).toEqual({ status: "ok", restart });
    expect(saidOf(heard, parent_header.msg_id as string).slice(0, 2)).toEqual(["busy", "shutdown_reply"]);
  });
});

describe("the other questions", () => {
  it("complete and inspect: cursors in UTF-16 units here, code points on the wire", async () => {
    const seen: unknown[] = [];
    const { client } = await pair({
      handlers: {
        complete: (request) => {
          seen.push(request);
          return { matches: ["abc"], start: request.cursor - 1, end: request.cursor };
        },
        inspect: (request) => {
          seen.push(request);
          return request.detail === 1 ? { data: { "text/plain": "doc" } } : undefined;
        },
      },
    });
    expect(await client.complete("😀a b", 3)).toMatchObject({ matches: ["abc"], start: 2, end: 3 });
    expect(await client.inspect("😀a", 3, 1)).toEqual({ data: { "text/plain": "doc" }, metadata: {} });
    expect(await client.inspect("😀a")).toBeUndefined();
    expect(seen).toMatchObject([{ cursor: 3 }, { cursor: 3, detail: 1 }, { cursor: 3, detail: 0 }]);
    const { content } = await client.request("complete_request", { code: "😀a b", cursor_pos: 2 });
    expect(content).toMatchObject({ cursor_start: 1, cursor_end: 2 });
  });

  it("is_complete, with and without indent", async () => {
    const { client } = await pair({
      handlers: {
        isComplete: (code) => (code === "{" ? { status: "incomplete", indent: "  " } : "complete"),
      },
    });
    expect(await client.isComplete("{")).toEqual({ status: "incomplete", indent: "  " });
    expect(await client.isComplete("1")).toEqual({ status: "complete", indent: "" });
  });

  it("history: tail, range, search, outputs", async () => {
    const { client } = await pair({
      handlers: { execute: ({ code }) => ({ data: { "text/plain": `<${code}>` } }) },
    });
    for (const code of ["let a", "b", "let c", "b"]) await client.execute(code).reply;
    const inputs = async (which: Parameters<typeof client.history>[0]) =>
      (await client.history(which)).map(({ line, input }) => `${line} ${input}`);
    expect(await inputs({ tail: 2 })).toEqual(["3 let c", "4 b"]);
    expect(await inputs({ start: 1, stop: 3 })).toEqual(["1 let a", "2 b"]);
    expect(await inputs({ session: 7 })).toEqual([]);
    expect(await inputs({ pattern: "let ?" })).toEqual(["1 let a", "3 let c"]);
    expect(await inputs({ pattern: "*", unique: true })).toEqual(["1 let a", "3 let c", "4 b"]);
    expect(await inputs({ pattern: "*", n: 1 })).toEqual(["4 b"]);
    expect(await client.history({ tail: 1, output: true })).toEqual([
      { session: 1, line: 4, input: "b", output: "<b>" },
    ]);
  });

  it("what handlers leave out is answered all the same", async () => {
    const { client, connection } = await pair();
    expect(await client.complete("ab", 1)).toEqual({ matches: [], start: 1, end: 1, metadata: {} });
    expect(await client.inspect("ab")).toBeUndefined();
    expect(await client.isComplete("ab")).toMatchObject({ status: "unknown" });
    expect(await client.history({ tail: 1 })).toEqual([]);
    expect(await client.commInfo()).toEqual({});
    expect(await client.kernelInfo()).toMatchObject({
      status: "ok",
      language_info: { name: "text", file_extension: ".txt" },
      help_links: [],
    });
    const { content } = await client.request("connect_request");
    expect(content).toMatchObject({ status: "ok", shell_port: connection.shell_port });
  });

  it("requests of other types: the author's, and those that nobody knows", async () => {
    const { client, kernel } = await pair({
      handlers: { requests: { debug_request: ({ content }) => ({ success: true, seq: content.seq }) } },
    });
    const debug = await client.request("debug_request", { seq: 3 }, { channel: "control" });
    expect(debug).toMatchObject({ header: { msg_type: "debug_reply" }, content: { success: true, seq: 3 } });
    const unknown = await client.request("frobnicate_request");
    expect(unknown).toMatchObject({ header: { msg_type: "frobnicate_reply" }, content: { status: "error" } });
    expect(kernel.stats.refused).toBe(1);
  });
});

describe("contents that cannot be", () => {
  it.each([
    ["execute_request", {}],
    ["execute_request", { code: 7 }],
    ["execute_request", { code: "", silent: "yes" }],
    ["execute_request", { code: "", user_expressions: { a: 1 } }],
    ["complete_request", { code: "a", cursor_pos: "end" }],
    ["inspect_request", { cursor_pos: 1 }],
    ["is_complete_request", { code: null }],
    ["history_request", { hist_access_type: "everything" }],
    ["history_request", { hist_access_type: "tail", n: 1.5 }],
  ])("%s %j: refused with a reason, counted, and the kernel goes on", async (type, content) => {
    const { client, kernel } = await pair();
    const reply = await client.request(type, content);
    expect(reply.content).toMatchObject({ status: "error", ename: "BadRequest" });
    expect(kernel.stats.refused).toBe(1);
    expect((await client.execute("").reply).status).toBe("ok");
  });

  it("a result that cannot be written as a message is an error of the reply", async () => {
    const { client } = await pair({ handlers: { requests: { odd_request: () => ({ big: 1n }) } } });
    expect((await client.request("odd_request")).content).toMatchObject({ status: "error" });
    expect((await client.execute("").reply).status).toBe("ok");
  });

  it("an output that cannot be written is counted", async () => {
    const execute = (_: ExecuteRequest, cell: Cell) => void cell.display({ "text/plain": 1n }) as undefined;
    const { client, kernel } = await pair({ handlers: { execute } });
    expect((await client.execute("").reply).status).toBe("ok");
    expect(kernel.stats.dropped).toBe(1);
  });
});

describe("the author is told", () => {
  it.each([
    [{}, /needs a handler that runs code/],
    [{ handlers: {} }, /needs a handler that runs code/],
    [{ handlers: { execute() {}, exceute() {} } }, /There is no handler exceute/],
    [{ handlers: { execute() {}, complete: 7 } }, /handlers.complete must be a function/],
    [{ handlers: { execute() {}, requests: { debug() {} } } }, /must end in _request/],
    [{ handlers: { execute() {} }, comms: { t: 7 } }, /Comm target t must be a function/],
  ])("%j", (options, message) => {
    expect(() => new Kernel(options as unknown as KernelOptions)).toThrow(message);
  });

  it("no connection file; bound twice", async () => {
    await expect(new Kernel({ handlers: { execute: run } }).run(undefined)).rejects.toThrow(
      /connection file/,
    );
    const { kernel, connection } = await pair();
    await expect(kernel.bind(connection)).rejects.toThrow(/bound once/);
  });
});
