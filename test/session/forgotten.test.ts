// What has been forgotten must not come in again as new, by no way of being let in.

import { describe, expect, it } from "vitest";
import { deriveStreamKey, generateKey, Keyring, Signer, Verifier } from "../../src/core.js";

describe("a name made at this start", () => {
  it("lets in what is addressed to it, however old it says it is, while nothing was forgotten", () => {
    const key = generateKey();
    const client = new Verifier({ key, pattern: "dealer" });
    const slow = new Signer({
      key,
      pattern: "router",
      sender: "slow",
      to: client.identity.name,
      clock: () => 1,
    });
    expect(client.verify(slow.sign(["id", "x"]).slice(1)).ok).toBe(true);
  });

  it("is no evidence any more once a stream was forgotten (attack 18)", () => {
    const key = generateKey();
    const client = new Verifier({ key, pattern: "dealer", limits: { streams: 1 } });
    const to = client.identity.name;
    const first = new Signer({ key, pattern: "router", sender: "first", to });
    const second = new Signer({ key, pattern: "router", sender: "second", to });
    const recorded = first.sign(["id", "pay"]).slice(1);
    expect(client.verify(recorded).ok).toBe(true);
    expect(client.verify(second.sign(["id", "evict"]).slice(1)).ok).toBe(true);
    expect(client.verify(recorded)).toMatchObject({ ok: false, reason: "not-live", authentic: true });
    expect(client.verify(first.sign(["id", "next"]).slice(1)).ok).toBe(true);
  });
});

describe("a revoked key", () => {
  it("takes its streams along where another key has the same id (attack 37)", () => {
    const master = generateKey();
    const [leaked, kept] = [deriveStreamKey(master, "a"), deriveStreamKey(master, "b")];
    expect(leaked.id).toBe(kept.id);
    const ring = new Keyring([leaked, kept]);
    const subscriber = new Verifier({ key: ring, pattern: "sub" });
    const publisher = new Signer({ key: leaked, pattern: "pub", sender: "a" });
    expect(subscriber.verify(publisher.sign(["topic", "x"])).ok).toBe(true);
    expect(subscriber.stats.streams).toBe(1);
    ring.revoke(leaked);
    expect(subscriber.verify(publisher.sign(["topic", "x"]))).toMatchObject({ ok: false, authentic: false });
    expect(subscriber.stats.streams).toBe(0);
  });
});
