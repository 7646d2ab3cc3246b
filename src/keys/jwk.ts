// Keyrings as JWK Sets (RFC 7517): `oct` keys (RFC 7518, section 6.4), the first one current. Members besides the
// standard ones: `nbf` and `exp` (seconds, as in JWT), `senders`, `channels`, and for derived keys `derived`,
// `sender`, `channel` and `master` (the id of the key it was derived from).

import { misuse } from "../errors.js";
import { type Derived, formatKeyId, Key, type KeyTerms } from "./key.js";
import { Keyring } from "./keyring.js";
import { assertChannel, assertSender } from "./names.js";

/** One key of a JWK Set, as Countersign reads and writes it. `k` is the secret, base64url. */
export interface OctJwk {
  /** Key type: a symmetric key. */
  readonly kty: "oct";
  /** The secret, base64url. */
  readonly k: string;
  /** The id on the wire, eight hexadecimal digits. For people: reading takes no notice, as it follows from the secret. */
  readonly kid?: string;
  /** The algorithm; HMAC-SHA256 is the only one. */
  readonly alg?: "HS256";
  /** What the key is for: signatures. */
  readonly use?: "sig";
  /** Not before: seconds since the Unix epoch. */
  readonly nbf?: number;
  /** Expires: seconds since the Unix epoch. */
  readonly exp?: number;
  /** Senders whose messages it may sign; all if left out. */
  readonly senders?: readonly string[];
  /** Channels it may be used on; all if left out. */
  readonly channels?: readonly string[];
  /** What it was derived for; a master key if left out. */
  readonly derived?: "sender" | "stream";
  /** Derived keys: the sender it speaks for. */
  readonly sender?: string;
  /** Stream keys: the channel it speaks on. */
  readonly channel?: string;
  /** Derived keys: the id of the master key. */
  readonly master?: string;
}

/** A JWK Set (RFC 7517, section 5). */
export interface JwkSet {
  /** The keys; the first one is current. */
  readonly keys: readonly OctJwk[];
}

const SECRET = /^[A-Za-z0-9_-]+$/;
const KEY_ID = /^[0-9a-f]{8}$/;

/** Reads a JWK Set, as text or parsed. Throws with the place and the mend where it is not one; never quotes a secret. */
export function importJwks(source: string | object): Keyring {
  const set = typeof source === "string" ? parse(source) : source;
  const keys: unknown = (set as { keys?: unknown }).keys;
  if (!Array.isArray(keys)) throw bad('a JWK Set is an object with an array "keys"');
  return new Keyring(keys.map(importKey));
}

/** Writes a keyring as a JWK Set. The result holds the secrets: mode 0600, never a log. */
export function exportJwks(keyring: Keyring): JwkSet {
  return { keys: keyring.keys.map(exportKey) };
}

function parse(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad("it is not JSON"); // the parser's message would quote the text, and with it a secret
  }
  if (typeof value !== "object" || value === null) throw bad("it is not an object");
  return value;
}

function importKey(jwk: unknown, index: number): Key {
  const at = `keys[${index}]`;
  if (typeof jwk !== "object" || jwk === null) throw bad(`${at} is not an object`);
  const { kty, k, alg, use, derived } = jwk as Partial<Record<keyof OctJwk, unknown>>;
  if (kty !== "oct") throw bad(`${at}.kty must be "oct", a symmetric key`);
  if (typeof k !== "string" || !SECRET.test(k)) throw bad(`${at}.k must be the secret in base64url`);
  if (alg !== undefined && alg !== "HS256") throw bad(`${at}.alg must be "HS256"`);
  if (use !== undefined && use !== "sig") throw bad(`${at}.use must be "sig"`);
  const terms = importTerms(jwk, at);
  const secret = Buffer.from(k, "base64url");
  if (derived === undefined) return new Key(secret, terms);
  return new Key(secret, terms, importDerived(jwk, at), importMaster(jwk, at));
}

function importTerms(jwk: object, at: string): KeyTerms {
  const { nbf, exp, senders, channels } = jwk as Partial<Record<keyof OctJwk, unknown>>;
  return {
    notBefore: seconds(nbf, `${at}.nbf`),
    notAfter: seconds(exp, `${at}.exp`),
    senders: names(senders, `${at}.senders`),
    channels: names(channels, `${at}.channels`),
  };
}

function seconds(value: unknown, at: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw bad(`${at} must be seconds since 1970`);
  return Math.round(value * 1000); // milliseconds that were written divided by 1000 come back as they were
}

function names(value: unknown, at: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((name) => typeof name === "string"))
    throw bad(`${at} must be a list of names`);
  return [...value];
}

function importDerived(jwk: object, at: string): Derived {
  const { derived, sender, channel } = jwk as Partial<Record<keyof OctJwk, unknown>>;
  assertSender(sender, `${at}.sender`);
  if (derived === "sender") return { from: "sender", sender };
  if (derived !== "stream") throw bad(`${at}.derived must be "sender" or "stream"`);
  assertChannel(channel);
  return { from: "stream", sender, channel };
}

function importMaster(jwk: object, at: string): number {
  const { master } = jwk as Partial<Record<keyof OctJwk, unknown>>;
  if (typeof master !== "string" || !KEY_ID.test(master)) {
    throw bad(`${at}.master must be the id of the key it was derived from, eight hexadecimal digits`);
  }
  return Number.parseInt(master, 16);
}

function exportKey(key: Key): OctJwk {
  const { notBefore, notAfter, senders, channels } = key.terms;
  return {
    kty: "oct",
    k: key.exportSecret().toString("base64url"),
    kid: key.idText,
    alg: key.algorithm,
    use: "sig",
    ...(notBefore !== undefined && { nbf: notBefore / 1000 }),
    ...(notAfter !== undefined && { exp: notAfter / 1000 }),
    ...(senders && { senders }),
    ...(channels && { channels }),
    ...exportDerived(key),
  };
}

function exportDerived({ derived, id }: Key): Partial<OctJwk> {
  if (derived.from === "master") return {};
  const { from, ...names } = derived;
  return { derived: from, ...names, master: formatKeyId(id) };
}

function bad(what: string): Error {
  return misuse("ERR_COUNTERSIGN_KEY", `Not a usable JWK Set: ${what}.`);
}
