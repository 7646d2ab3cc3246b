// What is measured: every pattern with every size of body, in one frame and in six.
// Six frames is what a Jupyter message has behind its identities; the size is that of all body frames together.

import { randomBytes } from "node:crypto";

export const patterns = ["dealer-router", "pub-sub"] as const;
export type Pattern = (typeof patterns)[number];

export const sizes = { "64": 64, "1k": 1_024, "16k": 16_384, "128k": 131_072 } as const;
export type Size = keyof typeof sizes;

export const frameCounts = { "1-frame": 1, "6-frames": 6 } as const;
export type FrameCount = keyof typeof frameCounts;

export interface Case {
  readonly pattern: Pattern;
  readonly bytes: number;
  readonly frames: number;
}

export const patternTitles: Record<Pattern, string> = {
  "dealer-router": "DEALER → ROUTER",
  "pub-sub": "PUB → SUB",
};

export function sizeTitle(bytes: number): string {
  return bytes < 1_024 ? `${bytes} B` : `${bytes / 1_024} KB`;
}

/** The body frames of one case, as equal in length as can be. */
export function bodyOf({ bytes, frames }: Case): Buffer[] {
  const body = randomBytes(bytes);
  const cut = (n: number) => Math.floor((n * bytes) / frames);
  return Array.from({ length: frames }, (_, n) => body.subarray(cut(n), cut(n + 1)));
}
