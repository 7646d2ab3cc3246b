// zeromq's Proxy, which moves frames natively and never asks a socket's own methods.

// biome-ignore-all lint/suspicious/noShadowRestrictedNames: the name is zeromq's.

import * as zmq from "zeromq";
import { misuse } from "../errors.js";
import { isSigned } from "./secured.js";

/**
 * A broker between two plain sockets. Signed messages pass through it untouched; a signed socket inside it would sign
 * and verify nothing, so it is refused.
 */
export class Proxy<
  Front extends zmq.Socket = zmq.Socket,
  Back extends zmq.Socket = zmq.Socket,
> extends zmq.Proxy<Front, Back> {
  constructor(...sockets: [front: Front, back: Back]) {
    if (sockets.some(isSigned)) {
      throw misuse(
        "ERR_COUNTERSIGN_NOT_SUPPORTED",
        "A Proxy moves frames natively: a signed socket in it would verify nothing. Give it plain sockets, imported " +
          "from zeromq; brokers need no key.",
      );
    }
    super(...sockets);
  }
}
