// The forms in which inspect takes a capture: all of one message come to the same frames, and what is wrong with one
// is named with its place.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect as nodeInspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCapture } from "../../src/cli/capture.js";
import { OperatorError } from "../../src/cli/failure.js";
import { lines, signed } from "./captures.js";
import { countersign, scratchFolder } from "./run.js";

const scratch = scratchFolder();
const message = [Buffer.from("006b8b4567", "hex"), ...signed("dealer", [null, "x".repeat(50)])];
const signature = message[2] as Buffer;
const hex = (frame: Uint8Array) => Buffer.from(frame).toString("hex");
const shown = (frames: readonly Uint8Array[]) => frames.map((frame) => hex(frame));

/** As xxd prints it: offset, words of two bytes, characters. */
function xxd(frame: Buffer): string {
  const rows = [];
  for (let at = 0; at < frame.length; at += 16) {
    const row = frame.subarray(at, at + 16);
    const words =
      hex(row)
        .match(/.{1,4}/g)
        ?.join(" ") ?? "";
    rows.push(
      `${at.toString(16).padStart(8, "0")}: ${words.padEnd(39)}  ${row.toString("latin1").replace(/[^ -~]/g, ".")}`,
    );
  }
  return `${rows.join("\n")}\n`;
}

/** As hexdump -C prints it. */
function hexdump(frame: Buffer): string {
  const rows = [];
  for (let at = 0; at < frame.length; at += 16) {
    const row = frame.subarray(at, at + 16);
    const pairs = hex(row).match(/../g) ?? [];
    const halves = `${pairs.slice(0, 8).join(" ")}  ${pairs.slice(8).join(" ")}`;
    rows.push(
      `${at.toString(16).padStart(8, "0")}  ${halves.padEnd(48)}  |${row.toString("latin1").replace(/[^ -~]/g, ".")}|`,
    );
  }
  return `${rows.join("\n")}\n${frame.length.toString(16).padStart(8, "0")}\n`;
}

const wrapped = (frame: Buffer, digits: number) =>
  hex(frame)
    .match(new RegExp(`.{1,${digits}}`, "g"))
    ?.join("\n");

describe("one frame", () => {
  test.each<[string, string | Buffer]>([
    ["digits", hex(signature)],
    ["upper case, spaces, CRLF", `  ${hex(signature).toUpperCase().match(/../g)?.join(" ")}\r\n`],
    ["colons", hex(signature).match(/../g)?.join(":") ?? ""],
    ["0x in front", `0x${hex(signature)}`],
    [
      "an array of C",
      hex(signature)
        .match(/../g)
        ?.map((byte) => `0x${byte}`)
        .join(", ") ?? "",
    ],
    ["wrapped at 60, as xxd -p does", `${wrapped(signature, 60)}\n`],
    ["wrapped at 64", wrapped(signature, 64) ?? ""],
    ["wrapped anyhow", hex(signature).replace(/^(.{11})(.{90})/, "$1\n$2\n")],
    ["xxd", xxd(signature)],
    ["hexdump -C", hexdump(signature)],
    ["a Buffer as Node prints it", nodeInspect(signature.subarray(0, 50))],
    ["JSON in hexadecimal", JSON.stringify(hex(signature))],
    ["JSON in base64", JSON.stringify([signature.toString("base64")])],
    ["JSON in base64url", JSON.stringify([signature.toString("base64url")])],
    ["a Buffer as JSON", JSON.stringify(signature)],
    ["its bytes", signature],
  ])("%s", (form, input) => {
    const expected = form.startsWith("a Buffer as Node") ? signature.subarray(0, 50) : signature;
    expect(shown(parseCapture(Buffer.from(input)))).toStrictEqual([hex(expected)]);
  });

  test("bytes that are no text and no signature", () => {
    expect(parseCapture(Buffer.from([1, 2]))).toStrictEqual([Buffer.from([1, 2])]);
  });
});

describe("several frames", () => {
  test.each([
    ["one a line", lines(message)],
    ['an empty one as "" or as 0x', `006b8b4567\n0x\n${hex(signature)}`],
    ["with empty lines between", lines(message).replaceAll("\n", "\n\n")],
    ["wrapped, an empty line between", message.map((frame) => wrapped(frame, 60) ?? '""').join("\n\n")],
    ["JSON", JSON.stringify(shown(message))],
    ["JSON in base64", JSON.stringify(message.map((frame) => frame.toString("base64")))],
    ["Buffers as JSON", JSON.stringify(message)],
  ])("%s", (_, input) => {
    expect(shown(parseCapture(Buffer.from(input)))).toStrictEqual(shown(message));
  });

  test("Buffers as Node prints them in an array", () => {
    const short = message.map((frame) => frame.subarray(0, 40));
    expect(shown(parseCapture(Buffer.from(nodeInspect(short))))).toStrictEqual(shown(short));
  });

  test("dumps, one behind the other", () => {
    for (const dump of [xxd, hexdump]) {
      const two = [signature, Buffer.from("| a body: with 20 chars")];
      expect(shown(parseCapture(Buffer.from(two.map(dump).join(""))))).toStrictEqual(shown(two));
    }
  });

  test("unsigned frames, one a line", () => {
    expect(parseCapture(Buffer.from("6b65726e656c\nff00\n"))).toStrictEqual([
      Buffer.from("kernel"),
      Buffer.from([0xff, 0]),
    ]);
  });

  test("very many lines", () => {
    const frames = [signature, ...new Array<Buffer>(300_000).fill(Buffer.from("x"))];
    expect(parseCapture(Buffer.from(lines(frames)))).toHaveLength(frames.length);
  });

  test("a body of nothing but zeros is no dump", () => {
    const frames = [signature, Buffer.alloc(100_000), Buffer.alloc(4)];
    expect(shown(parseCapture(Buffer.from(lines(frames))))).toStrictEqual(shown(frames));
  });
});

describe("the tools themselves", () => {
  const path = join(scratch, "frame.bin");
  writeFileSync(path, signature);
  const tools = [["xxd"], ["xxd", "-p"], ["hexdump", "-vC"]].filter(
    ([tool = ""]) => spawnSync(tool, ["-v", "/dev/null"]).error === undefined,
  );

  test.each(tools)("%s %s", (tool, ...options) => {
    const { stdout } = spawnSync(tool, [...options.filter((option) => option !== undefined), path]);
    expect(shown(parseCapture(stdout))).toStrictEqual([hex(signature)]);
  });

  test("from a file, from a pipe and by --frame it is the same message", async () => {
    const file = join(scratch, "message.hex");
    writeFileSync(file, lines(message));
    const args = message.flatMap((frame) => ["--frame", hex(frame)]);
    const [read, piped, dashed, given] = await Promise.all([
      countersign(["inspect", "--json", file]),
      countersign(["inspect", "--json"], { input: lines(message) }),
      countersign(["inspect", "--json", "-"], { input: lines(message) }),
      countersign(["inspect", "--json", ...args]),
    ]);
    expect(read).toMatchObject({ code: 0, stderr: "" });
    for (const other of [piped, dashed, given]) expect(other).toStrictEqual(read);
  });
});

describe("what is none", () => {
  test.each<[string, string | Buffer, string]>([
    ["nothing", "", "The input is empty"],
    [
      "a letter",
      `${hex(signature)}\n0a 0b 0x0c 0g\n`,
      'line 2, column 13: expected hexadecimal digits, found "g".',
    ],
    [
      "an odd digit",
      "00\n010",
      "line 2: 3 hexadecimal digits are no whole bytes; one is missing or too many.",
    ],
    [
      "a dump without its middle",
      xxd(signature).replace(/\n00000010.*/, ""),
      "line 2: offset 00000020 follows 16 bytes",
    ],
    [
      "a dump that leaves out lines",
      xxd(Buffer.alloc(64)).replace(/\n00000010.*\n00000020.*/, "\n*"),
      'line 2: the dump leaves out repeated lines ("*")',
    ],
    [
      "a dump with other lines in it",
      `${xxd(signature)}-- \n`,
      'expected an offset and hexadecimal digits, found "-- "',
    ],
    [
      "words with their bytes swapped",
      "0000000 53c1 0101 0001\n",
      'dump with "hexdump -vC" or "xxd" instead.',
    ],
    [
      "a Buffer that was cut",
      nodeInspect(signature),
      'Buffer 1 was cut when it was printed; print frame.toString("hex") instead.',
    ],
    ["JSON that is none", '["c153", ', "looks like JSON and is none"],
    ["JSON without frames", "[]", "The array holds no frame."],
    [
      "JSON of something else",
      '[{"a":1}]',
      "frame 1 of the array: expected a string of hexadecimal digits or base64",
    ],
    ["a frame that is neither", '["!"]', "frame 1 of the array: expected"],
    ["bytes out of range", '{"type":"Buffer","data":[256]}', "frame 1 of the array: expected"],
  ])("%s", (_, input, advice) => {
    const parse = () => parseCapture(Buffer.from(input));
    expect(parse).toThrow(advice);
    expect(parse).toThrow(OperatorError);
  });

  test("no text makes it fail in any other way", () => {
    const alphabet = fc.constantFrom(
      ...'01c153afxg:, \n\r\t[]{}"<>Buffer.…|*-=',
      "00000000: ",
      "00000010  ",
      "<Buffer ",
    );
    fc.assert(
      fc.property(fc.array(alphabet), (parts) => {
        try {
          return parseCapture(Buffer.from(parts.join(""))).every((frame) => Buffer.isBuffer(frame));
        } catch (error) {
          return error instanceof OperatorError;
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("any frames come back from the form of one a line", () => {
    const body = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(body), (bodies) => {
        const frames = [signature, ...bodies];
        expect(shown(parseCapture(Buffer.from(lines(frames))))).toStrictEqual(shown(frames));
      }),
      { numRuns: 500 },
    );
  });
});
