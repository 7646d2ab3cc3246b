// Countersign's drop-in sockets: with every body in frames behind the signature frame, with every body inside it, as
// they come (the sender chooses by size, up to `limits.inline`), and with messages that leave together under one tag.

import { Dealer, generateKey, Publisher, type Raw, Router, Subscriber } from "countersign";
import { type Credentials, unlimited, type Variant } from "./variant.js";

function countersign({ secret }: Credentials, options: object): Variant {
  const signing = { key: secret, channel: "bench", ...options };
  return {
    dealer: () => new Dealer({ signing }),
    router: () => new Router({ signing }),
    publisher: () => new Publisher<Raw>({ signing, ...unlimited.publisher }),
    subscriber: () => new Subscriber({ signing, ...unlimited.subscriber }),
  };
}

export const detached = (credentials: Credentials) => countersign(credentials, { limits: { inline: 0 } });
export const inline = (credentials: Credentials) =>
  countersign(credentials, { limits: { inline: Number.POSITIVE_INFINITY } });
export const bySize = (credentials: Credentials) => countersign(credentials, {});
export const batched = (credentials: Credentials) => countersign(credentials, { batch: true });

/** Why this version cannot batch, if it cannot: it does not know the option. */
export function whyNotBatched(): string | undefined {
  const signing = { key: generateKey(), ...{ batch: true } };
  try {
    new Dealer({ signing }).close();
    return undefined;
  } catch (error) {
    // "signing.batch does not exist; there are …": the list of what there is helps nobody here.
    const [refusal] = (error as Error).message.split(";");
    if (refusal === "signing.batch does not exist") return refusal;
    throw error;
  }
}
