// ZeroMQ's own encryption (CURVE): protects a connection, where a signature protects a message.
// The end that binds is the CURVE server.

import { Dealer, Publisher, Router, Subscriber } from "zeromq";
import { type Credentials, unlimited, type Variant } from "./variant.js";

export function curve({ server, client }: Credentials): Variant {
  const sending = {
    curveServerKey: server.publicKey,
    curvePublicKey: client.publicKey,
    curveSecretKey: client.secretKey,
  };
  const receiving = { curveServer: true, curvePublicKey: server.publicKey, curveSecretKey: server.secretKey };
  return {
    dealer: () => new Dealer(sending),
    router: () => new Router(receiving),
    publisher: () => new Publisher({ ...sending, ...unlimited.publisher }),
    subscriber: () => new Subscriber({ ...receiving, ...unlimited.subscriber }),
  };
}
