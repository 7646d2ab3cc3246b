// The command line around its commands: help, versions, suggestions, exit codes, colors, outputs that fail.

import { spawn } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { countersign, expectFailure, MAIN, onTerminal, scratchFolder, shell } from "./run.js";

const scratch = scratchFolder();
const root = fileURLToPath(new URL("../..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const ESCAPE = "\x1b";

describe("help", () => {
  test.each([["--help"], ["-h"], ["help"]])("%s lists every command and the exit codes", async (argument) => {
    const { code, stdout, stderr } = await countersign([argument]);
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: "" });
    for (const word of ["keygen", "passwd", "inspect", "jupyter", "demo", "help", "Exit code"])
      expect(stdout).toContain(word);
  });

  test("no arguments: the same on stderr, and exit code 2", async () => {
    const { stdout: overview } = await countersign(["--help"]);
    expect(await countersign([])).toStrictEqual({ code: 2, stdout: "", stderr: overview });
  });

  test.each([["keygen"], ["passwd"], ["inspect"], ["demo"]])(
    "help %s is what the command itself says with --help",
    async (name) => {
      const [helped, asked, short] = await Promise.all([
        countersign(["help", name]),
        countersign([name, "--help"]),
        countersign([name, "-h"]),
      ]);
      expect(helped).toMatchObject({ code: 0, stderr: "" });
      expect(helped.stdout).toContain(`countersign ${name}`);
      expect(asked).toStrictEqual(helped);
      expect(short).toStrictEqual(helped);
    },
  );

  test("help keeps to 80 columns, but for what stands in one piece", async () => {
    for (const name of ["keygen", "inspect"]) {
      const { stdout } = await countersign(["help", name]);
      const long = stdout.split("\n").filter((line) => line.length > 80 && !line.includes("countersign "));
      expect(long).toStrictEqual([]);
    }
  });

  test.each([["--version"], ["-V"]])("%s names the version of the package", async (argument) => {
    expect(await countersign([argument])).toStrictEqual({
      code: 0,
      stdout: `countersign ${version}\n`,
      stderr: "",
    });
  });
});

describe("what is written wrongly", () => {
  test.each([
    [
      ["keygn"],
      'There is no command "keygn"; there are keygen, passwd, inspect, jupyter, demo. Did you mean keygen?',
    ],
    [["insp"], "Did you mean inspect?"],
    [["help", "isnpect"], "Did you mean inspect?"],
    [["constructor"], 'There is no command "constructor"'],
    [["--verison"], "There is no option --verison in front of a command. Did you mean --version?"],
    [["keygen", "--rotat"], "There is no option --rotat. Did you mean --rotate?"],
    [["inspect", "--chanel", "x"], "There is no option --chanel. Did you mean --channel?"],
    [["inspect", "--constructor", "x"], "There is no option --constructor."],
    [["inspect", "-x"], "There is no option -x."],
    [["inspect", "--key"], "--key needs a value: --key FILE."],
    [["inspect", "--key", "--json"], "--key needs a value: --key FILE (if it really is"],
    [["inspect", "--json=yes"], '--json takes no value; got "yes".'],
    [["inspect", "--key", "a", "--key", "b"], "--key is given twice"],
    [["inspect", "a", "b"], 'One argument too many: "b".'],
    [["demo", "now"], 'One argument too many: "now".'],
  ])("%j", async (args, advice) => {
    const outcome = await countersign(args);
    expect(outcome.stderr).toContain(advice);
    expectFailure(outcome, /\nSee: countersign help/);
  });

  test("nothing near: nothing is suggested", async () => {
    expect((await countersign(["zzzzzz"])).stderr).not.toContain("Did you mean");
  });

  test("a terminal is shown what was typed, and does not obey it", async () => {
    const { stderr } = await countersign(["inspect", `${ESCAPE}[2J\u202e`]);
    expect(stderr).toContain("\\x1b[2J\\u{202e} cannot be read");
    expect(stderr).not.toContain(ESCAPE);
  });
});

describe("colors", () => {
  test("on a terminal", async () => {
    expect((await onTerminal(["--help"])).stdout).toContain(`${ESCAPE}[1mUsage${ESCAPE}[22m`);
  });

  test.each([
    ["NO_COLOR", { NO_COLOR: "1" }],
    ["NO_COLOR against FORCE_COLOR", { NO_COLOR: "1", FORCE_COLOR: "3" }],
    ["a terminal without them", { TERM: "dumb" }],
  ])("not with %s", async (_, env) => {
    const { stdout } = await onTerminal(["--help"], { env });
    expect(stdout).toContain("Usage");
    expect(stdout).not.toContain(ESCAPE);
  });

  test("not into a pipe, even with FORCE_COLOR", async () => {
    const { stdout } = await countersign(["--help"], { env: { FORCE_COLOR: "3" } });
    expect(stdout).not.toContain(ESCAPE);
  });
});

describe("outputs that fail", () => {
  test("a full disk is an error, not a success", async () => {
    expectFailure(await shell("$countersign --help > /dev/full"), "The output was not written: ENOSPC");
  });

  test("a reader that leaves ends the command quietly", async () => {
    const frames = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`frame ${i}`).toString("hex"));
    const child = spawn(process.execPath, [MAIN, "inspect", "--json"]);
    child.stdout.destroy();
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.stdin.end(`["${frames.join('","')}"]`);
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect({ code, stderr }).toStrictEqual({ code: 2, stderr: "" });
  });
});

test("keygen and inspect work where neither zeromq nor any other package is installed", async () => {
  cpSync(join(root, "dist"), join(scratch, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(scratch, "package.json"));
  const bare = { env: { countersign: `${process.execPath} dist/cli/main.js` }, cwd: scratch };
  expect(await shell("$countersign keygen", bare)).toMatchObject({ code: 0, stderr: "" });
  expect(await shell("$countersign help demo", bare)).toMatchObject({ code: 0, stderr: "" });
  const inspected = await shell("$countersign inspect --frame 00 --key countersign.keys.json", bare);
  expect(inspected).toMatchObject({ code: 1, stderr: "" });
});
