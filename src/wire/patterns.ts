// Socket types, numbered as in zmq.h, and who may hear whom (docs/wire.md, section 5).

/** The number of each socket type, as in `zmq.h`. */
export const PATTERNS = {
  pair: 0,
  pub: 1,
  sub: 2,
  req: 3,
  rep: 4,
  dealer: 5,
  router: 6,
  pull: 7,
  push: 8,
  xpub: 9,
  xsub: 10,
} as const;

/** A socket type by name. */
export type Pattern = keyof typeof PATTERNS;

/** Names by number; `undefined` where a number means nothing. */
export const PATTERN_NAMES: readonly Pattern[] = Object.keys(PATTERNS) as Pattern[];

const HEARS: Readonly<Record<Pattern, readonly Pattern[]>> = {
  router: ["dealer", "req", "router"],
  dealer: ["router", "rep", "dealer"],
  req: ["rep", "router"],
  rep: ["req", "dealer"],
  sub: ["pub", "xpub"],
  xsub: ["pub", "xpub"],
  xpub: ["xsub"],
  pull: ["push"],
  pair: ["pair"],
  pub: [],
  push: [],
};

/** Does a socket of type `receiver` hear what one of type `sender` signed? */
export function hears(receiver: Pattern, sender: Pattern): boolean {
  return HEARS[receiver].includes(sender);
}

/** The socket types whose signed messages a socket of this type hears. */
export function heardBy(receiver: Pattern): readonly Pattern[] {
  return HEARS[receiver];
}

/** Does a socket of this type receive signed messages at all? */
export function receives(pattern: Pattern): boolean {
  return HEARS[pattern].length > 0;
}

/** Does a socket of this type send signed messages at all? */
export function sends(pattern: Pattern): boolean {
  return Object.values(HEARS).some((heard) => heard.includes(pattern));
}

const TWO_WAY: readonly Pattern[] = ["router", "dealer", "req", "rep", "pair"];

/** Can a socket of this type ask whoever speaks to it for evidence, and be asked? */
export function greets(pattern: Pattern): boolean {
  return TWO_WAY.includes(pattern);
}

/** PUB and XPUB put a topic in front of the signature. */
export function publishes(pattern: Pattern): boolean {
  return pattern === "pub" || pattern === "xpub";
}

/** SUB and XSUB receive a topic in front of the signature. */
export function subscribes(pattern: Pattern): boolean {
  return pattern === "sub" || pattern === "xsub";
}
