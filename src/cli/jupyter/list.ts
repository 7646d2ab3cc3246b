// countersign jupyter list: the kernelspecs that Jupyter finds, those that cannot be used included.

import { listKernelSpecs } from "../../jupyter/manager/kernelspec.js";
import { defineCommand } from "../command.js";
import { EXIT } from "../failure.js";
import { paintFor, printable, printableJson } from "../terminal.js";

export const command = defineCommand({
  name: "jupyter list",
  purpose: "Lists the kernelspecs that Jupyter finds: names, what they are, and where they stand.",
  usage: ["jupyter list [--json]"],
  options: { json: { type: "boolean", help: "as JSON: a list of { name, folder, spec, problem }" } },
  positionals: 0,
  run({ json = false }) {
    const found = listKernelSpecs();
    const paint = paintFor(process.stdout);
    if (json) process.stdout.write(`${printableJson(found)}\n`);
    else if (found.length === 0) process.stdout.write("Jupyter finds no kernelspec.\n");
    else {
      const width = Math.max(...found.map(({ name }) => name.length));
      for (const { name, folder, spec, problem } of found) {
        const what = spec === undefined ? paint.red(printable(problem ?? "")) : printable(spec.display_name);
        process.stdout.write(
          `${paint.bold(name.padEnd(width))}   ${what}   ${paint.dim(printable(folder))}\n`,
        );
      }
    }
    return EXIT.ok;
  },
});
