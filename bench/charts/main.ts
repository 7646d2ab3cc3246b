// `npm run bench:charts`: the README's pictures from a benchmark's JSON.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseOrExit } from "../command-line.js";
import { type Arguments, help, parseArguments } from "./arguments.js";
import { pictures, type Results } from "./pictures.js";

function draw({ file, out }: Arguments): void {
  const drawn = pictures(JSON.parse(readFileSync(file, "utf8")) as Results);
  if (drawn.size === 0) {
    throw new Error(
      "Nothing in it can be drawn: it needs throughput over tcp from DEALER to ROUTER, or latency",
    );
  }
  mkdirSync(out, { recursive: true });
  for (const [name, svg] of drawn) {
    writeFileSync(join(out, name), svg);
    console.log(join(out, name));
  }
}

const parsed = parseOrExit(parseArguments);
if (parsed.help) console.log(help);
else {
  try {
    draw(parsed);
  } catch (error) {
    console.error(`${parsed.file}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
