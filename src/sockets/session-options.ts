// The options of sessions, checked when a socket is made: each wrong one says what to write instead.

import { misuse } from "../errors.js";
import type { AcceptMechanism, LoginMechanism } from "../handshake/mechanism.js";
import type { Pattern } from "../wire/patterns.js";

/** How sessions behave; each has a default. */
export interface SessionSettings {
  /** Messages of both directions after which the client renews the keys. Default 1,048,576. */
  readonly renewMessages?: number | undefined;
  /** Milliseconds after which the client renews the keys. Default 3,600,000: an hour. */
  readonly renewAfter?: number | undefined;
  /** Milliseconds after which a handshake that has not finished is given up, each by itself. Default 10,000. */
  readonly timeout?: number | undefined;
  /** Most handshakes that a server has under way; beyond, the oldest is given up. Default 1,024. */
  readonly pending?: number | undefined;
  /** Milliseconds of silence after which the client asks whether its session stands. Default 10,000. */
  readonly keepAlive?: number | undefined;
}

/** The same, all of it. */
export type SessionBounds = Readonly<Record<keyof SessionSettings, number>>;

/** What a socket does about sessions. */
export type SessionPlan = SessionBounds &
  (
    | { readonly end: "client"; readonly login: LoginMechanism }
    | { readonly end: "server"; readonly accept: readonly AcceptMechanism[] }
  );

const DEFAULTS: SessionBounds = {
  renewMessages: 2 ** 20,
  renewAfter: 3_600_000,
  timeout: 10_000,
  pending: 1024,
  keepAlive: 10_000,
};

const CLIENTS: readonly Pattern[] = ["dealer", "req", "pair"];
const SERVERS: readonly Pattern[] = ["router", "rep", "pair"];

/** Options that mean nothing where each session has keys and memory of its own, and why. */
const FOREIGN = {
  key: "a session's keys come from the handshake",
  admit: "the handshake is the evidence",
  skew: "the handshake is the evidence",
  state: "a session ends with its process",
  receiver: "a session ends with its process",
  receivers: "a session has one other end",
  policy: "what is not signed is never let in beside sessions",
  reply: "what is not signed is never let in beside sessions",
} as const;

/** The options of a signed socket, as far as sessions have to do with them; nothing of it is checked yet. */
export type Given = Readonly<
  Partial<Record<keyof typeof FOREIGN | "login" | "accept" | "sessions" | "onSession", unknown>>
>;

/** What the options say of sessions; `undefined` where they say nothing. */
export function sessionPlanOf(signing: Given, pattern: Pattern): SessionPlan | undefined {
  const { login, accept, sessions, onSession } = signing;
  if (login === undefined && accept === undefined) {
    if (sessions === undefined && onSession === undefined) return undefined;
    throw wrong("signing.sessions and signing.onSession belong to signing.login or signing.accept.");
  }
  if (login !== undefined && accept !== undefined) {
    throw wrong("A socket either logs in (signing.login) or lets in (signing.accept), not both.");
  }
  for (const [name, why] of Object.entries(FOREIGN)) {
    if (signing[name as keyof typeof FOREIGN] === undefined) continue;
    throw wrong(`signing.${name} is not for a socket with sessions: ${why}. Leave it out.`);
  }
  if (onSession !== undefined && typeof onSession !== "function") {
    throw wrong(`signing.onSession must be a function; got ${typeof onSession}.`);
  }
  const bounds = boundsOf(sessions);
  return login === undefined
    ? { ...bounds, end: "server", accept: acceptOf(accept, pattern) }
    : { ...bounds, end: "client", login: loginOf(login, pattern) };
}

function loginOf(login: unknown, pattern: Pattern): LoginMechanism {
  if (!CLIENTS.includes(pattern)) {
    throw wrong(`A ${pattern} cannot log in: signing.login is for DEALER, REQ and PAIR.`);
  }
  assertMechanism(login, "client", "signing.login", "scram({ user, password }) or psk({ key })");
  return login as LoginMechanism;
}

function acceptOf(accept: unknown, pattern: Pattern): readonly AcceptMechanism[] {
  if (!SERVERS.includes(pattern)) {
    throw wrong(`A ${pattern} cannot let anybody in: signing.accept is for ROUTER, REP and PAIR.`);
  }
  const list: readonly unknown[] = Array.isArray(accept) ? [...accept] : [accept];
  if (list.length === 0) throw wrong("signing.accept is empty: nobody could log in.");
  for (const mechanism of list) {
    assertMechanism(mechanism, "server", "signing.accept", "scram({ users }) or psk({ key })");
  }
  const mechanisms = list as readonly AcceptMechanism[];
  const names = mechanisms.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw wrong(`signing.accept has two mechanisms "${twice}": give all users to one of them.`);
  }
  return mechanisms;
}

function assertMechanism(value: unknown, role: "client" | "server", option: string, examples: string): void {
  const mechanism = (value ?? {}) as Partial<Record<string, unknown>>;
  const named = typeof mechanism.name === "string" && /^[\x21-\x7e]{1,64}$/.test(mechanism.name);
  if (named && typeof mechanism.forwardSecrecy === "boolean" && typeof mechanism[role] === "function") return;
  throw wrong(
    `${option} takes what can be the ${role} of a handshake: ${examples}, of countersign/handshake.`,
  );
}

const LIMITS: Readonly<Record<keyof SessionSettings, readonly [number, number]>> = {
  renewMessages: [1, Number.MAX_SAFE_INTEGER],
  renewAfter: [1, Infinity],
  timeout: [1, 2 ** 31 - 1],
  pending: [1, 2 ** 20],
  keepAlive: [1, Infinity],
};

function boundsOf(settings: unknown = {}): SessionBounds {
  if (typeof settings !== "object" || settings === null) {
    throw wrong(`signing.sessions must be an object: { ${Object.keys(DEFAULTS).join(", ")} }.`);
  }
  const merged: Record<string, number> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(settings)) {
    const limits = Object.hasOwn(LIMITS, name) ? LIMITS[name as keyof SessionSettings] : undefined;
    if (limits === undefined) {
      throw wrong(`signing.sessions.${name} does not exist; there are ${Object.keys(DEFAULTS).join(", ")}.`);
    }
    if (value === undefined) continue;
    const [least, most] = limits;
    if (typeof value !== "number" || !(value >= least && value <= most)) {
      const range = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`;
      throw wrong(`signing.sessions.${name} must be a number ${range}; got ${String(value)}.`);
    }
    merged[name] = value;
  }
  return merged as SessionBounds;
}

function wrong(why: string): Error {
  return misuse("ERR_COUNTERSIGN_OPTIONS", why);
}
