// How user names and passwords become bytes: a named policy, the same at both ends. SASLprep (RFC 4013) comes from an optional
// package, for its tables are larger than everything else here.

import { createRequire } from "node:module";
import { misuse } from "../../errors.js";
import { fail, must } from "../failures.js";

/**
 * "ascii" (default): visible ASCII and spaces alone, which every policy leaves as they are. "saslprep": RFC 4013, as RFC 5802
 * asks for, by the package `@mongodb-js/saslprep`. "none": the UTF-8 bytes as they are typed.
 */
export type TextPolicy = "ascii" | "saslprep" | "none";

type Saslprep = (text: string, options?: { allowUnassigned?: boolean }) => string;
let saslprep: Saslprep | undefined;

/** Checks the option, and loads what the policy needs. */
export function assertTextPolicy(policy: unknown): asserts policy is TextPolicy {
  if (policy === "ascii" || policy === "none") return;
  if (policy !== "saslprep") {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      `text must be "ascii", "saslprep" or "none"; got ${String(policy)}.`,
    );
  }
  try {
    const loaded = createRequire(import.meta.url)("@mongodb-js/saslprep") as Saslprep & {
      saslprep?: Saslprep;
    };
    saslprep ??= loaded.saslprep ?? loaded;
  } catch (cause) {
    const why =
      'text: "saslprep" needs the package "@mongodb-js/saslprep": run "npm install @mongodb-js/saslprep".';
    throw misuse("ERR_COUNTERSIGN_OPTIONS", why, { cause });
  }
}

/** The text as it enters the proof. Fails for what the policy refuses, and for nothing at all. */
export function prepare(text: string, policy: TextPolicy): string {
  must(text.length > 0 && !/[\0\p{Surrogate}]/u.test(text), "unprepared-text");
  if (policy === "none") return text;
  if (policy === "ascii") {
    must(/^[\x20-\x7e]*$/.test(text), "unprepared-text");
    return text;
  }
  let prepared: string;
  try {
    prepared = (saslprep as Saslprep)(text);
  } catch {
    return fail("unprepared-text");
  }
  must(prepared.length > 0, "unprepared-text");
  return prepared;
}

/** Most bytes of a user's name: with escapes it fits into the first message, whatever it holds. */
const MOST_USER_BYTES = 512;

/** The name of a user, as the programmer or operator gave it: an error that says what to write instead. */
export function prepareUser(what: string, text: string, policy: TextPolicy, choice?: string): string {
  const user = prepareOwn(what, text, policy, choice);
  const bytes = Buffer.byteLength(user);
  if (bytes <= MOST_USER_BYTES) return user;
  throw misuse("ERR_COUNTERSIGN_OPTIONS", `${what} has ${bytes} bytes; it may have ${MOST_USER_BYTES}.`);
}

/** The same for a password. @param choice  how another policy is chosen */
export function prepareOwn(
  what: string,
  text: string,
  policy: TextPolicy,
  choice = 'text: "saslprep", at both ends',
): string {
  try {
    return prepare(text, policy);
  } catch (cause) {
    const advice = policy === "ascii" ? ` For others there is ${choice}.` : "";
    const why = `${what} is empty, or holds characters that the policy "${policy}" does not take.${advice}`;
    throw misuse("ERR_COUNTERSIGN_OPTIONS", why, { cause });
  }
}
