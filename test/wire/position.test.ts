// Where the signature stands (docs/wire.md, section 4): a table of every socket type in both directions.

import { describe, expect, test } from "vitest";
import { PATTERNS, type Pattern } from "../../src/wire/patterns.js";
import { isSubscription, signaturePosition } from "../../src/wire/position.js";

/** Frames by their lengths. */
const frames = (...lengths: readonly number[]) => lengths.map((length) => ({ length }));

const BOTH = [true, false];

describe("of types that see no envelope", () => {
  test.each<[Pattern, boolean, number, boolean]>([
    ["pair", true, 0, false],
    ["pair", false, 0, false],
    ["push", true, 0, false],
    ["pull", false, 0, false],
    ["pub", true, 1, false],
    ["sub", false, 1, false],
    ["xpub", true, 1, false],
    ["xpub", false, 0, false],
    ["xsub", true, 0, false],
    ["xsub", false, 1, false],
    ["req", true, 0, true],
    ["req", false, 0, true],
    ["rep", true, 0, true],
    ["rep", false, 0, true],
  ])("%s (sending: %s) is %i, delimited: %s", (pattern, sending, index, delimited) => {
    const shapes = [frames(), frames(0), frames(5), frames(0, 0), frames(5, 0, 7), frames(0, 5, 0)];
    for (const shape of shapes) {
      for (const hops of [0, 1, 3]) {
        expect(signaturePosition(pattern, sending, hops, shape)).toEqual({ index, delimited });
      }
    }
  });
});

describe.each(BOTH)("of a ROUTER (sending: %s)", (sending) => {
  test.each([
    ["[id, body]", 0, frames(5, 9), 1, false],
    ["[id, delimiter, body]", 0, frames(5, 0, 9), 2, true],
    ["[id, delimiter]", 0, frames(5, 0), 2, true],
    ["[id, delimiter, empty body]", 0, frames(5, 0, 0), 2, true],
    ["[empty id, body]", 0, frames(0, 9), 1, false],
    ["[id] alone", 0, frames(5), 1, false],
    ["nothing", 0, frames(), 1, false],
    ["[id, hop, body]", 1, frames(5, 5, 9), 2, false],
    ["[id, hop, delimiter, body]", 1, frames(5, 5, 0, 9), 3, true],
    ["[id, empty hop, body]", 1, frames(5, 0, 9), 2, false],
    ["[id, two hops, delimiter, body]", 2, frames(5, 5, 5, 0, 9), 4, true],
    ["[id, two hops, body]", 2, frames(5, 5, 5, 9), 3, false],
  ])("%s with %i hops", (_, hops, shape, index, delimited) => {
    expect(signaturePosition("router", sending, hops, shape)).toEqual({ index, delimited });
  });
});

describe.each(BOTH)("of a DEALER (sending: %s)", (sending) => {
  test.each([
    ["[body]", 0, frames(9), 0, false],
    ["[delimiter, body]", 0, frames(0, 9), 1, true],
    ["[delimiter]", 0, frames(0), 1, true],
    ["nothing", 0, frames(), 0, false],
    ["[hop, body]", 1, frames(5, 9), 1, false],
    ["[hop, delimiter, body]", 1, frames(5, 0, 9), 2, true],
    ["[empty hop, body]", 1, frames(0, 9), 1, false],
    ["[three hops, delimiter]", 3, frames(5, 5, 5, 0), 4, true],
  ])("%s with %i hops", (_, hops, shape, index, delimited) => {
    expect(signaturePosition("dealer", sending, hops, shape)).toEqual({ index, delimited });
  });
});

test("attack 8: a frame that looks like a signature is never searched for, wherever it stands", () => {
  const decoy = Buffer.from([0xc1, 0x53, 1, 1]);
  const body = Buffer.from("body");
  for (const pattern of Object.keys(PATTERNS) as Pattern[]) {
    for (const sending of BOTH) {
      const plain = signaturePosition(pattern, sending, 0, [body, body, body]);
      for (const shape of [
        [decoy, body, body],
        [body, decoy, body],
        [body, body, decoy],
      ]) {
        expect(signaturePosition(pattern, sending, 0, shape), pattern).toEqual(plain);
      }
    }
  }
});

describe("a subscription", () => {
  const bytes = (...values: readonly number[]) => Buffer.from(values);

  test.each([
    ["subscribe to all", [bytes(1)]],
    ["unsubscribe from all", [bytes(0)]],
    ["subscribe to a topic", [bytes(1, 65)]],
    ["unsubscribe from a topic", [bytes(0, 65, 66)]],
  ])("%s is one", (_, message) => {
    expect(isSubscription(message)).toBe(true);
  });

  test.each([
    ["no frame", []],
    ["an empty frame", [bytes()]],
    ["another first byte", [bytes(2, 65)]],
    ["a byte that holds the bit", [bytes(0x81)]],
    ["a subscription and another frame", [bytes(1, 65), bytes(1)]],
    ["a signature frame", [bytes(0xc1, 0x53, 1)]],
  ])("%s is none", (_, message) => {
    expect(isSubscription(message)).toBe(false);
  });
});
