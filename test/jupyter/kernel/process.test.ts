// A kernel and a client as programs: signals, an end before the beginning, and what is left when all is closed.

import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnectionFile, Kernel, KernelClient } from "countersign/jupyter";
import { expect, it, onTestFinished, vi } from "vitest";

const BUILT = new URL("../../../dist/jupyter/index.js", import.meta.url).href;

/** A connection file, and a program that is given its path. */
async function programOf(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "process-"));
  const { connection, path, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
  const program = join(folder, "program.mjs");
  writeFileSync(
    program,
    `import { Kernel, KernelClient } from ${JSON.stringify(BUILT)}; const path = process.argv[2];\n${text}`,
  );
  onTestFinished(() => {
    release();
    rmSync(folder, { recursive: true, force: true });
  });
  const start = () => {
    const child = fork(program, [path]);
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  };
  return { connection, release, start };
}

it("an interrupt handler that fails ends no kernel", async () => {
  const { connection, start } = await programOf(`
    const interrupt = () => { process.send("asked"); throw new Error("no"); };
    await new Kernel({ handlers: { execute() {}, interrupt } }).run(path);`);
  const child = start();
  const client = await KernelClient.connect(connection);
  onTestFinished(() => client.close());
  const asked = once(child, "message");
  child.kill("SIGINT");
  await asked;
  expect((await client.execute("").reply).status).toBe("ok");
});

it("a kernel that is closed while it is bound lets go of its ports", async () => {
  const { connection, release } = await programOf("");
  release();
  const kernel = new Kernel({ handlers: { execute: () => undefined } });
  const running = kernel.run(connection);
  kernel.close();
  expect(await running).toEqual({ restart: false });
  expect(kernel.sockets).toBeUndefined();
  // ZeroMQ lets go of them a little later.
  await vi.waitFor(async () => {
    const next = new Kernel({ handlers: { execute: () => undefined } });
    onTestFinished(() => next.close());
    await next.bind(connection);
  }, 20_000);
});

it("no timer is left that keeps a closed client's process alive", async () => {
  const { start } = await programOf(`
    const kernel = new Kernel({ handlers: { execute() {} } });
    await kernel.bind(path);
    const client = await KernelClient.connect(path);
    await client.execute("").reply;
    client.close();
    kernel.close();
    setImmediate(() => process.send(process.getActiveResourcesInfo().filter((name) => name === "Timeout")));`);
  const [left] = await once(start(), "message");
  expect(left).toEqual([]);
});
