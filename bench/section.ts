// One part of the benchmark: what a word on the command line measures, and how the result is printed.

import type { Choice } from "./cases.js";
import type { Progress } from "./progress.js";
import type { VariantName } from "./variants/table.js";

/** What all sections are told. Each takes what concerns it. */
export interface Run {
  /** Rounds a measurement, of which the figures are medians. */
  readonly rounds: number;
  /** Whether it must be over soon: fewer cases, shorter measurements. */
  readonly quick: boolean;
  /** Which cases between sockets; what it leaves out is as usual. */
  readonly choice: Choice;
  /** Which ways of protecting messages; the first is the baseline. */
  readonly variants: readonly VariantName[];
  readonly progress: Progress;
}

export interface Section<Result> {
  /** On the command line, and the result's name in the JSON. */
  readonly word: string;
  /** What it measures, as a line of the help. */
  readonly help: string;
  /** Whether `quick` measures it too. */
  readonly quick: boolean;
  measure(run: Run): Result | Promise<Result>;
  /** For a terminal. */
  table(result: Result): string;
}

/** Thrown by a section that cannot be measured on this machine; the message is a sentence that says what is missing. */
export class Missing extends Error {}
