// scram: a user with a password, and a server that stores none (docs/handshake.md, section 7). SCRAM-SHA-256 with the
// transcript of the exchange as its channel binding: the proof is for this exchange, its X25519 shares included.

import { misuse } from "../../errors.js";
import type { AcceptMechanism, AnyRole, LoginMechanism, Proven } from "../mechanism.js";
import { scramClient } from "./client.js";
import { ITERATIONS, type Stretch, stretch } from "./keys.js";
import { assertTextPolicy, prepareOwn, prepareUser, type TextPolicy } from "./prepare.js";
import { scramServer } from "./server.js";
import { type ScramStore, storeOf, type VerifierList } from "./store.js";

/** The mechanism's name in our own exchange. */
const NAME = "scram-sha-256";

/** To log in. */
export interface ScramLogin {
  /** Who. */
  readonly user: string;
  /** The password, or a function that is asked for it when it is needed. */
  readonly password: string | (() => string | Promise<string>);
  /** How name and password become bytes; as at the server. Default "ascii". */
  readonly text?: TextPolicy | undefined;
  /** Least iterations that the server may ask for, 4,096 to 1,000,000. Default 4,096. */
  readonly leastIterations?: number | undefined;
}

/** To let in. */
export interface ScramAccept {
  /** Verifiers by user name, in PostgreSQL's text form, or a store of them. */
  readonly users: VerifierList | ScramStore;
  /** How names become bytes; as at the clients. Default "ascii". */
  readonly text?: TextPolicy | undefined;
}

/**
 * Logs in with a password, or lets in whoever knows his: `scram({ user, password })`, `scram({ users })`. X25519 is always
 * mixed into the session's keys.
 *
 * @throws CountersignError for options that cannot work
 */
export function scram(options: ScramLogin): LoginMechanism;
export function scram(options: ScramAccept): AcceptMechanism;
export function scram(options: ScramLogin | ScramAccept): LoginMechanism | AcceptMechanism {
  if (typeof options !== "object" || options === null) storeOf(undefined);
  const { text = "ascii" } = options;
  assertTextPolicy(text);
  if ("user" in options) return login(options, text);
  const store = storeOf(options.users);
  const server = () => scramServer({ store, binding: "transcript", text });
  return { name: NAME, forwardSecrecy: true, server };
}

function login(options: ScramLogin, text: TextPolicy): LoginMechanism {
  const client = clientOptions(options, text);
  return {
    name: NAME,
    forwardSecrecy: true,
    client: () => scramClient({ ...client, binding: "transcript" }),
  };
}

/** What a client's role is made of, checked. */
function clientOptions(options: ScramLogin, text: TextPolicy) {
  const { user, password, leastIterations = ITERATIONS.least } = options;
  if (typeof user !== "string") throw misuse("ERR_COUNTERSIGN_OPTIONS", "scram: user must be a name.");
  const isAsked = typeof password === "function";
  if (!isAsked && typeof password !== "string") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "scram: password must be a string, or a function that gives it.");
  }
  const inBounds = leastIterations >= ITERATIONS.least && leastIterations <= ITERATIONS.most;
  if (!Number.isInteger(leastIterations) || !inBounds) {
    const bounds = `${ITERATIONS.least} to ${ITERATIONS.most}`;
    throw misuse("ERR_COUNTERSIGN_OPTIONS", `scram: leastIterations must be a whole number from ${bounds}.`);
  }
  const prepared = isAsked ? undefined : prepareOwn("scram: password", password, text);
  return {
    user: prepareUser("scram: user", user, text),
    password: async () =>
      prepared ?? prepareOwn("scram: password", await (password as () => string | Promise<string>)(), text),
    iterations: { least: leastIterations, most: ITERATIONS.most },
    stretch: remembering(stretch),
  };
}

/** Logging in again with the same salt and count takes no time: the last result is kept, as the password is. */
function remembering(compute: Stretch): Stretch {
  let last: { readonly name: string; readonly salted: Promise<Buffer> } | undefined;
  return (password, salt, iterations) => {
    const name = `${iterations} ${salt.toString("base64")} ${password}`;
    if (last?.name !== name) last = { name, salted: compute(password, salt, iterations) };
    return last.salted;
  };
}

/**
 * The plain client of RFC 5802 and RFC 7677, without channel binding: to log in to what is none of Countersign's, such as
 * PostgreSQL. A pure {@link Role}: carry its messages as that protocol wants them. An empty `user` is sent as one.
 *
 * @throws CountersignError for options that cannot work
 */
export function plainScramClient(options: ScramLogin): AnyRole<Proven> {
  const { text = "ascii", user } = options;
  assertTextPolicy(text);
  // PostgreSQL's clients name the user elsewhere, and nobody here.
  const checked = clientOptions(user === "" ? { ...options, user: "nobody" } : options, text);
  return scramClient({ ...checked, user: user === "" ? "" : checked.user, binding: "none" });
}

/** The plain server, likewise. @throws CountersignError for options that cannot work */
export function plainScramServer({ users, text = "ascii" }: ScramAccept): AnyRole<Proven> {
  assertTextPolicy(text);
  return scramServer({ store: storeOf(users), binding: "none", text });
}
