// What was under way when a session ended: answers that are still to be given, messages that wait, the next question.

import { Dealer, Reply, Request, Router, type SigningOptions } from "countersign";
import { mintVerifier, scram } from "countersign/handshake";
import { expect, test } from "vitest";
import { bound, failure, opened, text, until } from "../sockets/harness.js";

const verifier = await mintVerifier("pencil", { iterations: 4096 });
const accept = scram({ users: { alice: verifier, bob: verifier } });
const QUICK = { keepAlive: 50 };

/** How a user logs in, under whatever name. */
const as = (user: string, sender: string): SigningOptions => ({
  login: scram({ user, password: "pencil" }),
  sender,
  sessions: QUICK,
});

const server = () =>
  opened(new Router({ linger: 0, mandatory: true, signing: { accept, sender: "server" } }));

function client(user: string, sender = user) {
  return opened(new Dealer({ linger: 0, signing: as(user, sender) }));
}

test("attack 52: what answers one user never goes to another who has his name by now", async () => {
  const router = server();
  const address = await bound(router);
  const alice = client("alice", "desk");
  alice.connect(address);
  await alice.send("a question of alice's");
  const [id] = await router.receive();
  router.sessions.revoke("alice");
  alice.close();
  const bob = client("bob", "desk");
  bob.connect(address);
  await bob.send("a question of bob's");
  const [bobs] = await router.receive();
  for (const given of [id as Buffer, Buffer.from(id as Buffer)]) {
    const { code } = await failure(() => router.send([given, "for alice alone"]));
    expect(code).toBe("ERR_COUNTERSIGN_RECIPIENT");
  }
  await router.send([bobs as Buffer, "for bob"]);
  expect(text(await bob.receive())).toEqual(["for bob"]);
});

test("a REP whose asker was revoked before it answered hears the next one", async () => {
  const reply = opened(new Reply({ linger: 0, signing: { accept, sender: "server" } }));
  const address = await bound(reply);
  const [alice, bob] = ["alice", "bob"].map((user) =>
    opened(new Request({ linger: 0, signing: as(user, user) })),
  ) as [Request, Request];
  alice.connect(address);
  await alice.send("one");
  expect(text(await reply.receive())).toEqual(["one"]);
  reply.sessions.revoke("alice");
  expect((await failure(() => reply.send("for nobody"))).code).toBe("ERR_COUNTERSIGN_RECIPIENT");
  bob.connect(address);
  const asked = bob.send("two");
  expect(text(await reply.receive())).toEqual(["two"]);
  await asked;
  await reply.send("two!");
  expect(text(await bob.receive())).toEqual(["two!"]);
  // She waits for nothing: her question was refused.
  expect((await failure(() => alice.receive())).code).toBe("ERR_COUNTERSIGN_BAD_REPLY");
});

test("what waits of a revoked user is refused, of his earlier sessions and keys too", async () => {
  const router = server();
  const address = await bound(router);
  const first = client("alice");
  first.connect(address);
  for (let i = 0; i < 3; i++) await first.send(`under the first ${i}`);
  await until(() => router.stats.accepted === 3);
  first.close();
  const second = client("alice");
  second.connect(address);
  await until(() => router.sessions.stats.lost === 1);
  await second.send("under the second");
  await until(() => router.stats.accepted === 4);
  expect(router.sessions.revoke("alice")).toBe(1);
  const bob = client("bob");
  bob.connect(address);
  await bob.send("of bob");
  expect(text((await router.receive()).slice(1))).toEqual(["of bob"]);
  expect(router.stats.rejected["revoked-key"]).toBeGreaterThanOrEqual(4);
});

test("a client that revokes its own session makes a new one, for what it sends next", async () => {
  const router = server();
  const dealer = client("alice");
  dealer.connect(await bound(router));
  await dealer.send("one");
  expect(text((await router.receive()).slice(1))).toEqual(["one"]);
  expect(dealer.sessions.revoke("bob")).toBe(0);
  expect(dealer.sessions.revoke("alice")).toBe(1);
  await dealer.send("two");
  expect(text((await router.receive()).slice(1))).toEqual(["two"]);
  expect(dealer.sessions.stats).toMatchObject({ established: 2, lost: 1 });
});

test("what a codec has in its hands when its user is revoked is refused, too", async () => {
  const bodies: ((value: string) => void)[] = [];
  const codec = {
    name: "slow",
    encode: (value: string) => [Buffer.from(value)],
    decode: (frames: Buffer[]) => new Promise<string>((resolve) => bodies.push(() => resolve(`${frames}`))),
  };
  const router = opened(new Router({ linger: 0, codec, signing: { accept, sender: "server" } }));
  const address = await bound(router);
  const [alice, bob] = [client("alice"), client("bob")];
  alice.connect(address);
  await alice.send("hers");
  const receiving = router.receive();
  await until(() => bodies.length === 1);
  router.sessions.revoke("alice");
  bodies[0]?.("");
  bob.connect(address);
  await bob.send("his");
  await until(() => bodies.length === 2);
  bodies[1]?.("");
  expect((await receiving)[1]).toBe("his");
  expect(router.stats.rejected["revoked-key"]).toBe(1);
});
