// The variants by name, in the order in which they are measured and printed. The first is the baseline.

import type { Sending } from "../cases.js";
import { batched, bySize, detached, inline, whyNotBatched } from "./countersign.js";
import { curve } from "./curve.js";
import { naive } from "./naive.js";
import { plain } from "./plain.js";
import type { Credentials, Variant } from "./variant.js";

interface Row {
  readonly title: string;
  open(credentials: Credentials): Variant;
  /** The one way of sending in which it makes sense, where there is only one. */
  readonly sending?: Sending;
  /** Whether `quick` measures it only when it is named. */
  readonly detail?: boolean;
  /** Why it cannot be measured; `undefined` if it can. */
  missing?(): string | undefined;
}

export const variants = {
  plain: { title: "plain zeromq.js", open: plain },
  curve: { title: "CURVE", open: curve },
  naive: { title: "createHmac by hand", open: naive },
  detached: { title: "detached", open: detached, detail: true },
  inline: { title: "inline", open: inline, detail: true },
  countersign: { title: "Countersign", open: bySize },
  batched: { title: "batched", open: batched, sending: "windowed", missing: whyNotBatched },
} satisfies Record<string, Row>;

export type VariantName = keyof typeof variants;
export const variantNames = Object.keys(variants) as VariantName[];

const rows: Record<VariantName, Row> = variants;

/** Those that are measured where no word chooses any. */
export function usualVariants(quick: boolean): VariantName[] {
  return variantNames.filter((name) => !(quick && rows[name].detail));
}

/** Whether a variant is measured in cases that send this way. */
export function suits(name: VariantName, sending: Sending): boolean {
  return (rows[name].sending ?? sending) === sending;
}

/** What can be measured of these, and a sentence about each of the others. */
export function available(names: readonly VariantName[]): { names: VariantName[]; leftOut: string[] } {
  const reasons = new Map(names.map((name) => [name, rows[name].missing?.()]));
  return {
    names: names.filter((name) => reasons.get(name) === undefined),
    leftOut: names.flatMap((name) => {
      const reason = reasons.get(name);
      return reason === undefined ? [] : [`"${name}" is left out: ${reason}.`];
    }),
  };
}
