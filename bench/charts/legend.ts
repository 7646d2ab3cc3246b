// The head of a picture: what it shows, in a line and a line below, and the colors of the variants.

import { type VariantName, variants } from "../variants/table.js";
import { element, text } from "./svg.js";
import type { Theme } from "./theme.js";

export const MARGIN = 24;
/** Where the head ends, in pixels from the top. */
export const HEAD = 96;

export function head(heading: string, note: string, theme: Theme): string[] {
  return [
    text(heading, { x: MARGIN, y: 34, fill: theme.text, "font-size": 17, "font-weight": 600 }),
    text(note, { x: MARGIN, y: 54, fill: theme.quiet, "font-size": 12.5 }),
  ];
}

/** Fonts differ: as wide as a wide one makes it. */
const WIDTH = 6.9;
const SWATCH = 11;

export function legend(names: readonly VariantName[], theme: Theme): string[] {
  let x = MARGIN;
  return names.flatMap((name) => {
    const title = legendTitle(name);
    const at = x;
    x += SWATCH + 6 + title.length * WIDTH + 18;
    return [
      element("rect", {
        x: at,
        y: 70,
        width: SWATCH,
        height: SWATCH,
        rx: 2,
        fill: theme.variants[name],
      }),
      text(title, { x: at + SWATCH + 6, y: 80, fill: theme.text, "font-size": 12.5 }),
    ];
  });
}

/** Outside of a table of variants, "batched" alone would not say of what. */
export function legendTitle(name: VariantName): string {
  return name === "batched" ? "Countersign, batched" : variants[name].title;
}
