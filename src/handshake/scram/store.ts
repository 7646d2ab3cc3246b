// Where a server looks up verifiers: an interface, and one in memory. Third parties write their own.

import { randomBytes } from "node:crypto";
import { misuse } from "../../errors.js";
import type { Eventual } from "../../replay/state.js";
import { ITERATIONS, SALT_BYTES } from "./keys.js";
import { type Decoy, parseVerifier, type ScramVerifier } from "./verifier.js";

/** Finds the verifiers of users. */
export interface ScramStore {
  /**
   * The verifier of a user, or `undefined` where there is none. What it throws or rejects with refuses the login, and is
   * told as "unavailable".
   */
  find(user: string): Eventual<ScramVerifier | undefined>;
  /** What fakes for unknown users look like: they must not differ from real ones. */
  readonly decoy: Decoy;
}

/** Verifiers by user name, as text. */
export type VerifierList = Readonly<Record<string, string>> | ReadonlyMap<string, string>;

/** Users in memory. */
export class MemoryStore implements ScramStore {
  readonly #verifiers = new Map<string, ScramVerifier>();
  readonly #secret: Buffer;
  #looks: Pick<Decoy, "iterations" | "saltBytes"> | undefined;

  /**
   * @param verifiers  by user name, in PostgreSQL's text form
   * @param secret     32 bytes that the fakes for unknown users come from; random ones, and so other fakes after a restart,
   *   if left out
   * @throws CountersignError for a text that is no verifier
   */
  constructor(verifiers: VerifierList = {}, secret: Uint8Array = randomBytes(32)) {
    this.#secret = Buffer.from(secret);
    const entries = verifiers instanceof Map ? verifiers : Object.entries(verifiers);
    for (const [user, text] of entries as Iterable<[string, string]>) this.set(user, text);
  }

  /** How many users there are. */
  get size(): number {
    return this.#verifiers.size;
  }

  /** Adds a user, or changes the password. */
  set(user: string, verifier: string): void {
    this.#verifiers.set(user, parseVerifier(verifier));
    this.#looks = undefined;
  }

  /** Takes a user out. Sessions that stand are ended by `revoke`. */
  delete(user: string): boolean {
    this.#looks = undefined;
    return this.#verifiers.delete(user);
  }

  /** The verifier of a user. */
  find(user: string): ScramVerifier | undefined {
    return this.#verifiers.get(user);
  }

  /** Fakes that look as most of the real ones do. */
  get decoy(): Decoy {
    this.#looks ??= usualLooks(this.#verifiers.values());
    return { secret: this.#secret, ...this.#looks };
  }
}

/** Iterations and salt length of most of these; of a new one where there are none. */
function usualLooks(verifiers: Iterable<ScramVerifier>): Pick<Decoy, "iterations" | "saltBytes"> {
  const counts = new Map<string, number>();
  for (const { iterations, salt } of verifiers) {
    const looks = `${iterations} ${salt.length}`;
    counts.set(looks, (counts.get(looks) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const [iterations = ITERATIONS.minted, saltBytes = SALT_BYTES] = (most?.[0] ?? "")
    .split(" ")
    .filter(Boolean)
    .map(Number);
  return { iterations, saltBytes };
}

/** The store that an option stands for. */
export function storeOf(users: unknown): ScramStore {
  if (typeof users === "object" && users !== null && !Array.isArray(users)) {
    if (typeof (users as Partial<ScramStore>).find === "function") return users as ScramStore;
    return new MemoryStore(users as VerifierList);
  }
  throw misuse(
    "ERR_COUNTERSIGN_OPTIONS",
    "scram needs users: verifiers by name, such as { alice: await mintVerifier(password) }, or a store, such as " +
      "openVerifierFile(path); or, to log in, { user, password }.",
  );
}
