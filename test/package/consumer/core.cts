// The same from CommonJS.

import codec = require("countersign/codec");
import core = require("countersign/core");
import errors = require("countersign/errors");

const shared = { key: core.generateKey(), channel: "jobs" };
const verifier = new core.Verifier({ ...shared, pattern: "pull" });
const signer = new core.Signer({ ...shared, pattern: "push", sender: "client" });

const signed: Buffer[] = signer.sign(["ping"]);
const verdict: core.Verdict = verifier.verify(signed);
console.log(verdict.ok ? `${verdict.frames} from ${verdict.origin?.sender}` : verdict.reason);

const again = verifier.verify(signed);
console.log(again.ok ? "accepted twice" : again.reason);

try {
  signer.sign([]);
} catch (error) {
  console.log(error instanceof errors.CountersignError && error.code, typeof codec.json);
}
