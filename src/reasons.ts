// Why a message was refused: the closed list that `stats`, `onReject` and the diagnostics channels speak.
// In the order of the four questions: is it well formed, whose is it and intact, is it live, is it new.

/** Every reason, with what it means in one sentence. The keys are the {@link Reason} union. */
export const REASONS = {
  // 1. Is it well formed?
  unsigned: "No signature frame stands at the place where this socket expects one.",
  malformed: "The signature frame or the layout of the message breaks the wire format.",
  "too-large": "More frames, bytes or batched messages than the limits allow.",
  "unsupported-version": "The signature frame is of a wire version that this receiver does not speak.",
  unsupported: "A kind or flag of wire version 1 that has no meaning on this socket as it is configured.",
  "wrong-pattern": "Signed on a socket type that this socket type never hears.",
  "wrong-envelope": "The delimiter was added or removed after signing.",
  // 2. Whose is it, and is it intact?
  "not-addressed": "A ROUTER or REP must name its recipient to a DEALER or REQ, and this message names none.",
  "not-bound": "A reply to a REQ must be bound to its request, and this one is not.",
  "unknown-key": "The keyring holds no key with the id that the message names.",
  "revoked-key": "The key was taken out of the keyring.",
  "key-not-yet-valid": "The key's not-before lies in the future of this receiver's clock.",
  "key-expired": "The key's not-after lies in the past of this receiver's clock.",
  "key-out-of-scope": "The key is not good for this sender or this channel.",
  "bad-signature":
    "The tag does not fit: changed on the way, or signed with another key or for another channel, recipient or request.",
  reflected: "One's own message came back.",
  "wrong-channel": "A Jupyter message that does not belong on the channel on which it came.",
  "wrong-recipient": "A hardened Jupyter message that is addressed to somebody else.",
  "wrong-topic": "The topic of a hardened Jupyter message is not the one that was signed.",
  "bad-buffers": "The buffers of a hardened Jupyter message are not those that were signed.",
  "not-hardened": "A plain Jupyter message where nothing but hardened ones may come.",
  // 3. Is it live?
  "not-live": "The first message of a stream bears no evidence that it is not an old recording.",
  "future-epoch": "The sender's epoch lies more than 24 hours ahead of this receiver's clock.",
  "too-old": "Older than `maxAge`.",
  unasked:
    "It answers no nonce of this receiver's: an old answer, one given already, or one for somebody else.",
  // 4. Is it new?
  "stale-epoch": "From an earlier start of its sender than the one already heard.",
  replayed:
    "Its sequence number was seen before, or lies at or below the last one of a stream in strict order.",
  "below-window": "Its sequence number lies below the replay window.",
  "state-unavailable":
    "The memory of what was seen cannot be read or written, and nothing is taken without it.",
  // Behind the four questions
  undecodable: "Genuine and new, but its body does not decode with the socket's codec.",
  invalid: "Genuine, new and decoded, but the schema does not accept the value.",
  challenged:
    "The other end does not know this REQ (any more), has not executed the request, and asks for evidence; it has it now.",
  refused: "A REP said that it refused the request (unsigned: anybody on the way could have said so).",
} as const;

/** Why a message was refused. */
export type Reason = keyof typeof REASONS;

/** A counter for each reason, all zero. */
export function zeroCounters(): Record<Reason, number> {
  return Object.fromEntries(Object.keys(REASONS).map((reason) => [reason, 0])) as Record<Reason, number>;
}
