// countersign jupyter: kernelspecs, and notebooks. One file a subcommand, loaded when it is asked for.

import type { Command } from "./command.js";
import { EXIT, suggestion, UsageError } from "./failure.js";
import { type Paint, paintFor } from "./terminal.js";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const SUBCOMMANDS: Readonly<Record<string, Entry>> = {
  list: { summary: "list the kernelspecs that Jupyter finds", load: () => import("./jupyter/list.js") },
  install: { summary: "tell Jupyter of a kernel", load: () => import("./jupyter/install.js") },
  remove: { summary: "take a kernelspec away", load: () => import("./jupyter/remove.js") },
  run: {
    summary: "execute a notebook, and write its outputs into it",
    load: () => import("./jupyter/run.js"),
  },
};
const NAMES = Object.keys(SUBCOMMANDS);

export const command: Command = {
  help,
  async run([name, ...args]) {
    if (name === undefined || name === "--help" || name === "-h") {
      const stream = name === undefined ? process.stderr : process.stdout;
      stream.write(help(paintFor(stream)));
      return name === undefined ? EXIT.failed : EXIT.ok;
    }
    const entry = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
    if (entry === undefined) {
      throw new UsageError(
        `There is no command "jupyter ${name}"; there are ${NAMES.join(", ")}.${suggestion(name, NAMES)}`,
      );
    }
    return (await entry.load()).command.run(args);
  },
};

function help(paint: Paint): string {
  const width = Math.max(...NAMES.map((name) => name.length));
  return [
    "Manages Jupyter's kernelspecs, and executes notebooks with any installed kernel.",
    "",
    paint.bold("Usage"),
    "  countersign jupyter COMMAND [ARGUMENTS]",
    "",
    paint.bold("Commands"),
    ...NAMES.map((name) => `  ${name.padEnd(width)}   ${SUBCOMMANDS[name]?.summary}`),
    "",
    "Each explains itself: countersign jupyter run --help",
    "",
  ].join("\n");
}
