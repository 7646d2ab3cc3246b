// Ports for servers that must be told one before they start, or come back on the same one.

import { once } from "node:events";
import { createServer } from "node:net";

/**
 * The ports to choose from: below those that Linux hands out to whoever asks for any (ip(7),
 * `ip_local_port_range`, from 32,768), so that none is lost to a passer-by between two uses.
 */
const FIRST = 20_000;
const AT_ONCE = 100;
const SHARES = 120;

/** Each process begins in a share of its own, as far as there are enough. */
let next = FIRST + (process.pid % SHARES) * AT_ONCE;

/** A port of this machine that nobody uses just now, and that this process gives out once. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++;
    if (next === FIRST + SHARES * AT_ONCE) next = FIRST;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
