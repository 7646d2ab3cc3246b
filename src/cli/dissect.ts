// The signature frame field by field, in words (docs/wire.md, section 3). Where the verifier says "malformed", this
// says which bytes, what they are and what they ought to be. Nothing here is verified.

import type { Reason } from "../reasons.js";
import { isControl } from "../wire/form.js";
import { FLAGS, type Header, KIND_NAMES, type Kind, readHeader, VERSION } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { PATTERN_NAMES, publishes, sends } from "../wire/patterns.js";
import { printable, spacedHex } from "./terminal.js";
import { formatAge, formatMicros } from "./time.js";

/** One field as it is shown: its value, and lines of what that means. */
export interface Field {
  readonly name: string;
  /** Offset in the signature frame. */
  readonly at: number;
  readonly rows: readonly (readonly [value: string, meaning: string])[];
}

/** Something wrong with the frame. */
export interface Fault {
  readonly field: string;
  /** Offset of the first wrong byte in the signature frame. */
  readonly at: number;
  readonly found: string;
  readonly expected: string;
}

/** A signature frame taken apart. */
export interface Dissection {
  readonly fields: readonly Field[];
  readonly faults: readonly Fault[];
  /** The header where a reader takes it, else why not. */
  readonly header: Header | Reason;
  readonly tag: Buffer | undefined;
  /** What stands behind the tag. */
  readonly behind: Buffer;
}

/** What one field reader makes of its bytes: rows to show, or what it expected instead. */
interface Reading {
  readonly rows?: Field["rows"];
  readonly expected?: string;
  readonly found?: string;
  /** Offset of the wrong byte in the field. */
  readonly offset?: number;
}

interface Layout {
  readonly name: string;
  readonly at: number;
  readonly size: number;
  /** Where it is wrong, what follows cannot be read. */
  readonly decides?: boolean;
  readonly read: (bytes: Buffer, frame: Buffer) => Reading;
}

const TAG = "tag";

const FIXED: readonly Layout[] = [
  { name: "version", at: 2, size: 1, decides: true, read: readVersion },
  { name: "kind", at: 3, size: 1, read: readKind },
  { name: "flags", at: 4, size: 1, read: readFlags },
  { name: "pattern", at: 5, size: 1, read: readPattern },
  { name: "reserved", at: 6, size: 1, read: ([byte]) => (byte === 0 ? {} : { expected: "00" }) },
  { name: "name length", at: 7, size: 1, decides: true, read: readNameLength },
  { name: "key id", at: 8, size: 4, read: (bytes) => row(bytes.toString("hex"), "") },
  { name: "ordinal", at: 12, size: 4, read: readOrdinal },
  { name: "epoch", at: 16, size: 8, read: readEpoch },
  { name: "sequence", at: 24, size: 8, read: (bytes) => numbered(bytes, () => "") },
  { name: "sent at", at: 32, size: 8, read: readSentAt },
];

/** Takes apart a frame that begins with the magic. */
export function dissect(frame: Buffer): Dissection {
  const fields: Field[] = [];
  const faults: Fault[] = [];
  const nameLength = frame[7] ?? 0;
  const tagAt = WIRE.headerBytes + nameLength;
  const layouts = [
    ...FIXED,
    { name: "sender", at: WIRE.headerBytes, size: nameLength, read: readSender },
    { name: TAG, at: tagAt, size: WIRE.tagBytes, read: (bytes: Buffer) => row(bytes.toString("hex"), "") },
  ];
  for (const layout of layouts) {
    const fault = readField(frame, layout, fields);
    if (fault === undefined) continue;
    faults.push(fault);
    if (fault.found === END || layout.decides) break;
  }
  const tagEnd = tagAt + WIRE.tagBytes;
  return {
    fields,
    faults,
    header: readHeader(frame),
    tag: fields.at(-1)?.name === TAG ? frame.subarray(tagAt, tagEnd) : undefined,
    behind: frame.subarray(Math.min(tagEnd, frame.length)),
  };
}

/** What is found where a frame is too short. */
export const END = "the end of the frame";

function readField(frame: Buffer, { name, at, size, read }: Layout, fields: Field[]): Fault | undefined {
  if (frame.length < at + size) {
    const expected = `${size} byte${size === 1 ? "" : "s"} from byte ${at} on`;
    return { field: name, at: frame.length, found: END, expected };
  }
  const bytes = frame.subarray(at, at + size);
  const { rows, expected, found = spacedHex(bytes), offset = 0 } = read(bytes, frame);
  if (rows !== undefined) fields.push({ name, at, rows });
  return expected === undefined ? undefined : { field: name, at: at + offset, found, expected };
}

function row(value: string, meaning: string): Reading {
  return { rows: [[value, meaning]] };
}

function readVersion([byte]: Buffer): Reading {
  if (byte === VERSION) return row(String(byte), "");
  return { expected: hexByte(VERSION) };
}

const KIND_WORDS: Readonly<Record<Kind, string>> = {
  data: "one message",
  batch: "several messages under one tag",
  hello: "control: asks to be admitted",
  challenge: "control: asks for proof of being alive",
  echo: "control: answers a challenge",
  sync: "control: a publisher's answer to a subscriber's nonce",
  refused: "control: a REP's fixed answer to a request that it refused",
  handshake: "control: a step of a handshake",
};

function readKind([byte = 0]: Buffer): Reading {
  const kind = KIND_NAMES[byte];
  if (kind === undefined) return { expected: `a kind from 01 to ${hexByte(KIND_NAMES.length - 1)}` };
  return row(kind, KIND_WORDS[kind]);
}

const FLAG_WORDS: Readonly<Record<keyof typeof FLAGS, string>> = {
  inline: "the body is in this frame, behind the tag",
  delimited: "an empty frame stood in front when it was signed",
  topic: "the tag covers the topic, the frame in front",
  bound: "answers one request, whose tag is covered too",
  addressed: "for one recipient, whose name is covered too",
  recipientKey: "signed with a key derived from the recipient's",
  sealed: "the body is encrypted",
};

/** The names of the flags that are set. */
export function flagNames(flags: number): (keyof typeof FLAGS)[] {
  return (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).filter((name) => (flags & FLAGS[name]) !== 0);
}

function readFlags([byte = 0]: Buffer): Reading {
  const rows = flagNames(byte).map((name) => [name, FLAG_WORDS[name]] as const);
  const unknown = byte & ~Object.values(FLAGS).reduce((all, bit) => all | bit, 0);
  const shown =
    rows.length > 0 ? rows : ([["none", "detached: the body follows as frames of its own"]] as const);
  return unknown === 0 ? { rows: shown } : { rows: shown, expected: `bits ${hexByte(unknown)} to be 0` };
}

function readPattern([byte = 0]: Buffer): Reading {
  const pattern = PATTERN_NAMES[byte];
  if (pattern === undefined)
    return { expected: `a socket type from 00 to ${hexByte(PATTERN_NAMES.length - 1)}` };
  return row(pattern.toUpperCase(), sends(pattern) ? "" : "a socket type that signs nothing");
}

function readNameLength([byte = 0]: Buffer): Reading {
  return byte >= 1 && byte <= WIRE.senderBytes ? {} : { expected: `01 to ${hexByte(WIRE.senderBytes)}` };
}

function readOrdinal(bytes: Buffer): Reading {
  const ordinal = bytes.readUInt32BE(0);
  return row(String(ordinal), ordinal === 0 ? "not counted" : "its number among those to this peer or topic");
}

function readEpoch(bytes: Buffer): Reading {
  return numbered(bytes, (epoch) => `${formatMicros(epoch)}, its sender's start`);
}

function readSentAt(bytes: Buffer, frame: Buffer): Reading {
  return numbered(bytes, (sentAt) => {
    const intoEpoch = sentAt - Number(frame.readBigUInt64BE(16));
    const before = intoEpoch < 0 ? ", before its epoch" : "";
    return `${formatMicros(sentAt)}, ${formatAge(sentAt / 1000, Date.now())}${before}`;
  });
}

function numbered(bytes: Buffer, explain: (value: number) => string): Reading {
  const value = bytes.readBigUInt64BE(0);
  if (value > BigInt(WIRE.maxNumber)) return { expected: `a number up to 2^53-1 (00 1f ff ff ff ff ff ff)` };
  return row(String(value), explain(Number(value)));
}

/** Sets an instance apart from the name, and so cannot begin one. */
const TILDE = 0x7e;

function readSender(bytes: Buffer): Reading {
  const name = printable(bytes.toString("latin1"));
  const wrong = bytes.findIndex((byte) => byte < 0x21 || byte > 0x7e);
  const offset = bytes[0] === TILDE ? 0 : wrong;
  if (offset < 0) return row(name, "");
  const found = hexByte(bytes[offset] as number);
  const expected = "visible ASCII, 21 to 7e, that does not begin with ~ (7e)";
  return { rows: [[name, ""]], offset, found, expected };
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** What makes a header that reads well impossible all the same, whoever received it. */
export function contradictions(header: Header): Fault[] {
  const has = (flag: keyof typeof FLAGS) => (header.flags & FLAGS[flag]) !== 0;
  const flags = flagNames(header.flags).join(", ") || "none";
  const wrong = (expected: string): Fault => ({
    field: "flags",
    at: 4,
    found: flags,
    expected,
  });
  const faults: Fault[] = [];
  const pattern = header.pattern.toUpperCase();
  if (has("topic") !== publishes(header.pattern)) {
    faults.push(
      wrong(
        publishes(header.pattern)
          ? `topic: a ${pattern} signs its topics`
          : `no topic: a ${pattern} has none`,
      ),
    );
  }
  if (has("recipientKey") && !has("addressed"))
    faults.push(wrong("recipientKey only together with addressed"));
  const fromServer = header.pattern === "router" || header.pattern === "rep";
  if (has("bound") && !fromServer) faults.push(wrong(`no bound: a ${pattern} answers no request`));
  if (has("bound") && !has("addressed")) faults.push(wrong("bound only together with addressed"));
  if (header.kind === "batch" && (!has("inline") || has("delimited") || has("bound"))) {
    faults.push(wrong("a batch to be inline, not delimited, not bound"));
  }
  if (isControl(header)) return [...faults, ...controlContradictions(header, wrong)];
  if (header.sequence === 0) {
    faults.push({ field: "sequence", at: 24, found: "0", expected: "1 or more" });
  }
  return faults;
}

/** A control message is of no stream: it has no numbers, and always the same layout. */
function controlContradictions(
  { flags, sequence, ordinal }: Header,
  wrong: (expected: string) => Fault,
): Fault[] {
  const zero = { expected: "0, as in every control message" };
  const faults: Fault[] = [];
  if ((flags & FLAGS.inline) === 0) faults.push(wrong("a control message to be inline"));
  if (ordinal !== 0) faults.push({ field: "ordinal", at: 12, found: String(ordinal), ...zero });
  if (sequence !== 0) faults.push({ field: "sequence", at: 24, found: String(sequence), ...zero });
  return faults;
}
