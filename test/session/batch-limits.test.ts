// A batch that receivers with the same limits would refuse is not signed.

import { expect, it } from "vitest";
import { generateKey, Signer, Verifier } from "../../src/core.js";
import { limitsOf } from "../../src/session/options.js";

const limits = { bytes: 1000, frames: 4 };

// 1000 bytes of body, 4 · (4 + 256 + 1) bytes of counts and lengths
const LARGEST = 1000 + 4 * 261;

it("takes a batch up to the limit and refuses one byte more", () => {
  const key = generateKey();
  const push = new Signer({ key, pattern: "push", sender: "push", limits });
  const pull = new Verifier({ key, pattern: "pull", limits });
  const batchOf = (length: number) => {
    const overhead = 4 + 3 * 8;
    return [Buffer.alloc(1000), Buffer.alloc(900), Buffer.alloc(length - overhead - 1900)];
  };
  const verdict = pull.verify(push.signBatch(batchOf(LARGEST)));
  expect(verdict).toMatchObject({ ok: true, rest: [{}, {}] });
  expect(() => push.signBatch(batchOf(LARGEST + 1))).toThrow(/over the limit for one message \(1000 bytes\)/);
  expect(pull.verify(push.sign("next"))).toMatchObject({ ok: true, origin: { sequence: 4 } });
});

it("keeps counts and lengths within 32 bits, whatever limit is set", () => {
  const limits = limitsOf({ key: generateKey(), limits: { bytes: Infinity, frames: 2 ** 40 } });
  expect(limits).toMatchObject({ bytes: 2 ** 32 - 1, frames: 2 ** 32 - 1 });
});
