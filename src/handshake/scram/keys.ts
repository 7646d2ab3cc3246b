// The keys of SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677). Only what stretches the password takes long, and that runs on
// another thread.

import { pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { hmac, sha256 } from "../schedule.js";

/** Stretches a password: `Hi` of RFC 5802, which is PBKDF2-HMAC-SHA256 with 32 bytes of output. */
export type Stretch = (password: string, salt: Buffer, iterations: number) => Promise<Buffer>;

const later = promisify(pbkdf2);

/** PBKDF2 by node:crypto, off the event loop. */
export const stretch: Stretch = (password, salt, iterations) =>
  later(password, salt, iterations, 32, "sha256");

/** Iteration counts that either end takes. */
export const ITERATIONS = { least: 4096, most: 1_000_000, minted: 600_000 } as const;
/** Bytes of a new salt. */
export const SALT_BYTES = 16;

/** What a client derives from its password. */
export interface ClientKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** The keys of a stretched password. */
export function keysOf(salted: Buffer): ClientKeys {
  const clientKey = hmac(salted, Buffer.from("Client Key"));
  return { clientKey, storedKey: sha256(clientKey), serverKey: hmac(salted, Buffer.from("Server Key")) };
}

/** What both ends can compute once the proof is there: key material for a session (RFC 5802, section 9, "SCRAM Session Key"). */
export function sessionSecret(storedKey: Buffer, clientKey: Buffer, authMessage: string): Buffer {
  return hmac(storedKey, Buffer.from("GSS-API session key"), clientKey, Buffer.from(authMessage));
}

/** One XOR the other; of the same length. */
export function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, i) => byte ^ (other[i] as number)));
}
