// A second writer of wire version 1, made from the text of docs/wire.md (sections 2 to 7) with none of the product's
// code: HKDF and HMAC straight from node:crypto, every field at its offset. It also writes what no signer would.

import { createHmac, hkdfSync } from "node:crypto";

/** Kinds and flags by their numbers on the wire. */
export const KIND = { data: 1, batch: 2, hello: 3, challenge: 4, echo: 5, sync: 6, refused: 7, handshake: 8 };
export const FLAG = {
  inline: 1,
  delimited: 2,
  topic: 4,
  bound: 8,
  addressed: 16,
  recipientKey: 32,
  sealed: 64,
  reserved: 128,
};

/** Socket types as numbered in zmq.h. */
export const TYPE = {
  pair: 0,
  pub: 1,
  sub: 2,
  req: 3,
  rep: 4,
  dealer: 5,
  router: 6,
  pull: 7,
  push: 8,
  xpub: 9,
  xsub: 10,
} as const;

/** Every field of a header, as raw as the wire has it. */
export interface Fields {
  readonly magic: number;
  readonly version: number;
  readonly kind: number;
  readonly flags: number;
  readonly pattern: number;
  readonly reserved: number;
  readonly keyId: number;
  readonly ordinal: number;
  readonly epoch: bigint;
  readonly sequence: bigint;
  readonly sentAt: bigint;
  readonly sender: string;
  /** The length byte, where it is to lie about the sender's name. */
  readonly nameLength: number;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, 4 * i);
  });
  return bytes;
}

function prefixed(bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([u32(content.length), content]);
}

export function headerOf(fields: Partial<Fields>): Buffer {
  const sender = Buffer.from(fields.sender ?? "alice", "latin1");
  const bytes = Buffer.alloc(40);
  bytes.writeUInt16BE(fields.magic ?? 0xc153, 0);
  bytes[2] = fields.version ?? 1;
  bytes[3] = fields.kind ?? KIND.data;
  bytes[4] = fields.flags ?? 0;
  bytes[5] = fields.pattern ?? TYPE.dealer;
  bytes[6] = fields.reserved ?? 0;
  bytes[7] = fields.nameLength ?? sender.length;
  bytes.writeUInt32BE(fields.keyId ?? 0, 8);
  bytes.writeUInt32BE(fields.ordinal ?? 0, 12);
  bytes.writeBigUInt64BE(fields.epoch ?? 1n, 16);
  bytes.writeBigUInt64BE(fields.sequence ?? 1n, 24);
  bytes.writeBigUInt64BE(fields.sentAt ?? 1n, 32);
  return Buffer.concat([bytes, sender]);
}

export function payloadOf(...frames: readonly (string | Uint8Array)[]): Buffer {
  const buffers = frames.map((frame) => Buffer.from(frame));
  return Buffer.concat([u32(buffers.length, ...buffers.map(({ length }) => length)), ...buffers]);
}

export function batchOf(...bodies: readonly (readonly (string | Uint8Array)[])[]): Buffer {
  return Buffer.concat([u32(bodies.length), ...bodies.map((body) => payloadOf(...body))]);
}

/** What stands behind the tag of a control message. */
export interface ControlFields {
  readonly answer: Uint8Array;
  readonly ask: Uint8Array;
  readonly reached: bigint;
  readonly known: bigint;
}

export function controlOf({ answer, ask, reached = 0n, known = 0n }: Partial<ControlFields>): Buffer {
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(reached, 0);
  numbers.writeBigUInt64BE(known, 8);
  return Buffer.concat([answer ?? Buffer.alloc(16), ask ?? Buffer.alloc(16), numbers]);
}

const PROTOCOL = "countersign/1";
const info = (...fields: readonly string[]) => Buffer.concat([PROTOCOL, ...fields].map(prefixed));

/** HKDF with the protocol's name as salt (RFC 5869): extract from the secret, then expand for this info. */
function hkdf(secret: Uint8Array, ...fields: readonly string[]): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, PROTOCOL, info(...fields), 32));
}

/** HKDF-Expand alone, one block (RFC 5869, section 2.3). */
function expandOnly(prk: Uint8Array, ...fields: readonly string[]): Buffer {
  return createHmac("sha256", prk)
    .update(Buffer.concat([info(...fields), Buffer.from([1])]))
    .digest();
}

export function keyIdOf(secret: Uint8Array): number {
  return hkdf(secret, "key id").readUInt32BE(0);
}

export function senderSecretOf(secret: Uint8Array, sender: string): Buffer {
  return hkdf(secret, "sender", sender);
}

/** K of what one sender says on one channel from any socket type but PUB and XPUB. */
export function channelSecretOf(secret: Uint8Array, sender: string, channel: string): Buffer {
  return expandOnly(senderSecretOf(secret, sender), "channel", channel);
}

/** K of what one sender publishes on one channel (PUB, XPUB): a stream key. */
export function streamSecretOf(secret: Uint8Array, sender: string, channel: string): Buffer {
  return expandOnly(senderSecretOf(secret, sender), "publish", channel);
}

/** K of what `sender` says to `recipient`, made from the recipient's key. */
export function recipientSecretOf(secret: Uint8Array, recipient: string, sender: string, channel: string) {
  return expandOnly(senderSecretOf(secret, recipient), "to", sender, channel);
}

export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  return createHmac("sha256", key).update(Buffer.concat(parts)).digest();
}

/** What a message is signed with and for. */
export interface Sealing {
  readonly secret: Uint8Array;
  readonly channel?: string;
  /** Header fields; the key id, the inline flag and the sender are filled in where left out. */
  readonly fields?: Partial<Fields>;
  readonly routing?: readonly Buffer[];
  readonly topic?: Buffer;
  /** The recipient's name, length-prefixed into the context. */
  readonly to?: string;
  readonly requestTag?: Uint8Array;
  /** Sign with the key derived from the recipient's. */
  readonly recipientKey?: boolean;
  /** Sign with this K, whatever it is, and not with the one that is due. */
  readonly tagKey?: Uint8Array;
}

/** An inline message whose region behind the tag is `region`, whatever that holds, under a genuine tag. */
export function sealRegion(region: Buffer, sealing: Sealing): Buffer[] {
  const { header, key, context } = prepare(sealing, FLAG.inline);
  const topic = sealing.topic === undefined ? [] : [prefixed(sealing.topic)];
  const tag = hmac(key, header, ...topic, region, ...context);
  return [
    ...(sealing.routing ?? []),
    ...(topic.length > 0 ? [sealing.topic as Buffer] : []),
    Buffer.concat([header, tag, region]),
  ];
}

/** A detached message under a genuine tag. */
export function sealDetached(body: readonly Buffer[], sealing: Sealing): Buffer[] {
  const { header, key, context } = prepare(sealing, 0);
  const topic = sealing.topic === undefined ? [] : [prefixed(sealing.topic)];
  const tag = hmac(key, header, ...topic, payloadOf(...body), ...context);
  const front = [...(sealing.routing ?? []), ...(topic.length > 0 ? [sealing.topic as Buffer] : [])];
  return [...front, Buffer.concat([header, tag]), ...body];
}

function prepare(sealing: Sealing, layout: number) {
  const { secret, fields = {}, topic, to, requestTag, recipientKey } = sealing;
  const sender = fields.sender ?? "alice";
  const flags =
    layout |
    (topic === undefined ? 0 : FLAG.topic) |
    (to === undefined ? 0 : FLAG.addressed) |
    (requestTag === undefined ? 0 : FLAG.bound) |
    (recipientKey ? FLAG.recipientKey : 0);
  const header = headerOf({ keyId: keyIdOf(secret), flags, ...fields, sender });
  const key = sealing.tagKey ?? tagKeyOf(sealing, sender);
  const context = [
    ...(to === undefined ? [] : [prefixed(to)]),
    ...(requestTag === undefined ? [] : [prefixed(requestTag)]),
  ];
  return { header, key, context };
}

const holderOf = (name: string) => name.replace(/~.*$/s, "");

/** The K that section 7 asks for. */
function tagKeyOf({ secret, channel = "", fields = {}, to, recipientKey }: Sealing, sender: string): Buffer {
  const holder = holderOf(sender);
  if (recipientKey) return recipientSecretOf(secret, holderOf(to as string), holder, channel);
  const published = fields.pattern === TYPE.pub || fields.pattern === TYPE.xpub;
  return (published ? streamSecretOf : channelSecretOf)(secret, holder, channel);
}
