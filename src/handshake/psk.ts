// psk: two ends that share a secret key prove it to each other (docs/handshake.md, section 6). HMAC-SHA256 over the
// transcript with the role of whoever proves, the client first: nothing can be reflected, and a server says nothing that a
// stranger could test keys against before he has proven his own.

import { createHash } from "node:crypto";
import { misuse } from "../errors.js";
import { Key } from "../keys/key.js";
import { keyHolder } from "../keys/names.js";
import { lengthPrefixed } from "../wire/payload.js";
import { must } from "./failures.js";
import {
  type AcceptMechanism,
  type Context,
  guarded,
  type LoginMechanism,
  type Proven,
  type Role,
} from "./mechanism.js";
import { expandTo, hmac, isEqual } from "./schedule.js";

/** What {@link psk} takes. */
export interface PskOptions {
  /** At least 32 secret bytes that both ends hold, or a master {@link Key} of them. */
  readonly key: Uint8Array | Key;
  /**
   * Whether X25519 is mixed into the session's keys: who learns the key later cannot read or forge what was said before.
   * Default true; both ends must say the same.
   */
  readonly forwardSecrecy?: boolean | undefined;
}

type State = "idle" | "begun" | "proven";
const NOTHING = Buffer.alloc(0);

/**
 * A shared secret key for logging in, and for letting in. `user` of such a session is the client's name without its
 * instance: as far as everybody holds the same key, it is what the client says of itself.
 *
 * @throws CountersignError for a key that is none
 */
export function psk(options: PskOptions): LoginMechanism & AcceptMechanism {
  if (typeof options !== "object" || options === null || !("key" in options)) {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "psk needs the key that both ends hold: psk({ key }).");
  }
  const { key, forwardSecrecy = true } = options;
  const master = key instanceof Key ? key : new Key(key);
  if (master.derived.from !== "master") {
    throw misuse(
      "ERR_COUNTERSIGN_KEY",
      "psk needs a key that both ends hold whole; this one was derived for one sender.",
    );
  }
  if (typeof forwardSecrecy !== "boolean") {
    throw misuse("ERR_COUNTERSIGN_OPTIONS", "psk: forwardSecrecy must be true or false.");
  }
  const secret = master.exportSecret();
  // What signs messages elsewhere never signs here, though both come from one key.
  const prk = hmac(createHash("sha256").update("countersign/handshake/1 psk").digest(), secret);
  const proofKey = expandTo(prk, "psk proof", NOTHING);
  const sessionKey = expandTo(prk, "psk session", NOTHING);
  const proofOf = (end: string, binding: Buffer) => hmac(proofKey, lengthPrefixed(Buffer.from(end)), binding);
  const done = ({ client }: Context, binding: Buffer): Proven => {
    return { user: keyHolder(client), secret: hmac(sessionKey, binding) };
  };

  const client: Role<State, Proven> = {
    initial: "idle",
    step: (state, received, context) =>
      guarded(state, () => {
        const { theirs, ours } = context;
        // Nothing to say, and nothing to hear, before the nonces and shares of both ends are around it.
        if (state === "idle") return { state: "begun", send: NOTHING };
        if (state === "begun") {
          must(received.length === 0, "malformed");
          return { state: "proven", send: proofOf("client", ours) };
        }
        must(isEqual(received, proofOf("server", theirs)), "bad-server-proof");
        return { state, done: done(context, theirs) };
      }),
  };

  const server: Role<State, Proven> = {
    initial: "begun",
    step: (state, received, context) =>
      guarded(state, () => {
        const { theirs, ours } = context;
        if (state === "begun") {
          must(received.length === 0, "malformed");
          return { state: "proven", send: NOTHING };
        }
        must(isEqual(received, proofOf("client", theirs)), "bad-proof");
        return { state, send: proofOf("server", ours), done: done(context, ours) };
      }),
  };

  return { name: "psk", forwardSecrecy, client: () => client, server: () => server };
}
