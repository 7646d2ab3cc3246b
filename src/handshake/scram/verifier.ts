// What a server keeps of a password: a verifier, in the text form of PostgreSQL. Nobody can log in with it, but who has it can
// guess passwords offline, and can pose as the server.
//
//   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>     all but the first in base64

import { randomBytes } from "node:crypto";
import { misuse } from "../../errors.js";
import { hmac } from "../schedule.js";
import { ITERATIONS, keysOf, SALT_BYTES, type Stretch, stretch } from "./keys.js";
import { assertTextPolicy, prepareOwn, type TextPolicy } from "./prepare.js";
import { strictBase64 } from "./text.js";

/** A verifier, taken apart. */
export interface ScramVerifier {
  /** How often the password was hashed. */
  readonly iterations: number;
  /** 1 to 128 bytes. */
  readonly salt: Buffer;
  /** 32 bytes: checks a client's proof. */
  readonly storedKey: Buffer;
  /** 32 bytes: makes the server's. */
  readonly serverKey: Buffer;
}

const FORM =
  /^SCRAM-SHA-256\$([1-9][0-9]{0,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})$/;

/** How a verifier is made. */
export interface MintOptions {
  /** 4,096 to 1,000,000. Default 600,000. */
  readonly iterations?: number | undefined;
  /** 8 to 64 bytes. Default 16 random ones. */
  readonly salt?: Uint8Array | undefined;
  /** How the password becomes bytes. Default "ascii". */
  readonly text?: TextPolicy | undefined;
  /** Stretches the password. Default PBKDF2 by node:crypto, off the event loop. @internal */
  readonly stretch?: Stretch | undefined;
}

/**
 * The verifier of a password, in PostgreSQL's text form: `CREATE ROLE … PASSWORD '<verifier>'` takes it too.
 *
 * @throws CountersignError for a password or options that cannot work
 */
export async function mintVerifier(password: string, options: MintOptions = {}): Promise<string> {
  const { iterations = ITERATIONS.minted, salt = randomBytes(SALT_BYTES), text = "ascii" } = options;
  assertTextPolicy(text);
  if (typeof password !== "string") throw misuse("ERR_COUNTERSIGN_OPTIONS", "A password is a string.");
  if (!isWithinBounds(iterations)) throw misuse("ERR_COUNTERSIGN_OPTIONS", `iterations must be ${BOUNDS}.`);
  if (!(salt instanceof Uint8Array) || salt.length < 8 || salt.length > 64) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "A salt has 8 to 64 bytes; leave it out for 16 random ones.");
  }
  const prepared = prepareOwn("The password", password, text);
  const bytes = Buffer.from(salt);
  const keys = keysOf(await (options.stretch ?? stretch)(prepared, bytes, iterations));
  return formatVerifier({ iterations, salt: bytes, ...keys });
}

/** Whether this password is the verifier's. */
export async function checkVerifier(
  verifier: string,
  password: string,
  { text = "ascii" }: { text?: TextPolicy } = {},
): Promise<boolean> {
  const { iterations, salt, storedKey, serverKey } = parseVerifier(verifier);
  assertTextPolicy(text);
  const keys = keysOf(await stretch(prepareOwn("The password", password, text), salt, iterations));
  return keys.storedKey.equals(storedKey) && keys.serverKey.equals(serverKey);
}

/** A verifier as PostgreSQL writes it. */
export function formatVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  const [s, c, v] = [salt, storedKey, serverKey].map((bytes) => bytes.toString("base64"));
  return `SCRAM-SHA-256$${iterations}:${s}$${c}:${v}`;
}

/**
 * Reads a verifier.
 *
 * @throws CountersignError that says what is wrong with it, and never quotes it
 */
export function parseVerifier(text: string): ScramVerifier {
  const [, count, ...encoded] = FORM.exec(text) ?? [];
  const [salt, storedKey, serverKey] = encoded.map((part) => strictBase64(part));
  if (salt === undefined || storedKey?.length !== 32 || serverKey?.length !== 32 || salt.length > 128) {
    const form = "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>";
    throw misuse("ERR_COUNTERSIGN_KEY", `Not a SCRAM-SHA-256 verifier, which is written ${form}, in base64.`);
  }
  const iterations = Number(count);
  if (!isWithinBounds(iterations)) {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      `A verifier's iteration count must be ${BOUNDS}; this has ${iterations}.`,
    );
  }
  return { iterations, salt, storedKey, serverKey };
}

const BOUNDS = `a whole number from ${ITERATIONS.least} to ${ITERATIONS.most}`;

/** Is this an iteration count that either end takes? */
export function isWithinBounds(iterations: number): boolean {
  return Number.isInteger(iterations) && iterations >= ITERATIONS.least && iterations <= ITERATIONS.most;
}

/** What fakes look like: as real verifiers do. */
export interface Decoy {
  /** 32 secret bytes: the same make the same fakes, after a restart too. */
  readonly secret: Buffer;
  /** Iteration count of the real ones. */
  readonly iterations: number;
  /** Salt bytes of the real ones. */
  readonly saltBytes: number;
}

/** A verifier for somebody who does not exist: always the same for a name, and no password fits it. */
export function decoyFor(user: string, { secret, iterations, saltBytes }: Decoy): ScramVerifier {
  const own = (label: string) => hmac(secret, Buffer.from(`${label} ${user}`));
  const salt = Buffer.concat([own("salt 1"), own("salt 2"), own("salt 3"), own("salt 4")]).subarray(
    0,
    saltBytes,
  );
  return { iterations, salt, storedKey: own("stored"), serverKey: own("server") };
}
