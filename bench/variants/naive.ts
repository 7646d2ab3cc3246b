// Signing as it is commonly written by hand, by somebody who takes care: an HMAC of the body frames from `createHmac`,
// in a frame of its own, under a key object that is made once (Node 24 takes some 25 µs more a call for key bytes).
// It knows no frame boundaries, no replay and no sender; it is here for its cost.

import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { plain } from "./plain.js";
import type { Credentials, Variant } from "./variant.js";

export function naive({ secret }: Credentials): Variant {
  const key = createSecretKey(secret);
  const tag = (message: Buffer[], from: number) => {
    const hmac = createHmac("sha256", key);
    for (let i = from; i < message.length; i++) hmac.update(message[i]!);
    return hmac.digest();
  };
  return {
    ...plain(),
    sign: (message, lead) => [...message.slice(0, lead), tag(message, lead), ...message.slice(lead)],
    verify: (message, lead) => {
      const claimed = message[lead];
      if (claimed?.length !== 32 || !timingSafeEqual(claimed, tag(message, lead + 1)))
        throw new Error("bad HMAC");
      return [...message.slice(0, lead), ...message.slice(lead + 1)];
    },
  };
}
