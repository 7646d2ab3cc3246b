// A Publisher that sees subscriptions: an XPUB underneath, under the name, prototype and options of zeromq's Publisher. A PUB
// never shows who subscribes, and a subscriber's nonce travels in its subscription.

import * as zmq from "zeromq";

/** zeromq's Publisher in everything but the type of its native socket. */
export function publisherBase(): typeof zmq.Publisher {
  function Publisher(options: object): unknown {
    return Reflect.construct(zmq.XPublisher, [options], new.target as unknown as typeof zmq.Publisher);
  }
  Object.setPrototypeOf(Publisher, zmq.Publisher);
  Publisher.prototype = zmq.Publisher.prototype;
  return Publisher as unknown as typeof zmq.Publisher;
}
