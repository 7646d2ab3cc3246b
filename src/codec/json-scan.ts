// What JSON text (RFC 8259) would come to, counted before it is parsed: nesting, values and keys. One pass over the
// bytes, no recursion and nothing kept. Whether the text is grammatical is left to the parser behind.

import { undecodable } from "./error.js";
import type { CodecLimits } from "./limits.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

const isOpening = (byte: number | undefined) => byte === OPEN_ARRAY || byte === OPEN_OBJECT;
const isClosing = (byte: number | undefined) => byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;

/** Throws a CodecError when the text is over a limit; otherwise the number of keys in it. */
export function scanJson(text: Buffer, limits: CodecLimits): number {
  let depth = 0;
  let values = 1;
  let members = 0;
  let previous: number | undefined;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at]!;
    if (byte <= SPACE) continue;
    if (byte === COMMA || (isOpening(previous) && !isClosing(byte))) values++;
    if (byte === QUOTE) at = endOfString(text, at);
    else if (byte === COLON) members++;
    else if (isOpening(byte)) depth++;
    else if (isClosing(byte)) depth--;
    if (depth > limits.depth) throw undecodable(`nested deeper than ${limits.depth}`);
    if (values + members > limits.values) throw undecodable(`more than ${limits.values} values`);
    previous = byte;
  }
  return members;
}

/** Where the string that opens at `start` has its closing quote; beyond the text when it has none. */
function endOfString(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}
