// Key files: a JWK Set that its owner alone can read. Refused: links, anything but a regular file, files that others
// can read, files that are no JWK Set.

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { misuse } from "../errors.js";
import { importJwks } from "./jwk.js";
import type { Keyring } from "./keyring.js";

const MOST_BYTES = 2 ** 20;
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
    throw fault(path, (cause as Error).message, cause);
  }
}

function readPrivateFile(path: string): string {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw fault(path, explainOpen(path, cause as NodeJS.ErrnoException), cause);
  }
  try {
    assertPrivate(path, file);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Looks at the open file, not at the path: what was checked is what is read. */
function assertPrivate(path: string, file: number): void {
  const { mode, size, uid } = fstatSync(file);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw fault(path, "It is not a regular file.");
  if (process.platform !== "win32" && (mode & WIDER_THAN_0600) !== 0) {
    throw fault(path, `Others can read it (mode ${(mode & 0o777).toString(8)}). Write: chmod 600 ${path}`);
  }
  const me = process.geteuid?.();
  if (me !== undefined && uid !== me && uid !== 0)
    throw fault(path, `It belongs to another user (uid ${uid}).`);
  if (size > MOST_BYTES) throw fault(path, `It is larger than ${MOST_BYTES} bytes; is it a key file?`);
}

function explainOpen(path: string, { code }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return `It does not exist. Make it with: countersign keygen ${path}`;
  if (code === "ELOOP") return "It is a symbolic link; give the file itself.";
  return `It cannot be opened (${code}).`;
}

function fault(path: string, what: string, cause?: unknown): Error {
  return misuse("ERR_COUNTERSIGN_KEY_FILE", `Key file ${path}: ${what}`, { cause });
}
