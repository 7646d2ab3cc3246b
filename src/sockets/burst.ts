// Fairness to the event loop: what is done without waiting for anything else is done in bursts, as zeromq.js does.

/** Operations in one go before the event loop gets its turn. */
export const BURST = 512;

/** Resolves after the event loop had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
