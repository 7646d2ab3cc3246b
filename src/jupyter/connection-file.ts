// Connection files (Jupyter messaging, "Connection files"): made with free ports that are kept until they are bound, and
// private from their first byte on; read, checked and watched.

import { randomBytes, randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  watch as watchFolder,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type ConnectionInfo, checkConnection, PORTS, wrong } from "./connection.js";
import { HeldPorts } from "./ports.js";
import { DEFAULT_SCHEME } from "./scheme.js";

const PRIVATE = 0o600;
const PRIVATE_FOLDER = 0o700;
const WIDER_THAN_PRIVATE = 0o077;
const MOST_BYTES = 2 ** 20;

/** What may be said of a new connection file. */
export interface NewConnection extends Partial<ConnectionInfo> {
  /** Where it is written. Default: `kernel-<uuid>.json` in {@link runtimeDir}. */
  readonly path?: string | undefined;
}

/** A new connection file, and the ports that it names, kept. */
export interface CreatedConnection {
  /** Where the file is. */
  readonly path: string;
  /** What it says. */
  readonly connection: ConnectionInfo;
  /** Lets the ports go; call it once the kernel has bound them. They are bound as well while they are kept. */
  release(): void;
}

/**
 * The folder of connection files: `JUPYTER_RUNTIME_DIR`, or `runtime` in Jupyter's data folder, as jupyter_core finds it.
 */
export function runtimeDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.JUPYTER_RUNTIME_DIR || join(dataDir(env), "runtime");
}

/** Jupyter's folder for a user's data: `JUPYTER_DATA_DIR`, or what jupyter_core takes on this system. */
export function dataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.JUPYTER_DATA_DIR) return env.JUPYTER_DATA_DIR;
  if (process.platform === "darwin") return join(homedir(), "Library", "Jupyter");
  if (process.platform === "win32") return join(env.APPDATA ?? join(homedir(), ".jupyter"), "jupyter");
  return join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "jupyter");
}

/**
 * Writes a connection file with a new key and free ports, which are kept until they are released. What is given goes
 * before what is made.
 *
 * @throws CountersignError ("ERR_COUNTERSIGN_CONNECTION") for info that cannot be, or a file that others can read
 */
export async function createConnectionFile(given: NewConnection = {}): Promise<CreatedConnection> {
  const { path = join(runtimeDir(), `kernel-${randomUUID()}.json`), ...info } = given;
  const transport = info.transport ?? "tcp";
  const ip = info.ip ?? (transport === "ipc" ? `${resolve(path).replace(/\.json$/, "")}-ipc` : "127.0.0.1");
  const missing = PORTS.filter((channel) => info[`${channel}_port`] === undefined);
  const held = transport === "tcp" ? await HeldPorts.hold(ip, missing.length) : undefined;
  try {
    const found = held?.ports ?? freeSuffixes(ip, info, missing.length);
    const ports = Object.fromEntries(missing.map((channel, i) => [`${channel}_port`, found[i]]));
    const connection = checkConnection({
      transport,
      ip,
      key: randomBytes(32).toString("base64url"),
      signature_scheme: DEFAULT_SCHEME,
      kernel_name: "",
      ...info,
      ...ports,
    });
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
    writePrivate(path, `${JSON.stringify(connection, null, 2)}\n`);
    return { path, connection, release: () => held?.release() };
  } catch (error) {
    held?.release();
    throw error;
  }
}

/** Numbers that end the path of no socket yet. */
function freeSuffixes(ip: string, given: Partial<ConnectionInfo>, count: number): number[] {
  const taken = new Set(PORTS.map((channel) => given[`${channel}_port`]));
  const free: number[] = [];
  for (let n = 1; free.length < count; n++) if (!taken.has(n) && !existsSync(`${ip}-${n}`)) free.push(n);
  return free;
}

/** Nobody else can read it at any moment, and nobody sees half of it: written beside, moved into its place, and checked. */
function writePrivate(path: string, text: string): void {
  const beside = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  const file = openSync(beside, "wx", PRIVATE);
  try {
    try {
      // A umask may take the owner's own bits.
      fchmodSync(file, PRIVATE);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // A file system may not care for modes: then the key is not for it.
    readConnectionFile(beside);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Reads and checks a connection file.
 *
 * @throws CountersignError ("ERR_COUNTERSIGN_CONNECTION") that says what is wrong: it is not there, others can read it, it is
 *   cut or no connection info
 */
export function readConnectionFile(path: string): ConnectionInfo {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw wrong(`${path} cannot be opened (${(cause as NodeJS.ErrnoException).code}).`, cause);
  }
  try {
    assertPrivate(path, file);
    return parse(path, readFileSync(file, "utf8"));
  } finally {
    closeSync(file);
  }
}

function parse(path: string, text: string): ConnectionInfo {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    // A parser quotes what it could not read, and that may be the key.
    throw wrong(`${path} is no JSON.`);
  }
  try {
    return checkConnection(given);
  } catch (cause) {
    throw wrong(`${path}: ${(cause as Error).message}`, cause);
  }
}

/** Looks at the open file, not at the path: what was checked is what is read or written. */
function assertPrivate(path: string, file: number): void {
  const { mode, size, uid } = fstatSync(file);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw wrong(`${path} is not a regular file.`);
  if (process.platform === "win32") return;
  if ((mode & WIDER_THAN_PRIVATE) !== 0) {
    throw wrong(`Others can read ${path} (mode ${(mode & 0o777).toString(8)}). Write: chmod 600 ${path}`);
  }
  const me = process.geteuid?.();
  if (me !== undefined && uid !== me && uid !== 0)
    throw wrong(`${path} belongs to another user (uid ${uid}).`);
  if (size > MOST_BYTES) throw wrong(`${path} is larger than ${MOST_BYTES} bytes.`);
}

/** What became of a connection file. */
export interface ConnectionListeners {
  /** It says something, or something else: a kernel was started, or started anew. */
  readonly onChange: (connection: ConnectionInfo) => void;
  /** It was removed: its kernel has ended. */
  readonly onRemoved?: (() => void) | undefined;
  /** It is there and cannot be used. Half a file, of a writer that is not done, is looked at again with the next change. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/**
 * Tells what a connection file says, now and whenever that changes, until it is closed. Keeps no process alive.
 *
 * @returns closes the watch
 */
export function watchConnectionFile(
  path: string,
  { onChange, onRemoved, onError }: ConnectionListeners,
): () => void {
  let told: string | undefined;
  let closed = false;
  const look = () => {
    if (closed) return;
    if (!existsSync(path)) {
      if (told !== undefined) onRemoved?.();
      told = undefined;
      return;
    }
    let connection: ConnectionInfo;
    try {
      connection = readConnectionFile(path);
    } catch (error) {
      onError?.(error as Error);
      return;
    }
    const text = JSON.stringify(connection);
    if (text === told) return;
    told = text;
    onChange(connection);
  };
  // The folder, because a file that is replaced takes its watch away with it.
  const name = basename(path);
  const watcher = watchFolder(dirname(path), { persistent: false }, (_, changed) => {
    if (changed === null || changed === name) look();
  });
  watcher.on("error", (error) => onError?.(error));
  queueMicrotask(look);
  return () => {
    closed = true;
    watcher.close();
  };
}
