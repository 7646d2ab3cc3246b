// Who one is, and when a name alone is evidence.

import { describe, expect, test } from "vitest";
import { identity, Signer, Verifier } from "../../src/core.js";
import { takeFreshness } from "../../src/session/identity.js";
import { ID, SECRET, saidOf, testClock } from "./parties.js";

test("a name that is given is nobody's secret", () => {
  expect(identity("kernel-1~2")).toEqual({ name: "kernel-1~2", holder: "kernel-1", fresh: false });
});

test("a name that is made is random, and its own holder", () => {
  const made = [identity(), identity()];
  for (const { name, holder, fresh } of made) {
    expect(name).toMatch(/^[\w-]{22}$/);
    expect({ holder, fresh }).toEqual({ holder: name, fresh: true });
  }
  expect(made[0]?.name).not.toBe(made[1]?.name);
});

test("an identity is passed on as it is", () => {
  const mine = identity();
  expect(identity(mine)).toBe(mine);
});

test.each(["", "a b", "~1", null, 7, {}, { name: "a b" }, { name: 7, holder: "x", fresh: true }])(
  "%j is no identity",
  (sender) => {
    expect(() => identity(sender as string)).toThrow(/^sender must be a name/);
  },
);

describe("freshness", () => {
  test("is taken once, by the first who asks", () => {
    const mine = identity();
    expect([takeFreshness(mine), takeFreshness(mine)]).toEqual([true, false]);
    expect(takeFreshness(identity("given"))).toBe(false);
  });

  test("is not had by saying so", () => {
    expect(takeFreshness({ name: "given", holder: "given", fresh: true })).toBe(false);
  });

  test("is no evidence for the second verifier of a name, which does not know what the first has heard", () => {
    const clock = testClock();
    const mine = identity();
    const first = new Verifier({ key: SECRET, pattern: "dealer", sender: mine, clock });
    const router = new Signer({ key: SECRET, pattern: "router", sender: "r", to: mine.name, clock });
    const recorded = router.sign([ID, "x"]).slice(1);
    router.close();
    expect(saidOf(first.verify(recorded))).toBe("ok");
    const second = new Verifier({ key: SECRET, pattern: "dealer", sender: mine, clock });
    expect(saidOf(second.verify(recorded))).toBe("not-live");
  });
});
