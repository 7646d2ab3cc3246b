// The picture of throughput: for each size a bar a variant, from the line where plain zeromq.js stands: up is faster, down
// is slower. A thin line through a bar's end is the range of all rounds.

import { meetingTitle, sizeTitle } from "../cases.js";
import { groupBy } from "../tables/table.js";
import type { Throughput } from "../throughput.js";
import type { VariantName } from "../variants/table.js";
import { HEAD, head, legend, legendTitle, MARGIN } from "./legend.js";
import { doublings, type Scale, throughTicks } from "./scale.js";
import { document, element, text, title } from "./svg.js";
import { FONT, type Theme } from "./theme.js";

const WIDTH = 800;
/** Of one doubling. */
const OCTAVE = 27;
const PANEL_HEAD = 32;
const AXIS = 46;
const LABELS = 30;
const FOOT = 50;

const DRAWN: readonly VariantName[] = ["curve", "naive", "countersign", "batched"];
/** Whose figures are written at their bars. */
const WRITTEN: readonly VariantName[] = ["countersign", "batched"];

/** DEALER → ROUTER over tcp: each send awaited, but for batches, which take many under way. */
function isDrawn({ pattern, transport, sending, variant }: Throughput): boolean {
  const own = variant === "batched" ? "windowed" : "awaited";
  return pattern === "dealer-router" && transport === "tcp" && sending === own && DRAWN.includes(variant);
}

/** `undefined` where nothing was measured that it could show. */
export function throughputPicture(results: readonly Throughput[], machine: string, theme: Theme) {
  const drawn = results.filter(isDrawn);
  if (drawn.length === 0) return undefined;
  const panels = panelsOf(drawn);
  const names = DRAWN.filter((name) => drawn.some(({ variant }) => variant === name));
  const height = panels.at(-1)!.bottom + LABELS + FOOT;
  return document({
    width: WIDTH,
    height,
    title: "Messages a second, relative to plain zeromq.js, by size of the body",
    description: panels.map(describe).join(" "),
    background: theme.background,
    font: FONT,
    content: [
      ...head(
        "Messages a second, relative to plain zeromq.js",
        `${meetingTitle(drawn[0]!)}, two processes on one machine; up is faster.`,
        theme,
      ),
      ...legend(names, theme),
      ...panels.flatMap((panel) => drawPanel(panel, names, theme)),
      text(names.includes("batched") ? BATCHED : AWAITED, {
        x: MARGIN,
        y: height - 30,
        fill: theme.quiet,
        "font-size": 11,
      }),
      text(machine, { x: MARGIN, y: height - 14, fill: theme.quiet, "font-size": 11 }),
    ],
  });
}

const AWAITED = "Each send is awaited. Medians and ranges of all rounds.";
const BATCHED =
  "Each send is awaited; batched, and the plain one it is divided by, have many under way. Medians and ranges of all rounds.";

interface Panel {
  readonly name: string;
  readonly results: readonly Throughput[];
  readonly top: number;
  readonly bottom: number;
  readonly y: Scale;
}

/** One for each number of frames, one below the other, all to the same scale. */
function panelsOf(results: readonly Throughput[]): Panel[] {
  let bottom = HEAD - LABELS;
  return [...groupBy(results, ({ frames }) => FRAMES[frames])].map(([name, own]) => {
    const ticks = doublings(own.flatMap(({ ratio }) => [ratio.min, ratio.max]));
    const top = bottom + LABELS + PANEL_HEAD;
    bottom = top + (ticks.length - 1) * OCTAVE;
    return { name, results: own, top, bottom, y: throughTicks(ticks, bottom, top) };
  });
}

const FRAMES = { 1: "one frame", 6: "six frames" };

function drawPanel(panel: Panel, names: readonly VariantName[], theme: Theme): string[] {
  const { name, results, top, bottom, y } = panel;
  const options = { names, theme, y };
  const sizes = [...groupBy(results, ({ bytes }) => String(bytes)).values()].sort(
    (a, b) => a[0]!.bytes - b[0]!.bytes,
  );
  const left = MARGIN + AXIS;
  const step = (WIDTH - left - MARGIN) / sizes.length;
  return [
    text(name, { x: MARGIN, y: top - 14, fill: theme.text, "font-size": 12.5, "font-weight": 600 }),
    ...grid(left, options),
    ...sizes.flatMap((own, i) => [
      ...group(own, left + i * step, step, options),
      text(sizeTitle(own[0]!.bytes), {
        x: left + (i + 0.5) * step,
        y: bottom + 19,
        fill: theme.quiet,
        "font-size": 12,
        "text-anchor": "middle",
      }),
    ]),
    line(left, WIDTH - MARGIN, y(1), theme.quiet, 1.5),
  ];
}

function grid(left: number, { theme, y }: BarOptions): string[] {
  return y.ticks.flatMap((tick) => [
    line(left, WIDTH - MARGIN, y(tick), theme.grid, 1),
    text(tick === 1 ? "plain" : tick > 1 ? `${tick} ×` : `1/${1 / tick} ×`, {
      x: left - 8,
      y: y(tick) + 4,
      fill: tick === 1 ? theme.text : theme.quiet,
      "font-size": 11.5,
      "text-anchor": "end",
    }),
  ]);
}

const line = (x1: number, x2: number, y: number, stroke: string, width: number) =>
  element("line", { x1, x2, y1: y, y2: y, stroke, "stroke-width": width });

interface BarOptions {
  readonly names: readonly VariantName[];
  readonly theme: Theme;
  readonly y: Scale;
}

/** The bars of one size. */
function group(results: readonly Throughput[], left: number, step: number, options: BarOptions): string[] {
  const { names } = options;
  const width = Math.min(22, (step * 0.86) / names.length);
  const start = left + (step - width * names.length) / 2;
  return names.flatMap((name, i) => {
    const result = results.find(({ variant }) => variant === name);
    return result ? bar(result, start + i * width, width - 2, options) : [];
  });
}

function bar(result: Throughput, x: number, width: number, { theme, y }: BarOptions): string[] {
  const { variant, bytes, ratio } = result;
  const [end, base, middle] = [y(ratio.median), y(1), x + width / 2];
  const hint = title(`${sizeTitle(bytes)}, ${legendTitle(variant)}: ${figure(result)} of plain`);
  const parts = [
    element(
      "rect",
      {
        x,
        y: Math.min(end, base),
        width,
        height: Math.max(1, Math.abs(end - base)),
        rx: 1.5,
        fill: theme.variants[variant],
      },
      hint,
    ),
    element("line", {
      x1: middle,
      x2: middle,
      y1: y(ratio.min),
      y2: y(ratio.max),
      stroke: theme.quiet,
      "stroke-width": 1,
    }),
  ];
  if (!WRITTEN.includes(variant)) return parts;
  return [...parts, label(result, x, x + width, { theme, y })];
}

/** Above the bar; above the line where the bar hangs from it, towards the side where no other figure stands. */
function label(
  { variant, ratio }: Throughput,
  left: number,
  right: number,
  { theme, y }: Pick<BarOptions, "theme" | "y">,
) {
  const hangs = ratio.median < 1;
  const [x, anchor] = !hangs
    ? [(left + right) / 2, "middle"]
    : variant === "batched"
      ? [left, "start"]
      : [right, "end"];
  return text(ratio.median.toFixed(hangs ? 2 : 1), {
    x,
    y: (hangs ? y(1) : y(ratio.max)) - 5,
    fill: theme.text,
    stroke: theme.background,
    "stroke-width": 3,
    "paint-order": "stroke",
    "font-size": 10.5,
    "text-anchor": anchor,
  });
}

/** "0.92 (0.88–0.97)". */
const figure = ({ ratio: { median, min, max } }: Throughput) =>
  `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;

function describe({ name, results }: Panel): string {
  const sizes = [...groupBy(results, ({ bytes }) => sizeTitle(bytes))].map(([size, own]) => {
    const figures = own.map(({ variant, ratio }) => `${legendTitle(variant)} ${ratio.median.toFixed(2)}`);
    return `${size}: ${figures.join(", ")}.`;
  });
  return `Times plain, in ${name}: ${sizes.join(" ")}`;
}
