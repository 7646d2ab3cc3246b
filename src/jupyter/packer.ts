// Packers: the four dicts of a message to bytes and back. JSON as jupyter_client packs it by default, MessagePack as its
// `packer="msgpack.packb"` does, or one of the application's own.

import { isAscii } from "node:buffer";
import { assertCarriable, kindOf } from "../codec/carriable.js";
import { CodecError, undecodable } from "../codec/error.js";
import { msgpack as msgpackCodec } from "../codec/msgpack.js";
import { misuse } from "../errors.js";

/** Turns the parts of a message into bytes and back. What it throws is told as `undecodable` when it unpacks. */
export interface Packer {
  /** What it is called in errors. */
  readonly name: string;
  /**
   * From a dict to bytes.
   * @throws TypeError for what it cannot carry
   */
  pack(value: object): Uint8Array;
  /** The same with one more member, whose value is JSON text already: quicker. Left out where that means nothing. */
  packWith?(value: object, key: string, member: string): Uint8Array;
  /** From bytes to a value, after verification. May throw anything. */
  unpack(bytes: Buffer): unknown;
}

/** As large as the limits of a session let a message be: they are asked before. Packers recurse, so the depth is bounded. */
const LIMITS = { bytes: 2 ** 32 - 1, depth: 512, values: 2 ** 32 - 1 };

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
/** Shared by all messages, as the delimiter is: nobody writes into frames. */
const EMPTY_DICT = Buffer.from("{}");

/** From here on it pays to look whether the bytes are ASCII, as a large image's base64 is: a sixth less time (measured). */
const LARGE = 4096;

function textOf(bytes: Buffer): string {
  return bytes.toString(bytes.length > LARGE && isAscii(bytes) ? "latin1" : "utf8");
}

/**
 * JSON in UTF-8. Sends what JSON carries unchanged and dates as their ISO text; NaN, infinities, bigints, binary and class
 * instances are a TypeError (jupyter_client refuses NaN, too). Bytes that are not UTF-8, which Python's surrogateescape
 * sends, become U+FFFD, as in jupyter_client.
 */
const json: Packer & Required<Pick<Packer, "packWith">> = {
  name: "json",
  pack(value) {
    if (isEmpty(value)) return EMPTY_DICT;
    assertPackable(value);
    return Buffer.from(JSON.stringify(value));
  },
  packWith(value, key, member) {
    assertPackable(value);
    const text = JSON.stringify(value);
    const field = `${JSON.stringify(key)}:${member}`;
    return Buffer.from(text === "{}" ? `{${field}}` : `${text.slice(0, -1)},${field}}`);
  },
  unpack(bytes) {
    // Most messages have no metadata, and requests no parent.
    if (bytes.length === 2 && bytes[0] === OPENING_BRACE && bytes[1] === CLOSING_BRACE) return {};
    const text = textOf(bytes);
    const value: unknown = JSON.parse(text);
    if (mayHoldProto(text)) assertNoProto(value);
    return value;
  },
};

const codec = msgpackCodec<unknown, unknown>({ limits: LIMITS });

/** MessagePack: what `msgpack()` of `countersign/codec` carries, and dates as their ISO text, as jupyter_client sends them. */
const msgpack: Packer = {
  name: "msgpack",
  pack(value) {
    assertCarriable(value, "a Jupyter message", () => undefined, LIMITS);
    return codec.encode(withDatesAsText(value))[0] as Uint8Array;
  },
  unpack: (bytes) => codec.decode([bytes]),
};

const PACKERS: Readonly<Record<string, Packer>> = { json, msgpack };

/** The packer that an option stands for, checked. */
export function packerOf(packer: unknown = json): Packer {
  if (typeof packer === "string" && Object.hasOwn(PACKERS, packer)) return PACKERS[packer] as Packer;
  const { pack, unpack, name } = (Object(packer) as Partial<Packer>) ?? {};
  if (typeof pack === "function" && typeof unpack === "function" && typeof name === "string") {
    return packer as Packer;
  }
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    'packer must be "json", "msgpack", or an object with name, pack and unpack.',
  );
}

/** Most messages are strings, numbers and short lists: found out without keeping account of where each stands. */
function assertPackable(value: object): void {
  if (!isPackable(value, 0)) assertCarriable(value, "a Jupyter message", complaint, LIMITS);
}

/** No metadata, no parent: as common as that is. */
function isEmpty(value: object): boolean {
  for (const _ in value) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

const QUICK_DEPTH = 16;

/** Is it surely packable? `false` where one must look more closely. */
function isPackable(value: unknown, depth: number): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth > QUICK_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPackable(value[i], depth + 1)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    if (key === "__proto__" || key === "toJSON") return false;
    if (!isPackable((value as Record<string, unknown>)[key], depth + 1)) return false;
  }
  return true;
}

function complaint(scalar: unknown): string | undefined {
  if (scalar === null || typeof scalar === "string" || typeof scalar === "boolean") return undefined;
  if (typeof scalar === "number") return Number.isFinite(scalar) ? undefined : String(scalar);
  if (scalar instanceof Date) return Number.isNaN(scalar.getTime()) ? "an invalid Date" : undefined;
  return scalar instanceof Uint8Array ? "binary, which goes into buffers" : kindOf(scalar);
}

/** A copy in which dates are text; of a value that is known to have no cycle. */
function withDatesAsText(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(withDatesAsText);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withDatesAsText(member)]));
}

/** Whether a key may be `__proto__`, written out or with an escape in it. A cell's source may say so, too: then one looks. */
function mayHoldProto(text: string): boolean {
  return text.includes("__proto__") || (text.includes("\\u00") && /\\u00(5f|7[024])|\\u006f/i.test(text));
}

/** An own property here, but a prototype wherever it is assigned. Without recursion: nesting was the sender's choice. */
function assertNoProto(value: unknown): void {
  const open: unknown[] = typeof value === "object" && value !== null ? [value] : [];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Object.hasOwn(next as object, "__proto__")) throw undecodable("a key named __proto__");
    for (const member of Object.values(next as object)) {
      if (typeof member === "object" && member !== null) open.push(member);
    }
  }
}

/** Unpacks a dict; whatever a packer throws is one error with a fixed message: parsers quote what they could not read. */
export function unpackDict(packer: Packer, bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = packer.unpack(bytes);
  } catch (error) {
    throw error instanceof CodecError ? error : undecodable(`it is not well-formed ${packer.name}`);
  }
  if (!isDict(value)) throw undecodable("it is no dict");
  return value;
}

/** Lists are objects, too, and so are MessagePack's binary and timestamps. */
function isDict(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]";
}
