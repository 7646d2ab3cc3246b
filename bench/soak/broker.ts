// The hostile broker's process: plain zeromq sockets that move frames, ROUTER to DEALER or XSUB to XPUB, with the
// attacker between them. It holds no key and knows the wire format only from its documentation.

import { Dealer, Router, XPublisher, XSubscriber } from "zeromq";
import type { Pattern } from "../cases.js";
import { serve } from "../child.js";
import { Attacker, type AttackOptions, type Books } from "./attacker.js";

const anyPort = "tcp://127.0.0.1:*";
let attacker: Attacker | undefined;

async function open(pattern: Pattern) {
  const [front, back] =
    pattern === "dealer-router"
      ? [new Router(), new Dealer()]
      : [new XSubscriber({ receiveHighWaterMark: 0 }), new XPublisher({ sendHighWaterMark: 0 })];
  await front.bind(anyPort);
  await back.bind(anyPort);
  void forward(front, back);
  if (front instanceof XSubscriber && back instanceof XPublisher) void subscribe(back, front);
  return { front: front.lastEndpoint!, back: back.lastEndpoint! };
}

async function forward(front: Router | XSubscriber, back: Dealer | XPublisher): Promise<void> {
  for await (const frames of front) {
    for (const message of attacker?.handle(frames) ?? [frames]) await back.send([...message]);
  }
}

/** Subscriptions go the other way, untouched. */
async function subscribe(from: XPublisher, to: XSubscriber): Promise<void> {
  for await (const frames of from) await to.send(frames);
}

const handlers = {
  open,
  /** From the next message on. */
  attack: (options: AttackOptions) => {
    attacker = new Attacker(options);
  },
  books: (): Books => attacker!.books,
};
export type BrokerHandlers = typeof handlers;
serve(handlers);
