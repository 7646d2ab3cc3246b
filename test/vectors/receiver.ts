// The product in the place of a vector's receiver: what it says of each message, in the words of the vectors.

import {
  type Control,
  type Delivery,
  type Identity,
  identity,
  Key,
  Keyring,
  MemoryState,
  type Verdict,
  Verifier,
} from "../../src/core.js";
import { keyHolder } from "../../src/keys/names.js";
import { isControlMessage } from "../../src/session/verifier.js";
import {
  type Arrival,
  type Expected,
  frameBytes,
  frameText,
  type KeyRecord,
  type Receiver,
} from "./format.js";

function keyOf({ secret, id, derived, ...terms }: KeyRecord): Key {
  const bytes = Buffer.from(secret, "hex");
  if (derived === undefined) return new Key(bytes, terms, { from: "master" }, Number.parseInt(id, 16));
  const { from, sender, channel } = derived;
  const use = from === "sender" ? { from, sender } : { from, sender, channel: channel as string };
  return new Key(bytes, terms, use, Number.parseInt(id, 16));
}

/** A fresh name comes from chance alone; a vector needs one that stays. */
function identityOf(name: string, fresh: boolean): Identity {
  return fresh ? Object.assign(identity(), { name, holder: keyHolder(name) }) : identity(name);
}

/** A verifier for one vector, and a way to let its messages arrive. */
export function receiverOf(
  records: readonly KeyRecord[],
  receiver: Receiver,
): (arrival: Arrival) => Expected {
  const keys = records.map(keyOf);
  const { pattern, channel, name, fresh = false, hops, window, since, skew = 0, maxAge } = receiver;
  const ring = new Keyring(keys);
  // The memory begins when the verifier is made.
  let now = since;
  const verifier = new Verifier({
    key: ring,
    pattern,
    channel,
    sender: identityOf(name, fresh),
    hops,
    window,
    skew: skew / 1000,
    maxAge: maxAge === undefined ? undefined : maxAge / 1000,
    limits: receiver.limits,
    policy: receiver.policy,
    state: new MemoryState({ clock: () => now }),
    clock: () => now,
  });
  return (arrival: Arrival): Expected => {
    now = arrival.now ?? receiver.now;
    if (arrival.revoke !== undefined) ring.revoke(keys[arrival.revoke] as Key);
    const { lost } = verifier.stats;
    const requestTag = arrival.requestTag && Buffer.from(arrival.requestTag, "hex");
    const examined = verifier.examine(arrival.frames.map(frameBytes), requestTag || undefined);
    if (examined instanceof Promise) throw new Error("a state in memory answers at once");
    return isControlMessage(examined) ? said(examined) : told(examined, verifier.stats.lost - lost);
  };
}

/** A control message in the words of the vectors. */
function said({ kind, body, origin }: Control): Expected {
  const { sender, pattern, keyId, epoch, sentAt, addressed } = origin;
  const [answer, ask] = [body.answer.toString("hex"), body.ask.toString("hex")];
  const { reached, known } = body;
  return {
    ok: false,
    control: { kind, answer, ask, reached, known, sender, pattern, keyId, epoch, sentAt, addressed },
  };
}

/** A verdict in the words of the vectors. */
function told(verdict: Verdict, lost: number): Expected {
  if (!verdict.ok) return { ok: false, reason: verdict.reason, authentic: verdict.authentic };
  const { frames, origin, rest } = verdict;
  const text = ({ frames }: Pick<Delivery, "frames">) => frames.map(frameText);
  const delivered = [text({ frames }), ...rest.map(text)];
  const misnumbered = rest.find(
    ({ origin: { sequence } }, i) => sequence !== (origin?.sequence ?? 0) + 1 + i,
  );
  if (misnumbered !== undefined) throw new Error("the messages of a batch are not numbered one by one");
  if (origin === undefined) return { ok: true, delivered, origin: null };
  const { sender, pattern, keyId, epoch, sequence, sentAt, addressed, late } = origin;
  const record = { sender, pattern, keyId, epoch, sequence, sentAt, addressed, late };
  return { ok: true, delivered, origin: record, ...(lost > 0 && { lost }) };
}
