// Kernels of one's own: started again twice at once, that cannot be started, and what is left when they or we end.

import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installKernelSpec, type StartOptions, startKernel } from "countersign/jupyter";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { deferred } from "../kernel/pair.js";

const BUILT = new URL("../../../dist/jupyter/index.js", import.meta.url).href;
const home = mkdtempSync(join(tmpdir(), "manager-"));
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
const env = { ...process.env, JUPYTER_DATA_DIR: home };
let runtimes = 0;

function install(name: string, argv: readonly string[]) {
  installKernelSpec(name, { argv, display_name: name, language: "x" }, { env });
}

const program = join(home, "kernel.mjs");
writeFileSync(
  program,
  `import { Kernel } from ${JSON.stringify(BUILT)};
  const kernel = new Kernel({ handlers: { execute() { return { data: { "text/plain": String(process.pid) } }; } } });
  await kernel.run(process.argv[2]);`,
);
install("plain", [process.execPath, program, "{connection_file}"]);
install("empty", [""]);

/** A kernel with its files in a folder of its own. */
async function start(name: string, { connection, ...options }: StartOptions = {}) {
  const runtime = join(home, `runtime-${++runtimes}`);
  const path = join(runtime, "kernel.json");
  const files = () => (existsSync(runtime) ? readdirSync(runtime) : []);
  const starting = startKernel(name, { env, connection: { path, ...connection }, ...options });
  const kernel = await starting.catch((error) => {
    throw Object.assign(error, { files: files() });
  });
  onTestFinished(() => kernel.shutdown({ grace: 0 }));
  return { kernel, files };
}

describe("startKernel", () => {
  it.each([
    ["an empty command", "empty", {}, /could not be started/],
    ["a working folder that is a file", "plain", { cwd: program }, /could not be started/],
    ["a working folder that is not there", "plain", { cwd: join(home, "nowhere") }, /no folder .*nowhere/],
  ])("%s: it could not be started, and nothing is left", async (_, name, options, why) => {
    await expect(start(name, options)).rejects.toMatchObject({
      code: "ERR_COUNTERSIGN_KERNEL_DIED",
      message: expect.stringMatching(why),
      files: [],
    });
  });

  it("started again by several at once: once, and none is left over", async () => {
    const deaths: Error[] = [];
    const { kernel } = await start("plain", { client: { onDead: (error) => deaths.push(error) } });
    const pids = [kernel.pid as number];
    await Promise.all([kernel.restart(), kernel.restart(), kernel.restart()]);
    pids.push(kernel.pid as number);
    expect(await kernel.client.execute("").outputs()).toMatchObject([
      { data: { "text/plain": String(kernel.pid) } },
    ]);
    await kernel.restart();
    pids.push(kernel.pid as number);
    await kernel.shutdown();
    expect(new Set(pids).size).toBe(3);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
    // What we ended ourselves is no death that we have to be told of.
    expect(deaths).toEqual([]);
  });

  it("tells of a death that nobody asked for, to an async listener that fails, too", async () => {
    const { promise, resolve } = deferred<string>();
    const onDead = async (error: Error) => {
      resolve(error.message);
      throw new Error("ignored");
    };
    const { kernel } = await start("plain", { client: { onDead } });
    process.kill(kernel.pid as number, "SIGKILL");
    expect(await promise).toMatch(/SIGKILL/);
  });

  it("ipc: the sockets of a kernel that was killed are removed with its connection file", async () => {
    const { kernel, files } = await start("plain", { connection: { transport: "ipc" } });
    expect(files()).toHaveLength(6);
    process.kill(kernel.pid as number, "SIGKILL");
    await expect.poll(() => kernel.pid, { timeout: 60_000 }).toBeUndefined();
    await kernel.shutdown();
    expect(files()).toEqual([]);
  });

  it("a process that fails takes its kernel along, and leaves no connection file", async () => {
    const path = join(home, "orphan.json");
    const main = join(home, "main.mjs");
    writeFileSync(
      main,
      `import { startKernel } from ${JSON.stringify(BUILT)};
      const kernel = await startKernel("plain", { connection: { path: ${JSON.stringify(path)} } });
      process.send(kernel.pid, () => { throw new Error("a defect"); });`,
    );
    const child = fork(main, { env, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    const exited = once(child, "exit");
    const [pid] = await once(child, "message");
    expect(await exited).toEqual([1, null]);
    await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
    expect(existsSync(path)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
