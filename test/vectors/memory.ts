// Vectors of what a receiver forgets, by eviction and by revocation, and what it asks for from then on (docs/wire.md,
// section 8.4).

import { Key } from "../../src/core.js";
import type { Vector } from "./format.js";
import { MASTER, OTHER, OTHER_SECRET, receiver, SECOND, SINCE, vector } from "./lab.js";
import { accept, EPOCH, ME, refuse } from "./order.js";

const at = (minutes: number) => SINCE + minutes * 60 * SECOND;
/** Signed at this time by the sender's clock. */
const signed = (sender: string, sequence: number, minutes: number) => ({
  sender,
  sequence,
  sentAt: at(minutes),
});

export function evictions(): Vector[] {
  return [clockSetBack(), ownSince()];
}

/** Heard later is never heard earlier, whatever the clock says: bob's turn comes with the time of alice's. */
function clockSetBack(): Vector {
  return vector("a-clock-set-back-lets-nothing-in", { ...ME, limits: { streams: 2 } }, [
    accept(signed("alice", 1, 10), {}, at(10)),
    accept(signed("bob", 1, 1), {}, at(2)),
    accept(signed("alice", 2, 10), {}, at(3)),
    accept(signed("carol", 1, 4), {}, at(4)),
    refuse(signed("bob", 1, 1), "not-live", at(5)),
    refuse(signed("bob", 2, 10), "not-live", at(5)),
    accept({ ...signed("bob", 2, 10), sentAt: at(10) + 1 }, {}, at(5)),
  ]);
}

/**
 * A stream is asked for evidence by what its table had forgotten when it was added: alice's new epoch by the beginning,
 * carol's, who pushed bob out, by when he was heard.
 */
function ownSince(): Vector {
  const again = (sender: string, sentAt: number) => ({ sender, epoch: EPOCH + 1, sequence: 1, sentAt });
  return vector("a-stream-keeps-its-own-since", { ...ME, limits: { streams: 2 } }, [
    accept(signed("alice", 1, 1), {}, at(1)),
    accept(signed("bob", 1, 2), {}, at(4)),
    accept(signed("alice", 2, 5), {}, at(5)),
    accept(signed("carol", 1, 6), {}, at(6)),
    accept(again("alice", at(1)), {}, at(7)),
    refuse(again("carol", at(4)), "not-live", at(8)),
    accept(again("carol", at(4) + 1), {}, at(8)),
  ]);
}

const RING = [MASTER, OTHER];

export function revocations(): Vector[] {
  return [byTheClock(), byWhatWasHeard(), inEveryTable(), inAnEmptyTable(), byId()];
}

/** Nothing that was signed before the revocation comes in as new. */
function byTheClock(): Vector {
  const now = at(20);
  return vector(
    "revocation-raises-since-to-the-clock",
    ME,
    [
      accept(signed("alice", 1, 1), {}, at(2)),
      { ...refuse({ ...signed("alice", 2, 20), key: OTHER }, "not-live", now), revoke: 0 },
      refuse({ ...signed("bob", 1, 20), key: OTHER }, "not-live", now),
      accept({ ...signed("alice", 2, 20), key: OTHER, sentAt: now + 1 }, {}, now),
    ],
    RING,
  );
}

/** The clock was set back in between. */
function byWhatWasHeard(): Vector {
  return vector(
    "revocation-raises-since-to-what-was-heard-last",
    ME,
    [
      accept(signed("alice", 1, 1), {}, at(20)),
      { ...refuse({ ...signed("alice", 2, 20), key: OTHER }, "not-live", at(2)), revoke: 0 },
      accept({ ...signed("alice", 2, 20), key: OTHER, sentAt: at(20) + 1 }, {}, at(2)),
    ],
    RING,
  );
}

/** Also where the key moved nothing; streams that another key moved last go on. */
function inEveryTable(): Vector {
  const pub = { from: "pub" as const };
  const xpub = { from: "xpub" as const, key: OTHER };
  return vector(
    "revocation-raises-since-in-every-table",
    receiver("sub", "kernel"),
    [
      accept({ ...pub, ...signed("alice", 1, 1) }, {}, at(2)),
      accept({ ...xpub, ...signed("carol", 1, 1) }, {}, at(2)),
      { ...refuse({ ...xpub, ...signed("alice", 1, 10) }, "not-live", at(10)), revoke: 0 },
      accept({ ...xpub, ...signed("carol", 2, 1) }, {}, at(10)),
      accept({ ...xpub, ...signed("alice", 1, 11) }, {}, at(11)),
    ],
    RING,
  );
}

function inAnEmptyTable(): Vector {
  return vector(
    "revocation-raises-since-in-a-table-that-heard-nothing",
    receiver("sub", "kernel"),
    [
      accept({ from: "pub", ...signed("alice", 1, 1) }, {}, at(2)),
      { ...refuse({ from: "xpub", key: OTHER, ...signed("bob", 1, 10) }, "not-live", at(10)), revoke: 0 },
      accept({ from: "xpub", key: OTHER, ...signed("bob", 1, 11) }, {}, at(11)),
    ],
    RING,
  );
}

/** Streams remember the id alone: with a key go those that another one with its id moved last. */
function byId(): Vector {
  const impostor = new Key(OTHER_SECRET, {}, { from: "master" }, MASTER.id);
  return vector(
    "revocation-takes-the-streams-of-a-colliding-id",
    ME,
    [
      accept(signed("alice", 1, 1), {}, at(2)),
      { ...refuse(signed("alice", 1, 1), "not-live", at(10)), revoke: 0 },
      refuse(signed("alice", 2, 10), "not-live", at(10)),
      accept(signed("alice", 2, 11), {}, at(11)),
    ],
    [impostor, MASTER],
  );
}
