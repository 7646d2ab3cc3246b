// What reaches the terminal: colors only where a person looks at them and wants them (https://no-color.org), and
// nothing from outside that the terminal would obey rather than show.

/** Marks text for the eye; each leaves it as it is where there are no colors. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** The paint for a stream: colors on a terminal that has them, unless `NO_COLOR` is set to anything. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const colored = stream.isTTY === true && !process.env.NO_COLOR && stream.hasColors();
  const mark = (on: number, off: number) => (text: string) =>
    colored && text !== "" ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: mark(1, 22),
    dim: mark(2, 22),
    red: mark(31, 39),
    green: mark(32, 39),
    yellow: mark(33, 39),
  };
}

/**
 * What a terminal may obey, and what could make text look like other text: controls, format characters (the
 * bidirectional ones among them), unassigned and private ones, any space but the plain one, marks that stack up on
 * their neighbors, and the scripts written from right to left, which would turn the rest of the line around.
 */
const UNSAFE =
  /[\p{C}\p{M}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with everything unsafe written as an escape. Line breaks count as unsafe. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) as number;
    return SHORT[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`);
  });
}

/** The same for a text of our own that quotes outside text: its line breaks stay. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** JSON that shows no terminal anything to obey: all but visible ASCII is escaped. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`,
  );
}

const PREVIEW_BYTES = 200;
const PREVIEW_WIDTH = 60;
const PREVIEW_HEX = 16;

/** The beginning of some bytes for the eye: quoted where they are text, hexadecimal digits where they are not. */
export function preview(bytes: Uint8Array): string {
  if (bytes.length === 0) return "empty";
  const text = textOf(bytes.subarray(0, PREVIEW_BYTES), bytes.length <= PREVIEW_BYTES);
  if (text !== undefined) return quote(text, bytes.length > PREVIEW_BYTES);
  const shown = spacedHex(bytes.subarray(0, PREVIEW_HEX));
  return bytes.length > PREVIEW_HEX ? `${shown} …` : shown;
}

/** The bytes as text, where they are UTF-8 and mostly more than controls. */
function textOf(bytes: Uint8Array, whole: boolean): string | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !whole });
  } catch {
    return undefined;
  }
  const unsafe = text.match(UNSAFE)?.filter((character) => !(character in SHORT)).length ?? 0;
  return unsafe * 4 <= text.length ? text : undefined;
}

/** In double quotes, or in single ones where that spares escapes, as Node prints strings. */
function quote(text: string, cut: boolean): string {
  const mark = text.includes('"') && !text.includes("'") ? "'" : '"';
  const escaped = [...printable(text.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`))];
  const shown = mark + escaped.slice(0, PREVIEW_WIDTH).join("") + mark;
  return cut || escaped.length > PREVIEW_WIDTH ? `${shown} …` : shown;
}

/** Pairs of hexadecimal digits. */
export function spacedHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => hex(byte, 2)).join(" ");
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
