// One receiver's table on disk: who has it open, from when it has forgotten nothing, and its rows. A row says up to which
// number its stream may have been delivered; only a clean end writes how far it came (docs/decisions.md, "Durable state").

import type { Micros } from "../../clock.js";
import { CountersignError, misuse } from "../../errors.js";
import type { StreamRow } from "../../replay/stream-table.js";
import { type Loaded, LoadedRows } from "./loaded.js";
import type { Medium } from "./medium.js";
import { isAlive, isOfThisThread, type Owner } from "./owner.js";
import type { Database } from "./package.js";
import {
  RowKeys,
  readRecord,
  readRow,
  type StoredTable,
  tableKey,
  writeRecord,
  writeRow,
} from "./records.js";

/** Bytes that a row takes, about, where pages are half full. */
const ROW_ON_DISK = 256;

/** Rows that are written again in one transaction: the event loop waits for it. */
const PART = 2000;

/** A row that is to be written. */
export interface Change {
  readonly stream: string;
  readonly row: StreamRow;
  readonly exact: boolean;
  readonly version: number;
}

/** What a change of rows takes along. */
export interface Forgotten {
  readonly streams: readonly string[];
  readonly since: Micros;
}

/** Another process has opened what this one held: it believed this one dead. */
export class Lost extends CountersignError {}

/** The rows of one table, on a medium. */
export class TableStore {
  readonly name: readonly [string, string, string];
  readonly #medium: Medium;
  readonly #owner: Owner;
  readonly #key: Buffer;
  readonly #keys: RowKeys;
  #record: StoredTable;
  #written: Buffer;
  #version = 0;
  /** What this run began with; taken once. */
  #loaded = new LoadedRows();

  /** @throws CountersignError if a live process has it open, or the medium fails */
  constructor(medium: Medium, name: readonly [string, string, string], owner: Owner, begin: Begin) {
    this.name = name;
    this.#medium = medium;
    this.#owner = owner;
    this.#key = tableKey(name);
    this.#keys = new RowKeys(name);
    this.#record = medium.transact((database) => this.#claim(database, begin));
    this.#written = writeRecord(this.#key, this.#record);
  }

  /** The moment since which no unknown stream was forgotten. */
  get since(): Micros {
    return this.#record.since;
  }

  /** Whether any stream was ever forgotten. */
  get forgot(): boolean {
    return this.#record.forgot;
  }

  /** The streams that are known, the least recently heard first. */
  takeLoaded(): Iterable<Loaded> {
    const loaded = this.#loaded;
    this.#loaded = new LoadedRows();
    return loaded;
  }

  /** A version that no row of this table has had. */
  nextVersion(): number {
    this.#version += 1;
    return this.#version;
  }

  /** Writes rows, and what is forgotten for them, at once. @throws CountersignError where nothing was written */
  save(changes: Iterable<Change>, forgotten?: Forgotten): void {
    const record = this.#change((database) => {
      for (const stream of forgotten?.streams ?? []) void database.remove(this.#keys.of(stream));
      for (const change of changes) this.#put(database, change);
      return this.#raise(database, forgotten);
    });
    if (record !== this.#record) this.#keep(record);
  }

  /** Writes a row on another thread, if it is on disk as it was; resolves to whether it did. */
  saveSoon({ stream, row, exact, version }: Change, ifVersion: number): Promise<boolean> {
    const key = this.#keys.of(stream);
    const value = writeRow(key, { ...row, exact, run: this.#record.run });
    return this.#medium.write(key, value, { version, ifVersion }, (database) => this.#assertMine(database));
  }

  /**
   * Writes everything again, as it is remembered: whatever the medium holds, it may be of another time. Each step is one
   * transaction. Whoever opens the table before the last finds that it has forgotten everything at `latest`.
   */
  *rewrite(all: Iterable<Change>, { since, forgot, size, latest }: Kept): Generator<void, void> {
    const partial = { ...this.#record, since: latest, forgot: true, partial: true };
    this.#medium.transact((database) => {
      const held = database.getBinary(this.#key);
      if (held !== undefined) this.#assertNotTaken(held);
      void database.put(this.#key, writeRecord(this.#key, partial), this.nextVersion());
    }, size * ROW_ON_DISK);
    this.#keep(partial);
    while (this.#change((database) => this.#removeSome(database))) yield;
    const rows = all[Symbol.iterator]();
    const bytes = Math.min(size, PART) * ROW_ON_DISK;
    while (this.#change((database) => this.#putSome(database, rows), bytes)) yield;
    const record = { ...partial, since, forgot, partial: false };
    this.#change((database) => {
      void database.put(this.#key, writeRecord(this.#key, record), this.nextVersion());
    });
    this.#keep(record);
  }

  #change<Result>(work: (database: Database) => Result, bytes = 0): Result {
    return this.#medium.transact((database) => {
      this.#assertMine(database);
      return work(database);
    }, bytes);
  }

  /** Removes rows; returns whether there may be more. */
  #removeSome(database: Database): boolean {
    const { start, end } = this.#keys;
    const keys = [...database.getRange({ start, end, limit: PART })].map(({ key }) => key);
    for (const key of keys) void database.remove(key);
    return keys.length === PART;
  }

  /** Writes rows; returns whether there may be more. */
  #putSome(database: Database, rows: Iterator<Change>): boolean {
    for (let left = PART; left > 0; left--) {
      const { done, value } = rows.next();
      if (done === true) return false;
      this.#put(database, value);
    }
    return true;
  }

  #keep(record: StoredTable): void {
    this.#record = record;
    this.#written = writeRecord(this.#key, record);
  }

  /** Ends cleanly: the rows that this run moved, `count` at most, say exactly how far they came. */
  end(exact: Iterable<Change>, count: number): void {
    this.#change((database) => {
      for (const change of exact) this.#put(database, change);
      const record = { ...this.#record, owner: null };
      void database.put(this.#key, writeRecord(this.#key, record), this.nextVersion());
    }, count * ROW_ON_DISK);
  }

  #claim(database: Database, { now, limit, window }: Begin): StoredTable {
    const held = database.getBinary(this.#key);
    const stored = held === undefined ? undefined : readRecord<StoredTable>(held);
    if (stored?.owner && isAlive(stored.owner)) throw inUse(this.#medium.path, this.name, stored.owner);
    const rows = this.#read(database);
    const highest = rows.highest();
    this.#version = Math.max(0, highest.version);
    const crashed = stored !== undefined && stored.owner !== null;
    const partial = stored?.partial === true;
    // The clock may have been set back since: what was written down is a lower bound of when that was.
    const latest = Math.max(now, highest.heardAt, stored?.since ?? 0, stored?.doubtSince ?? 0);
    const record: StoredTable = {
      name: this.name,
      since: partial ? latest : (stored?.since ?? now),
      forgot: stored?.forgot ?? false,
      partial: false,
      window,
      run: (stored?.run ?? 0) + 1,
      crashed: crashed ? stored.run : (stored?.crashed ?? 0),
      doubtSince: crashed ? latest : (stored?.doubtSince ?? 0),
      owner: this.#owner,
    };
    rows.judge(record);
    const kept = this.#trim(database, rows, partial ? 0 : limit, record);
    this.#loaded = rows;
    void database.put(this.#key, writeRecord(this.#key, kept), this.nextVersion());
    return kept;
  }

  #read(database: Database): LoadedRows {
    const { start, end } = this.#keys;
    const rows = new LoadedRows();
    for (const { key, value, version } of database.getRange({ start, end, versions: true })) {
      rows.add(this.#keys.streamOf(key), readRow(value), version);
    }
    return rows;
  }

  /** Fewer are to be remembered than before: since rises to when the last of those that go was heard. */
  #trim(database: Database, rows: LoadedRows, limit: number, record: StoredTable): StoredTable {
    const excess = rows.takeExcess(limit);
    for (const { stream } of excess) void database.remove(this.#keys.of(stream));
    const last = excess.at(-1);
    if (last === undefined) return record;
    return { ...record, forgot: true, since: Math.max(record.since, last.row.heardAt) };
  }

  #raise(database: Database, forgotten: Forgotten | undefined): StoredTable {
    if (forgotten === undefined) return this.#record;
    const since = Math.max(this.#record.since, forgotten.since);
    const forgot = this.#record.forgot || forgotten.streams.length > 0;
    const record = { ...this.#record, since, forgot };
    void database.put(this.#key, writeRecord(this.#key, record), this.nextVersion());
    return record;
  }

  #put(database: Database, { stream, row, exact, version }: Change): void {
    const key = this.#keys.of(stream);
    void database.put(key, writeRow(key, { ...row, exact, run: this.#record.run }), version);
  }

  /** @throws Lost if another has taken it over; Error if the medium holds something else than was written */
  #assertMine(database: Database): void {
    const held = database.getBinary(this.#key);
    if (held?.equals(this.#written)) return;
    if (held !== undefined) this.#assertNotTaken(held);
    throw new Error("it does not hold what was written to it");
  }

  /** An earlier run's record is that of an older copy of the folder, unless somebody is at work with it. */
  #assertNotTaken(held: Buffer): void {
    const { owner, run } = readRecord<StoredTable>(held);
    if (owner?.instance === this.#owner.instance) return;
    const isAtWork = owner !== null && isAlive(owner);
    if (run < this.#record.run && !isAtWork) return;
    const whom = owner === null ? "another process, which has closed it," : `process ${owner.pid},`;
    throw new Lost(
      "ERR_COUNTERSIGN_STATE",
      `The state in ${this.#medium.path}: receiver "${this.name[0]}" was taken over by ${whom} to which this one looked ` +
        "dead (do they run in containers of their own?), or which found another folder there. This one accepts nothing more.",
    );
  }
}

/** What is remembered in memory besides the rows. */
interface Kept {
  readonly since: Micros;
  readonly forgot: boolean;
  readonly size: number;
  /** No stream was heard after this moment. */
  readonly latest: Micros;
}

/** How a run begins. */
export interface Begin {
  readonly now: Micros;
  readonly limit: number;
  readonly window: number;
}

function inUse(
  path: string,
  [receiver, channel, pattern]: readonly string[],
  owner: Owner,
): CountersignError {
  return misuse(
    "ERR_COUNTERSIGN_STATE",
    `The state in ${path}: ${whose(owner)} the streams of receiver "${receiver}" (channel "${channel}", from ${pattern}). ` +
      "Give each process a `receiver` of its own, share one LmdbState within a process, or keep the state in Redis " +
      "(countersign/state/redis) to share streams between processes.",
  );
}

/** What can be told of an owner: whether another thread has closed it in an outage cannot. */
function whose(owner: Owner): string {
  if (isOfThisThread(owner)) return "another LmdbState of this process, which is not closed, has open";
  const where = owner.pid === process.pid ? "another thread of this process" : `process ${owner.pid}`;
  return `${where}, which is running, has opened, and has not written down that it closed,`;
}
