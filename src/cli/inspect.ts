// countersign inspect: shows a captured message in words and, given a key, what a verifier says of it.

import { readFileSync } from "node:fs";
import { readKeyring } from "../keys/file.js";
import { assertChannel, assertSender } from "../keys/names.js";
import { WIRE } from "../wire/limits.js";
import { PATTERNS, type Pattern, receives } from "../wire/patterns.js";
import type { Place } from "./arrange.js";
import { parseCapture, parseHex } from "./capture.js";
import { defineCommand, type Values } from "./command.js";
import { EXIT, type ExitCode, OperatorError, suggestion, UsageError } from "./failure.js";
import { type Inspection, inspectFrames } from "./inspection.js";
import { renderJson } from "./inspection-json.js";
import { renderText } from "./inspection-text.js";
import type { Question } from "./judge.js";
import { paintFor } from "./terminal.js";

const RECEIVERS = (Object.keys(PATTERNS) as Pattern[]).filter(receives);
const MOST_HOPS = 255;

const OPTIONS = {
  frame: {
    type: "string",
    value: "HEX",
    multiple: true,
    help: 'one frame, instead of a file; again for the next; "" is an empty one',
  },
  key: { type: "string", value: "FILE", help: "ask a verifier that holds these keys" },
  channel: { type: "string", value: "NAME", help: "its channel (default: the default channel)" },
  sender: { type: "string", value: "NAME", help: "its own name, which messages addressed to it cover" },
  "request-tag": { type: "string", value: "HEX", help: "the tag of the request that this message answers" },
  pattern: {
    type: "string",
    value: "TYPE",
    help: `the socket that received it: ${RECEIVERS.join(", ")} (default: one that hears its sender)`,
  },
  hops: {
    type: "string",
    value: "N",
    help: "ids that brokers put in front, as in the socket's signing options",
  },
  json: { type: "boolean", help: "print the same as JSON" },
} as const;

type Given = Values<typeof OPTIONS>;

export const command = defineCommand({
  name: "inspect",
  purpose:
    "Shows a captured message field by field, in words. With --key it says what a verifier would say, as if the message had just arrived.",
  usage: [
    "inspect [FILE]                  a file, or what is piped in",
    "inspect --frame HEX [--frame HEX …]",
  ],
  options: OPTIONS,
  notes: [
    'A capture is hexadecimal digits, one frame a line (an empty frame is "" or 0x); or the output of xxd or hexdump -C, an empty line between frames; or Buffers as Node prints them; or a JSON array of strings in hexadecimal or base64; or the bytes of a single frame as they are. The signature frame alone will do, as far as it goes.',
    "Exit code: 0 well formed, or with --key accepted; 1 refused; 2 wrong usage, or the capture lacks what the verifier needs.",
  ],
  examples: [
    "countersign inspect message.hex",
    "countersign inspect message.hex --key countersign.keys.json --channel shell",
    "xxd -p frame.bin | countersign inspect --json",
  ],
  positionals: 1,
  run: inspect,
});

async function inspect(values: Given, [path]: readonly string[]): Promise<ExitCode> {
  const place = placeOf(values);
  const question = questionOf(values);
  const frames = values.frame === undefined ? parseCapture(await read(path)) : framesOf(values.frame, path);
  const inspection = inspectFrames(frames, place, question);
  process.stdout.write(
    values.json === true ? renderJson(inspection) : renderText(inspection, paintFor(process.stdout)),
  );
  return exitCode(inspection);
}

function exitCode({ answer }: Inspection): ExitCode {
  if (answer.answer === "refused") return EXIT.no;
  return answer.answer === "undecided" ? EXIT.failed : EXIT.ok;
}

function placeOf({ pattern, hops }: Given): Place {
  if (pattern !== undefined && !RECEIVERS.includes(pattern as Pattern)) {
    const known = RECEIVERS.join(", ");
    throw new UsageError(
      `--pattern: no socket that receives is called "${pattern}"; there are ${known}.${suggestion(pattern, RECEIVERS)}`,
    );
  }
  if (hops !== undefined && !(/^\d{1,3}$/.test(hops) && Number(hops) <= MOST_HOPS)) {
    throw new UsageError(`--hops must be a whole number from 0 to ${MOST_HOPS}; got "${hops}".`);
  }
  return { pattern: pattern as Pattern | undefined, hops: hops === undefined ? undefined : Number(hops) };
}

function questionOf(values: Given): Question | undefined {
  const { key, channel, sender, "request-tag": requestTag } = values;
  if (key === undefined) {
    const needless = (["channel", "sender", "request-tag"] as const).find(
      (option) => values[option] !== undefined,
    );
    if (needless !== undefined)
      throw new UsageError(`--${needless} is for a verifier, which needs keys too: --key FILE.`);
    return undefined;
  }
  if (channel !== undefined) assertChannel(channel);
  if (sender !== undefined) assertSender(sender, "--sender");
  const tag = requestTag === undefined ? undefined : parseHex(requestTag, "--request-tag");
  if (tag !== undefined && tag.length !== WIRE.tagBytes) {
    throw new UsageError(
      `--request-tag: a tag has ${WIRE.tagBytes} bytes (${2 * WIRE.tagBytes} digits); this one has ${tag.length}.`,
    );
  }
  return { keyring: readKeyring(key), keyFile: key, channel, sender, requestTag: tag };
}

function framesOf(given: readonly string[], path: string | undefined): Buffer[] {
  if (path !== undefined) throw new UsageError(`Give the frames either in ${path} or by --frame, not both.`);
  return given.map((text, index) => parseHex(text, `--frame ${index + 1}`));
}

async function read(path: string | undefined): Promise<Buffer> {
  if (path === undefined || path === "-") return readStdin();
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new OperatorError(`${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

async function readStdin(): Promise<Buffer> {
  if (process.stdin.isTTY)
    process.stderr.write("Paste the frames, one a line, then press Ctrl-D on a line of its own.\n");
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}
