// A command: its options are declared once, and the parser and the help both read the declaration.

import { parseArgs } from "node:util";
import { EXIT, type ExitCode, suggestion, UsageError } from "./failure.js";
import { type Paint, paintFor } from "./terminal.js";

/** One option of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** What stands for the value in the help: FILE, NAME. Strings only. */
  readonly value?: string;
  /** Whether it may be given more than once. */
  readonly multiple?: boolean;
  readonly short?: string;
  readonly help: string;
}

/** The options of a command by name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What was given for them. */
export type Values<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]?: Specs[Name] extends { readonly type: "boolean" }
    ? boolean
    : Specs[Name] extends { readonly multiple: true }
      ? readonly string[]
      : string;
};

/** What a command declares of itself. */
export interface Declaration<Specs extends OptionSpecs> {
  readonly name: string;
  /** What it does, in a sentence or two. */
  readonly purpose: string;
  /** The forms it takes, without "countersign". */
  readonly usage: readonly string[];
  readonly options: Specs;
  /** Paragraphs behind the options: what a reader wants to know besides. */
  readonly notes?: readonly string[];
  readonly examples?: readonly string[];
  /** Most arguments besides options. */
  readonly positionals: number;
  run(values: Values<Specs>, positionals: readonly string[]): ExitCode | Promise<ExitCode>;
}

/** A command, ready to run. */
export interface Command {
  help(paint: Paint): string;
  run(args: readonly string[]): Promise<ExitCode>;
}

const HELP = { type: "boolean", short: "h", help: "show this help" } as const satisfies OptionSpec;

/** Makes a command of its declaration. */
export function defineCommand<const Specs extends OptionSpecs>(declaration: Declaration<Specs>): Command {
  const specs: OptionSpecs = { ...declaration.options, help: HELP };
  const help = (paint: Paint) => renderHelp(declaration, specs, paint);
  return {
    help,
    async run(args) {
      const { values, positionals } = parse(args, specs);
      if (values.help === true) {
        process.stdout.write(help(paintFor(process.stdout)));
        return EXIT.ok;
      }
      const surplus = positionals[declaration.positionals];
      if (surplus !== undefined) throw new UsageError(`One argument too many: "${surplus}".`);
      return declaration.run(values as Values<Specs>, positionals);
    },
  };
}

/** Splits arguments by `specs`; the complaints are ours, so the parser itself is asked to be lenient. */
function parse(args: readonly string[], specs: OptionSpecs) {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type, multiple = false, short }]) => [
      name,
      { type, multiple, ...(short !== undefined && { short }) },
    ]),
  );
  const parsed = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    assertOption(token, specs);
    if (given.has(token.name) && !specs[token.name]?.multiple) {
      throw new UsageError(`--${token.name} is given twice; only one can count.`);
    }
    given.add(token.name);
  }
  return parsed;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function assertOption({ name, rawName, value, inlineValue }: OptionToken, specs: OptionSpecs): void {
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (spec === undefined) {
    throw new UsageError(`There is no option ${rawName}.${suggestion(name, Object.keys(specs), "--")}`);
  }
  if (spec.type === "boolean") {
    if (value !== undefined) throw new UsageError(`--${name} takes no value; got "${value}".`);
  } else if (value === undefined || (!inlineValue && value.startsWith("-") && value.length > 1)) {
    const instead = value === undefined ? "" : ` (if it really is "${value}", write --${name}=${value})`;
    throw new UsageError(`--${name} needs a value: --${name} ${spec.value}${instead}.`);
  }
}

/** Columns that every terminal has. */
const WIDTH = 80;

function renderHelp(declaration: Declaration<OptionSpecs>, specs: OptionSpecs, paint: Paint): string {
  const { purpose, usage, notes = [], examples = [] } = declaration;
  const sections = [
    wrap(purpose, "").join("\n"),
    [paint.bold("Usage"), ...usage.map((form) => `  countersign ${form}`)].join("\n"),
    [paint.bold("Options"), ...renderOptions(specs)].join("\n"),
    ...notes.map((note) => wrap(note, "").join("\n")),
    ...(examples.length > 0
      ? [[paint.bold("Examples"), ...examples.map((line) => `  ${line}`)].join("\n")]
      : []),
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderOptions(specs: OptionSpecs): string[] {
  const rows = Object.entries(specs).map(([name, { value, short, help }]) => ({
    left: `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    help,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length)) + 5;
  return rows.flatMap(({ left, help }) => {
    const [first = "", ...more] = wrap(help, " ".repeat(width));
    return [`  ${left}`.padEnd(width) + first.slice(width), ...more];
  });
}

/** Breaks text into lines that all begin with `indent`. */
export function wrap(text: string, indent: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line];
}
