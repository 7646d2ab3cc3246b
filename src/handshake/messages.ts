// The messages of a handshake: one frame each, in the place where a signature frame would stand (docs/handshake.md, section
// 3). Bytes to fields and back; no keys, no state.
//
//   C1 53 01 08   type   then each field of that type in its order: u16 length, bytes

import { hasMagic, KINDS, VERSION } from "../wire/header.js";

/** The types, by number. */
const TYPES = {
  hello: 1,
  cookie: 2,
  open: 3,
  answer: 4,
  step: 5,
  finish: 6,
  refused: 7,
  lost: 8,
  renew: 9,
  renewed: 10,
  alive: 11,
} as const;
/** A type by name. */
export type MessageType = keyof typeof TYPES;

/** Bytes of each end's nonce. */
export const NONCE_BYTES = 32;
/** Bytes of the cookie: when it was made, and the tag over that and whom it is for. */
export const COOKIE_BYTES = 36;
/** Most bytes of a mechanism's message. */
const MOST_DATA = 2048;

/** The fields of each type, in their order, with the fewest and most bytes of each. */
const FIELDS = {
  hello: { nonce: [NONCE_BYTES, NONCE_BYTES], client: [1, 64], mechanism: [1, 64] },
  cookie: { nonce: [NONCE_BYTES, NONCE_BYTES], cookie: [COOKIE_BYTES, COOKIE_BYTES] },
  open: {
    nonce: [NONCE_BYTES, NONCE_BYTES],
    client: [1, 64],
    pattern: [1, 1],
    mechanism: [1, 64],
    share: [0, 32],
    cookie: [COOKIE_BYTES, COOKIE_BYTES],
    data: [0, MOST_DATA],
  },
  answer: {
    nonce: [NONCE_BYTES, NONCE_BYTES],
    answer: [NONCE_BYTES, NONCE_BYTES],
    server: [1, 64],
    pattern: [1, 1],
    share: [0, 32],
    data: [0, MOST_DATA],
  },
  step: { nonce: [NONCE_BYTES, NONCE_BYTES], data: [0, MOST_DATA] },
  finish: { nonce: [NONCE_BYTES, NONCE_BYTES], data: [0, MOST_DATA], confirmation: [32, 32] },
  refused: { nonce: [NONCE_BYTES, NONCE_BYTES] },
  lost: { session: [4, 4] },
  renew: { session: [4, 4], nonce: [NONCE_BYTES, NONCE_BYTES], share: [0, 32], tag: [32, 32] },
  renewed: {
    session: [4, 4],
    nonce: [NONCE_BYTES, NONCE_BYTES],
    answer: [NONCE_BYTES, NONCE_BYTES],
    share: [0, 32],
    tag: [32, 32],
  },
  alive: { session: [4, 4], nonce: [NONCE_BYTES, NONCE_BYTES], tag: [32, 32] },
} as const satisfies Record<MessageType, Record<string, readonly [number, number]>>;

/** The fields of one type. */
export type Fields<Type extends MessageType> = {
  readonly [Name in keyof (typeof FIELDS)[Type]]: Buffer;
};
/** A message, by type. */
export type Message = { [Type in MessageType]: { readonly type: Type } & Fields<Type> }[MessageType];

const HEAD = Buffer.from([0xc1, 0x53, VERSION, KINDS.handshake]);
/** Most bytes of any: what is longer is not looked at. */
const MOST_BYTES = 4096;

/** Does this frame claim to be a message of a handshake? */
export function isHandshake(frame: Buffer | undefined): frame is Buffer {
  return hasMagic(frame) && frame[2] === VERSION && frame[3] === KINDS.handshake;
}

/** The frame of a message. */
export function write<Type extends MessageType>(type: Type, fields: Fields<Type>): Buffer {
  const parts: Uint8Array[] = [HEAD, Buffer.from([TYPES[type]])];
  for (const name of Object.keys(FIELDS[type]) as (keyof Fields<Type>)[]) {
    const bytes = fields[name] as Buffer;
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}

/** The message in a frame, its fields as copies; `undefined` where it is none. */
export function read(frame: Buffer): Message | undefined {
  if (!isHandshake(frame) || frame.length > MOST_BYTES) return undefined;
  const type = (Object.keys(TYPES) as MessageType[]).find((name) => TYPES[name] === frame[HEAD.length]);
  if (type === undefined) return undefined;
  const fields: Record<string, Buffer> = {};
  let at = HEAD.length + 1;
  for (const [name, [fewest, most]] of Object.entries(FIELDS[type])) {
    if (at + 2 > frame.length) return undefined;
    const length = frame.readUInt16BE(at);
    at += 2;
    if (length < fewest || length > most || at + length > frame.length) return undefined;
    fields[name] = Buffer.from(frame.subarray(at, at + length));
    at += length;
  }
  return at === frame.length ? ({ type, ...fields } as unknown as Message) : undefined;
}
