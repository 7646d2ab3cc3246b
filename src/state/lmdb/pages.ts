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
const PAGE_KINDS = 0x2f;
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
  return second.transaction > first.transaction ? second : first;
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
  walk.tree(meta.main, true);
  walk.tree(meta.free, false);
}

interface Found {
  branches: number;
  leaves: number;
  entries: number;
}

class Walk {
  readonly #file: number;
  readonly #pageSize: number;
  readonly #used: Uint8Array;

  constructor(file: number, { pageSize, lastPage }: Meta) {
    this.#file = file;
    this.#pageSize = pageSize;
    // Pages that were freed at its end need not be in the file, but none that is in use may lie behind it.
    const pages = Math.ceil(fstatSync(file).size / pageSize);
    this.#used = new Uint8Array(Math.min(pages, lastPage + 1));
    this.#used.fill(1, 0, 2);
  }

  tree(tree: Tree, ofRecords: boolean): void {
    const found = { branches: 0, leaves: 0, entries: 0 };
    if (tree.root !== -1) this.#page(tree.root, tree.depth, ofRecords, found);
    const { branches, leaves, entries } = tree;
    if (branches !== found.branches || leaves !== found.leaves || entries !== found.entries) {
      throw new Damage(`${found.entries} entries where ${entries} should be`);
    }
  }

  #page(at: number, depth: number, ofRecords: boolean, found: Found): void {
    this.#use(at);
    const page = Buffer.allocUnsafe(this.#pageSize);
    if (readSync(this.#file, page, 0, page.length, at * page.length) < page.length) {
      throw new Damage("it was cut");
    }
    const kind = page.readUInt16LE(18) & PAGE_KINDS;
    if (kind !== (depth > 1 ? PAGE.branch : PAGE.leaf) || number(page, 0) !== at) {
      throw new Damage(`page ${at} is damaged`);
    }
    const nodes = nodesOf(page, at);
    if (kind === PAGE.branch) {
      found.branches++;
      for (const node of nodes) this.#page(childAt(page, node), depth - 1, ofRecords, found);
    } else {
      found.leaves++;
      found.entries += nodes.length;
      for (const node of nodes) this.#leaf(page, at, node, ofRecords);
    }
  }

  #leaf(page: Buffer, at: number, node: number, ofRecords: boolean): void {
    const key = node + NODE_HEADER;
    const data = key + page.readUInt16LE(node + 6);
    const size = page.readUInt32LE(node);
    const overflows = (page.readUInt16LE(node + 4) & ON_OVERFLOW_PAGES) !== 0;
    if (data + (overflows ? HEADER : size) > page.length) throw new Damage(`page ${at} is damaged`);
    if (overflows) this.#overflow(page, data, size);
    else if (ofRecords && !isRecord(page.subarray(key, data), page.subarray(data, data + size))) {
      throw new Damage(`an entry on page ${at} is damaged`);
    }
  }

  /** Only the list of free pages grows so long that it has pages of its own. */
  #overflow(page: Buffer, data: number, size: number): void {
    const [first, pages] = [number(page, data), number(page, data + 16)];
    if (pages * this.#pageSize < size) throw new Damage("a list of pages is damaged");
    for (let i = 0; i < pages; i++) this.#use(first + i);
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

function childAt(page: Buffer, node: number): number {
  return page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32;
}

function isRecord(key: Buffer, versioned: Buffer): boolean {
  return versioned.length > VERSION_BYTES && isSound(key, versioned.subarray(VERSION_BYTES));
}
