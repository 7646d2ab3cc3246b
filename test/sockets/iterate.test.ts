// `for await` over a socket: messages until close, break and go on, and nothing that arrives from outside ends it.

import { Dealer, Pair, Pull, Push, Router } from "countersign";
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { bound, failure, opened, signing, TRANSPORTS, text, until } from "./harness.js";

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("yields every message, and ends when the socket is closed", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull, transport));
    const seen: string[][] = [];
    const loop = (async () => {
      for await (const message of pull) {
        expect(message.origin.pattern).toBe("push");
        seen.push(text(message));
        if (seen.length === 3) pull.close();
      }
      return "ended";
    })();
    for (const body of ["one", "two", "three"]) await push.send([body, "body"]);
    expect(await loop).toBe("ended");
    expect(seen).toEqual([
      ["one", "body"],
      ["two", "body"],
      ["three", "body"],
    ]);
  });

  it("ends where nothing ever came", async () => {
    const pull = opened(new Pull({ signing }));
    await bound(pull, transport);
    const loop = (async () => {
      for await (const _ of pull) expect.unreachable();
      return "ended";
    })();
    pull.close();
    expect(await loop).toBe("ended");
  });

  it("a loop that was left can be taken up again, with nothing lost in between", async () => {
    const pull = opened(new Pull({ signing }));
    const push = opened(new Push({ linger: 0, signing }));
    push.connect(await bound(pull, transport));
    for (let i = 0; i < 6; i++) await push.send(`${i}`);
    const seen: string[] = [];
    for (let round = 0; round < 3; round++) {
      for await (const message of pull) {
        seen.push(...text(message));
        if (seen.length % 2 === 0) break;
      }
    }
    expect(seen).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(pull.closed).toBe(false);
  });

  it("junk does not end it", async () => {
    const router = opened(new Router({ linger: 0, signing }));
    const address = await bound(router, transport);
    const stranger = opened(new zmq.Dealer({ linger: 0 }));
    const dealer = opened(new Dealer({ linger: 0, signing }));
    for (const socket of [stranger, dealer]) socket.connect(address);
    const seen: string[] = [];
    const loop = (async () => {
      for await (const [, body] of router) if (seen.push(String(body)) === 3) break;
    })();
    for (let i = 0; i < 3; i++) {
      await stranger.send(["junk", Buffer.from([0xc1, 0x53, 1]), ""]);
      await until(() => router.stats.rejected.unsigned === i + 1);
      await dealer.send(`genuine ${i}`);
    }
    await loop;
    expect(seen).toEqual(["genuine 0", "genuine 1", "genuine 2"]);
  });
});

it("a second loop over a socket that is being waited on is EBUSY", async () => {
  const pair = opened(new Pair({ signing }));
  await bound(pair);
  const first = (async () => {
    for await (const _ of pair) expect.unreachable();
  })();
  const second = await failure(async () => {
    for await (const _ of pair) expect.unreachable();
  });
  expect(second).toMatchObject({ code: "EBUSY" });
  pair.close();
  await first;
});

it("a receive that times out ends the loop with its error, as with zeromq.js", async () => {
  const pull = opened(new Pull({ receiveTimeout: 5, signing }));
  await bound(pull);
  const error = await failure(async () => {
    for await (const _ of pull) expect.unreachable();
  });
  expect(error).toMatchObject({ code: "EAGAIN" });
});
