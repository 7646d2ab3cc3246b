// Code of the application's own that fails in the middle of a login: a store of users, the function for a password.

import { Dealer, Router, type SessionEvent } from "countersign";
import { mintVerifier, type ScramStore, scram } from "countersign/handshake";
import { expect, test } from "vitest";
import { bound, opened, until } from "../sockets/harness.js";

const text = await mintVerifier("pencil", { iterations: 4096 });
const decoy = { secret: Buffer.from("thirty-two bytes, as secret as b"), iterations: 4096, saltBytes: 16 };

test.each<[string, () => unknown, object]>([
  [
    "throws",
    () => {
      throw new Error("no disk");
    },
    { reason: "unavailable", cause: { message: "no disk" } },
  ],
  [
    "rejects",
    () => Promise.reject(new Error("no network")),
    { reason: "unavailable", cause: { message: "no network" } },
  ],
  [
    "gives a verifier as text",
    () => text,
    { reason: "unavailable", cause: { message: expect.stringContaining("return parseVerifier(text)") } },
  ],
  ["says null of an unknown user", () => null, { reason: "unknown-user" }],
])("a store that %s refuses the login, and the server is told why", async (_, find, event) => {
  const events: SessionEvent[] = [];
  const accept = scram({ users: { decoy, find } as ScramStore });
  const signing = { accept, sender: "server", onSession: (told: SessionEvent) => events.push(told) };
  const router = opened(new Router({ linger: 0, signing }));
  const login = scram({ user: "alice", password: "pencil" });
  const dealer = opened(new Dealer({ linger: 0, signing: { login, sender: "client" } }));
  dealer.connect(await bound(router));
  await until(() => events.length > 0);
  expect(events[0]).toMatchObject({ type: "refused", client: "client", ...event });
});

test("a function for a password that fails is told at the client", async () => {
  const router = opened(new Router({ linger: 0, signing: { accept: scram({ users: { alice: text } }) } }));
  const events: SessionEvent[] = [];
  const password = () => Promise.reject(new Error("no vault"));
  const signing = {
    login: scram({ user: "alice", password }),
    onSession: (told: SessionEvent) => events.push(told),
  };
  const dealer = opened(new Dealer({ linger: 0, signing }));
  dealer.connect(await bound(router));
  await until(() => events.length > 0);
  expect(events[0]).toMatchObject({ reason: "unavailable", cause: { message: "no vault" } });
});
