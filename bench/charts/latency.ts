// The picture of round trips: a column a size, a row a variant; half of all trips took no longer than the full dot, 99 in
// a hundred no longer than the ring.

import { sizeTitle } from "../cases.js";
import type { Latency } from "../latency.js";
import { groupBy } from "../tables/table.js";
import { type VariantName, variantNames } from "../variants/table.js";
import { HEAD, head, legendTitle, MARGIN } from "./legend.js";
import { around } from "./scale.js";
import { document, element, text, title } from "./svg.js";
import { FONT, type Theme } from "./theme.js";

const WIDTH = 800;
const NAMES = 150;
const ROW = 34;
const GAP = 26;
const TOP = HEAD + 18;
/** Right of the ring, for its figure. */
const FIGURE = 28;
const FOOT = 62;

const DRAWN: readonly VariantName[] = ["plain", "curve", "naive", "countersign", "batched"];

/** `undefined` where nothing was measured that it could show. */
export function latencyPicture(results: readonly Latency[], machine: string, theme: Theme) {
  const drawn = results.filter(({ transport, variant }) => transport === "tcp" && DRAWN.includes(variant));
  if (drawn.length === 0) return undefined;
  const names = variantNames.filter((name) => drawn.some(({ variant }) => variant === name));
  const columns = [...groupBy(drawn, ({ bytes }) => sizeTitle(bytes))];
  const height = TOP + names.length * ROW + FOOT;
  const step = (WIDTH - MARGIN - NAMES - MARGIN + GAP) / columns.length;
  return document({
    width: WIDTH,
    height,
    title: "Round-trip time by size of the body, in microseconds: p50 and p99",
    description: columns.map(([size, own]) => describe(size, own)).join(" "),
    background: theme.background,
    font: FONT,
    content: [
      ...head(
        "Round-trip time, microseconds",
        "DEALER → ROUTER → DEALER over tcp, one at a time; left is faster. Dashed: plain's p50.",
        theme,
      ),
      ...key(theme),
      ...names.map((name, i) =>
        text(legendTitle(name), {
          x: MARGIN,
          y: rowAt(i) + 4,
          fill: name === "countersign" ? theme.text : theme.quiet,
          "font-size": 12.5,
          "font-weight": name === "countersign" ? 600 : undefined,
        }),
      ),
      ...columns.flatMap(([size, own], i) => {
        const left = MARGIN + NAMES + i * step;
        return column(size, own, { names, theme, left, right: left + step - GAP });
      }),
      text(machine, { x: MARGIN, y: height - 14, fill: theme.quiet, "font-size": 11 }),
    ],
  });
}

const rowAt = (i: number) => TOP + (i + 0.5) * ROW;

/** What dot and ring mean. */
function key({ quiet, text: ink }: Theme): string[] {
  const y = 76;
  return [
    element("circle", { cx: MARGIN + 5, cy: y, r: 4.5, fill: quiet }),
    text("p50", { x: MARGIN + 16, y: y + 4, fill: ink, "font-size": 12.5 }),
    element("circle", { cx: MARGIN + 65, cy: y, r: 4, fill: "none", stroke: quiet, "stroke-width": 1.75 }),
    text("p99", { x: MARGIN + 76, y: y + 4, fill: ink, "font-size": 12.5 }),
  ];
}

interface ColumnOptions {
  readonly names: readonly VariantName[];
  readonly theme: Theme;
  readonly left: number;
  readonly right: number;
}

function column(size: string, results: readonly Latency[], options: ColumnOptions): string[] {
  const { names, theme, left, right } = options;
  const times = results.flatMap(({ p50, p99 }) => [p50.median, p99.median]);
  const x = around(times, left, right - FIGURE);
  const bottom = TOP + names.length * ROW;
  const plain = results.find(({ variant }) => variant === "plain");
  return [
    text(size, { x: left, y: TOP - 12, fill: theme.text, "font-size": 12.5, "font-weight": 600 }),
    ...x.ticks.flatMap((tick) => [
      vertical(x(tick), bottom, theme.grid),
      text(tick >= 1_000 ? `${tick / 1_000}k` : String(tick), {
        x: x(tick),
        y: bottom + 17,
        fill: theme.quiet,
        "font-size": 11,
        "text-anchor": "middle",
      }),
    ]),
    ...(plain ? [vertical(x(plain.p50.median), bottom, theme.quiet, "3 3")] : []),
    ...names.flatMap((name, i) => {
      const result = results.find(({ variant }) => variant === name);
      return result ? dots(result, x(result.p50.median), x(result.p99.median), rowAt(i), theme) : [];
    }),
  ];
}

const vertical = (x: number, bottom: number, stroke: string, dashes?: string) =>
  element("line", { x1: x, x2: x, y1: TOP, y2: bottom, stroke, "stroke-dasharray": dashes });

function dots({ bytes, variant, p50, p99 }: Latency, at50: number, at99: number, y: number, theme: Theme) {
  const color = theme.variants[variant];
  const hint = title(
    `${sizeTitle(bytes)}, ${legendTitle(variant)}: p50 ${micros(p50.median)}, p99 ${micros(p99.median)}`,
  );
  return [
    element("line", { x1: at50, x2: at99, y1: y, y2: y, stroke: color, "stroke-width": 2 }),
    element(
      "circle",
      { cx: at99, cy: y, r: 4.5, fill: theme.background, stroke: color, "stroke-width": 2 },
      hint,
    ),
    element("circle", { cx: at50, cy: y, r: 5.5, fill: color }, hint),
    figure(p50.median, { x: at50, y: y - 9, fill: theme.text, "text-anchor": "middle" }, theme),
    figure(p99.median, { x: at99 + 9, y: y + 4, fill: theme.quiet }, theme),
  ];
}

/** A figure that lines may pass behind. */
function figure(value: number, place: Record<string, string | number>, { background }: Theme): string {
  const halo = { stroke: background, "stroke-width": 3, "paint-order": "stroke" };
  return text(value.toFixed(0), { ...place, ...halo, "font-size": 10.5 });
}

const micros = (value: number) => `${value.toFixed(0)} µs`;

function describe(size: string, results: readonly Latency[]): string {
  const figures = results.map(
    ({ variant, p50, p99 }) => `${legendTitle(variant)} ${micros(p50.median)} and ${micros(p99.median)}`,
  );
  return `${size}, p50 and p99: ${figures.join(", ")}.`;
}
