// X25519 (RFC 7748) by node:crypto, with raw keys of 32 bytes. The secret comes from outside: nothing here is random.

import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { fail } from "./failures.js";

/** Bytes of a share. */
export const SHARE_BYTES = 32;

/** PKCS #8 (RFC 8410) around a secret of 32 bytes. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** One end's half of an exchange. */
export class Share {
  /** What the other end gets: 32 bytes. */
  readonly bytes: Buffer;
  readonly #secret: KeyObject;

  /** @param secret 32 random bytes */
  constructor(secret: Uint8Array) {
    this.#secret = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: "der", type: "pkcs8" });
    const { x } = createPublicKey(this.#secret).export({ format: "jwk" });
    this.bytes = Buffer.from(x as string, "base64url");
  }

  /** What both ends know: 32 bytes. Fails for a share that leads to no secret (RFC 7748, section 6.1). */
  agree(theirs: Uint8Array): Buffer {
    try {
      const x = Buffer.from(theirs).toString("base64url");
      const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
      return diffieHellman({ privateKey: this.#secret, publicKey });
    } catch {
      return fail("bad-share");
    }
  }
}
