// Who may hear whom (docs/wire.md, section 5): the whole matrix, so that a cell that changes is seen.

import { expect, test } from "vitest";
import {
  heardBy,
  hears,
  PATTERN_NAMES,
  PATTERNS,
  type Pattern,
  publishes,
  receives,
  sends,
  subscribes,
} from "../../src/wire/patterns.js";

const ALL = Object.keys(PATTERNS) as Pattern[];

const HEARD_BY: Record<Pattern, string> = {
  pair: "pair",
  pub: "",
  sub: "pub xpub",
  req: "rep router",
  rep: "dealer req",
  dealer: "dealer rep router",
  router: "dealer req router",
  pull: "push",
  push: "",
  xpub: "xsub",
  xsub: "pub xpub",
};

test.each(ALL)("%s hears whom the specification lists, and nobody else", (receiver) => {
  const heard = ALL.filter((sender) => hears(receiver, sender)).sort();
  expect(heard.join(" ")).toBe(HEARD_BY[receiver]);
  expect([...heardBy(receiver)].sort()).toEqual(heard);
});

test("names are found by number", () => {
  for (const name of ALL) expect(PATTERN_NAMES[PATTERNS[name]]).toBe(name);
  expect(PATTERN_NAMES).toHaveLength(11);
});

const having = (property: (pattern: Pattern) => boolean) => ALL.filter(property).sort().join(" ");

test("PUB and PUSH receive nothing, SUB and PULL send nothing", () => {
  expect(having(receives)).toBe("dealer pair pull rep req router sub xpub xsub");
  expect(having(sends)).toBe("dealer pair pub push rep req router xpub xsub");
});

test("topics stand in front of what PUB and XPUB send and SUB and XSUB receive", () => {
  expect(having(publishes)).toBe("pub xpub");
  expect(having(subscribes)).toBe("sub xsub");
});
