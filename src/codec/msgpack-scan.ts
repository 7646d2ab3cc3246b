// What MessagePack bytes would come to, checked before anything is built from them
// (https://github.com/msgpack/msgpack/blob/master/spec.md): lengths against what is there, nesting, number of values,
// and the parts of the format that a codec for plain data has no use for. One pass, no recursion, nothing allocated
// but one entry for each open array or map.

import { isUtf8 } from "node:buffer";
import { undecodable } from "./error.js";
import type { CodecLimits } from "./limits.js";

type Kind = "scalar" | "string" | "binary" | "extension" | "array" | "map" | "refused";

/** What a first byte announces. The size is bytes, elements or pairs; with a length field it stands there. */
type Head = readonly [kind: Kind, lengthBytes: number, size: number];

/** First bytes 0xc0 to 0xdf, in the order of the specification's overview. */
const HEADS: readonly Head[] = [
  ["scalar", 0, 0], // nil
  ["refused", 0, 0], // 0xc1, never used
  ["scalar", 0, 0], // false
  ["scalar", 0, 0], // true
  ["binary", 1, 0],
  ["binary", 2, 0],
  ["binary", 4, 0],
  ["extension", 1, 0],
  ["extension", 2, 0],
  ["extension", 4, 0],
  ["scalar", 0, 4], // float 32
  ["scalar", 0, 8], // float 64
  ["scalar", 0, 1], // uint 8, 16, 32, 64
  ["scalar", 0, 2],
  ["scalar", 0, 4],
  ["scalar", 0, 8],
  ["scalar", 0, 1], // int 8, 16, 32, 64
  ["scalar", 0, 2],
  ["scalar", 0, 4],
  ["scalar", 0, 8],
  ["extension", 0, 1], // fixext
  ["extension", 0, 2],
  ["extension", 0, 4],
  ["extension", 0, 8],
  ["extension", 0, 16],
  ["string", 1, 0],
  ["string", 2, 0],
  ["string", 4, 0],
  ["array", 2, 0],
  ["array", 4, 0],
  ["map", 2, 0],
  ["map", 4, 0],
];

const ALL_HEADS: readonly Head[] = Array.from({ length: 256 }, (_, byte) => headOf(byte));

function headOf(byte: number): Head {
  if (byte < 0x80 || byte >= 0xe0) return ["scalar", 0, 0]; // fixint
  if (byte < 0x90) return ["map", 0, byte - 0x80];
  if (byte < 0xa0) return ["array", 0, byte - 0x90];
  if (byte < 0xc0) return ["string", 0, byte - 0xa0];
  return HEADS[byte - 0xc0]!;
}

interface Scan {
  readonly body: Buffer;
  readonly limits: CodecLimits;
  at: number;
  values: number;
  members: number;
  /** For each open array or map, innermost last: how many values are still to come; keys count in a map. */
  readonly left: number[];
  readonly isMap: boolean[];
}

/**
 * Throws a CodecError unless `body` is exactly one well-formed value within the limits, with strings in UTF-8, string
 * keys other than `__proto__`, and no extension but timestamps. Otherwise the number of keys in it.
 */
export function scanMsgpack(body: Buffer, limits: CodecLimits): number {
  const scan: Scan = { body, limits, at: 0, values: 0, members: 0, left: [], isMap: [] };
  do {
    scanValue(scan);
    closeFinished(scan);
  } while (scan.left.length > 0);
  if (scan.at < body.length) throw undecodable(`${body.length - scan.at} bytes behind the value`);
  return scan.members;
}

function scanValue(scan: Scan): void {
  const isKey = startValue(scan);
  const [kind, lengthBytes, fixedSize] = takeHead(scan);
  const size = lengthBytes === 0 ? fixedSize : takeLength(scan, lengthBytes);
  if (isKey && kind !== "string") throw undecodable("a key that is not a string");
  if (kind === "array") open(scan, size, false);
  else if (kind === "map") open(scan, size, true);
  else if (kind === "extension") assertTimestamp(take(scan, size + 1), size);
  else if (kind === "string") assertText(scan, size, isKey);
  else if (kind === "refused") throw undecodable("a byte that MessagePack never uses");
  else skip(scan, size);
}

/** Counts the value that begins here, and says whether it is a key. */
function startValue(scan: Scan): boolean {
  if (++scan.values > scan.limits.values) throw undecodable(`more than ${scan.limits.values} values`);
  const innermost = scan.left.length - 1;
  if (innermost < 0) return false;
  const left = scan.left[innermost]!--;
  const isKey = scan.isMap[innermost]! && left % 2 === 0;
  if (isKey) scan.members++;
  return isKey;
}

function takeHead(scan: Scan): Head {
  skip(scan, 1);
  return ALL_HEADS[scan.body[scan.at - 1]!]!;
}

function takeLength(scan: Scan, bytes: number): number {
  skip(scan, bytes);
  return scan.body.readUIntBE(scan.at - bytes, bytes);
}

/** Moves on by `size` bytes, all of which must be there: no declared length is ever believed. */
function skip(scan: Scan, size: number): void {
  if (size > scan.body.length - scan.at) throw undecodable("it ends inside a value");
  scan.at += size;
}

/** The next `size` bytes. */
function take(scan: Scan, size: number): Buffer {
  skip(scan, size);
  return scan.body.subarray(scan.at - size, scan.at);
}

/** Begins an array or map. Every value takes at least one byte, so a count beyond the bytes left is a lie. */
function open(scan: Scan, size: number, isMap: boolean): void {
  const count = isMap ? 2 * size : size;
  if (count > scan.body.length - scan.at) throw undecodable("it ends inside an array or map");
  if (scan.left.length >= scan.limits.depth) throw undecodable(`nested deeper than ${scan.limits.depth}`);
  scan.left.push(count);
  scan.isMap.push(isMap);
}

function closeFinished({ left, isMap }: Scan): void {
  while (left[left.length - 1] === 0) {
    left.pop();
    isMap.pop();
  }
}

function assertText(scan: Scan, size: number, isKey: boolean): void {
  const start = scan.at;
  skip(scan, size);
  if (isKey && size === 9 && scan.body.toString("latin1", start, scan.at) === "__proto__") {
    throw undecodable("a key named __proto__");
  }
  if (!isAscii(scan.body, start, scan.at) && !isUtf8(scan.body.subarray(start, scan.at))) {
    throw undecodable("a string that is not UTF-8");
  }
}

/** Short strings, most often: cheaper looked at than handed to the runtime, which takes a view to be made. */
function isAscii(body: Buffer, start: number, end: number): boolean {
  if (end - start > 64) return false;
  for (let at = start; at < end; at++) if (body[at]! > 0x7f) return false;
  return true;
}

const LATEST_MS = 8.64e15;

/** The specification's one extension, type −1, in its 32, 64 and 96 bit forms, within what a Date can hold. */
function assertTimestamp(extension: Buffer, size: number): void {
  if (extension[0] !== 0xff) throw undecodable("an extension type that is not the timestamp");
  if (size === 4) return;
  if (size !== 8 && size !== 12) throw undecodable("a timestamp of no defined size");
  const nanoseconds = size === 8 ? extension.readUInt32BE(1) >>> 2 : extension.readUInt32BE(1);
  const seconds = size === 8 ? 0 : Number(extension.readBigInt64BE(5));
  if (nanoseconds > 999_999_999 || Math.abs(seconds * 1000 + nanoseconds / 1e6) > LATEST_MS) {
    throw undecodable("a timestamp out of range");
  }
}
