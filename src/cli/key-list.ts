// The keys of a keyring for people: ids, states and terms, never a secret.

import type { Key } from "../keys/key.js";
import { type Keyring, validity } from "../keys/keyring.js";
import { type Paint, printable } from "./terminal.js";
import { formatDate } from "./time.js";

/** One line for each key: id, state, terms. */
export function describeKeys(keyring: Keyring, paint: Paint): string[] {
  const now = Date.now();
  const current = keyring.keys.find((key) => validity(key, now) === undefined);
  const rows = keyring.keys.map((key) => ({
    id: key.idText,
    state: stateOf(key, key === current, now),
    scope: scopeOf(key),
  }));
  const width = Math.max(...rows.map(({ state }) => state.length));
  return rows.map(({ id, state, scope }) => {
    const padded = state.padEnd(width);
    const marked = state === "current" ? paint.green(padded) : padded;
    return `  ${paint.bold(id)}  ${marked}  ${paint.dim(scope)}`;
  });
}

function stateOf(key: Key, current: boolean, now: number): string {
  const { notBefore = 0, notAfter = 0 } = key.terms;
  switch (validity(key, now)) {
    case "key-not-yet-valid":
      return `from ${formatDate(notBefore)} on`;
    case "key-expired":
      return `expired ${formatDate(notAfter)}`;
    default:
      if (current) return notAfter === 0 ? "current" : `current until ${formatDate(notAfter)}`;
      return notAfter === 0 ? "accepted" : `accepted until ${formatDate(notAfter)}`;
  }
}

function scopeOf({ derived, terms }: Key): string {
  const { senders, channels } = terms;
  const who =
    derived.from === "master" ? senders && `senders ${names(senders)}` : `sender ${names([derived.sender])}`;
  const where =
    derived.from === "stream"
      ? `channel ${names([derived.channel])}`
      : channels && `channels ${names(channels)}`;
  if (derived.from === "sender" && where === undefined) return `${who}, any channel`;
  return [who ?? "any sender", where ?? "any channel"].join(", ");
}

function names(list: readonly string[]): string {
  return list.map((name) => (name === "" ? '""' : printable(name))).join(", ");
}
