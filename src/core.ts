// countersign/core: signing and verifying without a socket. Frames in, frames or a verdict out, synchronous; no zeromq.

export type { Clock, Micros } from "./clock.js";
export type { Algorithm } from "./crypto/algorithms.js";
export type { MacEngine, PreparedKey } from "./crypto/engine.js";
export { BadReplyError, CountersignError, type ErrorCode } from "./errors.js";
export { readKeyring } from "./keys/file.js";
export { exportJwks, importJwks, type JwkSet, type OctJwk } from "./keys/jwk.js";
export {
  type Derived,
  deriveSenderKey,
  deriveStreamKey,
  generateKey,
  Key,
  type KeyTerms,
  type Use,
} from "./keys/key.js";
export { Keyring, type KeySource } from "./keys/keyring.js";
export { REASONS, type Reason } from "./reasons.js";
export { MemoryState } from "./replay/memory.js";
export {
  type Answered,
  type Claim,
  EPOCHS_AHEAD,
  type Eventual,
  type Numbers,
  type Reached,
  type ReplayState,
  type Ruling,
  type SenderStream,
  type Streams,
  type TableOptions,
} from "./replay/state.js";
export { type Greeting, Handshake, type Outcome } from "./session/handshake.js";
export { type Identity, identity } from "./session/identity.js";
export type { Forgotten, Gap, Listeners, Rejection, Twin, VerifierStats } from "./session/observer.js";
export type { ReceivingOptions, SessionOptions, SignerOptions, VerifierOptions } from "./session/options.js";
export { Origin } from "./session/origin.js";
export { Signer, type Target } from "./session/signer.js";
export { type Control, type Delivery, type Stranger, type Verdict, Verifier } from "./session/verifier.js";
export type { ControlBody } from "./wire/control.js";
export type { FrameLike, MessageLike } from "./wire/frames.js";
export type { Kind } from "./wire/header.js";
export { DEFAULT_LIMITS, type Limits } from "./wire/limits.js";
export type { Pattern } from "./wire/patterns.js";
