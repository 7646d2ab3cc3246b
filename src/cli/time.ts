// Time as people write and read it: durations and dates on the command line, dates and ages in what is shown.

import { UsageError } from "./failure.js";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const LONGEST = 36_500 * 86_400_000;

/** Milliseconds in "30m", "24h", "7d", "1h30m"; "0" needs no unit. */
export function parseDuration(text: string, option: string): number {
  const milliseconds = durationOf(text);
  if (milliseconds === undefined) {
    throw new UsageError(`${option}: "${text}" is no duration; write 30m, 24h, 7d or the like.`);
  }
  if (milliseconds > LONGEST) throw new UsageError(`${option}: "${text}" is longer than 100 years.`);
  return milliseconds;
}

function durationOf(text: string): number | undefined {
  if (text === "0") return 0;
  if (!DURATION.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)([a-z]+)/g))
    sum += Number(count) * (UNITS[unit as string] as number);
  return sum;
}

const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Milliseconds since 1970 of a date ("2030-01-31", "2030-01-31T08:00Z") or of a duration from `now` on ("2h"). */
export function parseMoment(text: string, option: string, now: number): number {
  const duration = durationOf(text.replace(/^\+/, ""));
  if (duration !== undefined && duration <= LONGEST) return now + duration;
  const moment = DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment) || !sameDay(text, moment)) {
    throw new UsageError(
      `${option}: "${text}" is no moment; write a date (2030-01-31, or 2030-01-31T08:00Z with its zone) ` +
        "or how long from now (2h).",
    );
  }
  return moment;
}

/** `Date.parse` takes February 30 for March 2. */
function sameDay(text: string, moment: number): boolean {
  const zone = /([+-])(\d\d):(\d\d)$/.exec(text.slice(10));
  const minutes = zone === null ? 0 : (Number(zone[2]) * 60 + Number(zone[3])) * (zone[1] === "-" ? -1 : 1);
  return new Date(moment + minutes * 60_000).toISOString().startsWith(text.slice(0, 10));
}

/** "2026-01-31 08:00:00 UTC", from milliseconds since 1970. */
export function formatDate(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "2026-01-31 08:00:00.123456 UTC", from microseconds since 1970. */
export function formatMicros(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = String(micros - seconds * 1_000_000).padStart(6, "0");
  return `${formatDate(seconds * 1000).slice(0, 19)}.${fraction} UTC`;
}

/** "2 d 3 h", "1 min 5 s", "12 ms": a span in its two largest units. */
export function formatSpan(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  let rest = Math.round(milliseconds / 1000);
  const parts: string[] = [];
  for (const [unit, seconds] of [
    ["y", 31_557_600],
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** How long before `now` something was, or will be. */
export function formatAge(milliseconds: number, now: number): string {
  const age = now - milliseconds;
  return age < 0 ? `in ${formatSpan(-age)}` : `${formatSpan(age)} ago`;
}
