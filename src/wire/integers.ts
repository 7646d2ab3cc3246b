// Unsigned integers in network order. Buffer's own methods check their arguments each time, which costs more here than
// what they do; whoever calls these has checked that the bytes are there. No BigInt: this runs for every message.

const TWO_32 = 2 ** 32;
/** Most that may stand in the upper 32 bits of a number that a double holds exactly. */
const MOST_HIGH = 0x1fffff;

/** In the place of a 64-bit number above 2^53 - 1. */
export const NOT_A_NUMBER = -1;

/** The unsigned 32-bit number at `at`. */
export function readU32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  return bytes[at]! * 0x1000000 + low;
}

/** Writes an unsigned 32-bit number at `at`; returns where it ends. */
export function writeU32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** The unsigned 64-bit number at `at`, or {@link NOT_A_NUMBER} above 2^53 - 1. */
export function readU64(bytes: Uint8Array, at: number): number {
  const high = readU32(bytes, at);
  return high > MOST_HIGH ? NOT_A_NUMBER : high * TWO_32 + readU32(bytes, at + 4);
}

/** Writes a whole number from 0 to 2^53 - 1 in eight bytes at `at`. */
export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  writeU32(bytes, at, high);
  writeU32(bytes, at + 4, value - high * TWO_32);
}
