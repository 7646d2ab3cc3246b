// countersign passwd: manages a file of SCRAM verifiers. Shows names and iteration counts, never a password or a verifier.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
  formatVerifierFile,
  parseVerifierFile,
  readVerifierFile,
  type VerifierEntries,
} from "../handshake/scram/file-store.js";
import { assertTextPolicy, prepareOwn, prepareUser, type TextPolicy } from "../handshake/scram/prepare.js";
import { checkVerifier, isWithinBounds, mintVerifier, parseVerifier } from "../handshake/scram/verifier.js";
import { defineCommand, type Values } from "./command.js";
import { EXIT, type ExitCode, OperatorError, suggestion, UsageError } from "./failure.js";
import { changePrivateFile, createPrivateFile } from "./key-file.js";
import { askPassword } from "./password.js";
import { withProgress } from "./progress.js";
import { printable } from "./terminal.js";

const OPTIONS = {
  iterations: {
    type: "string",
    value: "N",
    help: "how often the password is hashed, 4096 to 1000000 (default: 600000)",
  },
  text: {
    type: "string",
    value: "POLICY",
    help: "how names and passwords become bytes, as at both ends: ascii, saslprep or none (default: ascii)",
  },
} as const;

/** How a policy for text is chosen here, and in the program that lets these users in. */
const CHOICE = '--text saslprep, with text: "saslprep" at both ends';

type Given = Values<typeof OPTIONS>;

interface Settings {
  readonly iterations: number;
  readonly text: TextPolicy;
}

type Action = (path: string, user: string, settings: Settings) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<string, Action>> = { add, change, remove, list, check };

export const command = defineCommand({
  name: "passwd",
  purpose:
    "Manages a file of SCRAM verifiers, from which a server lets users in: scram({ users: openVerifierFile(FILE) }). The file holds no password, but who reads it can guess passwords offline; it has mode 0600.",
  usage: [
    "passwd add FILE USER      add a user; makes the file if there is none",
    "passwd change FILE USER   give a user another password",
    "passwd remove FILE USER   take a user out",
    "passwd list FILE          show the users, and how often their passwords are hashed",
    "passwd check FILE USER    is this the user's password? exit code 0 yes, 1 no",
  ],
  options: OPTIONS,
  notes: [
    "The password is asked for without echo, or read from a pipe (one line); it is never taken from the arguments, which others can see. The file is replaced as a whole or not at all. A server that has it open follows the change; sessions that stand go on until it revokes them.",
  ],
  examples: [
    "countersign passwd add users.scram alice",
    "countersign passwd check users.scram alice",
    "pwgen 20 1 | tee alice.txt | countersign passwd add users.scram alice",
  ],
  positionals: 3,
  run: (values, positionals) => passwd(values, positionals),
});

async function passwd(values: Given, [name, path, user]: readonly string[]): Promise<ExitCode> {
  const names = Object.keys(ACTIONS);
  const action = name !== undefined && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    const what = name === undefined ? "Say what to do" : `There is no passwd ${name}`;
    throw new UsageError(`${what}: ${names.join(", ")}.${suggestion(name ?? "", names)}`);
  }
  if (path === undefined || path === "") throw new UsageError(`passwd ${name} needs the file.`);
  if (name === "list" && user !== undefined) throw new UsageError("passwd list shows all users; name none.");
  if (name !== "list" && user === undefined) throw new UsageError(`passwd ${name} needs the user.`);
  return action(path, user ?? "", settingsOf(values));
}

function settingsOf({ iterations = "600000", text = "ascii" }: Given): Settings {
  const count = /^[0-9]+$/.test(iterations) ? Number(iterations) : Number.NaN;
  if (!isWithinBounds(count)) {
    throw new UsageError(`--iterations is a whole number from 4096 to 1000000; got "${iterations}".`);
  }
  if (text !== "ascii" && text !== "saslprep" && text !== "none") {
    throw new UsageError(`--text is ascii, saslprep or none; got "${text}".`);
  }
  assertTextPolicy(text);
  return { iterations: count, text };
}

async function add(path: string, given: string, settings: Settings): Promise<ExitCode> {
  const user = prepareUser("The user's name", given, settings.text, CHOICE);
  if (existsSync(path)) assertNew(path, readVerifierFile(path).users, user);
  const verifier = await mint(user, settings);
  // Asked again: while the password was typed, somebody else may have made the file, or the user.
  if (existsSync(path)) {
    changeFile(path, (users) => {
      assertNew(path, users, user);
      users.set(user, verifier);
    });
  } else {
    const text = formatVerifierFile({ secret: randomBytes(32), users: new Map([[user, verifier]]) });
    createPrivateFile(path, text, () => `${path} was made meanwhile, or is a link to nothing. Try again`);
  }
  say(`Added "${printable(user)}" to ${path}.`);
  return EXIT.ok;
}

async function change(path: string, given: string, settings: Settings): Promise<ExitCode> {
  const user = known(path, given, settings);
  const verifier = await mint(user, settings);
  changeFile(path, (users) => {
    // Who was taken out while the password was typed stays out.
    assertKnown(path, users, user);
    users.set(user, verifier);
  });
  say(`Changed the password of "${printable(user)}" in ${path}.`);
  return EXIT.ok;
}

async function remove(path: string, given: string, settings: Settings): Promise<ExitCode> {
  const user = known(path, given, settings);
  changeFile(path, (users) => users.delete(user));
  say(`Removed "${printable(user)}" from ${path}.`);
  return EXIT.ok;
}

async function list(path: string): Promise<ExitCode> {
  const { users } = readVerifierFile(path);
  const names = [...users.keys()].map(printable);
  const width = Math.max(0, ...names.map((name) => name.length));
  for (const [i, verifier] of [...users.values()].entries()) {
    const { iterations } = parseVerifier(verifier);
    process.stdout.write(`${(names[i] as string).padEnd(width)}  ${iterations} iterations\n`);
  }
  return EXIT.ok;
}

async function check(path: string, given: string, settings: Settings): Promise<ExitCode> {
  const user = known(path, given, settings);
  const verifier = readVerifierFile(path).users.get(user) as string;
  const password = await askPassword(`Password of ${printable(user)}`, false);
  const { iterations } = parseVerifier(verifier);
  const fits = await withProgress(iterations, () => checkVerifier(verifier, password, settings));
  say(fits ? "That is the password." : "That is not the password.");
  return fits ? EXIT.ok : EXIT.no;
}

function known(path: string, given: string, { text }: Settings): string {
  const user = prepareOwn("The user's name", given, text, CHOICE);
  assertKnown(path, readVerifierFile(path).users, user);
  return user;
}

type Users = ReadonlyMap<string, string>;

function assertKnown(path: string, users: Users, user: string): void {
  if (users.has(user)) return;
  throw new OperatorError(
    `${path} has no user "${printable(user)}".${suggestion(user, [...users.keys()].map(printable))}`,
  );
}

function assertNew(path: string, users: Users, user: string): void {
  if (!users.has(user)) return;
  throw new OperatorError(
    `${path} has a user "${printable(user)}" already; to give another password: passwd change.`,
  );
}

async function mint(user: string, settings: Settings): Promise<string> {
  const password = await askPassword(`New password of ${printable(user)}`, true);
  prepareOwn("The password", password, settings.text, CHOICE);
  return withProgress(settings.iterations, () => mintVerifier(password, settings));
}

/** Reads, changes and writes under the file's lock: of two at once, one is refused. */
function changeFile(path: string, apply: (users: Map<string, string>) => unknown): void {
  changePrivateFile(path, readVerifierFile, (text) => {
    const { secret, users }: VerifierEntries = parseVerifierFile(text);
    const changed = new Map(users);
    apply(changed);
    return formatVerifierFile({ secret, users: changed });
  });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
