// Malformed frames: inspect names the field that is wrong, where it is, what was found and what is expected, and it
// agrees with the verifier on what is malformed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectFrames } from "../../src/cli/inspection.js";
import { type Control, type Verdict, Verifier } from "../../src/core.js";
import { KEYRING, lines, received, receivedControl, signed } from "./captures.js";
import { countersign } from "./run.js";

const [pushed] = signed("push", ["hello", "wide world"]) as [Buffer];
const [detached] = signed("push", ["hello"], { limits: { inline: 0 } }) as [Buffer];
const TAG_AT = 40 + "alice".length;
const BODY_AT = TAG_AT + 32;

/** A copy of the frame with other bytes at `at`. */
function changed(at: number, ...bytes: number[]): Buffer {
  const copy = Buffer.from(pushed);
  copy.set(bytes, at);
  return copy;
}

describe("the wrong field is named, with its place", () => {
  test.each<[string, Buffer[], string]>([
    [
      "magic alone",
      [pushed.subarray(0, 2)],
      "byte 2, version: found the end of the frame, expected 1 byte from byte 2 on",
    ],
    ["version", [changed(2, 2)], "byte 2, version: found 02, expected 01"],
    ["kind", [changed(3, 0)], "byte 3, kind: found 00, expected a kind from 01 to 08"],
    ["flags", [changed(4, 0x81)], "byte 4, flags: found 81, expected bits 80 to be 0"],
    [
      "a topic on a PUSH",
      [changed(4, 0x05)],
      "byte 4, flags: found inline, topic, expected no topic: a PUSH has none",
    ],
    [
      "a recipient's key for nobody",
      [changed(4, 0x21)],
      "expected recipientKey only together with addressed",
    ],
    ["an answer of a PUSH", [changed(4, 0x19)], "expected no bound: a PUSH answers no request"],
    ["pattern", [changed(5, 11)], "byte 5, pattern: found 0b, expected a socket type from 00 to 0a"],
    ["reserved", [changed(6, 7)], "byte 6, reserved: found 07, expected 00"],
    ["no name", [changed(7, 0)], "byte 7, name length: found 00, expected 01 to 40"],
    ["a long name", [changed(7, 65)], "byte 7, name length: found 41, expected 01 to 40"],
    [
      "cut in the key id",
      [pushed.subarray(0, 10)],
      "byte 10, key id: found the end of the frame, expected 4 bytes from byte 8 on",
    ],
    ["epoch", [changed(16, 0, 0x20)], "byte 16, epoch: found 00 20"],
    ["sequence", [changed(24, 0xff)], "expected a number up to 2^53-1 (00 1f ff ff ff ff ff ff)"],
    ["sequence 0", [changed(31, 0)], "byte 24, sequence: found 0, expected 1 or more"],
    ["sent at", [changed(32, 1)], "byte 32, sent at: found 01"],
    [
      "sender",
      [changed(42, 0x20)],
      "byte 42, sender: found 20, expected visible ASCII, 21 to 7e, that does not begin with ~ (7e)",
    ],
    [
      "cut in the name",
      [pushed.subarray(0, 43)],
      "byte 43, sender: found the end of the frame, expected 5 bytes from byte 40 on",
    ],
    [
      "cut in the tag",
      [pushed.subarray(0, 60)],
      "byte 60, tag: found the end of the frame, expected 32 bytes from byte 45 on",
    ],
    [
      "no body",
      [pushed.subarray(0, BODY_AT)],
      "byte 77, body: found the end of the frame, expected the number of frames, 4 bytes",
    ],
    [
      "no frame",
      [changed(BODY_AT, 0, 0, 0, 0)],
      "byte 77, body: found 0 frames, expected 1 to 65536 of them",
    ],
    [
      "too many frames",
      [changed(BODY_AT, 255)],
      "byte 77, body: found 4278190082 frames, expected 1 to 65536 of them",
    ],
    [
      "cut in the lengths",
      [pushed.subarray(0, BODY_AT + 6)],
      "byte 83, body: found the end of the frame, expected the lengths of 2 frames",
    ],
    [
      "a frame too long",
      [changed(BODY_AT + 7, 16)],
      "byte 81, body: found 16 bytes in frame 1, expected 15 at most, as many as are left",
    ],
    [
      "a frame too short",
      [changed(BODY_AT + 11, 9)],
      "byte 103, body: found 1 more byte, expected the end of the frame",
    ],
    [
      "a frame behind an inline body",
      [pushed, Buffer.from("x")],
      "byte 104, layout: found 1 more frame, expected no frame behind an inline body",
    ],
    [
      "bytes behind a detached tag",
      [Buffer.concat([detached, Buffer.from("xy")])],
      "byte 77, layout: found 2 more bytes, expected the end of the frame",
    ],
    [
      "a batch that is detached",
      [changed(3, 2, 0)],
      "byte 4, flags: found none, expected a batch to be inline, not delimited, not bound",
    ],
    [
      "a batch of nothing",
      [changed(3, 2).fill(0, BODY_AT, BODY_AT + 4)],
      "byte 77, body: found 0 messages, expected 1 to 256 of them",
    ],
    [
      "a batch of very much",
      [changed(3, 2).fill(255, BODY_AT, BODY_AT + 4)],
      "byte 77, body: found 4294967295 messages, expected 1 to 256",
    ],
    [
      "a batch beyond the last number",
      [changed(3, 2).fill(Buffer.from("001fffffffffffff", "hex"), 24, 32)],
      "byte 77, body: found 2 messages from sequence 9007199254740991 on, expected none above 2^53-1",
    ],
  ])("%s", async (_, frames, fault) => {
    const { code, stdout, stderr } = await countersign(["inspect"], { input: lines(frames) });
    expect(stdout).toContain(`Malformed\n`);
    expect(stdout).toContain(fault);
    expect(stdout).toMatch(/Verdict {2}refused: (malformed|too-large|unsupported-version)\n/);
    expect({ code, stderr }).toStrictEqual({ code: 1, stderr: "" });
  });

  test("several at once", () => {
    const { signed } = inspectFrames([changed(3, 9, 0x81, 99, 1)], {}, undefined);
    expect(signed?.faults.map(({ field }) => field)).toStrictEqual(["kind", "flags", "pattern", "reserved"]);
  });

  test("a kind that its receiver has no use for, and a sealed body, are refused as unsupported", async () => {
    for (const [frame, why] of [
      [changed(3, 3), "A PULL has no use for a message of the kind hello."],
      [changed(3, 6), "A PULL has no use for a message of the kind sync."],
      [changed(3, 8), "This version knows no message of the kind handshake."],
      [changed(4, 0x41), "This version carries no sealed bodies."],
    ] as const) {
      const { code, stdout } = await countersign(["inspect"], { input: lines([frame]) });
      expect(stdout).toContain("refused: unsupported");
      expect(stdout.replace(/\s+/g, " ")).toContain(why);
      expect(code).toBe(1);
    }
  });
});

describe("agreement with the verifier", () => {
  const messages = [...Object.values(received()), ...Object.values(receivedControl())];
  const BY_FORM = ["malformed", "too-large", "unsupported-version"];

  /** Some frames of a real message with some bytes set, cut or added. */
  const mutated = fc
    .record({
      message: fc.constantFrom(...messages),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
      cut: fc.option(fc.nat(400), { nil: undefined, freq: 4 }),
      extra: fc.option(fc.uint8Array({ maxLength: 5 }), { nil: undefined, freq: 4 }),
    })
    .map(({ message, edits, cut, extra }) => {
      const frames: Buffer[] = message.frames.map((frame) => Buffer.from(frame));
      const at = frames.findIndex((frame) => frame[0] === 0xc1 && frame[1] === 0x53);
      let frame = frames[at] as Buffer;
      for (const [place, byte] of edits) frame[2 + (place % Math.min(120, frame.length - 2))] = byte;
      if (cut !== undefined) frame = frame.subarray(0, Math.max(2, cut));
      if (extra !== undefined) frame = Buffer.concat([frame, extra]);
      frames[at] = frame;
      return frames;
    });

  test("every byte of a control message with every value: the same", () => {
    const [greeted] = receivedControl().pair.frames as [Buffer];
    for (let at = 2; at < greeted.length; at++) {
      for (const byte of [0, 1, 2, 3, 6, 8, 31, 32, 255]) {
        const frame = Buffer.from(greeted);
        frame[at] = byte;
        const verifier = new Verifier({ key: KEYRING, pattern: "pair" });
        const examined = verifier.examine([frame]) as Verdict | Control;
        const reason = examined.ok || examined.reason === "control" ? undefined : examined.reason;
        const { signed, answer } = inspectFrames([frame], { pattern: "pair" }, undefined);
        const byForm = BY_FORM.includes(reason ?? "");
        if (byForm || answer.reason !== undefined)
          expect([at, byte, answer.reason]).toStrictEqual([at, byte, reason]);
        if (byForm) expect([at, byte, (signed?.faults.length ?? 0) > 0]).toStrictEqual([at, byte, true]);
        if ((signed?.faults.length ?? 0) > 0) expect(answer.answer).toBe("refused");
      }
    }
  });

  test("every byte of a frame with every value: the verifier's own reason, and a fault where the form is refused", () => {
    for (let at = 2; at < pushed.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const frames = [changed(at, byte)];
        const verdict = new Verifier({ key: KEYRING, pattern: "pull" }).verify(frames);
        const { signed, answer } = inspectFrames(frames, { pattern: "pull" }, undefined);
        const reason = verdict.ok ? undefined : verdict.reason;
        const byForm = BY_FORM.includes(reason ?? "");
        const faults = signed?.faults.length ?? 0;
        if (byForm || answer.reason !== undefined)
          expect([at, byte, answer.reason]).toStrictEqual([at, byte, reason]);
        if (byForm) expect([at, byte, faults > 0]).toStrictEqual([at, byte, true]);
        if (faults > 0) expect([at, byte, answer.answer]).toStrictEqual([at, byte, "refused"]);
      }
    }
  });

  test("whatever a verifier refuses for its form, inspect names a fault of; and nothing makes it throw", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(mutated, (frames) => {
        const { signed, answer } = inspectFrames(frames, {}, undefined);
        seen.add(answer.reason ?? "none");
        const faults = signed?.faults.length ?? 0;
        if (BY_FORM.includes(answer.reason ?? "")) expect(faults).toBeGreaterThan(0);
        if (answer.reason === undefined) expect(faults).toBe(0);
      }),
      { numRuns: 5000 },
    );
    expect([...seen]).toEqual(expect.arrayContaining(["none", ...BY_FORM]));
  });

  test("a message taken as its receiver has it gets the verifier's own reason", () => {
    fc.assert(
      fc.property(mutated, (frames) => {
        const place = { pattern: "router", hops: 0 } as const;
        const received = frames.length > 1 ? frames : [Buffer.from("id"), ...frames];
        const { answer } = inspectFrames(received, place, undefined);
        const verdict = new Verifier({ key: KEYRING, pattern: "router" }).examine(received) as
          | Verdict
          | Control;
        const reason = verdict.ok || verdict.reason === "control" ? undefined : verdict.reason;
        if (answer.reason !== undefined) expect(reason).toBe(answer.reason);
        else expect(BY_FORM).not.toContain(reason);
      }),
      { numRuns: 3000 },
    );
  });
});
