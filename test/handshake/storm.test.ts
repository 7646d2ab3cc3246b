// Attack 55 at full size: 10,000 hellos a second from one peer, which also begins handshakes that it does not finish, while
// 100 honest clients log in. Server, peer and clients are processes of their own, as `npm run bench -- handshake` starts them.

import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const built = fileURLToPath(new URL("../../.build/bench/storm.js", import.meta.url));
/** What one hostile way may begin: eight handshakes at once, four a second after that. */
const HOSTILE_HANDSHAKES = 64;

test("attack 55: in a storm of hellos every honest client logs in, and the storm leaves nothing behind", async () => {
  const { storm } = (await import(built)) as typeof import("../../bench/storm.js");
  const { clients, loggedIn, hellos, opens, millis, pending, before, after } = await storm(100, 10_000);
  console.log(
    `${hellos} hellos and ${opens} opens in ${Math.round(millis)} ms; the server's resident memory: ${before} MiB before, ${after} MiB after`,
  );
  expect(loggedIn).toBe(clients);
  expect(hellos).toBeGreaterThanOrEqual(10_000);
  expect(opens).toBeGreaterThan(HOSTILE_HANDSHAKES);
  expect(pending).toBeLessThanOrEqual(clients + HOSTILE_HANDSHAKES);
});
