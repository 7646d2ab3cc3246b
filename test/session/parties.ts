// Signers and verifiers for tests: a clock that moves when told, every pair of socket types that hear each other, and
// what ZeroMQ itself does to their frames on the way.

import { afterEach } from "vitest";
import {
  type MessageLike,
  type Pattern,
  type Reason,
  Signer,
  type SignerOptions,
  type Target,
  type Verdict,
  Verifier,
  type VerifierOptions,
} from "../../src/core.js";
import { sampleSecret } from "../keys/sample-keys.js";

export const SECRET = sampleSecret(1);
export const SECOND = 1_000_000;
export const HOUR = 3600 * SECOND;
/** The id under which a ROUTER knows the other end. */
export const ID = Buffer.from("id");
const DELIMITER = Buffer.alloc(0);

/** A clock in microseconds that a test sets. Each call moves it on by one, so that no two messages share a moment. */
export interface TestClock {
  (): number;
  now: number;
}

let latest = Date.UTC(2100, 0, 1) * 1000;

/** A clock that begins later than every clock before it: signers of one process never go back to an earlier epoch. */
export function testClock(): TestClock {
  const clock = Object.assign(
    () => {
      clock.now += 1;
      latest = Math.max(latest, clock.now);
      return clock.now;
    },
    { now: latest + 48 * HOUR },
  );
  clock();
  return clock;
}

const open = new Map<string, Signer>();
afterEach(() => {
  for (const signer of open.values()) signer.close();
  open.clear();
});

/** A signer that is closed after the test, or when the next one of its stream is made. */
export function signerOf(options: Partial<SignerOptions> & { pattern: Pattern }): Signer {
  const { pattern, sender, channel } = { sender: "alice", channel: "", ...options };
  const stream = JSON.stringify([pattern, sender, channel]);
  open.get(stream)?.close();
  const signer = new Signer({ key: SECRET, sender: "alice", ...options });
  open.set(stream, signer);
  return signer;
}

export function verifierOf(options: Partial<VerifierOptions> & { pattern: Pattern }): Verifier {
  return new Verifier({ key: SECRET, sender: "bob", ...options });
}

/** What a socket of type `to` receives of the frames that one of type `from` was given to send. */
export function carry(from: Pattern, to: Pattern, frames: readonly Buffer[]): Buffer[] {
  const wire =
    from === "router" ? frames.slice(1) : from === "req" || from === "rep" ? [DELIMITER, ...frames] : frames;
  if (to === "router") return [ID, ...wire];
  return to === "req" || to === "rep" ? wire.slice(1) : [...wire];
}

/** Socket types that hear each other, sender first. */
export const FLOWS: readonly (readonly [Pattern, Pattern])[] = [
  ["dealer", "router"],
  ["req", "router"],
  ["router", "router"],
  ["router", "dealer"],
  ["rep", "dealer"],
  ["dealer", "dealer"],
  ["rep", "req"],
  ["router", "req"],
  ["req", "rep"],
  ["dealer", "rep"],
  ["pub", "sub"],
  ["xpub", "sub"],
  ["pub", "xsub"],
  ["xpub", "xsub"],
  ["xsub", "xpub"],
  ["push", "pull"],
  ["pair", "pair"],
];

export const TOPIC = Buffer.from("topic");

/** A body as an application of type `from` hands it over for one of type `to`. */
export function messageFor(from: Pattern, to: Pattern, body: readonly Buffer[]): Buffer[] {
  if (from === "router") return to === "req" ? [ID, DELIMITER, ...body] : [ID, ...body];
  if (from === "dealer" && to === "rep") return [DELIMITER, ...body];
  return from === "pub" || from === "xpub" ? [TOPIC, ...body] : [...body];
}

/** What an application of type `to` must get of it. */
export function deliveredFrom(from: Pattern, to: Pattern, body: readonly Buffer[]): Buffer[] {
  const delimited = from === "req" || from === "rep";
  if (to === "router") return delimited ? [ID, DELIMITER, ...body] : [ID, ...body];
  if (to === "dealer") return delimited ? [DELIMITER, ...body] : [...body];
  return to === "sub" || to === "xsub" ? [TOPIC, ...body] : [...body];
}

/** One end that signs, one that verifies, and the way between them. */
export interface Link {
  readonly signer: Signer;
  readonly verifier: Verifier;
  readonly clock: TestClock;
  /** Signs a body of these frames; returns what the other end receives. */
  send(...body: readonly (string | Buffer)[]): Buffer[];
  sendBatch(...bodies: readonly (readonly string[])[]): Buffer[];
  /** Verifies what was received; a REQ waits for the answer to its last request. */
  verify(frames: readonly Buffer[]): Verdict;
}

/** Options that both ends of a link share, or one has. */
export interface LinkOptions {
  readonly from?: Pattern;
  readonly to?: Pattern;
  readonly signing?: Partial<SignerOptions>;
  readonly verifying?: Partial<VerifierOptions>;
  readonly target?: Target;
}

/** A link between alice, who sends, and bob. PUSH to PULL unless told. */
export function linkOf({ from = "push", to = "pull", signing, verifying, target }: LinkOptions = {}): Link {
  const clock = testClock();
  const verifier = verifierOf({ pattern: to, clock, ...verifying });
  const signer = signerOf({ pattern: from, clock, ...signing });
  const client = to === "req" ? requester(from, clock) : undefined;
  const towards = (): Target => {
    if (target !== undefined) return target;
    if (client !== undefined) return { to: client.request() };
    return from === "router" || from === "rep" ? { to: verifier.identity.name } : {};
  };
  const frames = (body: readonly (string | Buffer)[]) =>
    messageFor(
      from,
      to,
      body.map((frame) => Buffer.from(frame as string)),
    );
  return {
    signer,
    verifier,
    clock,
    send: (...body) => carry(from, to, signer.sign(frames(body), towards())),
    sendBatch: (...bodies) => carry(from, to, signer.signBatch(bodies.map(frames), towards())),
    verify: (received) => verifier.verify(received, client?.requestTag()),
  };
}

/** A REQ named bob that has its requests verified by a server of type `from`. */
function requester(from: Pattern, clock: TestClock) {
  const signer = signerOf({ pattern: "req", sender: "bob", clock });
  const server = verifierOf({ pattern: from, sender: "alice", clock });
  return {
    request() {
      const verdict = server.verify(carry("req", from, signer.sign("request")));
      if (!verdict.ok || verdict.origin === undefined) throw new Error("The request was not verified.");
      return verdict.origin;
    },
    requestTag: () => signer.requestTag,
  };
}

/** "ok", or why not. */
export const saidOf = (verdict: Verdict): Reason | "ok" => (verdict.ok ? "ok" : verdict.reason);

/** A message as application and tests compare it. */
export const textOf = (message: MessageLike) => (message as readonly Buffer[]).map(String);
