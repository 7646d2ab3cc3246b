// A key that is revoked by taking it out of the key file and starting again: what it had vouched for is forgotten, what other
// keys vouched for is not.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { wallClock } from "../../src/clock.js";
import { generateKey, Key, Keyring, Signer, Verifier } from "../../src/core.js";
import { LmdbState } from "../../src/state/lmdb.js";

const scratch = mkdtempSync(join(tmpdir(), "countersign-revoked-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const HOUR = 3_600_000_000;

test("a thief's epoch does not outlive the key that he stole", async () => {
  const [stolen, kept] = [new Key(generateKey()), new Key(generateKey())];
  const opened = (keys: readonly Key[]) => {
    const state = new LmdbState({ path: join(scratch, "state") });
    const verifier = new Verifier({ key: new Keyring(keys), pattern: "pull", state, receiver: "desk" });
    return { state, verifier };
  };
  const signer = (key: Key, sender: string) => new Signer({ key, pattern: "push", sender });

  const before = opened([kept, stolen]);
  const thief = signer(stolen, "alice");
  thief.startAbove(wallClock() + 22 * HOUR);
  expect(before.verifier.verify(thief.sign("a lie"))).toMatchObject({ ok: true });
  const bob = signer(kept, "bob");
  const said = bob.sign("once");
  expect(before.verifier.verify(said)).toMatchObject({ ok: true });
  await before.state.close();

  const after = opened([kept]);
  expect(after.verifier.verify(thief.sign("another lie"))).toMatchObject({
    ok: false,
    reason: "unknown-key",
  });
  thief.close();
  const alice = signer(kept, "alice");
  expect(after.verifier.verify(alice.sign("the truth"))).toMatchObject({ ok: true });
  expect(after.verifier.verify(said)).toMatchObject({ ok: false, reason: "replayed" });
  expect(after.verifier.verify(bob.sign("twice"))).toMatchObject({ ok: true });
  for (const each of [alice, bob]) each.close();
  await after.state.close();
});
