// What the command line of `npm run bench:charts` says: one file to read and a folder to write to.

import { parseArgs } from "node:util";

export const help = `npm run bench:charts -- FILE [--out FOLDER]

Draws the README's pictures, light and dark, from a file that "npm run bench -- --json FILE" wrote.

  --out FOLDER   where they go (default docs/charts)
  --help         this text`;

export interface Arguments {
  readonly help: boolean;
  readonly file: string;
  readonly out: string;
}

/** Throws with a sentence for the user when something is missing or means nothing. */
export function parseArguments(argv: string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      out: { type: "string", default: "docs/charts" },
      help: { type: "boolean", default: false },
    },
  });
  const [file = "", ...others] = positionals;
  if (!values.help && (file === "" || others.length > 0)) {
    throw new Error(`One file is drawn, not ${positionals.length}; see --help`);
  }
  return { help: values.help, file, out: values.out };
}
