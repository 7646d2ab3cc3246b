// The variants by name, in the order in which they are measured and printed. The first is the baseline.

import { detached, inline } from "./countersign.js";
import { curve } from "./curve.js";
import { naive } from "./naive.js";
import { plain } from "./plain.js";
import type { Credentials, Variant } from "./variant.js";

export const variants = {
  plain: { title: "plain zeromq.js", open: plain },
  curve: { title: "CURVE", open: curve },
  naive: { title: "naive createHmac", open: naive },
  detached: { title: "detached", open: detached },
  inline: { title: "inline", open: inline },
} satisfies Record<string, { title: string; open(credentials: Credentials): Variant }>;

export type VariantName = keyof typeof variants;
export const variantNames = Object.keys(variants) as VariantName[];
