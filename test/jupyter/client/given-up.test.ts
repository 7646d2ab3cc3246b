// Executions that were given up: what the kernel does with them is nobody else's harm.

import type { Cell, ReceivedMessage } from "countersign/jupyter";
import { describe, expect, it } from "vitest";
import type { Execution } from "../../../src/jupyter/client/execution.js";
import { GivenUp } from "../../../src/jupyter/client/given-up.js";
import { deferred, pair } from "../kernel/pair.js";

const aborted = ({ signal }: Cell) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

describe("an execution that was given up", () => {
  it.each(["timeout", "signal"])("by a %s: the next one is executed, not aborted with it", async (how) => {
    const begun = deferred();
    const interrupted = deferred();
    const mayEnd = deferred();
    const { client, kernel } = await pair({
      handlers: {
        async execute({ code }, cell) {
          if (code === "next") return;
          begun.resolve();
          await aborted(cell).catch(() => mayEnd.promise);
          throw new Error("interrupted");
        },
        interrupt: () => interrupted.resolve(),
      },
    });
    const stop = new AbortController();
    const options = how === "timeout" ? { timeout: 500 } : { signal: stop.signal };
    const given = client.execute("long", options);
    await begun.promise;
    if (how === "signal") stop.abort(new Error("enough"));
    await expect(given.reply).rejects.toThrow(how === "timeout" ? /not answered/ : "enough");
    const next = client.execute("next");
    const another = client.execute("next");
    await interrupted.promise;
    // What was sent before is in front of the kernel when it answers this.
    await client.request("kernel_info_request", {}, { channel: "control" });
    mayEnd.resolve();
    expect((await next.reply).status).toBe("ok");
    expect((await another.reply).executionCount).toBe(3);
    expect(kernel.stats.aborted).toBe(0);
  });

  it("before it was sent: it never is, and nothing is interrupted", async () => {
    const ran: string[] = [];
    const { client } = await pair({
      handlers: {
        execute: ({ code }) => void ran.push(code) as undefined,
        interrupt: () => void ran.push("interrupt"),
      },
    });
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(client.execute("given up", { signal }).reply).rejects.toThrow("enough");
    await expect(client.complete("", 0, { signal })).rejects.toThrow("enough");
    expect((await client.execute("next").reply).status).toBe("ok");
    // Control is beside shell, and in order: an interrupt would have come before this.
    await client.request("kernel_info_request", {}, { channel: "control" });
    expect(ran).toEqual(["next"]);
  });

  it("while it waits behind another: that one is not interrupted, and it is itself when it begins", async () => {
    const begun = deferred();
    const mayEnd = deferred();
    const ends: string[] = [];
    const { client } = await pair({
      handlers: {
        async execute({ code }, cell) {
          begun.resolve();
          if (code === "first") await Promise.race([mayEnd.promise, aborted(cell)]);
          if (code === "second") await aborted(cell).catch(() => ends.push("second was interrupted"));
        },
      },
    });
    const first = client.execute("first");
    await begun.promise;
    const stop = new AbortController();
    const second = client.execute("second", { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(second.reply).rejects.toThrow("enough");
    const third = client.execute("third");
    await client.request("kernel_info_request", {}, { channel: "control" });
    mayEnd.resolve();
    expect((await first.reply).status).toBe("ok");
    expect((await third.reply).status).toBe("ok");
    expect(ends).toEqual(["second was interrupted"]);
  });

  it("by a kernel that goes on for ever: the next one is sent after a while, and waits for its turn", async () => {
    const begun = deferred();
    const mayEnd = deferred();
    const { client } = await pair({
      handlers: {
        async execute({ code }) {
          if (code === "next") return;
          begun.resolve();
          await mayEnd.promise;
        },
      },
    });
    const stop = new AbortController();
    const given = client.execute("deaf", { signal: stop.signal });
    await begun.promise;
    stop.abort(new Error("enough"));
    await expect(given.reply).rejects.toThrow("enough");
    const next = client.execute("next");
    const sent = client.sockets.shell.stats.sent;
    await expect.poll(() => client.sockets.shell.stats.sent, { timeout: 60_000 }).toBe(sent + 1);
    mayEnd.resolve();
    expect((await next.reply).status).toBe("ok");
  });

  it("while its user is asked: a callback that throws later interrupts nobody", async () => {
    const asked = deferred();
    const begun = deferred();
    const mayEnd = deferred();
    const refused = deferred();
    const { client } = await pair({
      handlers: {
        async execute({ code }, cell) {
          if (code === "ask") await cell.input();
          begun.resolve();
          await Promise.race([mayEnd.promise, aborted(cell)]);
          return undefined;
        },
      },
    });
    const stop = new AbortController();
    const input = async () => {
      asked.resolve();
      await refused.promise;
      throw new Error("cancelled");
    };
    const given = client.execute("ask", { signal: stop.signal, input });
    await asked.promise;
    stop.abort(new Error("enough"));
    await expect(given.reply).rejects.toThrow("enough");
    const next = client.execute("next");
    await begun.promise;
    refused.resolve();
    await refused.promise;
    // Control is in order: an interrupt would have come before this.
    await new Promise((resolve) => setImmediate(resolve));
    await client.request("kernel_info_request", {}, { channel: "control" });
    mayEnd.resolve();
    expect((await next.reply).status).toBe("ok");
  });
});

it("an interrupt that came too early is sent again, and what is next waits until both were heard", async () => {
  const told: (() => void)[] = [];
  const interrupt = () => new Promise<void>((resolve) => told.push(resolve));
  const givenUp = new GivenUp({ interrupt, isBusy: () => false });
  const heard = (msg_type: string, content = {}) =>
    ({ header: { msg_type }, content, parent_header: { msg_id: "1" } }) as unknown as ReceivedMessage;
  givenUp.add({ id: "1", begun: true, replied: false, idling: false } as Execution, false);
  expect(told).toHaveLength(1);
  const sent = deferred();
  let isSent = false;
  givenUp.after(() => {
    isSent = true;
    sent.resolve();
  });
  givenUp.hear(heard("execute_input"));
  expect(told).toHaveLength(2);
  givenUp.hear(heard("stream"));
  expect(told).toHaveLength(2);
  givenUp.take(heard("execute_reply"));
  givenUp.hear(heard("status", { execution_state: "idle" }));
  told[0]?.();
  await new Promise(setImmediate);
  expect(isSent).toBe(false);
  told[1]?.();
  await sent.promise;
});
