// How much a server does for those that it does not know: cookies, words, and handshakes that begin, each in bounded number a
// second, and what one way asks for is at the cost of that way.

import { createHash } from "node:crypto";
import { RateLimit } from "./rate-limit.js";

/** Milliseconds between two words over one way that a session is gone. */
const SAME_WAY = 100;
/** Words a second: that a session is gone, that a handshake is refused. */
const WORDS = 5000;
/** Of these for one way at once, and a second after that: else one stranger would leave none for the others. */
const WORDS_AT_ONCE = 32;
const WORDS_OF_ONE = 16;
/** Cookies a second: two MACs each. */
const COOKIES = 50_000;
/** Handshakes that one way may begin at once, and a second after that: each costs a key pair. */
const BURST = 8;
const PER_SECOND = 4;
/** Ways of which anything is remembered; the first are forgotten first. */
const MOST_WAYS = 4096;

/** What whoever comes may have. */
export class Visitors {
  readonly #cookies = new RateLimit(COOKIES, COOKIES);
  readonly #words = new RateLimit(WORDS, WORDS);
  readonly #begun = new Map<string, RateLimit>();
  readonly #spoken = new Map<string, RateLimit>();
  readonly #toldAt = new Map<string, number>();

  mayHaveCookie(): boolean {
    return this.#cookies.take();
  }

  mayHaveWord(path: string): boolean {
    return take(this.#spoken, path, WORDS_OF_ONE, WORDS_AT_ONCE) && this.#words.take();
  }

  /** Of one way, one word in a while is enough. */
  mayBeTold(path: string): boolean {
    const now = performance.now();
    if (now - (this.#toldAt.get(path) ?? -Infinity) < SAME_WAY) return false;
    keep(this.#toldAt, path, now);
    return true;
  }

  /** One peer that begins again and again does so at the cost of its own way; where no way is seen, nobody is told apart. */
  mayBegin(path: string): boolean {
    return take(this.#begun, path, PER_SECOND, BURST);
  }
}

/** One permission of those of one way. */
function take(rates: Map<string, RateLimit>, path: string, perSecond: number, atOnce: number): boolean {
  if (path === "") return true;
  const rate = rates.get(path) ?? new RateLimit(perSecond, atOnce);
  keep(rates, path, rate);
  return rate.take();
}

function keep<Value>(map: Map<string, Value>, path: string, value: Value): void {
  map.delete(path);
  if (map.size >= MOST_WAYS) map.delete(map.keys().next().value as string);
  map.set(path, value);
}

/** The way back, in a few bytes: the frames that lead there are unsigned, and of any size. Empty where it is not seen. */
export function pathOf(routing: readonly Buffer[]): string {
  if (routing.length === 0) return "";
  const hash = createHash("sha256");
  for (const frame of routing) hash.update(`${frame.length}:`).update(frame);
  return hash.digest("base64");
}
