// A sender counts what it addresses apart from what it does not (docs/wire.md, section 10).

import { expect, it } from "vitest";
import { generateKey, Signer, Verifier } from "../../src/core.js";

it("shows no gap between addressed and unaddressed messages of one PAIR", () => {
  const key = generateKey();
  const left = new Signer({ key, pattern: "pair", sender: "left" });
  const right = new Verifier({ key, pattern: "pair", sender: "right" });
  const send = (to: string | null) => right.verify(left.sign("x", { to })).ok;
  expect(["right", "right", null, "right", null].map(send)).toEqual([true, true, true, true, true]);
  expect(right.stats).toMatchObject({ accepted: 5, gaps: 0, lost: 0 });
  left.sign("lost", { to: "right" });
  expect(send("right")).toBe(true);
  expect(right.stats).toMatchObject({ accepted: 6, gaps: 1, lost: 1 });
});
