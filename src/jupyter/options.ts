// What a session is made of, checked when it is made: each wrong option says what to write instead.

import { userInfo } from "node:os";
import { type Clock, wallClock } from "../clock.js";
import { misuse } from "../errors.js";
import { expand, extract } from "../keys/hkdf.js";
import type { ReplayState } from "../replay/state.js";
import { type Identity, identity } from "../session/identity.js";
import type { Listeners } from "../session/observer.js";
import { limitsOf, microsOf, windowOf } from "../session/options.js";
import { DEFAULT_LIMITS, type Limits } from "../wire/limits.js";
import { ENTRY_BYTES } from "./history.js";
import type { Role } from "./message.js";
import { type Packer, packerOf } from "./packer.js";
import { DEFAULT_SCHEME, type SignatureKey, signatureKey } from "./scheme.js";

/** Options of a {@link Session}. */
export interface SessionOptions extends Pick<Listeners, "onReject" | "onGap"> {
  /** The key: the text of the connection file's `key`, or its bytes. Any length but 0. */
  readonly key?: string | Uint8Array | undefined;
  /** Sign nothing and check nothing, in place of a key: what Jupyter does with an empty one. */
  readonly unsigned?: boolean | undefined;
  /** The connection file's `signature_scheme`: "hmac-" and the name of a hash. Default "hmac-sha256". */
  readonly scheme?: string | undefined;
  /** "json" (default), "msgpack", or one's own. Both ends need the same. */
  readonly packer?: "json" | "msgpack" | Packer | undefined;
  /** Which end this is. Needed for channels, and so for hardening. */
  readonly role?: Role | undefined;
  /** The session's id and its sender's name: 1 to 64 visible ASCII characters. A random one, made at this start, if left out. */
  readonly session?: string | Identity | undefined;
  /** The user's name in headers. Default: the system's. */
  readonly username?: string | undefined;
  /** The messaging protocol's version in headers. Default "5.5". */
  readonly version?: string | undefined;
  /** Whether what channels send is hardened. Default: wherever there is a key. */
  readonly harden?: boolean | undefined;
  /**
   * What channels take. "best" (default): hardened messages, and plain ones as long as they do not come from a peer that
   * hardens; a client that has heard a hardened kernel takes nothing else from then on. "hardened": nothing else, from the
   * start. "signed": plain ones beside hardened ones always, but for those from a session that hardens.
   */
  readonly require?: "best" | "hardened" | "signed" | undefined;
  /** Whom clients' messages are addressed to: the kernel's session. Default: nobody in particular. */
  readonly to?: string | undefined;
  /** How many of a hardened stream's latest numbers may come in any order. Default 0: strict order. */
  readonly window?: number | undefined;
  /** Milliseconds that senders' clocks may be ahead of this one. Default 0. */
  readonly skew?: number | undefined;
  /** Milliseconds after its signing at which a message is refused. Default: no bound. */
  readonly maxAge?: number | undefined;
  /**
   * The moment, in milliseconds since the Unix epoch, from which plain messages are taken. Default: this session's start.
   * An earlier one lets in what was recorded since then: for reading recordings, and for the first session that ever had a
   * new key.
   */
  readonly since?: number | undefined;
  /** Most bytes that the tags of plain messages take, twice: received ones and one's own. Default 4 MiB, some 95,000 tags. */
  readonly historyBytes?: number | undefined;
  /** Where hardened streams are remembered, and one's own epochs. Default: this process's memory. */
  readonly state?: ReplayState | undefined;
  /** Whose memory it is: see `receiver` of `signing`. */
  readonly receiver?: string | undefined;
  /** Bounds: frames, bytes, streams, peers, queueBytes; see {@link Limits}. */
  readonly limits?: Partial<Limits> | undefined;
  /** Wall clock in microseconds since the Unix epoch. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** The options in force. */
export interface Settings extends Pick<Listeners, "onReject" | "onGap"> {
  /** `undefined` where nothing is signed. */
  readonly key: SignatureKey | undefined;
  /** Derived from the key; tells nothing of it. */
  readonly keyId: number;
  readonly packer: Packer;
  readonly role: Role | undefined;
  readonly identity: Identity;
  readonly username: string;
  readonly version: string;
  readonly harden: boolean;
  readonly require: "best" | "hardened" | "signed";
  readonly to: string | undefined;
  readonly window: number;
  readonly skew: number;
  readonly maxAge: number | undefined;
  readonly since: number;
  readonly historyBytes: number;
  readonly state: ReplayState | undefined;
  readonly receiver: string | undefined;
  readonly limits: Limits;
  readonly clock: Clock;
}

const KNOWN = (
  "key unsigned scheme packer role session username version harden require to window skew maxAge since historyBytes " +
  "state receiver limits clock onReject onGap"
).split(" ");

const DEFAULT_HISTORY_BYTES = 4 * 2 ** 20;

/** Checks a session's options and fills in what was left out. */
export function settingsOf(options: SessionOptions): Settings {
  assertKnown(options);
  const { role, require = "best", clock = wallClock, to, username, version = "5.5" } = options;
  assertOneOf("role", role, [undefined, "kernel", "client"]);
  assertOneOf("require", require, ["best", "hardened", "signed"]);
  const secret = secretOf(options);
  const key = secret && signatureKey(options.scheme ?? DEFAULT_SCHEME, secret);
  const harden = options.harden ?? key !== undefined;
  if (key === undefined && (harden || require === "hardened")) {
    throw wrong("An unsigned session cannot be hardened: leave out harden and require, or give it a key.");
  }
  if (to !== undefined && role === "kernel") {
    throw wrong("to is for clients; a kernel addresses whom it answers: kernel.shell.send(reply, request).");
  }
  return {
    key,
    keyId: secret ? expand(extract(secret), "jupyter key id").readUInt32BE(0) : 0,
    packer: packerOf(options.packer),
    role,
    identity: identity(options.session),
    username: username ?? systemUser(),
    version,
    harden,
    require,
    to: to === undefined ? undefined : identity(to).name,
    window: windowOf({ key: NO_KEY, window: options.window }),
    skew: microsOf("skew", options.skew ?? 0),
    maxAge: options.maxAge === undefined ? undefined : microsOf("maxAge", options.maxAge),
    since: options.since === undefined ? clock() : microsOf("since", options.since),
    historyBytes: historyBytesOf(options),
    state: options.state,
    receiver: options.receiver,
    limits: options.limits === undefined ? DEFAULT_LIMITS : limitsOf({ key: NO_KEY, limits: options.limits }),
    clock,
    onReject: options.onReject,
    onGap: options.onGap,
  };
}

const NO_KEY = new Uint8Array();

function assertKnown(options: SessionOptions): void {
  if (typeof options !== "object" || options === null) {
    throw wrong("A session needs options: new Session({ key }), with the text of the connection file's key.");
  }
  const stranger = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (stranger !== undefined)
    throw wrong(`Option ${stranger} does not exist; there are ${KNOWN.join(", ")}.`);
  for (const name of ["onReject", "onGap"] as const) {
    const listener = options[name];
    if (listener !== undefined && typeof listener !== "function") throw wrong(`${name} must be a function.`);
  }
}

function assertOneOf(name: string, value: unknown, values: readonly unknown[]): void {
  if (values.includes(value)) return;
  const known = values.filter((each) => each !== undefined).map((each) => JSON.stringify(each));
  throw wrong(`${name} must be one of ${known.join(", ")}; got ${String(value)}.`);
}

/** An empty key means no signature at all, and so it is never taken for a key. */
function secretOf({ key, unsigned = false }: SessionOptions): Buffer | undefined {
  if (unsigned) {
    if (key === undefined || key.length === 0) return undefined;
    throw wrong("unsigned: true and a key exclude one another: leave one out.");
  }
  if (typeof key !== "string" && !(key instanceof Uint8Array)) {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      "key is missing: pass the text of the connection file's key, or its bytes. To sign nothing, write unsigned: true.",
    );
  }
  const bytes = Buffer.from(key as string);
  if (bytes.length === 0) {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      "An empty key signs nothing and checks nothing. If that is what you want, write unsigned: true in its place.",
    );
  }
  return bytes;
}

function historyBytesOf({ historyBytes = DEFAULT_HISTORY_BYTES }: SessionOptions): number {
  if (Number.isInteger(historyBytes) && historyBytes >= ENTRY_BYTES && historyBytes <= 2 ** 31)
    return historyBytes;
  throw wrong(
    `historyBytes must be a whole number from ${ENTRY_BYTES} to 2^31; got ${String(historyBytes)}.`,
  );
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return "username";
  }
}

function wrong(why: string): Error {
  return misuse("ERR_COUNTERSIGN_OPTIONS", why);
}
