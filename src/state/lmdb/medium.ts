// One folder with an LMDB environment in it, and whether it can be trusted at this moment. Whatever goes wrong closes it:
// nothing is read or written until it has been opened and checked again, which is tried once in a while.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  statfsSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CountersignError, misuse } from "../../errors.js";
import { type Database, lmdbPackage, type Versions } from "./package.js";
import { checkPages, IS_KNOWN_LAYOUT, type Meta, readMeta } from "./pages.js";

/** Milliseconds between two attempts to open it again: the first, and the most. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/** Tries to see a snapshot that stands still. */
const TRIES = 100;

/**
 * Free bytes that a transaction must find, besides those that it brings. Nothing is written to a disk that is nearly full:
 * where a write fails, `lmdb` writes more into its message than fits (malloc(100) in mdb_page_flush, 3.5.6), and the
 * process may die of it.
 */
const LEAST_ROOM = 256 * 1024;

interface Open {
  readonly database: Database;
  /** The data file, for looking at it without LMDB. */
  readonly file: number;
  readonly inode: number;
  readonly lock: number;
  size: number;
  transaction: number;
}

/** An environment, opened and guarded. */
export class Medium {
  /** The folder. */
  readonly path: string;
  /** Told once an outage. */
  readonly #tell: (error: CountersignError) => void;
  #open: Open | undefined;
  #closing = false;
  #ended = false;
  #inTrouble = false;
  /** Whether it is being seen to that it holds what it should. */
  #reopening = false;
  #cause: unknown = "it is closed";
  #pause = FIRST_PAUSE;
  #nextAttempt = 0;
  #retry: NodeJS.Timeout | undefined;
  /** The disk that the folder is on, and the last transaction that was seen there; once it has been opened. */
  #disk: number | undefined;
  #transaction = 0;
  /** Called when it was opened again. */
  readonly #onReopened: (() => void)[] = [];
  /** How often it was opened: another folder may be there, so whoever knew it before must write it all again. */
  generation = 0;

  /** @throws CountersignError if it cannot be opened */
  constructor(path: string, tell: (error: CountersignError) => void) {
    this.path = resolve(path);
    this.#tell = tell;
    lmdbPackage();
    try {
      this.#begin();
    } catch (cause) {
      throw unusable(this.path, cause);
    }
  }

  /** Calls this whenever it was opened again, before anybody else uses it. */
  onReopened(listener: () => void): void {
    this.#onReopened.push(listener);
  }

  /** Can it be used? Opens it again if it is time to try. */
  ready(): boolean {
    if (this.#open !== undefined) return true;
    if (this.#ended || this.#closing || performance.now() < this.#nextAttempt) return false;
    try {
      this.#begin();
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.#reopening = true;
    for (const listener of this.#onReopened) listener();
    this.#reopening = false;
    // They may have found that it fails.
    return this.#open !== undefined;
  }

  /**
   * Does something in one transaction that is on the disk when this returns.
   *
   * @param bytes  what it writes, about, if that is much
   * @throws CountersignError of `work`, which changes nothing then; or because the medium failed, which is told
   */
  transact<Result>(work: (database: Database) => Result, bytes = 0): Result {
    if (!this.ready()) throw unusable(this.path, this.#cause);
    try {
      const open = this.#guarded(bytes);
      let result: Result | undefined;
      // Whatever `work` gives must not be handed to LMDB, which waits for promises.
      open.database.transactionSync(() => {
        result = work(open.database);
      });
      this.#look(open);
      if (!this.#reopening) this.#over();
      return result as Result;
    } catch (error) {
      if (!(error instanceof CountersignError)) this.fail(error);
      throw unusable(this.path, error);
    }
  }

  /**
   * Writes on another thread if `may` says so and the value on disk is of this version when its turn comes. Resolves to
   * whether it was written; does not reject, for a failure is an outage.
   */
  async write(
    key: Buffer,
    value: Buffer,
    versions: Versions,
    may: (database: Database) => void,
  ): Promise<boolean> {
    try {
      const { database } = this.#guarded();
      may(database);
      return await database.put(key, value, versions);
    } catch (error) {
      // `lmdb` tells what it was in a promise that nobody else looks at.
      const cause = await (error as { commitError?: Promise<never> }).commitError?.catch((why) => why);
      this.fail(cause ?? error);
      return false;
    }
  }

  /** Something went wrong: it is told, closed, and opened again later. */
  fail(cause: unknown): void {
    this.#cause = cause;
    this.#nextAttempt = performance.now() + this.#pause;
    this.#retryIn(this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    void this.#close();
    if (this.#inTrouble || this.#ended) return;
    this.#inTrouble = true;
    this.#tell(unusable(this.path, cause));
  }

  /** Also where nobody asks: until all is written again, whoever opens it next would find less than was delivered. */
  #retryIn(milliseconds: number): void {
    if (this.#ended || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (!this.ready()) this.#retryIn(FIRST_PAUSE);
    }, milliseconds).unref();
  }

  /** It can be written: the next outage is another one. */
  #over(): void {
    this.#inTrouble = false;
    this.#pause = FIRST_PAUSE;
  }

  /** The next that asks need not wait: there may be no later. */
  hurry(): void {
    this.#nextAttempt = 0;
  }

  /** Closes it for good. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#retry);
    await this.#close();
  }

  async #close(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#transaction = open.transaction;
    this.#closing = true;
    try {
      closeSync(open.file);
      await open.database.close();
    } finally {
      this.#closing = false;
    }
  }

  #begin(): void {
    this.#makeFolder();
    accessSync(this.path, constants.R_OK | constants.W_OK | constants.X_OK);
    const [data, lock] = [join(this.path, "data.mdb"), join(this.path, "lock.mdb")];
    if (existsSync(data) && statSync(data).size > 0) checkMeta(data);
    else this.#assertItsDisk(this.path);
    const database = lmdbPackage().open({
      path: this.path,
      noSubdir: false,
      encoding: "binary",
      keyEncoding: "binary",
      useVersions: true,
      maxDbs: 1,
      // A commit has reached the disk when it says so; a failed one rejects one promise, and it is ours.
      overlappingSync: false,
      eventTurnBatching: false,
    });
    let file: number | undefined;
    try {
      file = openSync(data, "r");
      const { ino, size } = fstatSync(file);
      const transaction = checkSnapshot(database, file);
      if (transaction < this.#transaction) this.#assertItsDisk(this.path);
      this.#open = { database, file, inode: ino, lock: statSync(lock).ino, size, transaction };
      this.#disk = statSync(this.path).dev;
      this.generation++;
    } catch (error) {
      if (file !== undefined) closeSync(file);
      this.#closing = true;
      void database.close().finally(() => {
        this.#closing = false;
      });
      throw error;
    }
  }

  #makeFolder(): void {
    if (this.#disk === undefined) mkdirSync(this.path, { recursive: true, mode: 0o700 });
    if (existsSync(this.path)) return;
    this.#assertItsDisk(dirname(this.path));
    mkdirSync(this.path, { mode: 0o700 });
  }

  /** Nothing is begun under a missing mount: what is delivered meanwhile would be gone when the disk is back. */
  #assertItsDisk(folder: string): void {
    if (this.#disk === undefined || statSync(folder).dev === this.#disk) return;
    throw new Error("the disk that it was on is not there (is it not mounted?)");
  }

  /** LMDB does not look whether its files are still there and whole, and would die of it, or write past another. */
  #guarded(bytes = 0): Open {
    const open = this.#open;
    if (open === undefined) throw new Error("it is closed");
    const { bavail, bsize } = statfsSync(this.path);
    if (bavail * bsize < LEAST_ROOM + bytes) throw new Error("there is no room left on its disk");
    if (statSync(join(this.path, "data.mdb")).ino !== open.inode) throw new Error("data.mdb was replaced");
    if (statSync(join(this.path, "lock.mdb")).ino !== open.lock) throw new Error("lock.mdb was replaced");
    this.#look(open);
    return open;
  }

  /** The data file grows and its transactions count up; anything else was done by somebody else. */
  #look(open: Open): void {
    const { size } = fstatSync(open.file);
    if (size < open.size) throw new Error("data.mdb was cut");
    open.size = size;
    if (!IS_KNOWN_LAYOUT) return;
    const { transaction } = steadyMeta(open.file);
    if (transaction < open.transaction) throw new Error("data.mdb was put back to an earlier state");
    open.transaction = transaction;
  }
}

function checkMeta(data: string): void {
  if (!IS_KNOWN_LAYOUT) return;
  const file = openSync(data, "r");
  try {
    steadyMeta(file);
  } finally {
    closeSync(file);
  }
}

/** A meta page that is just being written may look torn: look again. */
function steadyMeta(file: number): Meta {
  for (let left = 3; ; left--) {
    try {
      return readMeta(file);
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** Holds on to a snapshot, so that no other process writes over it, and walks it. Returns its number. */
function checkSnapshot(database: Database, file: number): number {
  if (!IS_KNOWN_LAYOUT) return 0;
  for (let left = TRIES; left > 0; left--) {
    const before = steadyMeta(file);
    const held = database.useReadTransaction();
    try {
      if (steadyMeta(file).transaction !== before.transaction) continue;
      checkPages(file, before);
      return before.transaction;
    } finally {
      held.done();
    }
  }
  throw new Error("it is written too often to be checked");
}

/** The error that the operator reads. */
function unusable(path: string, cause: unknown): CountersignError {
  if (cause instanceof CountersignError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return misuse(
    "ERR_COUNTERSIGN_STATE",
    `The state in ${path} cannot be used: ${why.replace(/\.$/, "")}. Nothing is accepted without it. See that the folder ` +
      "is there, can be written, and has room. If its files are damaged, end all processes that use it and move the folder " +
      "away: a new one is begun, and what was recorded before that is refused.",
    { cause },
  );
}
