// What is measured between sockets: a case is one value of each dimension, and each value is a word on the command
// line. Six frames is what a Jupyter message has behind its identities; the size is that of all body frames together.

import { randomBytes } from "node:crypto";
import { take } from "./command-line.js";

const KB = 1024;

/** The values of each dimension by the words that choose them. */
export const dimensions = {
  pattern: { "dealer-router": "dealer-router", "pub-sub": "pub-sub" },
  transport: { tcp: "tcp", ipc: "ipc" },
  subscribers: { "1-subscriber": 1, "10-subscribers": 10 },
  frames: { "1-frame": 1, "6-frames": 6 },
  /** Of all body frames together. */
  bytes: {
    "16": 16,
    "64": 64,
    "256": 256,
    "1k": KB,
    "4k": 4 * KB,
    "16k": 16 * KB,
    "128k": 128 * KB,
    "1m": KB * KB,
  },
  /** Whether each send is awaited before the next, or many are under way at a time (bench/sending.ts). */
  sending: { awaited: "awaited", windowed: "windowed" },
} as const;

type Dimensions = typeof dimensions;
type Dimension = keyof Dimensions;
type Value<D extends Dimension> = Dimensions[D][keyof Dimensions[D]];

export type Case = { readonly [D in Dimension]: Value<D> };
export type Pattern = Value<"pattern">;
export type Sending = Value<"sending">;
/** The values that are wanted; a dimension that is left out is as usual. */
export type Choice = { readonly [D in Dimension]?: readonly Value<D>[] };

/** What two parties or more need to meet. */
export type Meeting = Pick<Case, "pattern" | "transport" | "subscribers">;

const all = <D extends Dimension>(dimension: D) => Object.values(dimensions[dimension]) as Value<D>[];

export const patterns = all("pattern");

const simplest = {
  pattern: patterns,
  transport: ["tcp"],
  subscribers: [1],
  frames: [1],
  bytes: all("bytes"),
  sending: ["awaited"],
} satisfies Choice;

/** Everything with everything would take hours; these are the questions that people ask. */
const usual: readonly Choice[] = [
  { pattern: ["dealer-router"], transport: all("transport"), frames: all("frames") },
  { pattern: ["dealer-router"], sending: ["windowed"] },
  { pattern: ["pub-sub"] },
  { pattern: ["pub-sub"], bytes: [256], subscribers: all("subscribers"), sending: all("sending") },
];

const quick: readonly Choice[] = [
  { pattern: ["dealer-router"], bytes: [64, 16 * KB] },
  { pattern: ["dealer-router"], bytes: [64], frames: [6] },
  { pattern: ["dealer-router"], bytes: [64], sending: ["windowed"] },
  { pattern: ["pub-sub"], bytes: [256] },
];

/** Takes out of `words` the values of every dimension that they name. */
export function takeChoice(words: Set<string>): Choice {
  const chosen = Object.entries(dimensions).map(([dimension, values]) => {
    const taken = take(words, Object.keys(values));
    return [dimension, taken.map((word) => (values as Record<string, unknown>)[word])] as const;
  });
  return Object.fromEntries(chosen.filter(([, values]) => values.length > 0));
}

/**
 * For every combination of the values that `choice` names, the usual cases that have them all; where there are none, those
 * that have them and are simple otherwise.
 *
 * @throws Error where no case can have what is named
 */
export function casesOf(choice: Choice, fast: boolean): Case[] {
  const known = (fast ? quick : usual).flatMap((each) => combine({ ...simplest, ...each }));
  const cases = combine(choice).flatMap((named) => {
    const own = known.filter((kind) =>
      Object.entries(named).every(([key, value]) => kind[key as Dimension] === value),
    );
    return own.length > 0 ? own : combine({ ...simplest, ...choiceOf(named) });
  });
  const real = (cases as Case[]).filter(exists);
  if (real.length === 0) throw new Error("Nothing can be measured that is all of this; see --help");
  return [...new Map(real.map((kind) => [JSON.stringify(kind), kind])).values()];
}

/** Only a PUB has several at the other end. */
const exists = ({ pattern, subscribers }: Case) => pattern === "pub-sub" || subscribers === 1;

/** Everything with everything. */
function combine(choice: Choice): Partial<Case>[] {
  let cases: Partial<Case>[] = [{}];
  for (const [dimension, values] of Object.entries(choice)) {
    cases = cases.flatMap((kind) => values.map((value) => ({ ...kind, [dimension]: value })));
  }
  return cases;
}

const choiceOf = (named: Partial<Case>): Choice =>
  Object.fromEntries(Object.entries(named).map(([dimension, value]) => [dimension, [value]]));

export const patternTitles: Record<Pattern, string> = {
  "dealer-router": "DEALER → ROUTER",
  "pub-sub": "PUB → SUB",
};

export function meetingTitle({ pattern, transport, subscribers }: Meeting): string {
  return `${patternTitles[pattern]}${subscribers > 1 ? ` × ${subscribers}` : ""}, ${transport}`;
}

/** "64 B", "16 KB", "1 MB". */
export function sizeTitle(bytes: number): string {
  if (bytes < KB) return `${bytes} B`;
  return bytes < KB * KB ? `${bytes / KB} KB` : `${bytes / KB / KB} MB`;
}

/** The body frames of one case, as equal in length as can be. */
export function bodyOf({ bytes, frames }: Record<"bytes" | "frames", number>): Buffer[] {
  const body = randomBytes(bytes);
  const cut = (n: number) => Math.floor((n * bytes) / frames);
  return Array.from({ length: frames }, (_, n) => body.subarray(cut(n), cut(n + 1)));
}
