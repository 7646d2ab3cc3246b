// Names: senders are 1 to 64 bytes of visible ASCII; what stands before the first `~` is who holds the key, what
// stands behind it tells instances (workers, threads) apart. Channels are any text up to 255 bytes of UTF-8.

import { randomBytes } from "node:crypto";
import { misuse } from "../errors.js";
import { WIRE } from "../wire/limits.js";

const SENDER = /^[\x21-\x7e]{1,64}$/;

/** Throws unless `name` may stand in a header. */
export function assertSender(name: unknown, option: string): asserts name is string {
  if (typeof name !== "string" || !SENDER.test(name) || name.startsWith("~")) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `${option} must be a name of 1 to ${WIRE.senderBytes} visible ASCII characters (no spaces), such as "kernel-1"; got ${describe(name)}.`,
    );
  }
}

/** Throws unless `channel` is a text of at most 255 bytes. */
export function assertChannel(channel: unknown): asserts channel is string {
  if (typeof channel !== "string" || Buffer.byteLength(channel) > WIRE.channelBytes) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `channel must be a text of at most ${WIRE.channelBytes} bytes, such as "shell"; got ${describe(channel)}.`,
    );
  }
}

function describe(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, 80))
    : value === null
      ? "null"
      : typeof value;
}

/** Who holds the key: the name without its instance. */
export function keyHolder(sender: string): string {
  const instance = sender.indexOf("~");
  return instance < 0 ? sender : sender.slice(0, instance);
}

/** A name that nobody had before: 16 random bytes as base64url. */
export function randomName(): string {
  return randomBytes(16).toString("base64url");
}
