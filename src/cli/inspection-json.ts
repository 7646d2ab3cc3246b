// An inspection for programs: `countersign inspect --json`.

import { formatKeyId } from "../keys/key.js";
import { type ControlBody, isNonce } from "../wire/control.js";
import type { Header } from "../wire/header.js";
import { flagNames } from "./dissect.js";
import type { Inspection } from "./inspection.js";
import type { Signed } from "./signed.js";
import { preview, printableJson } from "./terminal.js";

/** Frames up to this many bytes are written whole; of longer ones this many bytes. */
const MOST_HEX = 2 ** 20;

/** The JSON text to show. */
export function renderJson({ captured, signed, answer }: Inspection): string {
  const { answer: verdict, ...why } = answer;
  const value = {
    frames: captured.length,
    ...(signed === undefined ? { captured: captured.map(frameJson) } : signedJson(signed)),
    verdict: { answer: verdict, ...why },
  };
  return `${printableJson(value)}\n`;
}

function signedJson(signed: Signed): object {
  const { at, bytes, dissection, faults, layout, routing, bodies, control, receiver } = signed;
  const { header, tag } = dissection;
  return {
    signature: {
      frame: at + 1,
      bytes,
      ...(typeof header === "object" && headerJson(header)),
      ...(tag && { tag: tag.toString("hex") }),
    },
    faults,
    ...(layout && { layout }),
    routing: routing.map(({ role, bytes }) => ({ role, ...frameJson(bytes) })),
    messages: bodies.map(({ sequence, frames }) => ({ sequence, frames: frames.map(frameJson) })),
    ...(control && { control: controlJson(control) }),
    ...(receiver && {
      receiver: { pattern: receiver.pattern, hops: receiver.hops, assumed: receiver.assumed },
    }),
  };
}

/** `null` where nothing is answered, asked or known. */
function controlJson({ answer, ask, reached, known }: ControlBody): object {
  const nonce = (bytes: Buffer) => (isNonce(bytes) ? bytes.toString("hex") : null);
  return {
    answer: nonce(answer),
    ask: nonce(ask),
    reached,
    known: known === 0 ? null : known,
    ...(known !== 0 && { knownDate: isoMicros(known) }),
  };
}

function headerJson({ keyId, flags, ...header }: Header): object {
  const { kind, pattern, ordinal, epoch, sequence, sentAt, sender } = header;
  return {
    kind,
    flags: flagNames(flags),
    pattern,
    keyId: formatKeyId(keyId),
    ordinal,
    epoch,
    epochDate: isoMicros(epoch),
    sequence,
    sentAt,
    sentAtDate: isoMicros(sentAt),
    sender,
  };
}

/** ISO 8601 with microseconds. */
function isoMicros(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${date}.${String(micros - seconds * 1_000_000).padStart(6, "0")}Z`;
}

function frameJson(frame: Buffer): object {
  return { bytes: frame.length, hex: frame.toString("hex", 0, MOST_HEX), preview: preview(frame) };
}
