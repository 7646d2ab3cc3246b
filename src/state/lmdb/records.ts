// What lies on the disk: a row for each stream, a record for each receiver's table and for each sender. Every value ends
// in a checksum over its key and itself, for the disk may give back something else than it was given.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Micros } from "../../clock.js";
import type { StreamRow } from "../../replay/stream-table.js";
import type { Owner } from "./owner.js";

/** A stream's row on disk. */
export interface StoredRow extends StreamRow {
  /** Whether `last` was delivered; else it is reserved, and up to it anything may have been. */
  readonly exact: boolean;
  /** The run of its receiver that wrote it. */
  readonly run: number;
}

/** What is stored of one receiver's table. */
export interface StoredTable {
  /** Receiver, channel and socket type, for whoever looks into the store. */
  readonly name: readonly [string, string, string];
  readonly since: Micros;
  readonly forgot: boolean;
  /** Whether its rows are being written again: then they are not all there, and those that are may be of another time. */
  readonly partial: boolean;
  readonly window: number;
  /** Counts how often it was opened. */
  readonly run: number;
  /** The last run that ended without saying so; 0 for none. */
  readonly crashed: number;
  /** When that was found: since then nothing was forgotten of the streams that it may have moved. */
  readonly doubtSince: Micros;
  /** Who has it open; null after a clean end. */
  readonly owner: Owner | null;
}

/** What is stored of one sender. */
export interface StoredSender {
  /** Sender, channel and socket type. */
  readonly name: readonly [string, string, string];
  /** The highest epoch that it may have used. */
  readonly epoch: number;
  /** Who was given it; null once it has ended cleanly. */
  readonly owner: Owner | null;
}

/** Kinds of keys, by their first byte. */
const ROW = 0x72;
const TABLE = 0x74;
const SENDER = 0x73;

const ROW_BYTES = 48;
const SUM_BYTES = 4;
const ID_BYTES = 16;

/** A name of any length and content, as bytes of one length. */
function idOf(name: readonly string[]): Buffer {
  return createHash("sha256").update(JSON.stringify(name)).digest().subarray(0, ID_BYTES);
}

const keyed = (kind: number, ...rest: Buffer[]) => Buffer.concat([Buffer.of(kind), ...rest]);

/** The key of a receiver's table. */
export const tableKey = (name: readonly string[]) => keyed(TABLE, idOf(name));
/** The key of a sender's epoch. */
export const senderKey = (name: readonly string[]) => keyed(SENDER, idOf(name));

/** The keys of one table's rows. */
export class RowKeys {
  /** The first that a row can have. */
  readonly start: Buffer;
  /** Above the last: no name has a byte of FF, for it is UTF-8. */
  readonly end: Buffer;

  constructor(name: readonly string[]) {
    this.start = keyed(ROW, idOf(name));
    this.end = Buffer.concat([this.start, Buffer.of(0xff)]);
  }

  of(stream: string): Buffer {
    return Buffer.concat([this.start, Buffer.from(stream)]);
  }

  streamOf(key: Buffer): string {
    return key.toString("utf8", this.start.length);
  }
}

/** A row as bytes. */
export function writeRow(key: Buffer, row: StoredRow): Buffer {
  const value = Buffer.alloc(ROW_BYTES);
  value[0] = row.exact ? 1 : 0;
  value.writeUInt32LE(row.keyId, 4);
  value.writeDoubleLE(row.epoch, 8);
  value.writeDoubleLE(row.last, 16);
  value.writeDoubleLE(row.since, 24);
  value.writeDoubleLE(row.heardAt, 32);
  value.writeUInt32LE(row.run, 40);
  return summed(key, value);
}

/** Bytes that {@link isSound} as a row. */
export function readRow(value: Buffer): StoredRow {
  return {
    exact: value[0] === 1,
    keyId: value.readUInt32LE(4),
    epoch: value.readDoubleLE(8),
    last: value.readDoubleLE(16),
    since: value.readDoubleLE(24),
    heardAt: value.readDoubleLE(32),
    run: value.readUInt32LE(40),
  };
}

/** A table or a sender as bytes. */
export function writeRecord(key: Buffer, record: StoredTable | StoredSender): Buffer {
  return summed(key, Buffer.concat([Buffer.from(JSON.stringify(record)), Buffer.alloc(SUM_BYTES)]));
}

/** What {@link writeRecord} wrote. */
export function readRecord<Stored extends StoredTable | StoredSender>(value: Buffer): Stored {
  return JSON.parse(value.toString("utf8", 0, value.length - SUM_BYTES)) as Stored;
}

/** Are these the bytes that were written under this key? */
export function isSound(key: Buffer, value: Buffer): boolean {
  const kinds: readonly (number | undefined)[] = [ROW, TABLE, SENDER];
  if (!kinds.includes(key[0]) || value.length < SUM_BYTES) return false;
  if (key[0] === ROW && value.length !== ROW_BYTES) return false;
  return value.readUInt32LE(value.length - SUM_BYTES) === sumOf(key, value);
}

function summed(key: Buffer, value: Buffer): Buffer {
  value.writeUInt32LE(sumOf(key, value), value.length - SUM_BYTES);
  return value;
}

function sumOf(key: Buffer, value: Buffer): number {
  return crc32(value.subarray(0, value.length - SUM_BYTES), crc32(key));
}
