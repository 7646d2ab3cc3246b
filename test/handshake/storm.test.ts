// Attack 55 at full size: 10,000 hellos a second from one peer, while 100 honest clients log in.

import { expect, test } from "vitest";
import { storm } from "../../bench/storm.js";

test("attack 55: in a storm of hellos every honest client logs in, and the storm leaves nothing behind", async () => {
  const { clients, loggedIn, hellos, pending, before, after } = await storm(100, 10_000);
  console.log(
    `${hellos} hellos; resident memory ${before} MiB before, ${after} MiB after, 100 clients included`,
  );
  expect(loggedIn).toBe(clients);
  expect(hellos).toBeGreaterThanOrEqual(10_000);
  // The honest ones' own, and none of the hostile peer's.
  expect(pending).toBeLessThanOrEqual(clients);
});
