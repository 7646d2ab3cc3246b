// countersign jupyter remove: takes a kernelspec away.

import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  isKernelName,
  kernelsFolder,
  listKernelSpecs,
  removeKernelSpec,
} from "../../jupyter/manager/kernelspec.js";
import { defineCommand } from "../command.js";
import { EXIT, OperatorError, suggestion, UsageError } from "../failure.js";
import { paintFor, printable } from "../terminal.js";
import { onDisk, PLACE, prefixOf } from "./place.js";

export const command = defineCommand({
  name: "jupyter remove",
  purpose:
    "Takes a kernelspec away: the one that Jupyter finds first under this name, or the one in the place that is named. The kernel itself stays.",
  usage: ["jupyter remove NAME [OPTIONS]"],
  options: PLACE,
  positionals: 1,
  run(values, [name]) {
    if (name === undefined) throw new UsageError("Name the kernelspec: countersign jupyter remove NAME");
    const prefix = prefixOf(values);
    const isPlaced = values.user === true || prefix !== undefined;
    const folder = isPlaced ? placed(name, prefix) : found(name);
    onDisk(() => removeKernelSpec({ folder }));
    process.stdout.write(
      `${paintFor(process.stdout).bold(printable(name))} is removed from ${printable(folder)}\n`,
    );
    return EXIT.ok;
  },
});

function placed(name: string, prefix: string | undefined): string {
  const folder = join(kernelsFolder(prefix), name.toLowerCase());
  if (isKernelName(name) && existsSync(join(folder, "kernel.json"))) return folder;
  throw new OperatorError(`There is no kernelspec "${name}" in ${kernelsFolder(prefix)}.`);
}

function found(name: string): string {
  const all = listKernelSpecs();
  const spec = all.find((each) => each.name === name.toLowerCase());
  if (spec !== undefined) return spec.folder;
  const names = all.map((each) => each.name);
  throw new OperatorError(`There is no kernelspec "${name}".${suggestion(name, names)}`);
}
