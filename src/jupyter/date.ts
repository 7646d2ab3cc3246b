// Dates as Jupyter writes them: ISO 8601 with microseconds. Read in every form that jupyter_client reads, and with the
// nanoseconds that kernels in other languages send.

import { MICROS_PER_MS, type Micros } from "../clock.js";

const ISO_8601 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))?$/;
const MICRO_DIGITS = 6;
const MS_PER_MINUTE = 60_000;

/** A date in microseconds since the Unix epoch, as text: `2026-01-31T12:00:00.123456Z`. */
export function formatDate(micros: Micros): string {
  const milliseconds = Math.floor(micros / MICROS_PER_MS);
  const below = String(micros - milliseconds * MICROS_PER_MS).padStart(3, "0");
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${below}Z`;
}

/**
 * A date's microseconds since the Unix epoch, or `undefined` for what is none. Without a time zone it is taken for local
 * time, as jupyter_client does. Digits below the microsecond are cut.
 */
export function parseDate(date: unknown): Micros | undefined {
  if (date instanceof Date) return finite(date.getTime() * MICROS_PER_MS);
  const match = typeof date === "string" ? ISO_8601.exec(date) : null;
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", utc, sign, zoneHours, zoneMinutes] = match;
  const fields = [+year!, +month! - 1, +day!, +hour!, +minute!, +second!] as const;
  const isLocal = utc === undefined && sign === undefined;
  const time = isLocal ? new Date(...fields).getTime() : Date.UTC(...fields);
  const ahead = isLocal || utc ? 0 : (+zoneHours! * 60 + +zoneMinutes!) * (sign === "-" ? -1 : 1);
  const below = +fraction.slice(0, MICRO_DIGITS).padEnd(MICRO_DIGITS, "0");
  return finite((time - ahead * MS_PER_MINUTE) * MICROS_PER_MS + below);
}

function finite(micros: number): Micros | undefined {
  return Number.isSafeInteger(micros) ? micros : undefined;
}
