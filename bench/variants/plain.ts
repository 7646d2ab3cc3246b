// zeromq.js as it comes: what every other variant is divided by.

import { Dealer, Publisher, Router, Subscriber } from "zeromq";
import { unlimited, type Variant } from "./variant.js";

export function plain(): Variant {
  return {
    dealer: () => new Dealer(),
    router: () => new Router(),
    publisher: () => new Publisher(unlimited.publisher),
    subscriber: () => new Subscriber(unlimited.subscriber),
  };
}
