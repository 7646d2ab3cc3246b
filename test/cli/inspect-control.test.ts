// countersign inspect on control messages: what is answered and asked, in words and as JSON, with a key and without.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportJwks, Keyring } from "../../src/core.js";
import { KEY, lines, receivedControl } from "./captures.js";
import { countersign, scratchFolder } from "./run.js";

const keys = join(scratchFolder(), "keys.json");
writeFileSync(keys, JSON.stringify(exportJwks(new Keyring([KEY]))), { mode: 0o600 });
const ASK = ["--key", keys, "--channel", "shell"];
const messages = receivedControl();

function inspect(frames: readonly Uint8Array[], ...args: readonly string[]) {
  return countersign(["inspect", ...args], { input: lines(frames) });
}

describe.each(Object.entries(messages))("%s", (_, { frames, pattern, args, summary }) => {
  test("without a key: well formed, and what it is about", async () => {
    const { code, stdout } = await inspect(frames);
    expect(stdout).toContain(`\nControl  ${summary}\n`);
    expect(stdout).not.toContain("Body");
    expect(stdout).toContain("Verdict  well formed\n");
    expect(code).toBe(0);
  });

  test("with a key: accepted, and delivered to nobody", async () => {
    const { code, stdout } = await inspect(frames, ...ASK, ...args);
    expect(stdout).toContain("Verdict  accepted\n");
    expect(stdout.replace(/\s+/g, " ")).toContain(
      `A ${pattern.toUpperCase()} on channel "shell" would take note of it, and deliver nothing.`,
    );
    expect(code).toBe(0);
  });

  test("with another channel: refused", async () => {
    const { code, stdout } = await inspect(frames, "--key", keys, "--channel", "iopub", ...args);
    expect(stdout).toContain("Verdict  refused: bad-signature\n");
    expect(code).toBe(1);
  });
});

test("the whole text of what is said", async () => {
  const { stdout } = await inspect(messages.router.frames);
  expect(stdout).toContain("    3  kind      challenge");
  expect(stdout).toContain("   24  sequence  0\n");
  expect(stdout).toContain(`
Control  answers a hello, and asks
  answers  a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1  a nonce of its receiver's
  asks     b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2  a nonce that its receiver must answer
  reached  1                                 the last number used in its epoch
  known    1738310400123456                  2025-01-31 08:00:00.123456 UTC, a start of its receiver's
`);
});

test("and where nothing is answered, asked or known", async () => {
  const { stdout } = await inspect(messages.silent.frames);
  expect(stdout).toContain(`
  answers  nothing
  asks     nothing
  reached  1        the last number used in its epoch
  known    0        no start of its receiver's is remembered
`);
});

test("as JSON", async () => {
  const json = async (name: keyof typeof messages) =>
    JSON.parse((await inspect(messages[name].frames, "--json")).stdout);
  expect(await json("router")).toMatchObject({
    signature: { kind: "challenge", sequence: 0, ordinal: 0 },
    faults: [],
    layout: "inline",
    messages: [],
    control: {
      answer: "a1".repeat(16),
      ask: "b2".repeat(16),
      reached: 1,
      known: 1738310400123456,
      knownDate: "2025-01-31T08:00:00.123456Z",
    },
  });
  expect((await json("silent")).control).toStrictEqual({ answer: null, ask: null, reached: 1, known: null });
  expect((await json("publisher")).routing).toMatchObject([
    { role: "topic", hex: `c1530106${"d4".repeat(16)}` },
  ]);
});

describe("malformed: the wrong bytes are named", () => {
  const [frame] = messages.pair.frames as [Buffer];
  const BODY_AT = 40 + "alice".length + 32;
  const changed = (at: number, ...bytes: number[]) => {
    const copy = Buffer.from(frame);
    copy.set(bytes, at);
    return copy;
  };
  test.each([
    [
      "too short",
      frame.subarray(0, -1),
      `byte ${BODY_AT + 47}, body: found the end of the frame, expected 48 bytes behind the tag`,
    ],
    [
      "too long",
      Buffer.concat([frame, Buffer.from("xy")]),
      `byte ${BODY_AT + 48}, body: found 2 more bytes, expected the end of the frame`,
    ],
    [
      "reached above the highest number",
      changed(BODY_AT + 32, 0, 0x20),
      `byte ${BODY_AT + 32}, body: found 00 20 00 00 00 00 00 01, expected a number up to 2^53-1`,
    ],
    [
      "known above the highest number",
      changed(BODY_AT + 40, 1),
      `byte ${BODY_AT + 40}, body: found 01 00 00 00 00 00 00 00, expected a number up to 2^53-1`,
    ],
    [
      "a sequence number",
      changed(31, 7),
      "byte 24, sequence: found 7, expected 0, as in every control message",
    ],
    ["an ordinal", changed(15, 7), "byte 12, ordinal: found 7, expected 0, as in every control message"],
    ["detached", changed(4, 0), "byte 4, flags: found none, expected a control message to be inline"],
  ])("%s", async (_, wrong, fault) => {
    const { code, stdout } = await inspect([wrong], "--pattern", "pair");
    expect(stdout).toContain("Malformed\n");
    expect(stdout).toContain(fault);
    expect(stdout).toContain("Verdict  refused: malformed\n");
    expect(code).toBe(1);
  });
});
