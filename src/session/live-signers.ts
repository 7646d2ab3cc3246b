// Two signers that count the same stream apart would refuse each other's messages at every receiver. One thread can
// see that coming.

import { misuse } from "../errors.js";

const live = new Map<string, WeakRef<object>>();

/** Claims a stream for `owner`; throws while another owner in this thread is alive and has not released it. */
export function claimStream(stream: readonly string[], owner: object): () => void {
  const name = JSON.stringify(stream);
  if (live.get(name)?.deref() !== undefined) {
    const [sender, channel, pattern] = stream;
    throw misuse(
      "ERR_COUNTERSIGN_STREAM_IN_USE",
      `A ${pattern} already signs as "${sender}" on channel "${channel}" in this thread. Close it first, or give this ` +
        `one another sender, such as "${sender}~2" (same key, a stream of its own).`,
    );
  }
  live.set(name, new WeakRef(owner));
  return () => {
    if (live.get(name)?.deref() === owner) live.delete(name);
  };
}
