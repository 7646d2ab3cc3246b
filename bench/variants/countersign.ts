// Countersign's drop-in sockets, once with every body in frames behind the signature frame and once with every body
// inside it. A deployment has both: the sender chooses by size, up to `limits.inline`.

import { Dealer, Publisher, type Raw, Router, Subscriber } from "countersign";
import { type Credentials, unlimited, type Variant } from "./variant.js";

function countersign({ secret }: Credentials, inline: number): Variant {
  const signing = { key: secret, channel: "bench", limits: { inline } };
  return {
    dealer: () => new Dealer({ signing }),
    router: () => new Router({ signing }),
    publisher: () => new Publisher<Raw>({ signing, ...unlimited.publisher }),
    subscriber: () => new Subscriber({ signing, ...unlimited.subscriber }),
  };
}

export const detached = (credentials: Credentials) => countersign(credentials, 0);
export const inline = (credentials: Credentials) => countersign(credentials, Number.POSITIVE_INFINITY);
