// `jupyter console` of Debian in a real terminal, on the example kernel: what a person does in it, and sees.

import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { findPython, maySkip, required } from "../../peers/python.js";
import { EXAMPLE, installExample } from "./example-kernel.js";
import { mayRun, Terminal } from "./terminal.js";

const python = findPython("jupyter_console");
const CONSOLE = fileURLToPath(new URL("./console.py", import.meta.url));

describe.skipIf(maySkip(python) || !mayRun("tmux"))(
  "jupyter console (jupyter-console, tmux)",
  { timeout: 240_000 },
  () => {
    it("input, output, error, completion, interrupt, exit", async () => {
      const terminal = await Terminal.open(
        `${required(python)} -W ignore ${CONSOLE} --kernel ${EXAMPLE}`,
        installExample(),
      );
      onTestFinished(() => terminal.close());
      const enter = async (code: string) => {
        await terminal.type(code);
        await terminal.press("Enter");
      };
      await terminal.shows(/TypeScript on Node/);
      await terminal.shows(/In \[1\]: *$/);

      await enter("const twice = (n: number): number => n * 2");
      await terminal.shows(/In \[2\]: *$/);
      await enter("twice(21)");
      await terminal.shows(/Out\[2\]: *42\s+In \[3\]: *$/);

      await enter('console.log("one"); console.error("two"); console.log("three")');
      await terminal.shows(/\none\n+two\n+three\n\s*In \[4\]: *$/);

      await enter('throw new RangeError("too far")');
      await terminal.shows(/RangeError: too far\n.*cell-4\.ts:1[\s\S]*In \[5\]: *$/);

      await terminal.type("Math.clz");
      await terminal.press("Tab");
      await terminal.shows(/In \[5\]: Math\.clz32/);
      await enter("(1)");
      await terminal.shows(/Out\[5\]: *31\s+In \[6\]: *$/);

      await enter('await input("your name? ")');
      await terminal.shows(/your name\? *$/);
      await enter("Ada");
      await terminal.shows(/Out\[6\]: *'Ada'\s+In \[7\]: *$/);

      await enter('console.log("loop begins"); for (;;);');
      await terminal.shows(/^loop begins$/m);
      await terminal.press("C-c");
      await terminal.shows(/KeyboardInterrupt[\s\S]*In \[8\]: *$/);
      await enter("twice(4)");
      const screen = await terminal.shows(/Out\[8\]: *8\s+In \[9\]: *$/);
      expect(screen).not.toMatch(/Traceback|COUNTERSIGN|not-live/);

      await enter("exit()");
      await terminal.ended();
    });
  },
);
