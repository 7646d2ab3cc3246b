// Wall-clock time in microseconds, as the wire carries it. It follows the system clock when that steps (a
// monotonic clock would not), and takes the digits below the millisecond from the high-resolution timer.

import { performance } from "node:perf_hooks";

/** Microseconds since the Unix epoch; an integer. */
export type Micros = number;

/** A source of wall-clock time in microseconds since the Unix epoch. Tests and simulations inject their own. */
export type Clock = () => Micros;

/** Milliseconds to microseconds. */
export const MICROS_PER_MS = 1000;

let offset = performance.timeOrigin * MICROS_PER_MS;
/** Until then, by the timer, the system's clock need not be asked again: it is looked at once a millisecond. */
let askAgainAt = -Infinity;

/** The system's wall clock in microseconds. A step of it is noticed within a millisecond. */
export const wallClock: Clock = () => {
  const timer = performance.now();
  const now = Math.floor(timer * MICROS_PER_MS + offset);
  if (timer < askAgainAt) return now;
  askAgainAt = timer + 1;
  return corrected(now);
};

function corrected(now: Micros): Micros {
  const floor = Date.now() * MICROS_PER_MS;
  if (now >= floor && now < floor + MICROS_PER_MS) return now;
  // A thread that was put aside between the two readings has not seen the clock step: what is asked again decides.
  const ceiling = (Date.now() + 1) * MICROS_PER_MS - 1;
  const nearest = Math.min(Math.max(now, floor), ceiling);
  // The clock was set or slewed since we last looked: follow it.
  offset += nearest - now;
  return nearest;
}
