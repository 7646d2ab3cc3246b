// Signing and verifying without a socket, where zeromq is not installed.

import { json } from "countersign/codec";
import { generateKey, Signer, type Verdict, Verifier } from "countersign/core";
import { CountersignError } from "countersign/errors";

const shared = { key: generateKey(), channel: "jobs" };
const verifier = new Verifier({ ...shared, pattern: "pull" });
const signer = new Signer({ ...shared, pattern: "push", sender: "client" });

const signed: Buffer[] = signer.sign(["ping"]);
const verdict: Verdict = verifier.verify(signed);
console.log(verdict.ok ? `${verdict.frames} from ${verdict.origin?.sender}` : verdict.reason);

const again = verifier.verify(signed);
console.log(again.ok ? "accepted twice" : again.reason);

try {
  signer.sign([]);
} catch (error) {
  console.log(error instanceof CountersignError && error.code, typeof json);
}
