// The handshake of CPython's `multiprocessing.connection`, byte for byte: `deliver_challenge` and `answer_challenge` of
// Lib/multiprocessing/connection.py, both dialects, both roles. It has no session key: whoever is on the way can take over
// what follows, and the type of its result says so. For talking to Python; between our own ends there is `psk`.

import { createHmac } from "node:crypto";
import { misuse } from "../errors.js";
import { type Failure, fail, must } from "./failures.js";
import { guarded, type Random, type Role, type Step } from "./mechanism.js";
import { isEqual } from "./schedule.js";

/**
 * "sha256": CPython 3.12 and later, `#CHALLENGE#{sha256}` and 40 bytes. "md5": up to 3.11, `#CHALLENGE#` and 20 bytes, raw
 * HMAC-MD5; later versions still answer it.
 */
export type Dialect = "sha256" | "md5";

/** The other end holds the key. That is all: there is no secret that what follows could be protected with. */
export interface Unkeyed {
  /** There is no session, and no key for one. */
  readonly session: undefined;
  /** Whether both ends have proven themselves, as they always have here. */
  readonly mutual: true;
}

/** What {@link cpython} takes. */
export interface CPythonOptions {
  /** The `authkey`: any bytes, as in Python. */
  readonly key: Uint8Array;
  /** Default "sha256". "md5" must be asked for by name: HMAC-MD5 is no longer what one builds on. */
  readonly dialect?: Dialect | undefined;
}

/** What a role is given besides bytes. */
export interface CPythonContext {
  /** Random bytes. */
  readonly random: Random;
}

/** The roles of one key. Use one of these for all its connections: it knows its own challenges when they come back. */
export interface CPython {
  /** `Listener`: it asks first, then it answers. Its first step is given no bytes. */
  listener(): CPythonRole;
  /** `Client`: it answers first, then it asks. Its first step is given what the listener sent. */
  client(): CPythonRole;
}

/** One end. */
export interface CPythonRole {
  /** Where it begins. */
  readonly initial: CPythonState;
  /** Takes one message. Where `error` is set, `send` may be too: the refusal that Python waits for. */
  step(state: CPythonState, received: Buffer, context: CPythonContext): Step<CPythonState, Unkeyed>;
}

/** Where one end is. */
export type CPythonState =
  | { readonly phase: "idle" | "answering" | "answered" | "over" }
  | { readonly phase: "asked"; readonly challenge: Buffer };

const CHALLENGE = Buffer.from("#CHALLENGE#");
const WELCOME = Buffer.from("#WELCOME#");
const FAILURE = Buffer.from("#FAILURE#");
/** What Python reads of one message at the most. */
const MOST_BYTES = 256;
/** Bytes of a challenge, by dialect. */
const RANDOM_BYTES = { sha256: 40, md5: 20 } as const;
const PREFIX = Buffer.from("{sha256}");
/** Challenges of one's own that are remembered until they are answered. */
const MOST_CHALLENGES = 10_000;

const DONE: Unkeyed = { session: undefined, mutual: true };

/**
 * Both roles of CPython's handshake for one key.
 *
 * @throws CountersignError for a key or dialect that is none
 */
export function cpython({ key, dialect = "sha256" }: CPythonOptions): CPython {
  if (!(key instanceof Uint8Array) || key.length === 0) {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      "cpython needs the authkey as bytes: Buffer.from(authkey), not empty.",
    );
  }
  if (dialect !== "sha256" && dialect !== "md5") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `dialect must be "sha256" or "md5"; got ${String(dialect)}.`);
  }
  const own = new OwnChallenges();
  const end = new End(Buffer.from(key), dialect, own);
  return { listener: () => roleOf(end, true), client: () => roleOf(end, false) };
}

function roleOf(end: End, asksFirst: boolean): CPythonRole {
  const role: Role<CPythonState, Unkeyed> = {
    initial: { phase: "idle" },
    step: (state, received, context) => guarded(state, () => end.take(asksFirst, state, received, context)),
  };
  return role as CPythonRole;
}

/** Challenges that this process has sent and that wait for their answer. */
class OwnChallenges {
  readonly #sent = new Set<string>();

  add(challenge: Buffer): void {
    if (this.#sent.size >= MOST_CHALLENGES) this.#sent.delete(this.#sent.values().next().value as string);
    this.#sent.add(challenge.toString("latin1"));
  }

  has(challenge: Buffer): boolean {
    return this.#sent.has(challenge.toString("latin1"));
  }

  drop(challenge: Buffer): void {
    this.#sent.delete(challenge.toString("latin1"));
  }
}

class End {
  readonly #key: Buffer;
  readonly #dialect: Dialect;
  readonly #own: OwnChallenges;

  constructor(key: Buffer, dialect: Dialect, own: OwnChallenges) {
    this.#key = key;
    this.#dialect = dialect;
    this.#own = own;
  }

  take(
    asksFirst: boolean,
    state: CPythonState,
    received: Buffer,
    context: CPythonContext,
  ): Step<CPythonState, Unkeyed> {
    must(received.length <= MOST_BYTES, "malformed");
    switch (state.phase) {
      case "idle":
        return asksFirst ? this.#ask(context) : this.#answer(received);
      case "asked":
        return this.#judge(asksFirst, state.challenge, received);
      case "answering":
        return this.#answer(received);
      case "answered":
        // Python's own word that it took the answer; a listener is done with it, a client asks now.
        must(received.equals(WELCOME), received.equals(FAILURE) ? "refused" : "malformed");
        return asksFirst ? { state: { phase: "over" }, done: DONE } : this.#ask(context);
      default:
        return fail("unexpected");
    }
  }

  #ask({ random }: CPythonContext): Step<CPythonState, Unkeyed> {
    const bytes = random(RANDOM_BYTES[this.#dialect]);
    const challenge = this.#dialect === "sha256" ? Buffer.concat([PREFIX, bytes]) : bytes;
    this.#own.add(challenge);
    return { state: { phase: "asked", challenge }, send: Buffer.concat([CHALLENGE, challenge]) };
  }

  #answer(received: Buffer): Step<CPythonState, Unkeyed> {
    must(received.subarray(0, CHALLENGE.length).equals(CHALLENGE), "malformed");
    const challenge = received.subarray(CHALLENGE.length);
    // CPython answers what it asked itself, on this or another connection: so it lets in whoever sends that back.
    must(!this.#own.has(challenge), "reflected");
    if (this.#dialect === "sha256") {
      const named = challenge.subarray(0, PREFIX.length).equals(PREFIX);
      must(named && challenge.length >= PREFIX.length + 20, "weak-digest");
    } else {
      must(challenge.length >= 20, "malformed");
    }
    return { state: { phase: "answered" }, send: this.#response(challenge) };
  }

  #judge(asksFirst: boolean, challenge: Buffer, received: Buffer): Step<CPythonState, Unkeyed> {
    this.#own.drop(challenge);
    if (!isEqual(received, this.#response(challenge))) {
      const looksWeak = this.#dialect === "sha256" && !received.subarray(0, PREFIX.length).equals(PREFIX);
      const error: Failure = looksWeak ? "weak-digest" : "bad-proof";
      return { state: { phase: "over" }, send: FAILURE, error };
    }
    if (asksFirst) return { state: { phase: "answering" }, send: WELCOME };
    return { state: { phase: "over" }, send: WELCOME, done: DONE };
  }

  #response(challenge: Buffer): Buffer {
    const tag = createHmac(this.#dialect, this.#key).update(challenge).digest();
    return this.#dialect === "sha256" ? Buffer.concat([PREFIX, tag]) : tag;
  }
}
