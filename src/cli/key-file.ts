// Writing key files: made once and never over something, replaced as a whole or not at all, mode 0600 from the
// first byte on, links never followed.

import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { readKeyring } from "../keys/file.js";
import { OperatorError } from "./failure.js";

const OWNER_ALONE = 0o600;
const EXCLUSIVE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Makes a key file that was not there before. Of several that try at once, one succeeds. */
export function createKeyFile(path: string, text: string): void {
  createPrivateFile(path, text, () => {
    const rotation = `countersign keygen ${shellWord(path)} --rotate`;
    return `${path} exists already, and keys are never overwritten. Name another file, or rotate its key: ${rotation}`;
  });
}

/** The same for any file that is its owner's alone, with what to say where it is there. */
export function createPrivateFile(path: string, text: string, explainExisting: () => string): void {
  const file = openNew(path, explainExisting);
  try {
    fill(file, text);
  } catch (cause) {
    rmSync(path, { force: true });
    throw unwritten(path, cause);
  }
  syncFolder(path);
}

/**
 * Replaces a key file by what `change` makes of its text. Readers see the old file or the new one, and a crash leaves
 * one of them. The new text waits in FILE.lock, so that of two replacements at once the second is refused instead of
 * undoing the first. What is no key file, or not the caller's alone, is refused as by every reader.
 */
export function changeKeyFile(path: string, change: (text: string) => string): void {
  changePrivateFile(path, readKeyring, change, "rotation");
}

/** The same for any file that is its owner's alone, and that `assertGood` throws for where it is none of its kind. */
export function changePrivateFile(
  path: string,
  assertGood: (path: string) => unknown,
  change: (text: string) => string,
  what = "change",
): void {
  assertGood(path);
  const lockPath = `${path}.lock`;
  const lock = openNew(
    lockPath,
    () =>
      `${lockPath} exists: another ${what} is under way, or one was interrupted. ` +
      `If none is running, remove it and try again: rm ${shellWord(lockPath)}`,
  );
  try {
    fill(lock, change(readText(path)));
    renameSync(lockPath, path);
  } catch (cause) {
    rmSync(lockPath, { force: true });
    throw unwritten(path, cause);
  }
  syncFolder(path);
}

function openNew(path: string, explainExisting: () => string): number {
  try {
    return openSync(path, EXCLUSIVE, OWNER_ALONE);
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") throw new OperatorError(`${explainExisting()}.`, { cause });
    throw unwritten(path, cause);
  }
}

/** Writes, and makes sure that it is on the disk. A umask can only narrow the mode given to open; this makes it exact. */
function fill(file: number, text: string): void {
  try {
    fchmodSync(file, OWNER_ALONE);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readText(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Makes the new name durable. Windows opens no folders, and needs no such thing. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(dirname(path), constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

const EXPLAINED: Readonly<Record<string, (folder: string) => string>> = {
  ENOENT: (folder) => `the folder ${folder} does not exist. Make it first: mkdir -p ${shellWord(folder)}`,
  ENOTDIR: (folder) => `${folder} is not a folder. Name another place`,
  EISDIR: () => "it is a folder. Name a file in it",
  EACCES: (folder) =>
    `you may not write to ${folder === "." ? "this folder" : folder}. Name another place, or run as its owner`,
  EPERM: (folder) =>
    `you may not write to ${folder === "." ? "this folder" : folder}. Name another place, or run as its owner`,
  EROFS: (folder) => `the folder ${folder} is on a read-only file system. Name another place`,
  ENOSPC: () => "the disk is full. Make room and try again",
  EDQUOT: () => "your disk quota is used up. Make room and try again",
  EFBIG: () => "the file size limit is too low (see: ulimit -f)",
};

/** What the system's refusal means; errors that explain themselves pass. */
function unwritten(path: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (cause instanceof OperatorError || code === undefined || code.startsWith("ERR_")) return cause;
  const why = EXPLAINED[code]?.(dirname(path)) ?? `${(cause as Error).message}`;
  return new OperatorError(`${path} was not written: ${why}.`, { cause });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** A path as one word of a shell command. */
function shellWord(path: string): string {
  return /^[\w./~+,:@%-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
