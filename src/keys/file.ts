// Key files: a JWK Set that its owner alone can read. Refused: links, anything but a regular file, files that others
// can read, files that are no JWK Set.

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { misuse } from "../errors.js";
import { importJwks } from "./jwk.js";
import type { Keyring } from "./keyring.js";

/** A kind of file that holds secrets. */
export interface FileKind {
  /** As it is called at the beginning of a complaint. */
  readonly name: string;
  /** The command that makes one. */
  readonly make: (path: string) => string;
  /** Larger ones are none. */
  readonly mostBytes: number;
}

const KEY_FILE: FileKind = {
  name: "Key file",
  make: (path) => `countersign keygen ${path}`,
  mostBytes: 2 ** 20,
};
const WIDER_THAN_0600 = 0o077;

/**
 * Reads a keyring from a JWK Set file.
 *
 * @throws CountersignError `ERR_COUNTERSIGN_KEY_FILE` that names the file, what is wrong with it and the mend
 */
export function readKeyring(path: string): Keyring {
  const text = readPrivateFile(path);
  try {
    return importJwks(text);
  } catch (cause) {
    throw fileFault(KEY_FILE, path, (cause as Error).message, cause);
  }
}

/**
 * The text of a file that its owner alone can read: no link, nothing but a regular file.
 *
 * @param kind  what it is called, and by which command it is made
 * @throws CountersignError `ERR_COUNTERSIGN_KEY_FILE` that names the file, what is wrong with it and the mend
 */
export function readPrivateFile(path: string, kind: FileKind = KEY_FILE): string {
  const fault = (what: string, cause?: unknown) => fileFault(kind, path, what, cause);
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw fault(explainOpen(kind, path, cause as NodeJS.ErrnoException), cause);
  }
  try {
    assertPrivate(kind, path, file, fault);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Looks at the open file, not at the path: what was checked is what is read. */
function assertPrivate(
  { name, mostBytes }: FileKind,
  path: string,
  file: number,
  fault: (what: string) => Error,
): void {
  const { mode, size, uid } = fstatSync(file);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw fault("It is not a regular file.");
  if (process.platform !== "win32" && (mode & WIDER_THAN_0600) !== 0) {
    throw fault(`Others can read it (mode ${(mode & 0o777).toString(8)}). Write: chmod 600 ${path}`);
  }
  const me = process.geteuid?.();
  if (me !== undefined && uid !== me && uid !== 0) throw fault(`It belongs to another user (uid ${uid}).`);
  if (size > mostBytes) {
    throw fault(`It is larger than ${mostBytes} bytes; is it a ${name.toLowerCase()}?`);
  }
}

function explainOpen({ make }: FileKind, path: string, { code }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return `It does not exist. Make it with: ${make(path)}`;
  if (code === "ELOOP") return "It is a symbolic link; give the file itself.";
  return `It cannot be opened (${code}).`;
}

function fileFault({ name }: FileKind, path: string, what: string, cause?: unknown): Error {
  return misuse("ERR_COUNTERSIGN_KEY_FILE", `${name} ${path}: ${what}`, { cause });
}
