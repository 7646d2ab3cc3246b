// Is this file what LMDB wrote? LMDB believes every byte: a file that was cut, or has noise in it, makes it lose rows in
// silence or kills the process (SIGBUS, SIGSEGV, SIGABRT). So its two trees are walked, page by page, before LMDB follows
// them (the format of data version 2, liblmdb/mdb.c: MDB_page, MDB_node, MDB_meta).

import { fstatSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { isSound } from "./records.js";

/** What a meta page says of the snapshot that it ends. */
export interface Meta {
  readonly pageSize: number;
  readonly transaction: number;
  readonly lastPage: number;
  readonly free: Tree;
  readonly main: Tree;
}

interface Tree {
  readonly depth: number;
  readonly branches: number;
  readonly leaves: number;
  readonly entries: number;
  /** -1 where the tree is empty. */
  readonly root: number;
}

const HEADER = 24;
const META_BYTES = 136;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const NODE_HEADER = 8;
/** `lmdb` keeps the version of a row in front of it. */
const VERSION_BYTES = 8;
/** Where a page says what it is. */
const PAGE = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const;
const ON_OVERFLOW_PAGES = 1;

/** The layout is known for 64-bit machines that are little-endian: all that `lmdb` is built for, but for 32-bit ARM. */
export const IS_KNOWN_LAYOUT =
  endianness() === "LE" && !["arm", "ia32", "mips", "mipsel"].includes(process.arch);

class Damage extends Error {}

/** The newest snapshot of a file whose two meta pages are whole. @throws Error that says what is wrong */
export function readMeta(file: number): Meta {
  const { size } = fstatSync(file);
  const first = metaAt(file, 0);
  const { pageSize } = first;
  if (![512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536].includes(pageSize)) {
    throw new Damage(`it has pages of ${pageSize} bytes`);
  }
  const second = metaAt(file, pageSize);
  if (second.pageSize !== pageSize) throw new Damage("its two meta pages do not fit together");
  if (size < 2 * pageSize) throw new Damage("it was cut");
  // Transactions write the one page and the other in turn.
  const [even, odd] = [first.transaction, second.transaction];
  const inTurn = Math.abs(even - odd) === 1 && even % 2 === 0;
  const isUnused = even === 0 && odd === 0;
  if (!inTurn && !isUnused) throw new Damage("its two meta pages do not fit together");
  return odd > even ? second : first;
}

function metaAt(file: number, position: number): Meta {
  const bytes = Buffer.alloc(HEADER + META_BYTES);
  if (readSync(file, bytes, 0, bytes.length, position) < bytes.length) throw new Damage("it was cut");
  const isMeta = bytes.readUInt16LE(18) === PAGE.meta && bytes.readUInt32LE(HEADER) === MAGIC;
  if (!isMeta) throw new Damage("a meta page is damaged, or it is no LMDB file");
  const version = bytes.readUInt32LE(HEADER + 4) & 0xffff;
  if (version !== DATA_VERSION) throw new Damage(`it is of LMDB's data version ${version}`);
  return {
    pageSize: bytes.readUInt32LE(HEADER + 24),
    free: treeAt(bytes, HEADER + 24),
    main: treeAt(bytes, HEADER + 72),
    lastPage: number(bytes, HEADER + 120),
    transaction: number(bytes, HEADER + 128),
  };
}

function treeAt(bytes: Buffer, at: number): Tree {
  return {
    depth: bytes.readUInt16LE(at + 6),
    branches: number(bytes, at + 8),
    leaves: number(bytes, at + 16),
    entries: number(bytes, at + 32),
    root: number(bytes, at + 40),
  };
}

/** A 64-bit number; -1 for what is none that a file can hold. */
function number(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  return Number.isSafeInteger(value) ? value : -1;
}

/** Walks both trees of a snapshot that nobody overwrites meanwhile. @throws Error that says what is wrong */
export function checkPages(file: number, meta: Meta): void {
  const walk = new Walk(file, meta);
  walk.newest(meta);
  walk.tree(meta.main, "records");
  walk.tree(meta.free, "free pages");
}

/** Records are keyed by bytes, lists of free pages by the number of the transaction that freed them. */
type Kind = "records" | "free pages";

interface Found {
  branches: number;
  leaves: number;
  entries: number;
}

class Walk {
  readonly #file: number;
  readonly #pageSize: number;
  readonly #transaction: number;
  readonly #lastPage: number;
  readonly #used: Uint8Array;

  constructor(file: number, { pageSize, lastPage, transaction }: Meta) {
    this.#file = file;
    this.#pageSize = pageSize;
    this.#transaction = transaction;
    this.#lastPage = lastPage;
    // Pages that were freed at its end need not be in the file, but none that is in use may lie behind it.
    const pages = Math.ceil(fstatSync(file).size / pageSize);
    this.#used = new Uint8Array(Math.min(pages, lastPage + 1));
    this.#used.fill(1, 0, 2);
  }

  /** Each transaction changes a record, and with it the root: another root would be that of an earlier state. */
  newest({ main: { root }, transaction }: Meta): void {
    if (root === -1) return;
    const header = Buffer.alloc(HEADER);
    readSync(this.#file, header, 0, HEADER, root * this.#pageSize);
    if (number(header, 8) !== transaction) throw new Damage("its root is not that of its last transaction");
  }

  tree(tree: Tree, kind: Kind): void {
    const found = { branches: 0, leaves: 0, entries: 0 };
    if (tree.root !== -1) this.#page(tree.root, tree.depth, kind, found, undefined, undefined);
    const { branches, leaves, entries } = tree;
    if (branches !== found.branches || leaves !== found.leaves || entries !== found.entries) {
      throw new Damage(`${found.entries} entries where ${entries} should be`);
    }
  }

  /** A page whose keys lie from `low` up to, not including, `high`: LMDB finds none that does not. */
  #page(at: number, depth: number, kind: Kind, found: Found, low?: Buffer, high?: Buffer): void {
    this.#use(at);
    const page = Buffer.allocUnsafe(this.#pageSize);
    if (readSync(this.#file, page, 0, page.length, at * page.length) < page.length) {
      throw new Damage("it was cut");
    }
    const isBranch = depth > 1;
    // A page of a later transaction than the last LMDB would take for one of its own, in memory.
    const written = number(page, 8);
    const flags = isBranch ? PAGE.branch : PAGE.leaf;
    const isPage = number(page, 0) === at && page.readUInt32LE(16) === flags << 16;
    if (!isPage || written < 1 || written > this.#transaction) throw new Damage(`page ${at} is damaged`);
    const nodes = nodesOf(page, at);
    const keys = nodes.map((node) => keyAt(page, at, node));
    // The first key of a branch is never looked at.
    if (isBranch) keys[0] = low ?? Buffer.alloc(0);
    assertInOrder(isBranch && low === undefined ? keys.slice(1) : keys, kind, at, low, high);
    if (!isBranch) {
      found.leaves++;
      found.entries += nodes.length;
      for (const [i, node] of nodes.entries()) this.#leaf(page, at, node, keys[i] as Buffer, kind);
      return;
    }
    found.branches++;
    for (const [i, node] of nodes.entries()) {
      const from = i === 0 ? low : keys[i];
      this.#page(childAt(page, node), depth - 1, kind, found, from, keys[i + 1] ?? high);
    }
  }

  #leaf(page: Buffer, at: number, node: number, key: Buffer, kind: Kind): void {
    const data = node + NODE_HEADER + key.length;
    const size = page.readUInt32LE(node);
    const flags = page.readUInt16LE(node + 4);
    const overflows = flags === ON_OVERFLOW_PAGES;
    if ((flags !== 0 && !overflows) || data + (overflows ? HEADER : size) > page.length) {
      throw new Damage(`page ${at} is damaged`);
    }
    const value = overflows ? this.#overflow(page, data, size) : page.subarray(data, data + size);
    const isSoundEntry = kind === "records" ? isRecord(key, value) : this.#isPageList(value);
    if (!isSoundEntry) throw new Damage(`an entry on page ${at} is damaged`);
  }

  /** Only a list of free pages grows so long that it has pages of its own. */
  #overflow(page: Buffer, data: number, size: number): Buffer {
    const [first, pages] = [number(page, data), number(page, data + 16)];
    if (pages < 1 || pages !== Math.ceil((HEADER + size) / this.#pageSize)) {
      throw new Damage("a list of pages is damaged");
    }
    for (let i = 0; i < pages; i++) this.#use(first + i);
    const value = Buffer.alloc(size);
    readSync(this.#file, value, 0, size, first * this.#pageSize + HEADER);
    return value;
  }

  /** Free pages, of which LMDB makes new ones: a count, and so many numbers. Walked last, so that used ones are known. */
  #isPageList(list: Buffer): boolean {
    const numbers = list.length < 8 ? 0 : Number(list.readBigInt64LE(0));
    if (numbers < 0 || list.length < 8 * (numbers + 1)) return false;
    for (let i = 1; i <= numbers; i++) {
      const page = Number(list.readBigInt64LE(8 * i));
      // 0 is a gap; less than that, how many pages follow each other.
      if (Math.abs(page) > this.#lastPage || page === 1 || (page > 0 && this.#used[page] === 1)) return false;
    }
    return true;
  }

  #use(at: number): void {
    if (this.#used[at] !== 0) throw new Damage(`page ${at} is missing, or is used twice`);
    this.#used[at] = 1;
  }
}

/** Where the nodes of a page begin. Positions in a page count from behind its header. */
function nodesOf(page: Buffer, at: number): number[] {
  const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
  if (lower % 2 !== 0 || lower > upper || HEADER + upper > page.length) {
    throw new Damage(`page ${at} is damaged`);
  }
  return Array.from({ length: lower / 2 }, (_, i) => {
    const node = HEADER + page.readUInt16LE(HEADER + 2 * i);
    if (node < HEADER + upper || node + NODE_HEADER > page.length) throw new Damage(`page ${at} is damaged`);
    return node;
  });
}

function keyAt(page: Buffer, at: number, node: number): Buffer {
  const key = node + NODE_HEADER;
  const end = key + page.readUInt16LE(node + 6);
  if (end > page.length) throw new Damage(`page ${at} is damaged`);
  return page.subarray(key, end);
}

function assertInOrder(keys: readonly Buffer[], kind: Kind, at: number, low?: Buffer, high?: Buffer): void {
  const isBelow = (a: Buffer, b: Buffer) =>
    kind === "records" ? a.compare(b) < 0 : a.readBigUInt64LE(0) < b.readBigUInt64LE(0);
  const first = keys[0];
  const last = keys.at(-1);
  const isMisplaced =
    (kind === "free pages" && keys.some(({ length }) => length !== 8)) ||
    (first !== undefined && low !== undefined && isBelow(first, low)) ||
    (last !== undefined && high !== undefined && !isBelow(last, high)) ||
    keys.some((key, i) => i > 0 && !isBelow(keys[i - 1] as Buffer, key));
  if (isMisplaced) throw new Damage(`page ${at} is out of order`);
}

function childAt(page: Buffer, node: number): number {
  return page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32;
}

function isRecord(key: Buffer, versioned: Buffer): boolean {
  return versioned.length > VERSION_BYTES && isSound(key, versioned.subarray(VERSION_BYTES));
}
