// The snippets of docs/jupyter.md that are programs: each is run as it stands there.

import { type ChildProcess, execFile, fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createConnectionFile, KernelClient } from "countersign/jupyter";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { findPython, maySkip } from "../peers/python.js";

const page = readFileSync(new URL("../../docs/jupyter.md", import.meta.url), "utf8");
const built = new URL("../../dist/jupyter/index.js", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "jupyter-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A snippet as a program, with names that its text takes for granted. */
function program(name: string, given: Readonly<Record<string, string>> = {}): string {
  const code = new RegExp(`<!-- snippet: ${name} -->\\n\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (code === undefined) throw new Error(`docs/jupyter.md has no snippet ${name}`);
  const names = Object.entries(given).map(([each, value]) => `const ${each} = ${JSON.stringify(value)};\n`);
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, names.join("") + code.replaceAll('"countersign/jupyter"', JSON.stringify(built)));
  return path;
}

async function printed(path: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [path, ...args], { env })).stdout;
}

const env = { ...process.env, IPYTHONDIR: folder, PYDEVD_DISABLE_FILE_VALIDATION: "1" };

/** A kernel's connection file, and its snippet, running on it. */
async function running(name: string, given = (_: string): Record<string, string> => ({})) {
  const created = await createConnectionFile({ path: join(folder, `${name}.json`) });
  const child: ChildProcess = fork(program(name, given(created.path)), [created.path], { stdio: "ignore" });
  onTestFinished(() => {
    child.kill("SIGKILL");
    created.release();
  });
  return created;
}

const lines = (name: string) => readFileSync(program(name), "utf8").trim().split("\n").length;

describe("docs/jupyter.md", { timeout: 120_000 }, () => {
  it("a kernel in thirty lines; from enchannel to a client of it", async () => {
    expect(lines("kernel")).toBeLessThanOrEqual(30);
    const { path } = await running("kernel");
    const client = await KernelClient.connect(path);
    onTestFinished(() => client.close());
    const input = () => "asked";
    await client.execute("word = text", { input }).reply;
    await client.execute("other = ?", { input }).reply;
    expect(await client.execute("other").outputs()).toMatchObject([
      { type: "stream", text: "2 known\n" },
      { data: { "text/plain": "asked" } },
    ]);
    expect(await client.execute("nothing").reply).toMatchObject({ ename: "ReferenceError" });
    expect((await client.complete("wo")).matches).toEqual(["word"]);
    expect((await client.inspect("word"))?.data).toEqual({ "text/plain": "text" });
    expect((await client.isComplete(" ")).status).toBe("incomplete");
    expect(await printed(program("enchannel", { path }))).toBe("stream\n");
  });

  it.skipIf(maySkip(findPython("ipykernel")))("a client in ten lines", async () => {
    expect(lines("client")).toBeLessThanOrEqual(10);
    expect(await printed(program("client"))).toBe("execute_result 'Ada'\nok\n");
  });

  it("from jmp", async () => {
    const { path } = await running("jmp", (file) => ({ path: file }));
    const client = await KernelClient.connect(path, { require: "hardened" }).catch((error) => error);
    onTestFinished(() => client.close?.());
    expect(await client.kernelInfo()).toMatchObject({ banner: "was jmp" });
  });

  it("from @nteract/messaging", async () => {
    expect(await printed(program("nteract", { key: "a key" }))).toBe("1 + 1\n");
  });

  it("every program of sections 8 to 11 is one of these", () => {
    const sections = page.slice(page.indexOf("## 8. A kernel"));
    expect(sections.match(/```ts/g)).toHaveLength(sections.match(/<!-- snippet: /g)?.length ?? 0);
    expect(fileURLToPath(built)).toMatch(/dist/);
  });
});
