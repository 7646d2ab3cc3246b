// Colors of the pictures, for light pages and dark ones. Both kinds of Countersign are of one hue; all that stand side by
// side differ in lightness too.

import type { VariantName } from "../variants/table.js";

export interface Theme {
  readonly background: string;
  readonly text: string;
  /** Of axes, notes and figures. */
  readonly quiet: string;
  readonly grid: string;
  readonly variants: Readonly<Record<VariantName, string>>;
}

export const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

export const themes = {
  light: {
    background: "#ffffff",
    text: "#1f2328",
    quiet: "#59636e",
    grid: "#e4e8ec",
    variants: {
      plain: "#59636e",
      curve: "#a9b4c0",
      naive: "#e3a54a",
      detached: "#7cb0f2",
      inline: "#4a90e8",
      countersign: "#1f6feb",
      batched: "#0a3069",
    },
  },
  dark: {
    background: "#0d1117",
    text: "#e6edf3",
    quiet: "#9198a1",
    grid: "#262c36",
    variants: {
      plain: "#9198a1",
      curve: "#6b7785",
      naive: "#bf8328",
      detached: "#1b4a86",
      inline: "#2261b5",
      countersign: "#3b8cff",
      batched: "#b6dbff",
    },
  },
} satisfies Record<string, Theme>;
