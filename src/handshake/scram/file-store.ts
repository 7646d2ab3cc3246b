// Verifiers in a file (docs/handshake.md, section 7.4): one line a user, made by `countersign passwd`, and read again when it
// has changed. Mode 0600: who can read it can guess passwords offline, and can pose as the server.
//
//   # a comment
//   :<secret>                      32 bytes in base64url: the fakes for unknown users come from it
//   <user>:<verifier>              the user's name percent-encoded where it is not plain; PostgreSQL's text form

import { statSync } from "node:fs";
import { misuse } from "../../errors.js";
import { type FileKind, readPrivateFile } from "../../keys/file.js";
import { MemoryStore, type ScramStore } from "./store.js";
import { type Decoy, parseVerifier, type ScramVerifier } from "./verifier.js";

/** What stands in a file. */
export interface VerifierEntries {
  /** 32 bytes that the fakes for unknown users come from. */
  readonly secret: Buffer;
  /** Verifiers as text, by user. */
  readonly users: ReadonlyMap<string, string>;
}

const KIND: FileKind = {
  name: "Verifier file",
  make: (path) => `countersign passwd add ${path} USER`,
  mostBytes: 2 ** 24,
};
const HEAD = "# SCRAM-SHA-256 verifiers, one line a user; made by countersign passwd. Keep it secret.\n";
/** Milliseconds for which the file is taken to be as it was. */
const TRUSTED_FOR = 100;

/**
 * Opens a verifier file as a store: `scram({ users: openVerifierFile(path) })`. It follows changes of the file; while that
 * cannot be read, nobody can log in.
 *
 * @throws CountersignError `ERR_COUNTERSIGN_KEY_FILE` that names the file, what is wrong with it and the mend
 */
export function openVerifierFile(path: string): ScramStore {
  if (typeof path !== "string") {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      'openVerifierFile needs a path: openVerifierFile("users.scram").',
    );
  }
  return new FileStore(path);
}

class FileStore implements ScramStore {
  readonly #path: string;
  #memory: MemoryStore;
  #version: string;
  #lookedAt: number;

  constructor(path: string) {
    this.#path = path;
    this.#version = versionOf(path);
    this.#memory = storeOf(path);
    this.#lookedAt = performance.now();
  }

  find(user: string): ScramVerifier | undefined {
    this.#follow();
    return this.#memory.find(user);
  }

  get decoy(): Decoy {
    return this.#memory.decoy;
  }

  #follow(): void {
    const now = performance.now();
    if (now - this.#lookedAt < TRUSTED_FOR) return;
    const version = versionOf(this.#path);
    if (version !== this.#version) this.#memory = storeOf(this.#path);
    this.#version = version;
    this.#lookedAt = now;
  }
}

function versionOf(path: string): string {
  const { ino, mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? { ino: 0, mtimeMs: 0, size: 0 };
  return `${ino} ${mtimeMs} ${size}`;
}

function storeOf(path: string): MemoryStore {
  const { users, secret } = readVerifierFile(path);
  return new MemoryStore(users, secret);
}

/** Reads a verifier file. @throws CountersignError as {@link openVerifierFile} */
export function readVerifierFile(path: string): VerifierEntries {
  const text = readPrivateFile(path, KIND);
  try {
    return parseVerifierFile(text);
  } catch (cause) {
    const what = `${KIND.name} ${path}: ${(cause as Error).message}`;
    throw misuse("ERR_COUNTERSIGN_KEY_FILE", what, { cause });
  }
}

/** What stands in the text of a verifier file; throws with the line that is wrong, and never quotes a verifier. */
export function parseVerifierFile(text: string): VerifierEntries {
  const users = new Map<string, string>();
  let secret: Buffer | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const bad = (what: string) => misuse("ERR_COUNTERSIGN_KEY", `line ${i + 1}: ${what}`);
    const at = line.indexOf(":");
    if (at < 0) throw bad("it is no user and verifier.");
    const [name, value] = [line.slice(0, at), line.slice(at + 1)];
    if (name === "") {
      if (secret !== undefined || !/^[A-Za-z0-9_-]{43}$/.test(value))
        throw bad("it is no secret of 32 bytes, or a second one.");
      secret = Buffer.from(value, "base64url");
      continue;
    }
    const user = decoded(name);
    if (user === undefined || users.has(user))
      throw bad("the user's name is no percent-encoded text, or stands there twice.");
    try {
      parseVerifier(value);
    } catch (cause) {
      throw bad((cause as Error).message);
    }
    users.set(user, value);
  }
  if (secret === undefined)
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      "it holds no secret for unknown users (a line that begins with a colon).",
    );
  return { secret, users };
}

/** The text of a verifier file, users in order of their names. */
export function formatVerifierFile({ secret, users }: VerifierEntries): string {
  const lines = [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([user, verifier]) => `${encodeURIComponent(user)}:${verifier}\n`);
  return `${HEAD}:${secret.toString("base64url")}\n${lines.join("")}`;
}

function decoded(name: string): string | undefined {
  try {
    const user = decodeURIComponent(name);
    return encodeURIComponent(user) === name ? user : undefined;
  } catch {
    return undefined;
  }
}
