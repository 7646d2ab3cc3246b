import { expect, test } from "vitest";
import { Visitors } from "../../src/sockets/visitors.js";

/** How often a stranger asks for something: more often than there is of it for all. */
const FLOOD = 20_000;

test("attack 55: one way that asks for words without end leaves those of the others alone", () => {
  const visitors = new Visitors();
  let had = 0;
  for (let i = 0; i < FLOOD; i++) if (visitors.mayHaveWord("stranger")) had++;
  expect(had).toBeGreaterThanOrEqual(32);
  expect(had).toBeLessThan(FLOOD / 10);
  const others = Array.from({ length: 1000 }, (_, i) => visitors.mayHaveWord(`client ${i}`));
  expect(others).not.toContain(false);
});

test("where no way is seen, all have their words of the whole", () => {
  const visitors = new Visitors();
  const had = Array.from({ length: 1000 }, () => visitors.mayHaveWord(""));
  expect(had).not.toContain(false);
});
