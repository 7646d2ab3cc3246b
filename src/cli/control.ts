// A control message in words (docs/wire.md, section 9): what is answered and asked, how far its sender has come and what it
// remembers; and where its 48 bytes are wrong.

import { CONTROL_BYTES, type ControlBody, isNonce, readControl } from "../wire/control.js";
import type { Header, Kind } from "../wire/header.js";
import { WIRE } from "../wire/limits.js";
import { END, type Fault } from "./dissect.js";
import { spacedHex } from "./terminal.js";
import { formatMicros } from "./time.js";

const KINDS: readonly Kind[] = ["hello", "challenge", "echo", "sync"];

/** Is it of a kind whose body is described by {@link ControlBody}? */
export function hasControlBody({ kind }: Header): boolean {
  return KINDS.includes(kind);
}

/** What a control message says, where its bytes can be read. */
export function controlOf(header: Header, behind: Buffer): ControlBody | undefined {
  return hasControlBody(header) ? readControl(behind) : undefined;
}

const U64 = 8;
const NUMBERS_AT = 2 * WIRE.nonceBytes;

/** What is wrong with the bytes behind the tag, which begin at `at`. */
export function controlFault(behind: Buffer, at: number): Fault | undefined {
  const field = "body";
  if (behind.length < CONTROL_BYTES) {
    return { field, at: at + behind.length, found: END, expected: `${CONTROL_BYTES} bytes behind the tag` };
  }
  if (behind.length > CONTROL_BYTES) {
    const surplus = behind.length - CONTROL_BYTES;
    const found = `${surplus} more byte${surplus === 1 ? "" : "s"}`;
    return { field, at: at + CONTROL_BYTES, found, expected: END };
  }
  const wrong = [NUMBERS_AT, NUMBERS_AT + U64].find(
    (offset) => behind.readBigUInt64BE(offset) > BigInt(WIRE.maxNumber),
  );
  if (wrong === undefined) return undefined;
  const found = spacedHex(behind.subarray(wrong, wrong + U64));
  return { field, at: at + wrong, found, expected: "a number up to 2^53-1 (00 1f ff ff ff ff ff ff)" };
}

/** What a control message is about, in a few words. */
export function controlSummary({ kind }: Header, { answer, ask }: ControlBody): string {
  const answers = isNonce(answer);
  const asks = isNonce(ask);
  switch (kind) {
    case "hello":
      return "asks whoever is there";
    case "challenge":
      if (answers) return asks ? "answers a hello, and asks" : "answers a hello";
      return asks ? "asks for evidence that its receiver is live" : "tells of a later start under this name";
    case "sync":
      return "answers a subscriber";
    default:
      if (answers) return asks ? "answers, and asks" : "answers";
      return asks ? "asks" : "says nothing, to whoever cannot go on without an answer";
  }
}

/** The fields of a control message: name, value, and what that means. */
export function controlRows({ answer, ask, reached, known }: ControlBody): [string, string, string][] {
  return [
    ["answers", nonceText(answer), isNonce(answer) ? "a nonce of its receiver's" : ""],
    ["asks", nonceText(ask), isNonce(ask) ? "a nonce that its receiver must answer" : ""],
    [
      "reached",
      String(reached),
      reached === 0 ? "no number used yet in its epoch" : "the last number used in its epoch",
    ],
    [
      "known",
      String(known),
      known === 0
        ? "no start of its receiver's is remembered"
        : `${formatMicros(known)}, a start of its receiver's`,
    ],
  ];
}

function nonceText(nonce: Buffer): string {
  return isNonce(nonce) ? nonce.toString("hex") : "nothing";
}
