// A login storm: one hostile peer says hello, thousands of times a second and never more than that, while honest clients log in.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Dealer, Router } from "countersign";
import { psk } from "countersign/handshake";
import * as zmq from "zeromq";
import { write } from "../src/handshake/messages.js";

/** What a storm came to. */
export interface Storm {
  /** Honest clients that tried, and that logged in and were heard. */
  readonly clients: number;
  readonly loggedIn: number;
  /** Hellos of the hostile peer's, in how many milliseconds. */
  readonly hellos: number;
  readonly millis: number;
  /** Most handshakes that the server had under way. */
  readonly pending: number;
  /** Resident memory in MiB: before, and at the end of the storm. */
  readonly before: number;
  readonly after: number;
}

const TICK = 10;
const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);

/** @param perSecond  hellos of the hostile peer */
export async function storm(clients: number, perSecond: number): Promise<Storm> {
  const key = randomBytes(32);
  const server = new Router({ linger: 0, signing: { accept: psk({ key }), sender: "server" } });
  await server.bind("tcp://127.0.0.1:*");
  const address = server.lastEndpoint as string;
  const hostile = new zmq.Dealer({ linger: 0, sendHighWaterMark: 0 });
  hostile.connect(address);
  const [before, began] = [mebibytes(), performance.now()];
  let [hellos, pending, over] = [0, 0, false];
  const flood = (async () => {
    while (!over) {
      const due = Math.min(
        ((performance.now() - began) * perSecond) / 1000,
        hellos + (perSecond * TICK) / 250,
      );
      for (; hellos < due; hellos++) {
        const name = Buffer.from(`hostile-${hellos}`);
        await hostile.send(
          write("hello", { nonce: randomBytes(32), client: name, mechanism: Buffer.from("psk") }),
        );
      }
      pending = Math.max(pending, server.sessions.stats.pending);
      await pause(TICK);
    }
  })();
  const heard = new Set<string>();
  const listening = (async () => {
    for await (const message of server) heard.add(message.origin.sender);
  })();
  const honest = Array.from({ length: clients }, (_, i) => {
    const dealer = new Dealer({ linger: 0, signing: { login: psk({ key }), sender: `honest-${i}` } });
    dealer.connect(address);
    return { dealer, sent: dealer.send("here") };
  });
  await Promise.all(honest.map(({ sent }) => sent));
  while (heard.size < clients) await pause(TICK);
  // The storm goes on a while, so that what it leaves behind can be seen.
  while (hellos < perSecond) await pause(TICK);
  const after = mebibytes();
  over = true;
  await flood;
  const millis = performance.now() - began;
  for (const { dealer } of honest) dealer.close();
  hostile.close();
  server.close();
  await listening;
  return { clients, loggedIn: heard.size, hellos, millis, pending, before, after };
}
