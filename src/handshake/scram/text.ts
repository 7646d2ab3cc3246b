// The messages of SCRAM (RFC 5802, sections 5.1 and 7): strict in what is taken. Attributes stand in the order of the
// grammar, base64 has one spelling, and what may be ignored is only an unknown optional extension at the end.

import { fail, must } from "../failures.js";

/** Most bytes of one message. */
const MOST_BYTES = 2048;
const MOST_SALT = 128;
/** `printable` (RFC 5802, section 7): visible ASCII but the comma. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]{1,256}$/;
const COUNT = /^[1-9][0-9]{0,9}$/;
/** An extension that nobody has to understand: its name is none that has a meaning. */
const EXTENSION = /^[b-dfghjklo-qt-uw-zA-Z]=[^\0,]+$/;

/** What a client says first. */
export interface ClientFirst {
  /** The channel binding flag and authorization identity, with their commas. */
  readonly gs2: string;
  /** The rest, which enters the AuthMessage. */
  readonly bare: string;
  readonly user: string;
  readonly nonce: string;
}

/** What a server answers. */
export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** A client's proof. */
export interface ClientFinal {
  /** The gs2 header and the channel binding data. */
  readonly binding: Buffer;
  readonly nonce: string;
  readonly proof: Buffer;
  /** What of it enters the AuthMessage. */
  readonly withoutProof: string;
}

/** `saslname`: comma and equals sign have escapes of their own. */
export function escapeName(name: string): string {
  return name.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

function unescapeName(text: string): string {
  must(!/=(?!2C|3D)/.test(text), "malformed");
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

/** The text of a message. */
function textOf(bytes: Buffer): string {
  must(bytes.length <= MOST_BYTES && !bytes.includes(0), "malformed");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail("malformed");
  }
}

/** The values of these attributes, in exactly this order; behind them extensions may stand. */
function attributes(text: string, names: string): string[] {
  const parts = text.split(",");
  must(!parts.some((part) => part.startsWith("m=")), "unsupported-extension");
  must(parts.length >= names.length, "malformed");
  const values = [...names].map((name, i) => {
    const part = parts[i] as string;
    must(part.startsWith(`${name}=`), "malformed");
    return part.slice(2);
  });
  must(
    parts.slice(names.length).every((part) => EXTENSION.test(part)),
    "malformed",
  );
  return values;
}

/** Base64 in its one spelling (RFC 4648, section 4). */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** Reads `client-first-message`. */
export function readClientFirst(bytes: Buffer): ClientFirst {
  const text = textOf(bytes);
  const end = text.indexOf(",", text.indexOf(",") + 1) + 1;
  must(end > 1, "malformed");
  const [gs2, bare] = [text.slice(0, end), text.slice(end)];
  // An authorization identity (a=) would be somebody else than who proves himself.
  must(/^(?:n|y|p=[A-Za-z0-9.-]{1,64}),,$/.test(gs2), "malformed");
  const [name, nonce] = attributes(bare, "nr") as [string, string];
  must(NONCE.test(nonce), "malformed");
  return { gs2, bare, nonce, user: unescapeName(name) };
}

/** Reads `server-first-message`; whether the count is within bounds is asked elsewhere. */
export function readServerFirst(bytes: Buffer): ServerFirst {
  const [nonce, saltText, count] = attributes(textOf(bytes), "rsi") as [string, string, string];
  must(NONCE.test(nonce), "malformed");
  const salt = strictBase64(saltText);
  must(salt !== undefined && salt.length >= 1 && salt.length <= MOST_SALT, "bad-salt");
  must(COUNT.test(count), "iterations-out-of-range");
  return { nonce, salt, iterations: Number(count) };
}

/** Reads `client-final-message`. */
export function readClientFinal(bytes: Buffer): ClientFinal {
  const text = textOf(bytes);
  const at = text.lastIndexOf(",p=");
  must(at > 0, "malformed");
  const withoutProof = text.slice(0, at);
  const [binding, nonce] = attributes(withoutProof, "cr") as [string, string];
  const decoded = strictBase64(binding);
  const proof = strictBase64(text.slice(at + 3));
  must(decoded !== undefined && proof !== undefined, "malformed");
  must(proof.length === 32, "bad-proof");
  return { binding: decoded, nonce, proof, withoutProof };
}

/** The server's signature in `server-final-message`. */
export function readServerFinal(bytes: Buffer): Buffer {
  const text = textOf(bytes);
  must(!text.startsWith("e="), "server-error");
  const [verifier] = attributes(text, "v") as [string];
  const signature = strictBase64(verifier);
  must(signature !== undefined && signature.length === 32, "bad-server-proof");
  return signature;
}
