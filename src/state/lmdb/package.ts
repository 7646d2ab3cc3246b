// The npm package `lmdb`, an optional peer: what is used of it, and how it is loaded. Synchronously, by `require`, when the
// first state is made: this library has no top-level await, and whoever keeps no state needs no `lmdb`.

import { createRequire } from "node:module";
import { misuse } from "../../errors.js";

/** What a conditional write depends on and leaves behind. */
export interface Versions {
  readonly version: number;
  /** It happens only if this is the version on the disk when its turn comes. */
  readonly ifVersion: number;
}

/** One open environment with one database: `lmdb`'s RootDatabase, as far as it is used here. */
export interface Database {
  getBinary(key: Buffer): Buffer | undefined;
  /** In a transaction it takes effect there; outside, soon, on another thread: resolves to whether it did, once on disk. */
  put(key: Buffer, value: Buffer, version: number | Versions): Promise<boolean>;
  remove(key: Buffer): Promise<boolean>;
  getRange(range: {
    start: Buffer;
    end: Buffer;
    versions?: boolean;
    limit?: number;
  }): Iterable<{ key: Buffer; value: Buffer; version: number }>;
  /** Commits, and waits for the disk, before it returns; rolls back if `work` throws. */
  transactionSync(work: () => void): void;
  useReadTransaction(): { done(): void };
  close(): Promise<void>;
}

interface Package {
  open(options: Record<string, unknown>): Database;
}

let loaded: Package | undefined;

/** @throws CountersignError if the package is not installed, or cannot be loaded on this machine */
export function lmdbPackage(): Package {
  try {
    loaded ??= createRequire(import.meta.url)("lmdb") as Package;
    return loaded;
  } catch (cause) {
    throw misuse(
      "ERR_COUNTERSIGN_STATE",
      'LmdbState needs the package "lmdb", which cannot be loaded: run "npm install lmdb".',
      { cause },
    );
  }
}
