import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Share } from "../../src/handshake/x25519.js";

const hex = (text: string) => Buffer.from(text, "hex");

test("RFC 7748, section 5.2, first vector", () => {
  const share = new Share(hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"));
  const u = hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  expect(share.agree(u).toString("hex")).toBe(
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  );
});

test("both ends agree, and differ from others", () => {
  const [one, two, three] = [0, 1, 2].map(() => new Share(randomBytes(32))) as [Share, Share, Share];
  expect(one.agree(two.bytes)).toEqual(two.agree(one.bytes));
  expect(one.agree(two.bytes)).not.toEqual(one.agree(three.bytes));
});

test.each(["00".repeat(32), `01${"00".repeat(31)}`, "", "01"])(
  "a share that leads to no secret is refused: %s",
  (bytes) => {
    expect(() => new Share(randomBytes(32)).agree(hex(bytes))).toThrow(/share/);
  },
);
