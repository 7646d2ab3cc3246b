// Gap detection where a late message of the stream is still the latest of its topic (docs/wire.md, section 10): found
// by `npm run soak`, whose books showed fewer losses than `stats.lost`.

import { generateKey, Signer, Verifier } from "countersign/core";
import { expect, test } from "vitest";

function pair() {
  const key = generateKey();
  let now = 1_700_000_000_000_000;
  const clock = () => now++;
  const verifier = new Verifier({ key, pattern: "sub", window: 64, clock });
  const signer = new Signer({ key, pattern: "pub", sender: "publisher", clock });
  const publish = (topic: string) => signer.sign([Buffer.from(topic), Buffer.from("body")]);
  const deliver = (message: Buffer[]) => expect(verifier.verify(message)).toMatchObject({ ok: true });
  return { verifier, publish, deliver };
}

test("a late message that no later one of its topic precedes leaves no gap behind", () => {
  const { verifier, publish, deliver } = pair();
  deliver(publish("a"));
  deliver(publish("b"));
  const late = publish("a");
  deliver(publish("b"));
  deliver(late);
  for (let i = 0; i < 100; i++) deliver(publish("a"));
  expect(verifier.stats).toMatchObject({ accepted: 104, gaps: 0, lost: 0 });
});

test("a message lost before a late one is reported once it is out of reach", () => {
  const { verifier, publish, deliver } = pair();
  deliver(publish("a"));
  publish("a");
  const late = publish("a");
  deliver(publish("b"));
  deliver(late);
  expect(verifier.stats.lost).toBe(0);
  for (let i = 0; i < 100; i++) deliver(publish("a"));
  expect(verifier.stats).toMatchObject({ gaps: 1, lost: 1 });
});
