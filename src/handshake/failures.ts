// Why a handshake failed: the closed list that events, counters and tests speak. None of it goes on the wire: the other end
// hears one generic refusal, whatever the reason, so that nobody learns from it which names, keys or steps were right.

/** Every reason, with what it means in one sentence. The keys are the {@link Failure} union. */
export const FAILURES = {
  malformed: "A message of the handshake breaks its format.",
  unexpected: "A message that has no meaning at this step.",
  "too-long": "The mechanism took more steps than any may.",
  "bad-cookie": "The cookie is not one of this server's, is for another client or way, or has run out.",
  "unknown-mechanism": "The mechanism is not among those that this server accepts.",
  "other-options": "The other end wants another kind of key exchange: with forward secrecy, or without it.",
  "other-place": "The other end's socket type or name cannot be on the other end of this socket.",
  "name-taken": "A session of another user has this client's name.",
  "bad-share": "The other end's X25519 share is none, or leads to no secret.",
  "bad-nonce": "The server's nonce does not extend the client's, or the client's answer names another one.",
  "bad-salt": "The salt is empty, too long, or no base64.",
  "iterations-out-of-range": "The iteration count lies outside the bounds, and was not computed with.",
  "unsupported-extension": "A mandatory SCRAM extension (m=), which nobody here understands.",
  "bad-binding":
    "The channel binding is not the one that was agreed on: the proof was made for another exchange.",
  "unprepared-text": "The user name or password holds what the policy for text refuses.",
  "unknown-user": "There is no such user.",
  "bad-proof": "The proof is wrong: another key or password, or another exchange.",
  "server-error": "The server answered with an error instead of its proof.",
  "bad-server-proof": "The server did not prove that it knows the key or verifier.",
  "bad-confirmation": "The other end does not hold the session's keys.",
  reflected: "One's own challenge came back.",
  "weak-digest": "A digest that is not accepted: MD5, unless the old dialect was asked for.",
  refused: "The other end refused, and does not say why.",
  timeout: "The other end did not finish in time.",
  displaced: "Given up for a newer handshake: over the same way, or because too many were pending.",
  revoked: "The user was revoked while logging in.",
  unavailable: "The store of users, or what gives the password, has failed.",
} as const;

/** Why a handshake failed. */
export type Failure = keyof typeof FAILURES;

/** Thrown inside a step to end it; a step itself never throws it, but returns it as `error`. */
export class StepFailed extends Error {
  /** Why. */
  readonly failure: Failure;

  /** @param cause  what was thrown where the application's own code was asked */
  constructor(failure: Failure, cause?: unknown) {
    super(FAILURES[failure], { cause });
    this.failure = failure;
  }
}

/** Ends a step. */
export function fail(failure: Failure, cause?: unknown): never {
  throw new StepFailed(failure, cause);
}

/** Ends a step unless `condition` holds. */
export function must(condition: boolean, failure: Failure): asserts condition {
  if (!condition) fail(failure);
}
