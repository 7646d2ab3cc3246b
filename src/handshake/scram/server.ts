// The server of SCRAM-SHA-256 (RFC 5802, section 3), pure. Who does not exist is answered with a fake that always looks the
// same and takes as long, and is refused where a wrong password would be.

import { misuse } from "../../errors.js";
import { type Failure, fail, must, StepFailed } from "../failures.js";
import { type Context, guardedLater, type Proven, type Role, type Step } from "../mechanism.js";
import { hmac, isEqual, sha256 } from "../schedule.js";
import { GS2 } from "./client.js";
import { sessionSecret, xor } from "./keys.js";
import { prepare, type TextPolicy } from "./prepare.js";
import type { ScramStore } from "./store.js";
import { readClientFinal, readClientFirst } from "./text.js";
import { decoyFor, type ScramVerifier } from "./verifier.js";

/** What a server knows. */
export interface ScramServerOptions {
  /** Where verifiers are looked up. */
  readonly store: ScramStore;
  /** As for the client; what the other one wants is refused. */
  readonly binding: "transcript" | "none";
  /** How user names become bytes. */
  readonly text: TextPolicy;
}

type State =
  | { readonly phase: "idle" }
  | {
      readonly phase: "first";
      readonly user: string;
      readonly verifier: ScramVerifier;
      /** Why this cannot succeed, whatever the proof. */
      readonly doomed: Failure | undefined;
      readonly nonce: string;
      /** `client-first-message-bare` and `server-first-message`. */
      readonly said: string;
    }
  | { readonly phase: "over" };

/** Bytes of randomness that the server adds to the nonce. */
const NONCE_BYTES = 18;

/** One login. */
export function scramServer(options: ScramServerOptions): Role<State, Proven> {
  return {
    initial: { phase: "idle" },
    step: (state, received, context) => guardedLater(state, () => take(options, state, received, context)),
  };
}

async function take(
  options: ScramServerOptions,
  state: State,
  received: Buffer,
  context: Context,
): Promise<Step<State, Proven>> {
  if (state.phase === "idle") return answer(options, received, context);
  must(state.phase === "first", "unexpected");
  return check(options, state, received, context);
}

async function answer(
  { store, binding, text }: ScramServerOptions,
  received: Buffer,
  { random }: Context,
): Promise<Step<State, Proven>> {
  const first = readClientFirst(received);
  must(first.gs2 === GS2[binding], "bad-binding");
  const user = preparedName(first.user, text);
  const found = await lookUp(store, user ?? first.user);
  const known = user === undefined ? undefined : found;
  const doomed = user === undefined ? "unprepared-text" : known === undefined ? "unknown-user" : undefined;
  // Of two spellings of one name the fakes are alike, as the salt of a real user is.
  const fake = decoyFor(user ?? first.user, store.decoy);
  const verifier = known ?? fake;
  const nonce = first.nonce + random(NONCE_BYTES).toString("base64");
  const send = `r=${nonce},s=${verifier.salt.toString("base64")},i=${verifier.iterations}`;
  const said = `${first.bare},${send}`;
  return {
    state: { phase: "first", user: user ?? "", verifier, doomed, nonce, said },
    send: Buffer.from(send),
  };
}

function preparedName(name: string, text: TextPolicy): string | undefined {
  try {
    return prepare(name, text);
  } catch (error) {
    if (error instanceof StepFailed) return undefined;
    throw error;
  }
}

async function lookUp(store: ScramStore, user: string): Promise<ScramVerifier | undefined> {
  try {
    // Many databases say null.
    const found = (await store.find(user)) ?? undefined;
    if (found === undefined || Buffer.isBuffer(found.storedKey)) return found;
  } catch (cause) {
    return fail("unavailable", cause);
  }
  const why = "find(user) of a store gives a verifier taken apart, or undefined: return parseVerifier(text).";
  return fail("unavailable", misuse("ERR_COUNTERSIGN_KEY", why));
}

/** The same work for whoever does not exist, and the same refusal. */
async function check(
  { binding }: ScramServerOptions,
  { user, verifier, doomed, nonce, said }: State & { phase: "first" },
  received: Buffer,
  { theirs }: Context,
): Promise<Step<State, Proven>> {
  const final = readClientFinal(received);
  must(isEqual(Buffer.from(final.nonce), Buffer.from(nonce)), "bad-nonce");
  const bound = Buffer.concat([
    Buffer.from(GS2[binding]),
    binding === "transcript" ? theirs : Buffer.alloc(0),
  ]);
  must(isEqual(final.binding, bound), "bad-binding");
  const authMessage = `${said},${final.withoutProof}`;
  const { storedKey, serverKey } = verifier;
  const clientKey = xor(final.proof, hmac(storedKey, Buffer.from(authMessage)));
  const proven = isEqual(sha256(clientKey), storedKey);
  must(proven && doomed === undefined, doomed ?? "bad-proof");
  const signature = hmac(serverKey, Buffer.from(authMessage));
  const secret = sessionSecret(storedKey, clientKey, authMessage);
  return {
    state: { phase: "over" },
    send: Buffer.from(`v=${signature.toString("base64")}`),
    done: { user, secret },
  };
}
