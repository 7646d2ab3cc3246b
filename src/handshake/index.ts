// countersign/handshake: from a shared key or a password to a session. Mechanisms for `login` and `accept`, the pure machines
// behind them, SCRAM verifiers and their store, CPython's handshake. No zeromq.

export { type ClientExchange, type ClientOptions, type ClientState, clientExchange } from "./client.js";
export { Cookies, type Visitor } from "./cookie.js";
export {
  type CPython,
  type CPythonContext,
  type CPythonOptions,
  type CPythonRole,
  type CPythonState,
  cpython,
  type Dialect,
  type Unkeyed,
} from "./cpython.js";
export { FAILURES, type Failure } from "./failures.js";
export type {
  AcceptMechanism,
  AnyRole,
  Context,
  LoginMechanism,
  Proven,
  Random,
  Role,
  Step,
} from "./mechanism.js";
export { type PskOptions, psk } from "./psk.js";
export { openVerifierFile } from "./scram/file-store.js";
export type { TextPolicy } from "./scram/prepare.js";
export {
  plainScramClient,
  plainScramServer,
  type ScramAccept,
  type ScramLogin,
  scram,
} from "./scram/scram.js";
export { MemoryStore, type ScramStore, type VerifierList } from "./scram/store.js";
export {
  checkVerifier,
  type Decoy,
  formatVerifier,
  type MintOptions,
  mintVerifier,
  parseVerifier,
  type ScramVerifier,
} from "./scram/verifier.js";
export {
  type Arrival,
  type ServerExchange,
  type ServerOptions,
  type ServerState,
  serverExchange,
} from "./server.js";
export type { End, Parties, Session } from "./session.js";
