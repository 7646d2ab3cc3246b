// A captured message in the forms in which people have one: hexadecimal digits, dumps of xxd, hexdump and od, Buffers
// as Node prints them, JSON, and bytes as they are. What is wrong is named with its line and column.

import { hasMagic } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { OperatorError } from "./failure.js";
import { printable } from "./terminal.js";

/** Fewest hexadecimal digits of a whole signature frame: header, a name of one byte, tag. */
const SIGNATURE_DIGITS = 2 * (WIRE.headerBytes + 1 + WIRE.tagBytes);

/** The frames in what was read from a file or a pipe. */
export function parseCapture(input: Buffer): Buffer[] {
  if (input.length === 0)
    throw new OperatorError(
      "The input is empty: give the frames of a message, as hexadecimal digits or as they are.",
    );
  const text = hasMagic(input) ? undefined : textOf(input);
  if (text === undefined) return [input];
  if (text.includes("<Buffer")) return parsePrintedBuffers(text);
  if (/^\s*(?:[[{]|"[^"])/.test(text)) return parseJson(text);
  const lines = text.split(/\r?\n/);
  if (lines.some((line) => /^0{6,16}(?:: |[ \t]+[0-9a-f]{2})/i.test(line))) return parseDump(lines);
  return parseLines(lines);
}

/** Plain text, or `undefined` for bytes as they are. */
function textOf(input: Buffer): string | undefined {
  const isText = input.every(
    (byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 0x20 && byte <= 0x7e),
  );
  return isText ? input.toString("latin1") : undefined;
}

/** One frame a line. Frames may be wrapped over several, as `xxd -p` does, if an empty line ends each. */
function parseLines(lines: readonly string[]): Buffer[] {
  const oneEach = lines.map(cleaned).some((line) => line.length >= SIGNATURE_DIGITS && /^c153/i.test(line));
  const frames: Buffer[] = [];
  let paragraph: { digits: string; where: string }[] = [];
  const close = () => {
    const joined = paragraph.map(({ digits }) => digits);
    const whole =
      !oneEach && isWrapped(joined) ? [{ digits: joined.join(""), where: "all lines together" }] : paragraph;
    for (const { digits, where } of whole) frames.push(decode(digits, where));
    paragraph = [];
  };
  for (const [index, text] of lines.entries()) {
    const where = `line ${index + 1}`;
    if (text.trim() === "") close();
    else paragraph.push({ digits: digitsOf(text, where), where });
  }
  close();
  return frames;
}

/** Fewest hexadecimal digits in the lines of a wrapped dump. */
const WRAPPED_DIGITS = 32;

/** Are these lines one frame? A signature frame that was cut off, or lines of one length before the last. */
function isWrapped(lines: readonly string[]): boolean {
  const [first = "", ...others] = lines;
  if (/^c153/i.test(first)) return true;
  const last = others.pop();
  if (last === undefined || first.length < WRAPPED_DIGITS) return false;
  return others.every((line) => line.length === first.length) && last.length <= first.length;
}

/** The digits alone: without spaces, separators, "0x" and the quotes that stand for an empty frame. */
function cleaned(text: string): string {
  return text.trim() === '""' ? "" : text.replace(/\b0x/gi, "").replace(/[\s:,]/g, "");
}

/** Bytes written as hexadecimal digits; `where` says in an error where they stand. */
export function parseHex(text: string, where: string): Buffer {
  return decode(digitsOf(text, where), where);
}

function digitsOf(text: string, where: string): string {
  const digits = cleaned(text);
  const wrong = /[^0-9a-f]/i.exec(digits)?.[0];
  if (wrong === undefined) return digits;
  throw new OperatorError(
    `${where}, column ${text.indexOf(wrong) + 1}: expected hexadecimal digits, found "${printable(wrong)}".`,
  );
}

function decode(digits: string, where: string): Buffer {
  if (digits.length % 2 === 0) return Buffer.from(digits, "hex");
  throw new OperatorError(
    `${where}: ${digits.length} hexadecimal digits are no whole bytes; one is missing or too many.`,
  );
}

/** Dumps with an offset before each line; one that begins at 0 again is the next frame. */
function parseDump(lines: readonly string[]): Buffer[] {
  const frames: Buffer[][] = [];
  let length = 0;
  for (const [index, line] of lines.entries()) {
    const match = /^([0-9a-f]{6,16})(:|\s|$)(.*)$/i.exec(line);
    if (line.trim() === "") continue;
    const where = `line ${index + 1}`;
    if (match === null) throw new OperatorError(explainNoDumpLine(line, where));
    const [, offset = "", colon, rest = ""] = match;
    const bytes = parseHex(dumpedDigits(rest, colon === ":", where), where);
    if (Number.parseInt(offset, 16) === 0 && bytes.length > 0) {
      frames.push([]);
      length = 0;
    }
    if (Number.parseInt(offset, 16) !== length) {
      throw new OperatorError(
        `${where}: offset ${offset} follows ${length} bytes; a line is missing or was changed.`,
      );
    }
    frames.at(-1)?.push(bytes);
    length += bytes.length;
  }
  return frames.map((parts) => Buffer.concat(parts));
}

/** The digits between the offset and the column of text: xxd ends them with two spaces, hexdump with a bar. */
function dumpedDigits(rest: string, isXxd: boolean, where: string): string {
  const digits = (isXxd ? rest.trimStart().split(/\s{2,}/) : rest.split("|"))[0] as string;
  if (/^\s*53c1\b/i.test(digits)) {
    throw new OperatorError(
      `${where}: these are 16-bit words with their bytes swapped; dump with "hexdump -vC" or "xxd" instead.`,
    );
  }
  return digits;
}

function explainNoDumpLine(line: string, where: string): string {
  if (line.trim() === "*")
    return `${where}: the dump leaves out repeated lines ("*"); dump with "hexdump -vC" or "xxd" instead.`;
  return `${where}: expected an offset and hexadecimal digits, found "${printable(line.slice(0, 20))}".`;
}

/** `<Buffer c1 53 …>`, as Node prints it. */
function parsePrintedBuffers(text: string): Buffer[] {
  return [...text.matchAll(/<Buffer([^>]*)>/g)].map(([, inside = ""], index) => {
    if (inside.includes("more byte")) {
      throw new OperatorError(
        `Buffer ${index + 1} was cut when it was printed; print frame.toString("hex") instead.`,
      );
    }
    return parseHex(inside, `Buffer ${index + 1}`);
  });
}

/** An array of strings, all hexadecimal or all base64, or of Buffers as `JSON.stringify` writes them. */
function parseJson(text: string): Buffer[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OperatorError(
      `The input looks like JSON and is none: ${printable((cause as Error).message)}.`,
      { cause },
    );
  }
  const frames = Array.isArray(value) ? value : [value];
  if (frames.length === 0) throw new OperatorError("The array holds no frame.");
  const strings = frames.filter((frame) => typeof frame === "string");
  const hex = strings.every((frame) => /^(?:[0-9a-f]{2})*$/i.test(cleaned(frame)));
  return frames.map((frame, index) => parseJsonFrame(frame, hex, `frame ${index + 1} of the array`));
}

function parseJsonFrame(frame: unknown, hex: boolean, where: string): Buffer {
  if (typeof frame === "string") {
    if (hex) return parseHex(frame, where);
    if (/^[A-Za-z0-9+/_-]*={0,2}$/.test(frame)) return Buffer.from(frame, "base64");
  }
  const { type, data } = (typeof frame === "object" && frame !== null ? frame : {}) as Record<
    string,
    unknown
  >;
  if (type === "Buffer" && Array.isArray(data) && data.every(isByte)) return Buffer.from(data);
  throw new OperatorError(
    `${where}: expected a string of hexadecimal digits or base64, or a Buffer as JSON.stringify writes it.`,
  );
}

function isByte(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}
