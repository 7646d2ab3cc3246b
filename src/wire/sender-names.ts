// Senders' names as text. A receiver hears the same few senders again and again, so a name is compared with the last one
// like it as bytes, and neither checked nor decoded again where they are equal. That changes nothing but the time it takes.

import { WIRE } from "./limits.js";

/** Names that are remembered: a power of two. */
const PLACES = 256;

const texts: (string | undefined)[] = new Array(PLACES).fill(undefined);
const bytes = new Uint8Array(PLACES * WIRE.senderBytes);

/** The name of `length` bytes at `at`; `undefined` where these are no name. */
export function readName(frame: Buffer, at: number, length: number): string | undefined {
  const place = placeOf(frame, at, length);
  const known = texts[place];
  if (known?.length === length && isAt(place, frame, at, length)) return known;
  if (!isName(frame, at, length)) return undefined;
  const text = frame.toString("latin1", at, at + length);
  texts[place] = text;
  bytes.set(frame.subarray(at, at + length), place * WIRE.senderBytes);
  return text;
}

/** Siblings differ at their end. */
function placeOf(frame: Buffer, at: number, length: number): number {
  const [last, before] = [
    frame[at + length - 1] as number,
    length > 1 ? (frame[at + length - 2] as number) : 0,
  ];
  return (last + 13 * before + 31 * length) & (PLACES - 1);
}

function isAt(place: number, frame: Buffer, at: number, length: number): boolean {
  const start = place * WIRE.senderBytes;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== frame[at + i]) return false;
  return true;
}

/** Visible ASCII, 0x21 to 0x7E, and no instance (`~`) of nobody: what a sender's name is made of. */
function isName(frame: Buffer, start: number, length: number): boolean {
  if (frame[start] === 0x7e) return false;
  for (let at = start; at < start + length; at++) {
    const byte = frame[at] as number;
    if (byte < 0x21 || byte > 0x7e) return false;
  }
  return true;
}
