// Attack 26, as far as one thread can see it: two live signers of one stream.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { Key, Keyring, Signer, type SignerOptions } from "../../src/core.js";
import { claimStream } from "../../src/session/live-signers.js";
import { sampleSecret } from "../keys/sample-keys.js";
import { testClock } from "./parties.js";

const opened: Signer[] = [];
afterEach(() => {
  for (const signer of opened.splice(0)) signer.close();
});

function open(options: Partial<SignerOptions> = {}): Signer {
  const signer = new Signer({
    key: sampleSecret(1),
    pattern: "push",
    sender: "twin",
    clock: testClock(),
    ...options,
  });
  opened.push(signer);
  return signer;
}

test("a second signer of a stream is refused, with what to do", () => {
  open({ channel: "shell" });
  expect(() => open({ channel: "shell" })).toThrow(
    expect.objectContaining({
      code: "ERR_COUNTERSIGN_STREAM_IN_USE",
      message:
        'A push already signs as "twin" on channel "shell" in this thread. Close it first, or give this one another ' +
        'sender, such as "twin~2" (same key, a stream of its own).',
    }),
  );
});

test("another name, instance, channel, type or key is another stream", () => {
  open();
  open({ sender: "other" });
  open({ sender: "twin~2" });
  open({ channel: "shell" });
  open({ pattern: "pair" });
  open({ key: sampleSecret(2) });
});

test("a signer that is closed frees its name", () => {
  open().close();
  open();
});

test("closing twice does not free the name of the next one", () => {
  const first = open();
  first.close();
  open();
  first.close();
  expect(() => open()).toThrow(/already signs/);
});

test("one that could not be made claims nothing", () => {
  expect(() => open({ key: new Key(sampleSecret(1), { senders: ["other"] }) })).toThrow(/cannot sign/);
  expect(() => open({ hops: -1 })).toThrow(/hops/);
  open();
});

test("a key that rotates leaves the claim where it was", () => {
  const ring = new Keyring([sampleSecret(1)]);
  const first = open({ key: ring });
  ring.rotate(sampleSecret(2), { overlap: 0 });
  first.close();
  open();
});

test("one that was forgotten without closing frees its name in the end", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  claimStream(["forgotten"], {});
  for (let i = 0; i < 10; i++) {
    await new Promise(setImmediate);
    collect();
  }
  const release = claimStream(["forgotten"], {});
  release();
});
