// What the command lines of `npm run bench` and `npm run soak` share: words that are taken out of a set, numbers with
// a lower bound, and an exit code of 2 with one sentence when something means nothing.

/** Takes out of `words` those that are in `all`, in the order of `all`. */
export function take<T extends string>(words: Set<string>, all: readonly T[]): T[] {
  return all.filter((word) => words.delete(word));
}

export function assertNoneLeft(words: ReadonlySet<string>): void {
  for (const word of words) throw new Error(`"${word}" means nothing here; see --help`);
}

export function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  throw new Error(`${name} takes a whole number of at least ${least}, not "${text}"`);
}

export function parseOrExit<T>(parse: (argv: string[]) => T): T {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}
