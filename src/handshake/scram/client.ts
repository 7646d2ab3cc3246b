// The client of SCRAM-SHA-256 (RFC 5802, section 3), pure. It computes nothing expensive before the server's first message
// is right in every respect, and is not done before the server's signature has verified.

import { must } from "../failures.js";
import { type Context, guardedLater, type Proven, type Role, type Step } from "../mechanism.js";
import { hmac, isEqual } from "../schedule.js";
import { type ClientKeys, keysOf, type Stretch, sessionSecret, xor } from "./keys.js";
import { escapeName, readServerFinal, readServerFirst } from "./text.js";

/** What a client knows. */
export interface ScramClientOptions {
  /** The user's name, prepared. */
  readonly user: string;
  /** The password, prepared; asked for when it is needed. */
  readonly password: () => string | Promise<string>;
  /** "transcript": the proof is for this exchange between our own ends. "none": as RFC 5802 without channel binding. */
  readonly binding: "transcript" | "none";
  /** Iteration counts that are computed with. */
  readonly iterations: { readonly least: number; readonly most: number };
  /** Stretches the password. */
  readonly stretch: Stretch;
}

/** The gs2 header: binding to the transcript, or none, and none wanted. */
export const GS2 = { transcript: "p=countersign,,", none: "n,," } as const;

type State =
  | { readonly phase: "idle" }
  | { readonly phase: "first"; readonly nonce: string; readonly bare: string }
  | { readonly phase: "final"; readonly serverSignature: Buffer; readonly secret: Buffer }
  | { readonly phase: "over" };

/** Bytes of randomness in a nonce. */
const NONCE_BYTES = 18;

/** One login. */
export function scramClient(options: ScramClientOptions): Role<State, Proven> {
  return {
    initial: { phase: "idle" },
    step: (state, received, context) => guardedLater(state, () => take(options, state, received, context)),
  };
}

async function take(
  options: ScramClientOptions,
  state: State,
  received: Buffer,
  context: Context,
): Promise<Step<State, Proven>> {
  const { user, binding } = options;
  if (state.phase === "idle") {
    const nonce = context.random(NONCE_BYTES).toString("base64");
    const bare = `n=${escapeName(user)},r=${nonce}`;
    return { state: { phase: "first", nonce, bare }, send: Buffer.from(GS2[binding] + bare) };
  }
  if (state.phase === "first") return prove(options, state, received, context);
  must(state.phase === "final", "unexpected");
  must(isEqual(readServerFinal(received), state.serverSignature), "bad-server-proof");
  return { state: { phase: "over" }, done: { user, secret: state.secret } };
}

async function prove(
  { password, binding, iterations: bounds, stretch }: ScramClientOptions,
  { nonce: own, bare }: State & { phase: "first" },
  received: Buffer,
  { ours }: Context,
): Promise<Step<State, Proven>> {
  const { nonce, salt, iterations } = readServerFirst(received);
  must(nonce.startsWith(own) && nonce.length > own.length, "bad-nonce");
  must(iterations >= bounds.least && iterations <= bounds.most, "iterations-out-of-range");
  const { clientKey, storedKey, serverKey }: ClientKeys = keysOf(
    await stretch(await password(), salt, iterations),
  );
  const bound = Buffer.concat([Buffer.from(GS2[binding]), binding === "transcript" ? ours : Buffer.alloc(0)]);
  const withoutProof = `c=${bound.toString("base64")},r=${nonce}`;
  const authMessage = `${bare},${received.toString()},${withoutProof}`;
  const proof = xor(clientKey, hmac(storedKey, Buffer.from(authMessage)));
  const serverSignature = hmac(serverKey, Buffer.from(authMessage));
  const secret = sessionSecret(storedKey, clientKey, authMessage);
  return {
    state: { phase: "final", serverSignature, secret },
    send: Buffer.from(`${withoutProof},p=${proof.toString("base64")}`),
  };
}
