// Keys that come out the same every time, and two of them whose ids collide.

import { createHash } from "node:crypto";

const sha256 = (text: string) => createHash("sha256").update(text).digest();

/** The n-th key of the tests: 32 bytes. */
export function sampleSecret(n: number): Buffer {
  return sha256(`sample ${n}`);
}

/** Different secrets with the same 32-bit id, found by deriving the ids of 80,615 keys. */
export const COLLIDING = {
  secrets: [sha256("collision 24904"), sha256("collision 80614")] as const,
  idText: "64cd0232",
};
