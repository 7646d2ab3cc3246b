// countersign keygen: makes key files, rotates their keys, derives keys for single senders. Shows key ids, never a secret.

import { fstatSync, writeFileSync } from "node:fs";
import { readKeyring } from "../keys/file.js";
import { exportJwks, importJwks, type JwkSet, type OctJwk } from "../keys/jwk.js";
import { deriveSenderKey, deriveStreamKey, generateKey, Key, type KeyTerms } from "../keys/key.js";
import { Keyring, validity } from "../keys/keyring.js";
import { assertChannel, assertSender, keyHolder } from "../keys/names.js";
import { defineCommand, type Values } from "./command.js";
import { EXIT, type ExitCode, OperatorError, UsageError } from "./failure.js";
import { changeKeyFile, createKeyFile } from "./key-file.js";
import { describeKeys } from "./key-list.js";
import { paintFor, printable } from "./terminal.js";
import { formatSpan, parseDuration, parseMoment } from "./time.js";

const DEFAULT_FILE = "countersign.keys.json";
const STDOUT = "-";

const OPTIONS = {
  senders: {
    type: "string",
    value: "A,B",
    multiple: true,
    help: "names that may sign with the key (default: any)",
  },
  channels: {
    type: "string",
    value: "X,Y",
    multiple: true,
    help: "channels it may be used on (default: any)",
  },
  "not-before": {
    type: "string",
    value: "WHEN",
    help: "valid from then on: a date, or how long from now (2030-01-31, 2030-01-31T08:00Z, 2h)",
  },
  rotate: { type: "boolean", help: "put a new key in front of those in FILE, and let those run out" },
  overlap: {
    type: "string",
    value: "SPAN",
    help: "how long they stay valid beside the new one: 30m, 24h, 7d (default: 24h)",
  },
  from: { type: "string", value: "MASTER", help: "derive the keys of one sender from this key file" },
  sender: { type: "string", value: "NAME", help: "whose keys to derive" },
  channel: {
    type: "string",
    value: "NAME",
    help: "derive them for this channel alone, as a subscriber needs them",
  },
} as const;

type Given = Values<typeof OPTIONS>;

export const command = defineCommand({
  name: "keygen",
  purpose:
    "Makes a key file: a JWK Set (RFC 7517) with one fresh key of 32 random bytes, mode 0600. Never overwrites a file, and never shows a secret.",
  usage: [
    `keygen [FILE]                            new key file (default: ${DEFAULT_FILE})`,
    "keygen [FILE] --rotate [--overlap SPAN]  new current key, the old ones run out",
    "keygen FILE --from MASTER --sender NAME  keys of one sender, for a device",
    "keygen -                                 write to a pipe instead of a file",
  ],
  options: OPTIONS,
  notes: [
    "After --rotate, hand the file to every receiver first and to the senders last: whoever signs with the new key is then understood by all. The new key is good for the same senders and channels as the current one, unless told otherwise. The file is replaced as a whole or not at all.",
    "A device that holds the keys of one sender can speak as that sender alone, and verify what is addressed to it.",
  ],
  examples: [
    "countersign keygen",
    "countersign keygen --rotate --overlap 7d",
    "countersign keygen robot-1.keys.json --from countersign.keys.json --sender robot-1",
    "countersign keygen - | vault kv put secret/countersign keys=-",
  ],
  positionals: 1,
  run: (values, [path]) => keygen(values, path),
});

function keygen(values: Given, path: string | undefined): ExitCode {
  assertFits(values, path);
  if (values.rotate === true) return rotate(values, path ?? DEFAULT_FILE);
  if (values.from !== undefined) return write(derive(values.from, values), path as string);
  return write(new Keyring([new Key(generateKey(), termsOf(values))]), path ?? DEFAULT_FILE);
}

/** Options that exclude or need each other: what is wrong, and the advice. */
const MISFITS: readonly (readonly [
  wrong: (given: Given, path: string | undefined) => boolean,
  advice: string,
])[] = [
  [(_, path) => path === "", "The file has no name."],
  [
    ({ rotate, from }) => rotate === true && from !== undefined,
    "--rotate and --from are two different things; do one after the other.",
  ],
  [({ rotate }, path) => rotate === true && path === STDOUT, "--rotate changes a file; name it."],
  [({ rotate, overlap }) => overlap !== undefined && !rotate, "--overlap belongs to --rotate."],
  [
    ({ from, sender }) => sender !== undefined && from === undefined,
    "--sender derives from a key file; name it with --from. (To restrict a new key, there is --senders.)",
  ],
  [
    ({ from, channel }) => channel !== undefined && from === undefined,
    "--channel derives from a key file; name it with --from. (To restrict a new key, there is --channels.)",
  ],
  [
    ({ from, sender }) => from !== undefined && sender === undefined,
    "--from derives the keys of one sender; name it with --sender.",
  ],
  [
    ({ from }, path) => from !== undefined && path === undefined,
    "Name the file for the derived keys: countersign keygen FILE --from MASTER --sender NAME",
  ],
  [
    ({ from, ...rest }) =>
      from !== undefined && ["senders", "channels", "not-before"].some((option) => option in rest),
    "--senders, --channels and --not-before are for new keys; derived ones keep the terms of their master.",
  ],
];

function assertFits(values: Given, path: string | undefined): void {
  for (const [wrong, advice] of MISFITS) if (wrong(values, path)) throw new UsageError(advice);
}

/** The terms of a new key, as far as they are given. */
function termsOf(values: Given): KeyTerms {
  const senders = listOf(values.senders, "--senders");
  const channels = listOf(values.channels, "--channels");
  for (const name of senders ?? []) {
    assertSender(name, "--senders");
    if (name !== keyHolder(name))
      throw new UsageError(
        `--senders: a key belongs to all instances of a name; write ${keyHolder(name)} instead of ${name}.`,
      );
  }
  for (const name of channels ?? []) assertChannel(name);
  const start = values["not-before"];
  return {
    ...(start !== undefined && { notBefore: wholeSeconds(parseMoment(start, "--not-before", Date.now())) }),
    ...(senders && { senders }),
    ...(channels && { channels }),
  };
}

/** Names separated by commas; a lone empty one is a name too (the channel that is meant where none is named). */
function listOf(given: readonly string[] | undefined, option: string): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const names = given.flatMap((text) => text.split(",")).map((name) => name.trim());
  if (names.length > 1 && names.includes(""))
    throw new UsageError(`${option}: there is an empty name between the commas.`);
  return [...new Set(names)];
}

/** Key files count in seconds; what is not whole is rounded up. */
function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000) * 1000;
}

/** The keys of one sender, with the terms of the keys they come from. */
function derive(from: string, { sender = "", channel }: Given): Keyring {
  assertSender(sender, "--sender");
  const masters = readKeyring(from).keys;
  const use = { sender: keyHolder(sender), channel: channel ?? "" };
  const fitting = masters.filter(({ terms }) => {
    const { senders, channels } = terms;
    return (
      (senders?.includes(use.sender) ?? true) &&
      (channel === undefined || (channels?.includes(channel) ?? true))
    );
  });
  if (fitting.length === 0) {
    throw new OperatorError(
      `No key in ${from} is good for sender "${use.sender}"${channel === undefined ? "" : ` on channel "${channel}"`}.`,
    );
  }
  return new Keyring(
    fitting.map((key) =>
      channel === undefined ? deriveSenderKey(key, sender) : deriveStreamKey(key, sender, channel),
    ),
  );
}

function write(keyring: Keyring, path: string): ExitCode {
  const text = serialize(exportJwks(keyring));
  if (path === STDOUT) return writeToPipe(keyring, text);
  createKeyFile(path, text);
  const paint = paintFor(process.stdout);
  const lines = [
    `${paint.bold(printable(path))} is written; you alone can read it (mode 0600).`,
    "",
    ...describeKeys(keyring, paint),
    "",
    paint.dim(`In code: signing: { key: readKeyring(${JSON.stringify(printable(path))}) }`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return EXIT.ok;
}

/** A secret is for a pipe, not for a screen and not for a file that others can read. */
function writeToPipe(keyring: Keyring, text: string): ExitCode {
  if (process.stdout.isTTY) {
    throw new UsageError(
      "This would show the secret on the screen. Name a file, or pipe it to where it belongs: countersign keygen - | …",
    );
  }
  const { mode } = fstatSync(process.stdout.fd);
  if ((mode & 0o170000) === 0o100000 && (mode & 0o077) !== 0 && process.platform !== "win32") {
    throw new OperatorError(
      `The file behind the redirection can be read by others (mode ${(mode & 0o777).toString(8)}). Let keygen make it: countersign keygen FILE`,
    );
  }
  try {
    writeFileSync(process.stdout.fd, text);
  } catch (cause) {
    throw new OperatorError(`The key was not written: ${(cause as Error).message}.`, { cause });
  }
  process.stderr.write(`${describeKeys(keyring, paintFor(process.stderr)).join("\n")}\n`);
  return EXIT.ok;
}

function rotate(values: Given, path: string): ExitCode {
  const overlap = parseDuration(values.overlap ?? "24h", "--overlap");
  const given = termsOf(values);
  let keyring: Keyring | undefined;
  changeKeyFile(path, (text) => {
    const now = Date.now();
    const held = importJwks(text);
    assertMasters(held, path);
    const next = new Key(generateKey(), { ...inherited(held, now), ...given });
    const end = wholeSeconds(Math.max(now, given.notBefore ?? 0) + overlap);
    const rotated = serialize(withNewKey(JSON.parse(text), next, end));
    keyring = importJwks(rotated);
    return rotated;
  });
  report(keyring as Keyring, path, overlap);
  return EXIT.ok;
}

function assertMasters(keyring: Keyring, path: string): void {
  const derived = keyring.keys.find((key) => key.derived.from !== "master");
  if (derived === undefined) return;
  throw new OperatorError(
    `${path} holds keys derived from a master key, and only that one can be rotated. Rotate the master's file, then derive anew: countersign keygen NEW-FILE --from MASTER --sender NAME`,
  );
}

/** The senders and channels that the current key is good for; of the first key, where none is current. */
function inherited(keyring: Keyring, now: number): KeyTerms {
  const [first] = keyring.keys as [Key, ...Key[]];
  const { senders, channels } = (keyring.keys.find((key) => validity(key, now) === undefined) ?? first).terms;
  return { senders, channels };
}

/** The set with one more key in front, and an end for the others; whatever else it holds stays as it is. */
function withNewKey(set: JwkSet, next: Key, end: number): JwkSet {
  const seconds = end / 1000;
  const retiring = set.keys.map((jwk) => ({ ...jwk, exp: Math.min(jwk.exp ?? Infinity, seconds) }));
  const [added] = exportJwks(new Keyring([next])).keys as readonly [OctJwk];
  return { ...set, keys: [added, ...retiring] };
}

function report(keyring: Keyring, path: string, overlap: number): void {
  const paint = paintFor(process.stdout);
  const lines = [
    `${paint.bold(printable(path))} has a new key in front; the others stay valid for ${formatSpan(overlap)} beside it.`,
    "",
    ...describeKeys(keyring, paint),
    "",
    "Load the file at every receiver first, and at the senders last.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function serialize(set: JwkSet): string {
  return `${JSON.stringify(set, null, 2)}\n`;
}
