// Code that was written against zeromq's types compiles against these. What stands in a function here is for the
// compiler (`npm run check:types`); it is never called.

import * as signed from "countersign";
import { generateKey } from "countersign";
import { json } from "countersign/codec";
import { expectTypeOf, test } from "vitest";
import type * as zmq from "zeromq";

const signing = { key: generateKey(), sender: "test", channel: "types" };

/** Every socket without a codec can stand where zeromq's own is asked for. */
interface Replacements {
  Router: [signed.Router, zmq.Router];
  Dealer: [signed.Dealer, zmq.Dealer];
  Publisher: [signed.Publisher, zmq.Publisher];
  Subscriber: [signed.Subscriber, zmq.Subscriber];
  XPublisher: [signed.XPublisher, zmq.XPublisher];
  XSubscriber: [signed.XSubscriber, zmq.XSubscriber];
  Request: [signed.Request, zmq.Request];
  Reply: [signed.Reply, zmq.Reply];
  Push: [signed.Push, zmq.Push];
  Pull: [signed.Pull, zmq.Pull];
  Pair: [signed.Pair, zmq.Pair];
}

/** Names of the sockets that cannot. */
type Misfits = {
  [Name in keyof Replacements]: Replacements[Name] extends [infer Own, infer Theirs]
    ? Own extends Theirs
      ? never
      : Name
    : Name;
}[keyof Replacements];

test("a socket without a codec is assignable to zeromq's", () => {
  expectTypeOf<Misfits>().toEqualTypeOf<never>();
});

test("a socket with a codec is not: what it carries are values", () => {
  expectTypeOf<signed.Dealer<{ id: number }>>().not.toExtend<zmq.Dealer>();
  expectTypeOf<signed.Dealer<{ id: number }>>().toExtend<zmq.Socket>();
});

test("zeromq's types by name", () => {
  expectTypeOf<signed.MessageLike>().toEqualTypeOf<zmq.MessageLike>();
  expectTypeOf<signed.Message>().toEqualTypeOf<zmq.Message>();
  expectTypeOf<signed.Event>().toEqualTypeOf<zmq.Event>();
  expectTypeOf<signed.RouterConnectOptions>().toEqualTypeOf<zmq.RouterConnectOptions>();
  expectTypeOf<signed.StreamConnectOptions>().toEqualTypeOf<zmq.StreamConnectOptions>();
  expectTypeOf<signed.EventSubscriber>().toEqualTypeOf<zmq.EventSubscriber>();
  expectTypeOf<signed.SocketOptions<zmq.Dealer>>().toEqualTypeOf<zmq.SocketOptions<zmq.Dealer>>();
});

test("an application as it was written for zeromq compiles", () => {
  const application = async () => {
    const context = new signed.Context({ ioThreads: 1 });
    const dealer = new signed.Dealer({ context, sendTimeout: 200, routingId: "worker", signing });
    const router = new signed.Router({ mandatory: true, signing });
    expectTypeOf(router.type).toEqualTypeOf<zmq.Router["type"]>();
    expectTypeOf(dealer.context).toEqualTypeOf<zmq.Context>();
    expectTypeOf(dealer.routingId).toEqualTypeOf<string | null>();
    dealer.sendTimeout = 5;
    await dealer.bind("tcp://127.0.0.1:*");
    router.connect("tcp://127.0.0.1:5555", { routingId: "worker" });

    const parts: zmq.MessageLike[] = [
      null,
      Buffer.alloc(1),
      "text",
      7,
      new Uint16Array(2),
      new ArrayBuffer(1),
    ];
    await dealer.send(parts);
    await dealer.send(null);
    for await (const [id, ...body] of router) {
      expectTypeOf(id).toEqualTypeOf<Buffer | undefined>();
      expectTypeOf(body).toEqualTypeOf<Buffer[]>();
    }
    const [first] = await dealer.receive();
    expectTypeOf(first).toEqualTypeOf<Buffer | undefined>();

    dealer.events.on("connect:retry", ({ interval, address }) => [interval, address]);
    const subscriber = new signed.Subscriber({ signing });
    subscriber.subscribe("topic", Buffer.from("other"));
    const proxy = new signed.Proxy(subscriber, dealer);
    expectTypeOf(proxy.frontEnd).toEqualTypeOf<signed.Subscriber>();
    const pick = (readable: signed.Readable) => readable.receive();
    await pick(router);
  };
  expectTypeOf(application).returns.resolves.toBeVoid();
});

test("what a socket cannot do is not there", () => {
  expectTypeOf<signed.Publisher>().not.toHaveProperty("receive");
  expectTypeOf<signed.Push>().not.toHaveProperty("receive");
  expectTypeOf<signed.Subscriber>().not.toHaveProperty("send");
  expectTypeOf<signed.Pull>().not.toHaveProperty("send");
  expectTypeOf<signed.Dealer>().not.toHaveProperty("subscribe");
  expectTypeOf<signed.Dealer>().not.toHaveProperty("mandatory");
});

test("codec types flow from the options through send, receive and the loop", () => {
  interface Job {
    readonly id: number;
  }
  const flow = async () => {
    const router = new signed.Router({ signing, codec: json<Job, string>() });
    for await (const message of router) {
      const [id, job] = message;
      expectTypeOf(id).toEqualTypeOf<Buffer>();
      expectTypeOf(job).toEqualTypeOf<Job>();
      expectTypeOf(message.origin).toEqualTypeOf<signed.Origin>();
      await router.send([id, "done"]);
      // @ts-expect-error: a Router of this codec sends strings
      await router.send([id, job]);
    }
    const subscriber = new signed.Subscriber({ signing, codec: json<Job>() });
    const [topic, job] = await subscriber.receive();
    expectTypeOf(topic).toEqualTypeOf<Buffer>();
    expectTypeOf(job).toEqualTypeOf<Job>();
    const push = new signed.Push({ signing, codec: json<Job>() });
    // @ts-expect-error: one value, in an array
    await push.send({ id: 1 });
    await push.send([{ id: 1 }]);
  };
  expectTypeOf(flow).returns.resolves.toBeVoid();
});

test("a facade has the type of its socket, and stats", () => {
  expectTypeOf<signed.SignedFacade<zmq.Dealer>>().toExtend<zmq.Dealer>();
  expectTypeOf<signed.SignedFacade<zmq.Dealer>["stats"]>().toEqualTypeOf<signed.SocketStats>();
});
