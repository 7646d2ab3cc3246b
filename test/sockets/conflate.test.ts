// `conflate` keeps the last message alone. A message must then be one frame on the wire, so the body always travels
// inside the signature frame, whatever its size.

import { Dealer, Pull, Push, Router } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { as, bound, opened, pause, text } from "./harness.js";

const signing = { limits: { inline: 0 } };

/** Sends until the last message that arrives is the last one sent. */
async function settled(sender: { send(message: string[]): Promise<void> }, receive: () => Promise<Buffer[]>) {
  const padding = "x".repeat(20_000);
  for (let i = 0; i < 50; i++) await sender.send([`${i}`, padding]);
  await pause(100);
  const [first, second] = (await receive()).slice(-2);
  return { last: String(first), size: second?.length };
}

describe("conflate", () => {
  it.each(["tcp", "ipc", "inproc"] as const)("PUSH to PULL over %s", async (transport) => {
    const pull = opened(new Pull({ conflate: true, signing: as("pull", signing) }));
    const push = opened(new Push({ linger: 0, conflate: true, signing: as("push", signing) }));
    push.connect(await bound(pull, transport));
    expect(await settled(push, () => pull.receive())).toEqual({ last: "49", size: 20_000 });
    expect(pull.stats).toMatchObject({ accepted: 1, gaps: 0, lost: 0 });
  });

  it("DEALER to a DEALER", async () => {
    const receiver = opened(new Dealer({ conflate: true, signing: as("receiver", signing) }));
    const sender = opened(new Dealer({ linger: 0, conflate: true, signing: as("sender", signing) }));
    sender.connect(await bound(receiver));
    expect(await settled(sender, () => receiver.receive())).toEqual({ last: "49", size: 20_000 });
    expect(receiver.stats).toMatchObject({ gaps: 0, lost: 0 });
  });

  it("only the receiver: everything is sent inline by default up to its limit", async () => {
    const pull = opened(new Pull({ conflate: true, signing: as("pull") }));
    const push = opened(new Push({ linger: 0, signing: as("push", { limits: { inline: 100_000 } }) }));
    push.connect(await bound(pull));
    expect(await settled(push, () => pull.receive())).toEqual({ last: "49", size: 20_000 });
  });

  it("every message is one frame on the wire", async () => {
    const plain = opened(new zmq.Pull());
    const push = opened(new Push({ linger: 0, conflate: true, signing: as("push", signing) }));
    push.connect(await bound(plain));
    await push.send(["two", Buffer.alloc(100_000)]);
    expect(await plain.receive()).toHaveLength(1);
  });

  it("a ROUTER that conflates is refused by nobody but itself: zeromq has no such option", () => {
    expect(() => new Router({ conflate: true, signing: as("router") } as never)).toThrow(TypeError);
  });

  it("a conflating DEALER still talks to a ROUTER", async () => {
    const router = opened(new Router({ linger: 0, signing: as("router") }));
    const dealer = opened(new Dealer({ linger: 0, conflate: true, signing: as("dealer") }));
    dealer.connect(await bound(router));
    await dealer.send(["question", "two"]);
    const [id, ...body] = await router.receive();
    expect(text(body)).toEqual(["question", "two"]);
    await router.send([id!, "answer", "two"]);
    expect(text(await dealer.receive())).toEqual(["answer", "two"]);
  });
});
