// countersign jupyter: kernelspecs where Jupyter looks for them, and notebooks executed on real kernels.

import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXAMPLE, installExample } from "../jupyter/peers/example-kernel.js";
import { findPython, maySkip, required } from "../peers/python.js";
import { countersign, expectFailure, MAIN, scratchFolder } from "./run.js";

const scratch = scratchFolder();
const environment = installExample();
const env = environment as Record<string, string>;
const python = findPython("nbformat", "ipykernel");
let files = 0;

/** A notebook as nbformat writes it, with what it must not lose. */
function notebook(
  sources: readonly (string | { source: string; tags: string[] })[],
  kernel: string | null = EXAMPLE,
): string {
  const cells = sources.map((each) => {
    const { source, tags } = typeof each === "string" ? { source: each, tags: [] } : each;
    return {
      cell_type: "code",
      execution_count: null,
      metadata: tags.length > 0 ? { tags } : {},
      outputs: [{ name: "stdout", output_type: "stream", text: ["old\n"] }],
      source: source.split(/(?<=\n)/),
    };
  });
  const text = { cell_type: "markdown", metadata: {}, source: ["# Hä 😀"] };
  const kernelspec =
    kernel === null ? {} : { kernelspec: { display_name: "K", language: "x", name: kernel } };
  const content = {
    cells: [text, ...cells],
    metadata: { ...kernelspec, exact: "NUMBER" },
    nbformat: 4,
    nbformat_minor: 4,
  };
  // Numbers that JavaScript would not write so again.
  return `${JSON.stringify(content, null, 1).replace('"NUMBER"', "[1.0, 12345678901234567890, 1E5]")}\n`;
}

function written(text: string): string {
  const path = join(scratch, `notebook-${++files}.ipynb`);
  writeFileSync(path, text);
  return path;
}

const outputsOf = (path: string) =>
  JSON.parse(readFileSync(path, "utf8"))
    .cells.slice(1)
    .map(({ outputs }: { outputs: object[] }) => outputs);

/** What remains when outputs and counts are taken out: must be the same before and after. */
function rest(text: string): string {
  return text
    .replace(/"outputs": \[\]/g, "OUTPUTS")
    .replace(/"outputs": \[\n[\s\S]*?\n {3}\]/g, "OUTPUTS")
    .replace(/"execution_count": (null|\d+),\n {3}"metadata"/g, "COUNT");
}

describe("kernelspecs", () => {
  test("install, list, remove: in one's own folder, and under a prefix", async () => {
    const program = join(scratch, "kernel.mjs");
    writeFileSync(program, "");
    const install = ["jupyter", "install", "Tiny", "--display-name", "A tiny one", "--env", "A=b=c"];
    const installed = await countersign([...install, "--", "node", "kernel.mjs"], { env, cwd: scratch });
    expect(installed).toMatchObject({ code: 0, stderr: "" });
    const folder = join(env.JUPYTER_DATA_DIR as string, "kernels", "tiny");
    expect(JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"))).toEqual({
      argv: [process.execPath, program, "{connection_file}"],
      display_name: "A tiny one",
      language: "Tiny",
      env: { A: "b=c" },
      metadata: {},
    });
    expect((await countersign(["jupyter", "list"], { env })).stdout).toMatch(
      /tiny +A tiny one +.*kernels\/tiny/,
    );
    const { stdout } = await countersign(["jupyter", "list", "--json"], { env });
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "tiny", folder })]),
    );
    expectFailure(await countersign([...install, "--", "node", "x"], { env }), /--replace/);
    expect(await countersign([...install, "--replace", "--", "node", "x"], { env })).toMatchObject({
      code: 0,
    });
    const prefix = join(scratch, "prefix");
    const placed = await countersign([
      "jupyter",
      "install",
      "other",
      "--prefix",
      prefix,
      "--",
      "x",
      "{connection_file}",
    ]);
    expect(placed).toMatchObject({ code: 0 });
    expect(existsSync(join(prefix, "share/jupyter/kernels/other/kernel.json"))).toBe(true);
    const active = { ...env, VIRTUAL_ENV: prefix };
    expect((await countersign(["jupyter", "list"], { env: active })).stdout).toMatch(/^other /m);
    expect(await countersign(["jupyter", "remove", "other", "--sys-prefix"], { env: active })).toMatchObject({
      code: 0,
    });
    expect(await countersign(["jupyter", "remove", "tiny"], { env })).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(folder)).toBe(false);
  });

  test.each([
    [["jupyter", "install", "x"], /Name the kernel and its command/],
    [["jupyter", "install", "a/b", "--", "x"], /letters, digits/],
    [["jupyter", "install", "..", "--", "x"], /letters, digits/],
    [["jupyter", "install", "x", "--interrupt-mode", "loud", "--", "x"], /interrupt_mode must be/],
    [["jupyter", "install", "x", "--user", "--prefix", "/tmp", "--", "x"], /exclude one another/],
    [["jupyter", "install", "x", "--env", "=1", "--", "x"], /NAME=VALUE/],
    [["jupyter", "remove", "nowhere"], /There is no kernelspec "nowhere"/],
    [["jupyter", "remove", "../x", "--user"], /There is no kernelspec/],
    [["jupyter", "rnu"], /Did you mean run\?/],
  ])("%j is refused with advice", async (args, advice) => {
    expectFailure(await countersign(args, { env }), advice);
  });

  test("a name that is another folder removes none", async () => {
    const data = env.JUPYTER_DATA_DIR as string;
    writeFileSync(join(data, "kernel.json"), '{"argv": ["x"]}');
    expectFailure(
      await countersign(["jupyter", "remove", "..", "--user"], { env }),
      /There is no kernelspec/,
    );
    expect(existsSync(join(data, "kernels", EXAMPLE))).toBe(true);
  });

  test("a kernelspec that is broken is listed with what is wrong, and the others too", async () => {
    const broken = join(scratch, "path");
    execFileSync("mkdir", ["-p", join(broken, "kernels", "broken")]);
    writeFileSync(join(broken, "kernels", "broken", "kernel.json"), '{"argv": []}');
    const { stdout, code } = await countersign(["jupyter", "list"], {
      env: { ...env, JUPYTER_PATH: broken },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^broken .*argv must be/m);
    expect(stdout).toContain(EXAMPLE);
  });
});

describe("run", { timeout: 120_000 }, () => {
  test("outputs and counts are written in place, and nothing else changes", async () => {
    const before = notebook([
      "console.log('a'); console.log('b'); 6 * 7",
      "display(html`<b>1</b>`, { id: 'd' }); console.error('e')",
      "display.update('d', html`<i>2</i>\n`); undefined",
      "",
      "clear(true); display(1)",
    ]);
    const path = written(before);
    chmodSync(path, 0o640);
    const link = join(scratch, "link.ipynb");
    symlinkSync(path, link);
    const outcome = await countersign(["jupyter", "run", link, "--watch"], { env });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/^a\nb\n42\n\[1\/5\] console\.log\('a'\).* ok /);
    const after = readFileSync(path, "utf8");
    expect(rest(after)).toBe(rest(before));
    expect(outputsOf(path)).toEqual([
      [
        { name: "stdout", output_type: "stream", text: ["a\n", "b\n"] },
        { data: { "text/plain": ["42"] }, execution_count: 1, metadata: {}, output_type: "execute_result" },
      ],
      [
        {
          data: { "text/html": ["<i>2</i>\n"], "text/plain": ["<i>2</i>\n"] },
          metadata: {},
          output_type: "display_data",
        },
        { name: "stderr", output_type: "stream", text: ["e\n"] },
      ],
      [],
      [],
      [{ data: { "text/plain": ["1"] }, metadata: {}, output_type: "display_data" }],
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(scratch).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("stops at an error, or goes on; tags allow one, or leave a cell out", async () => {
    const cells = [
      "const a = 1",
      { source: "throw new Error('fine')", tags: ["raises-exception"] },
      { source: "throw new Error('never run')", tags: ["skip-execution"] },
      "throw new TypeError('no')",
      "a + 1",
    ];
    const path = written(notebook(cells));
    const stopped = await countersign(["jupyter", "run", path], { env });
    expect(stopped).toMatchObject({ code: 1, stderr: "" });
    expect(stopped.stdout).toMatch(/\[4\/5\] .* error .* TypeError: no/);
    const old = [{ name: "stdout", output_type: "stream", text: ["old\n"] }];
    const [, fine, skipped, failed, behind] = outputsOf(path);
    expect(fine).toMatchObject([{ output_type: "error", ename: "Error", evalue: "fine" }]);
    expect(failed).toMatchObject([{ output_type: "error", ename: "TypeError" }]);
    expect([skipped, behind]).toEqual([old, old]);

    const target = join(scratch, "done.ipynb");
    const before = readFileSync(path, "utf8");
    const all = await countersign(["jupyter", "run", path, "--allow-errors", "--output", target], { env });
    expect(all).toMatchObject({ code: 0 });
    expect(outputsOf(target)[4]).toMatchObject([{ data: { "text/plain": ["2"] } }]);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("a cell whose time is over is interrupted, and ends the run", async () => {
    const path = written(notebook(["for (;;);", "1"]));
    const { code, stdout } = await countersign(["jupyter", "run", path, "--timeout", "1"], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/\[1\/2\] for .* timeout /);
    expect(outputsOf(path)[0]).toMatchObject([{ ename: "KeyboardInterrupt" }]);
  });

  test("a kernel that is too busy to hear of an interrupt is ended, and the run with it", async () => {
    const program = join(scratch, "deaf.mjs");
    const built = new URL("../../dist/jupyter/index.js", import.meta.url).href;
    writeFileSync(
      program,
      `import { Kernel } from ${JSON.stringify(built)};
      await new Kernel({ handlers: { execute() { for (;;); } } }).run(process.argv[2]);`,
    );
    const install = ["jupyter", "install", "deaf", "--interrupt-mode", "message", "--", "node", program];
    expect(await countersign(install, { env })).toMatchObject({ code: 0 });
    const path = written(notebook(["", "loop", "1"], "deaf"));
    const { code, stdout } = await countersign(["jupyter", "run", path, "--timeout", "1"], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/\[2\/3\] loop +died/);
  });

  test("a notebook that is removed while it runs: the outputs are beside it", async () => {
    const path = written(notebook(["require('node:fs').rmSync(process.env.GONE); 6 * 7"]));
    const outcome = await countersign(["jupyter", "run", path], { env: { ...env, GONE: path } });
    expect(outcome).toMatchObject({ code: 2 });
    const beside = /the outputs are in (.*)\.\n/.exec(outcome.stderr)?.[1] as string;
    expect(outputsOf(beside)[0]).toMatchObject([{ data: { "text/plain": ["42"] } }]);
    expect(existsSync(path)).toBe(false);
  });

  test("what cannot be written at the end is not begun", async () => {
    const ran = join(scratch, "ran");
    const path = written(notebook([`require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`]));
    const target = join(scratch, "nowhere", "done.ipynb");
    expectFailure(await countersign(["jupyter", "run", path, "--output", target], { env }), /ENOENT/);
    // Bytes that are no UTF-8 could not be written again as they are.
    const bytes = Buffer.from(readFileSync(path));
    bytes[bytes.indexOf("#")] = 0xff;
    writeFileSync(path, bytes);
    expectFailure(await countersign(["jupyter", "run", path], { env }), /no UTF-8/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(existsSync(ran)).toBe(false);
  });

  test("a kernel that dies ends the run, and what was shown is kept", async () => {
    const path = written(notebook(["console.log('last words'); process.kill(process.pid, 'SIGKILL')", "1"]));
    const { code, stdout } = await countersign(["jupyter", "run", path], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/died .*SIGKILL/);
    expect(outputsOf(path)[0].at(-1)).toMatchObject({ output_type: "error", ename: "KernelDiedError" });
  });

  test("Ctrl-C interrupts, writes what there is, and leaves no kernel behind", async () => {
    const path = written(notebook(["console.log(process.pid); for (;;);"]));
    const child = spawn(process.execPath, [MAIN, "jupyter", "run", path, "--watch"], { env: environment });
    let shown = "";
    child.stdout.on("data", (text) => {
      if (shown === "") child.kill("SIGINT");
      shown += text;
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code).toBe(1);
    expect(shown).toMatch(/interrupted/);
    expect(outputsOf(path)[0]).toMatchObject([{ output_type: "stream" }, { ename: "KeyboardInterrupt" }]);
    expect(() => process.kill(Number.parseInt(shown, 10), 0)).toThrow(/ESRCH/);
  });

  test.each([
    ["{", /no notebook: it is no JSON/],
    ["[]", /no notebook/],
    ['{"nbformat": 3, "worksheets": []}', /nbformat 3/],
    ['{"nbformat": 4, "cells": [7]}', /cells are no list/],
    [notebook(["1"], null), /names no kernel/],
    [notebook(["1"], "nowhere"), /no kernelspec "nowhere"; there are/],
  ])("%s is refused, and stays as it is", async (text, advice) => {
    const path = written(text);
    expectFailure(await countersign(["jupyter", "run", path], { env }), advice);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("a file that is not there, a time that is none", async () => {
    expectFailure(await countersign(["jupyter", "run", join(scratch, "nowhere.ipynb")], { env }), /ENOENT/);
    expectFailure(await countersign(["jupyter", "run", "x", "--timeout", "soon"], { env }), /takes seconds/);
  });

  test.skipIf(maySkip(python))(
    "ipykernel; nbformat reads it, finds it valid, and would write the same bytes",
    async () => {
      const path = join(scratch, "python.ipynb");
      const make = `
import sys, nbformat
from nbformat.v4 import new_notebook, new_markdown_cell, new_code_cell
cells = [new_markdown_cell("Hä 😀"), *map(new_code_cell, ["print('ü\\\\r1\\\\r\\\\n2\\\\x0b3\\\\x0c4\\\\x1c5\\\\x856\\\\u20287')\\n6 * 7", "from IPython.display import *\\ndisplay(HTML('<b>x</b>'), SVG('<svg xmlns=\\"http://www.w3.org/2000/svg\\"/>'))", "1 / 0"])]
kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernelspec, "number": 1.0}), sys.argv[1])`;
      execFileSync(required(python), ["-W", "ignore", "-c", make, path], { env: environment });
      expect(await countersign(["jupyter", "run", path, "--allow-errors"], { env })).toMatchObject({
        code: 0,
      });
      const check = `
import sys, nbformat
notebook = nbformat.read(sys.argv[1], 4)
nbformat.validate(notebook)
text = open(sys.argv[1], encoding="utf-8").read()
print(text == nbformat.writes(notebook) + "\\n", [len(cell.outputs) for cell in notebook.cells[1:]])`;
      const said = execFileSync(required(python), ["-W", "ignore", "-c", check, path], { env: environment });
      expect(String(said)).toBe("True [2, 2, 1]\n");
    },
  );
});
