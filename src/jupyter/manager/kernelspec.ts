// Kernelspecs (jupyter_client, "Making kernels for Jupyter"): where Jupyter looks for them, what they say, and how one is put
// there and taken away.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { misuse } from "../../errors.js";
import { dataDir } from "../connection-file.js";
import type { Dict } from "../message.js";

/** As jupyter_client has it, but for "." and "..", which are other folders. */
const NAME = /^(?!\.{1,2}$)[a-z0-9._-]+$/i;
const FILE = "kernel.json";
const MOST_BYTES = 2 ** 20;

/** What a kernelspec says. Other fields are carried through. */
export interface KernelSpec {
  /** The command; `{connection_file}` and `{resource_dir}` in it are replaced. */
  readonly argv: readonly string[];
  /** Its name for the eye. */
  readonly display_name: string;
  /** The language of its code. */
  readonly language: string;
  /** How it is interrupted. Default "signal". */
  readonly interrupt_mode?: "signal" | "message" | undefined;
  /** Its process's environment besides the starter's; `${NAME}` in it is replaced. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Anything else. */
  readonly metadata?: Dict | undefined;
  /** Whatever else stands there. */
  readonly [field: string]: unknown;
}

/** A kernelspec that was found. */
export interface FoundSpec {
  /** The name by which it is started. */
  readonly name: string;
  /** Its folder. */
  readonly folder: string;
  /** What it says; `undefined` where it cannot be used. */
  readonly spec: KernelSpec | undefined;
  /** Why it cannot be used. */
  readonly problem: string | undefined;
}

/** The folders in which Jupyter keeps data, in the order in which they are searched, as jupyter_core finds them. */
export function jupyterPath(env: NodeJS.ProcessEnv = process.env): string[] {
  const given = (env.JUPYTER_PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const prefixes = [env.VIRTUAL_ENV, env.CONDA_PREFIX].filter(
    (prefix) => prefix !== undefined && prefix !== "",
  );
  const environment = prefixes.map((prefix) => join(prefix as string, "share", "jupyter"));
  const user = [dataDir(env)];
  const own = isOn(env.JUPYTER_PREFER_ENV_PATH) ? [...environment, ...user] : [...user, ...environment];
  const system =
    process.platform === "win32"
      ? [join(env.PROGRAMDATA ?? "C:\\ProgramData", "jupyter")]
      : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  return [...new Set([...given, ...own, ...system])];
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "no", "n", "false", "off"].includes(value.toLowerCase());
}

/** All kernelspecs, those that cannot be used included; of one name the first that is found. */
export function listKernelSpecs(env: NodeJS.ProcessEnv = process.env): FoundSpec[] {
  const found = new Map<string, FoundSpec>();
  for (const path of jupyterPath(env)) {
    const kernels = join(path, "kernels");
    for (const entry of entriesOf(kernels)) {
      const folder = join(kernels, entry);
      const name = entry.toLowerCase();
      if (NAME.test(name) && !found.has(name) && existsSync(join(folder, FILE)))
        found.set(name, look(name, folder));
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Finds a kernelspec by its name.
 *
 * @throws CountersignError ("ERR_COUNTERSIGN_KERNELSPEC") that says which there are, or what is wrong with this one
 */
export function findKernelSpec(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): FoundSpec & { spec: KernelSpec } {
  const all = listKernelSpecs(env);
  const found = all.find((each) => each.name === String(name).toLowerCase());
  if (found === undefined) {
    const names = all.map((each) => each.name).join(", ");
    throw wrong(
      `There is no kernelspec ${JSON.stringify(name)}; there are ${names === "" ? "none" : names}.`,
    );
  }
  if (found.spec === undefined) throw wrong(`${join(found.folder, FILE)}: ${found.problem}`);
  return found as FoundSpec & { spec: KernelSpec };
}

/**
 * Checks what a kernelspec says.
 *
 * @throws CountersignError ("ERR_COUNTERSIGN_KERNELSPEC")
 */
export function checkKernelSpec(given: unknown): KernelSpec {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw wrong("It is no JSON object.");
  const spec = { display_name: "", language: "", ...given } as KernelSpec;
  if (
    !Array.isArray(spec.argv) ||
    spec.argv.length === 0 ||
    !spec.argv.every((each) => typeof each === "string")
  ) {
    throw wrong("argv must be a list of texts: the command that starts the kernel.");
  }
  if (typeof spec.display_name !== "string") throw wrong("display_name must be a text.");
  if (typeof spec.language !== "string") throw wrong("language must be a text.");
  if (spec.interrupt_mode !== undefined && !["signal", "message"].includes(spec.interrupt_mode)) {
    throw wrong('interrupt_mode must be "signal" or "message".');
  }
  const { env = {} } = spec;
  if (
    typeof env !== "object" ||
    env === null ||
    !Object.values(env).every((each) => typeof each === "string")
  ) {
    throw wrong("env must be names and texts.");
  }
  return spec;
}

/** Where a kernelspec goes: the user's folder, or `share/jupyter` under a prefix. */
export function kernelsFolder(prefix?: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(prefix === undefined ? dataDir(env) : join(resolve(prefix), "share", "jupyter"), "kernels");
}

/**
 * Installs a kernelspec; one of the same name there is replaced. Returns its folder.
 *
 * @param prefix  under which prefix; the user's folder if left out
 */
export function installKernelSpec(
  name: string,
  spec: KernelSpec,
  { prefix, env }: { readonly prefix?: string | undefined; readonly env?: NodeJS.ProcessEnv } = {},
): string {
  if (!isKernelName(name)) throw wrong("A kernel's name has letters, digits, and - . _ only.");
  const checked = checkKernelSpec(spec);
  const folder = join(kernelsFolder(prefix, env), name.toLowerCase());
  mkdirSync(folder, { recursive: true });
  const beside = join(folder, `.${FILE}.${process.pid}`);
  writeFileSync(beside, `${JSON.stringify(checked, null, 1)}\n`);
  renameSync(beside, join(folder, FILE));
  return folder;
}

/** Whether a kernelspec can have this name. @internal */
export function isKernelName(name: string): boolean {
  return NAME.test(name);
}

/** Removes a kernelspec by the folder that it was found in. A link is removed, not what it leads to. */
export function removeKernelSpec({ folder }: Pick<FoundSpec, "folder">): void {
  if (!existsSync(join(folder, FILE))) throw wrong(`${folder} holds no ${FILE}.`);
  if (lstatSync(folder).isSymbolicLink()) rmSync(folder);
  else rmSync(folder, { recursive: true });
}

function look(name: string, folder: string): FoundSpec {
  try {
    const text = readFileSync(join(folder, FILE), "utf8");
    if (text.length > MOST_BYTES) throw wrong(`It is larger than ${MOST_BYTES} bytes.`);
    return { name, folder, spec: checkKernelSpec(JSON.parse(text)), problem: undefined };
  } catch (error) {
    return { name, folder, spec: undefined, problem: (error as Error).message };
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function wrong(what: string): Error {
  return misuse("ERR_COUNTERSIGN_KERNELSPEC", `Kernelspec: ${what}`);
}
