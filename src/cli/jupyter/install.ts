// countersign jupyter install: writes a kernelspec for a command.

import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { installKernelSpec, type KernelSpec, kernelsFolder } from "../../jupyter/manager/kernelspec.js";
import { defineCommand } from "../command.js";
import { EXIT, OperatorError, UsageError } from "../failure.js";
import { paintFor, printable } from "../terminal.js";
import { onDisk, PLACE, prefixOf } from "./place.js";

const CONNECTION_FILE = "{connection_file}";

export const command = defineCommand({
  name: "jupyter install",
  purpose: "Tells Jupyter of a kernel: writes the kernelspec by which it starts the command.",
  usage: ["jupyter install NAME [OPTIONS] -- COMMAND [ARGUMENT…]"],
  options: {
    "display-name": { type: "string", value: "TEXT", help: "what people see (default: NAME)" },
    language: { type: "string", value: "NAME", help: "the language of its code (default: NAME)" },
    "interrupt-mode": {
      type: "string",
      value: "MODE",
      help: "signal (default: SIGINT to its process) or message",
    },
    env: { type: "string", value: "NAME=VALUE", multiple: true, help: "environment of its process" },
    ...PLACE,
    replace: { type: "boolean", help: "in place of a kernelspec of that name" },
  },
  notes: [
    "The command gets the path of the connection file where {connection_file} stands in it, or as its last argument. Names of files that exist become absolute, and node becomes the one that runs now: Jupyter starts kernels in other folders and with other paths.",
  ],
  examples: [
    "countersign jupyter install typescript --display-name TypeScript -- node kernel.js",
    "countersign jupyter install upper --sys-prefix -- node upper.js {connection_file}",
  ],
  positionals: Number.POSITIVE_INFINITY,
  run(values, [name, ...typed]) {
    if (name === undefined || typed.length === 0) {
      throw new UsageError("Name the kernel and its command: countersign jupyter install NAME -- COMMAND");
    }
    const prefix = prefixOf(values);
    const target = join(kernelsFolder(prefix), name.toLowerCase());
    if (!values.replace && existsSync(join(target, "kernel.json"))) {
      throw new OperatorError(`${target} holds a kernelspec already; to replace it, say --replace.`);
    }
    const spec: KernelSpec = {
      argv: commandOf(typed),
      display_name: values["display-name"] ?? name,
      language: values.language ?? name,
      ...(values["interrupt-mode"] !== undefined && {
        interrupt_mode: values["interrupt-mode"] as "signal" | "message",
      }),
      ...(values.env !== undefined && { env: environmentOf(values.env) }),
      metadata: {},
    };
    const folder = onDisk(() => installKernelSpec(name, spec, { prefix }));
    const paint = paintFor(process.stdout);
    process.stdout.write(`${paint.bold(printable(name))} is installed in ${printable(folder)}\n`);
    return EXIT.ok;
  },
});

function commandOf([program = "", ...args]: readonly string[]): string[] {
  const absolute = (text: string) => (!isAbsolute(text) && existsSync(text) ? resolve(text) : text);
  const first = program === "node" ? process.execPath : program.includes("/") ? absolute(program) : program;
  const argv = [first, ...args.map(absolute)];
  return argv.some((text) => text.includes(CONNECTION_FILE)) ? argv : [...argv, CONNECTION_FILE];
}

function environmentOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new UsageError(`--env takes NAME=VALUE; got "${text}".`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
