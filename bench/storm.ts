// A login storm: one hostile peer says hello, thousands of times a second, while honest clients log in. The server has this
// process for itself.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Router } from "countersign";
import { psk } from "countersign/handshake";
import { start } from "./child.js";
import type { CrowdHandlers, Flood } from "./storm/crowd.js";

/** What a storm came to. */
export interface Storm extends Flood {
  /** Honest clients that tried, and that logged in and were heard. */
  readonly clients: number;
  readonly loggedIn: number;
  /** Most handshakes that the server had under way. */
  readonly pending: number;
  /** The server's resident memory in MiB: before, and at the end of the storm. */
  readonly before: number;
  readonly after: number;
}

const TICK = 10;
const mebibytes = () => Math.round(process.memoryUsage().rss / 2 ** 20);

/** @param perSecond  hellos of the hostile peer, for one second at least */
export async function storm(clients: number, perSecond: number): Promise<Storm> {
  const key = randomBytes(32);
  const server = new Router({ linger: 0, signing: { accept: psk({ key }), sender: "server" } });
  await server.bind("tcp://127.0.0.1:*");
  const address = server.lastEndpoint as string;
  const heard = new Set<string>();
  const listening = (async () => {
    for await (const message of server) heard.add(message.origin.sender);
  })();
  let pending = 0;
  const watching = setInterval(() => {
    pending = Math.max(pending, server.sessions.stats.pending);
  }, TICK);
  const crowd = new URL("./storm/crowd.js", import.meta.url);
  const hostile = start<CrowdHandlers>(crowd, "hostile peer");
  const honest = start<CrowdHandlers>(crowd, "honest clients");
  try {
    const before = mebibytes();
    await hostile.ask("flood", { address, perSecond });
    const storming = pause(1000);
    await honest.ask("logIn", { address, key, clients });
    while (heard.size < clients) await pause(TICK);
    await storming;
    const after = mebibytes();
    return { ...(await hostile.ask("calm")), clients, loggedIn: heard.size, pending, before, after };
  } finally {
    clearInterval(watching);
    hostile.stop();
    honest.stop();
    server.close();
    await listening;
  }
}
