// Where a crash run takes place, and what its processes tell it: by lines in files, which outlive them.

import { appendFileSync, openSync, readFileSync, writeSync } from "node:fs";
import type { StateKind } from "./arguments.js";

/** What every process of a run is told. */
export interface Stage {
  readonly folder: string;
  readonly key: string;
  readonly state: StateKind;
  readonly redisPort: number;
  readonly front: string;
  readonly back: string;
}

export const roles = ["sender", "broker", "receiver"] as const;
export type Role = (typeof roles)[number];

/** A file of lines that one process after another goes on with. */
export function journal(folder: string, name: string): (line: string) => void {
  const file = openSync(`${folder}/${name}.log`, "a");
  return (line) => void writeSync(file, `${line}\n`);
}

/** The lines of a journal that are whole, split at spaces; none where nobody has written yet. */
export function readJournal(folder: string, name: string): string[][] {
  const path = `${folder}/${name}.log`;
  appendFileSync(path, "");
  const text = readFileSync(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole === ""
    ? []
    : whole
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" "));
}
