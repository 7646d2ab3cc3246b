// Signing as it is commonly written by hand: an HMAC of the body frames from `createHmac`, in a frame of its own.
// It knows no frame boundaries, no replay and no sender; it is here for its cost.

import { createHmac, timingSafeEqual } from "node:crypto";
import { plain } from "./plain.js";
import type { Credentials, Variant } from "./variant.js";

export function naive({ secret }: Credentials): Variant {
  const tag = (message: Buffer[], from: number) => {
    const hmac = createHmac("sha256", secret);
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
