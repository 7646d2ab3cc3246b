// Names of senders and channels, and who holds the key of an instance.

import { describe, expect, test } from "vitest";
import { assertChannel, assertSender, keyHolder, randomName } from "../../src/keys/names.js";

const OPTIONS_ERROR = { code: "ERR_COUNTERSIGN_OPTIONS" };

describe("a sender", () => {
  test.each(["a", "kernel-1", "kernel-1~2", "a~", "a~~", "!", "}", "x".repeat(64), '"\\'])(
    "may be called %s",
    (name) => {
      expect(() => assertSender(name, "sender")).not.toThrow();
    },
  );

  test.each([
    ["", '""'],
    ["x".repeat(65), `"${"x".repeat(65)}"`],
    ["a b", '"a b"'],
    ["a\n", '"a\\n"'],
    ["\x7f", '"\x7f"'],
    ["é", '"é"'],
    ["~2", '"~2"'],
    ["~", '"~"'],
    [undefined, "undefined"],
    [null, "null"],
    [7, "number"],
    [{}, "object"],
    [Buffer.from("a"), "object"],
  ])("may not be called %j", (name, told) => {
    expect(() => assertSender(name, "to")).toThrow(
      expect.objectContaining({
        ...OPTIONS_ERROR,
        message:
          "to must be a name of 1 to 64 visible ASCII characters (no spaces), " +
          `such as "kernel-1"; got ${told}.`,
      }),
    );
  });

  test("is quoted shortly", () => {
    const message = `got "${"x".repeat(80)}".`;
    expect(() => assertSender("x".repeat(1000), "sender")).toThrow(message);
  });
});

describe("a channel", () => {
  test.each(["", "shell", "with spaces", "ünïcode €", "x".repeat(255), "é".repeat(127)])(
    "may be %j",
    (channel) => {
      expect(() => assertChannel(channel)).not.toThrow();
    },
  );

  test.each([["x".repeat(256)], ["é".repeat(128)], [undefined], [null], [1], [Buffer.alloc(1)]])(
    "may not be %j",
    (channel) => {
      expect(() => assertChannel(channel)).toThrow(
        expect.objectContaining({
          ...OPTIONS_ERROR,
          message: expect.stringMatching(
            /^channel must be a text of at most 255 bytes, such as "shell"; got /,
          ),
        }),
      );
    },
  );
});

test.each([
  ["kernel-1", "kernel-1"],
  ["kernel-1~2", "kernel-1"],
  ["kernel-1~2~3", "kernel-1"],
  ["kernel-1~", "kernel-1"],
])("the key of %s is held by %s", (name, holder) => {
  expect(keyHolder(name)).toBe(holder);
});

test("random names are 16 bytes as base64url, and differ", () => {
  const names = Array.from({ length: 100 }, randomName);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(new Set(names).size).toBe(100);
});
