// Messages that only a holder of a key can make, with any numbers, names, versions or tags in them: the insider who
// does not follow the rules. Built from the product's own wire format and key derivation, and nothing above them.

import { Key, type Use } from "countersign";
import { wallClock } from "../../src/clock.js";
import { FLAGS, type Header, headerLength, writeHeader } from "../../src/wire/header.js";
import { WIRE } from "../../src/wire/limits.js";
import { lengthPrefixed } from "../../src/wire/payload.js";
import { type Body, CHANNEL, type Flow, KEY, RECEIVER, SENDER, senderPattern, TOPIC } from "./line.js";
import { payloadOf } from "./tamper.js";

export interface Insider {
  readonly key?: Key;
  /** What the key that makes the tag is derived for, where it is not what the header says. */
  readonly use?: Partial<Use>;
  readonly to?: string;
  /** Writes the tag another way. */
  readonly mac?: (covered: Buffer, tag: Buffer) => Buffer;
  /** Stands in the place of the body's own payload. */
  readonly payload?: Buffer;
  /** Changes header bytes before the tag is made. */
  readonly patch?: (header: Buffer) => void;
}

const MASTER = new Key(KEY);

/** A message with a valid tag, as it travels on this flow. */
export function handMade(flow: Flow, fields: Partial<Header>, body: Body, insider: Insider = {}): Buffer[] {
  const { key = MASTER, to = RECEIVER, mac, patch } = insider;
  const delimited = flow.signatureAt === 1 && !isPublished(flow);
  const addressed = /^(ROUTER|REP) /.test(flow.name);
  const now = wallClock();
  const flags =
    FLAGS.inline |
    (delimited ? FLAGS.delimited : 0) |
    (isPublished(flow) ? FLAGS.topic : 0) |
    (addressed ? FLAGS.addressed : 0);
  const pattern = senderPattern(flow);
  const numbers = { ordinal: 0, epoch: now, sequence: 1, sentAt: now };
  const header: Header = {
    kind: "data",
    flags,
    pattern,
    keyId: key.id,
    ...numbers,
    sender: SENDER,
    ...fields,
  };
  const bytes = Buffer.alloc(headerLength(header));
  writeHeader(bytes, header);
  patch?.(bytes);
  const payload = insider.payload ?? payloadOf(body.map((part) => Buffer.from(part as string)));
  const context = addressed ? [lengthPrefixed(Buffer.from(to))] : [];
  const topic = isPublished(flow) ? [lengthPrefixed(Buffer.from(TOPIC))] : [];
  const covered = [bytes, ...topic, payload, ...context];
  const tag = Buffer.alloc(WIRE.tagBytes);
  const use = { sender: header.sender, channel: CHANNEL, published: isPublished(flow), ...insider.use };
  const prepared = key.derive(use);
  if (prepared === undefined) throw new Error(`this key makes no tag for ${use.sender}`);
  prepared.mac(covered, tag, 0);
  const signature = Buffer.concat([bytes, mac?.(Buffer.concat(covered), tag) ?? tag, payload]);
  return [
    ...(delimited ? [Buffer.alloc(0)] : []),
    ...(isPublished(flow) ? [Buffer.from(TOPIC)] : []),
    signature,
  ];
}

/** Is it said to everybody? */
export function isPublished({ name }: Flow): boolean {
  return /^X?PUB /.test(name);
}
