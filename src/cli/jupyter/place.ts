// Where kernelspecs are installed: options that install and remove share, and what file systems complain of.

import { OperatorError, UsageError } from "../failure.js";

export const PLACE = {
  user: { type: "boolean", help: "in your own folder (default)" },
  prefix: { type: "string", value: "DIR", help: "in DIR/share/jupyter/kernels" },
  "sys-prefix": { type: "boolean", help: "in the active virtual environment (VIRTUAL_ENV or CONDA_PREFIX)" },
} as const;

interface Given {
  readonly user?: boolean;
  readonly prefix?: string;
  readonly "sys-prefix"?: boolean;
}

/** The prefix that is meant; `undefined` for the user's own folder. */
export function prefixOf({ user, prefix, "sys-prefix": active }: Given): string | undefined {
  if ([user, prefix !== undefined, active].filter(Boolean).length > 1) {
    throw new UsageError("--user, --prefix and --sys-prefix exclude one another.");
  }
  if (!active) return prefix;
  const environment = process.env.VIRTUAL_ENV || process.env.CONDA_PREFIX;
  if (environment) return environment;
  throw new OperatorError(
    "No environment is active (VIRTUAL_ENV, CONDA_PREFIX): name a folder with --prefix.",
  );
}

/** Does something to files; what the system refuses is for the operator to mend. */
export function onDisk<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) throw error;
    throw new OperatorError(`${message}.`, { cause: error });
  }
}
