// New keys for a session that stands, pure (docs/handshake.md, section 8): two messages under the session's own keys, with
// fresh nonces and X25519. Whoever learns the old keys later does not learn the new ones, nor the other way round.

import { lengthPrefixed } from "../wire/payload.js";
import { must } from "./failures.js";
import { guarded, type Random, type Step } from "./mechanism.js";
import { type Fields, NONCE_BYTES, write } from "./messages.js";
import { sha256 } from "./schedule.js";
import { isProof, proofOf, renew, type Session } from "./session.js";
import { Share } from "./x25519.js";

/** A client that waits for the server's half. */
export interface Renewing {
  readonly session: Session;
  readonly said: Buffer;
  readonly nonce: Buffer;
  readonly share: Share | undefined;
}

const NOTHING = Buffer.alloc(0);
const TAG_BYTES = 32;

/** The client begins. */
export function beginRenewal(session: Session, random: Random): Step<Renewing, Session> & { send: Buffer } {
  const share = session.forwardSecrecy ? new Share(random(32)) : undefined;
  const nonce = random(NONCE_BYTES);
  const send = sealed(session, "client", "renew", {
    session: idOf(session),
    nonce,
    share: share?.bytes ?? NOTHING,
    tag: Buffer.alloc(TAG_BYTES),
  });
  return { state: { session, said: send, nonce, share }, send };
}

/** The server answers: it has the new session then, and goes on with the old one until the client uses the new. */
export function answerRenewal(
  session: Session,
  { share: theirs, nonce, tag }: Fields<"renew">,
  frame: Buffer,
  random: Random,
): Step<Session, Session> {
  return guarded(session, () => {
    must(isProof(tag, session, "client", "renew", unsealed(frame)), "bad-proof");
    must(theirs.length === (session.forwardSecrecy ? 32 : 0), "other-options");
    const share = session.forwardSecrecy ? new Share(random(32)) : undefined;
    const shared = share?.agree(theirs) ?? NOTHING;
    const send = sealed(
      session,
      "server",
      "renewed",
      {
        session: idOf(session),
        nonce,
        answer: random(NONCE_BYTES),
        share: share?.bytes ?? NOTHING,
        tag: Buffer.alloc(TAG_BYTES),
      },
      frame,
    );
    return { state: session, send, done: renew(session, transcriptOf(frame, send), shared) };
  });
}

/** The client ends: `done` is the new session. What answers something else changes nothing. */
export function endRenewal(
  state: Renewing,
  { nonce, share: theirs, tag }: Fields<"renewed">,
  frame: Buffer,
): Step<Renewing, Session> {
  return guarded(state, () => {
    const { session, said, share } = state;
    if (!nonce.equals(state.nonce)) return { state };
    must(
      isProof(tag, session, "server", "renew", Buffer.concat([said, unsealed(frame)])),
      "bad-server-proof",
    );
    must(theirs.length === (session.forwardSecrecy ? 32 : 0), "other-options");
    const shared = share?.agree(theirs) ?? NOTHING;
    return { state, done: renew(session, transcriptOf(said, frame), shared) };
  });
}

/** The 4 bytes that name a session on the wire. */
export function idOf({ receiveKey }: Session): Buffer {
  const id = Buffer.allocUnsafe(4);
  id.writeUInt32BE(receiveKey.id);
  return id;
}

function sealed<Type extends "renew" | "renewed">(
  session: Session,
  speaker: "client" | "server",
  type: Type,
  fields: Fields<Type>,
  answered: Buffer = NOTHING,
): Buffer {
  const said = unsealed(write(type, fields));
  return Buffer.concat([said, proofOf(session, speaker, "renew", Buffer.concat([answered, said]))]);
}

/** A frame without the tag at its end. */
function unsealed(frame: Buffer): Buffer {
  return frame.subarray(0, frame.length - TAG_BYTES);
}

function transcriptOf(client: Buffer, server: Buffer): Buffer {
  return sha256(...[client, server].map(lengthPrefixed));
}

/** A sign of life under a session's keys; the server answers the client's with the same nonce. */
export function aliveMessage(session: Session, nonce: Buffer): Buffer {
  const fields = { session: idOf(session), nonce, tag: proofOf(session, session.end, "alive", nonce) };
  return write("alive", fields);
}

/** Is this a sign of life of the other end's? */
export function isAlive(session: Session, { nonce, tag }: Fields<"alive">): boolean {
  return isProof(tag, session, session.end === "client" ? "server" : "client", "alive", nonce);
}
