// Events of a socket are zeromq's own: signing takes no part in connections.

import { Dealer, Observer, Pull, Push, Router } from "countersign";
import { describe, expect, it } from "vitest";
import { bound, endpoint, failure, opened, signing, text } from "./harness.js";

describe.each(["tcp", "ipc"] as const)("over %s", (transport) => {
  it("can be received one by one, up to the end", async () => {
    const router = opened(new Router({ linger: 0, signing }));
    const dealer = opened(new Dealer({ linger: 0, signing }));
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of router.events) types.push(type);
    })();
    dealer.connect(await bound(router, transport));
    await dealer.send("hello");
    await router.receive();
    router.close();
    await reading;
    expect(types).toEqual(
      ["bind", "accept", "handshake", "close", "end"].filter((type) => types.includes(type)),
    );
    expect(types.slice(0, 3)).toEqual(["bind", "accept", "handshake"]);
    expect(types.at(-1)).toBe("end");
  });

  it("can be listened to, with their address", async () => {
    const router = opened(new Router({ linger: 0, signing }));
    const event = new Promise((resolve) => router.events.on("bind", resolve));
    const address = await bound(router, transport);
    expect(await event).toMatchObject({ type: "bind", address });
    expect(() => router.events.receive()).toThrow(/event emitter mode/);
  });
});

it("are one object, closed with the socket", async () => {
  const dealer = opened(new Dealer({ signing }));
  const { events } = dealer;
  expect(events).toBeInstanceOf(Observer);
  expect(dealer.events).toBe(events);
  dealer.close();
  for await (const { type } of events) expect(type).toBe("end");
  expect(events.closed).toBe(true);
});

it("errors come as events too", async () => {
  const first = opened(new Pull({ signing }));
  const address = await bound(first);
  const second = opened(new Pull({ signing }));
  const event = new Promise((resolve) => second.events.on("bind:error", resolve));
  expect(await failure(() => second.bind(address))).toMatchObject({ code: "EADDRINUSE" });
  expect(await event).toMatchObject({ type: "bind:error", error: { code: "EADDRINUSE" } });
});

it("a peer that leaves shows, and the one that comes back is heard", async () => {
  const pull = opened(new Pull({ signing }));
  const left = new Promise((resolve) => pull.events.on("disconnect", resolve));
  await pull.bind(endpoint());
  const address = pull.lastEndpoint as string;
  for (const body of ["first", "second"]) {
    const push = new Push({ linger: 1000, signing });
    push.connect(address);
    await push.send(body);
    expect(text(await pull.receive())).toEqual([body]);
    push.close();
    await left;
  }
});
