// Sessions over their life: restarts of either end, new connections, brokers, new keys, revocation.

import {
  Dealer,
  generateKey,
  Pair,
  Reply,
  Request,
  Router,
  type SessionEvent,
  type SigningOptions,
} from "countersign";
import { MemoryStore, mintVerifier, psk, scram } from "countersign/handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import * as zmq from "zeromq";
import { bound, failure, opened, retired, text, until, vacant } from "../sockets/harness.js";

const KEY = generateKey();
const verifier = await mintVerifier("pencil", { iterations: 4096 });
/** As often as a machine that is busy can bear, so that a restart is noticed soon. */
const QUICK = { keepAlive: 50, timeout: 5000 };

function server(more: Partial<SigningOptions> = {}) {
  const signing = { accept: psk({ key: KEY }), sender: "server", sessions: QUICK, ...more };
  return opened(new Router({ linger: 0, mandatory: true, signing }));
}

function client(sender = "client", more: Partial<SigningOptions> = {}) {
  const signing = { login: psk({ key: KEY }), sender, sessions: QUICK, ...more };
  return opened(new Dealer({ linger: 0, signing }));
}

/** What arrives at a socket, in the background, until the test is over. */
function listen(socket: AsyncIterable<Buffer[]>): string[] {
  const heard: string[] = [];
  void (async () => {
    for await (const message of socket) heard.push(String(message.at(-1)));
  })();
  return heard;
}

test("attack 58: after the server's restart traffic resumes by itself, what was queued arrives, nothing twice", async () => {
  const address = vacant();
  const first = server();
  await first.bind(address);
  const events: SessionEvent[] = [];
  const dealer = client("client", { onSession: (event) => events.push(event) });
  dealer.connect(address);
  const before = listen(first);
  for (let i = 0; i < 10; i++) await dealer.send(`before ${i}`);
  await until(() => before.length === 10);
  await retired(first, address);
  const second = server();
  await second.bind(address);
  const after = listen(second);
  // Asks whether its session stands, and is told that it does not: nobody had to send anything.
  await until(() => second.sessions.size === 1);
  for (let i = 0; i < 10; i++) await dealer.send(`after ${i}`);
  await until(() => after.length === 10);
  expect(after).toEqual(Array.from({ length: 10 }, (_, i) => `after ${i}`));
  // As soon as the new session is known to be used at the other end, too.
  await until(() => events.length === 3);
  expect(events.map(({ type }) => type)).toEqual(["established", "established", "lost"]);
  expect(events.at(-1)).toMatchObject({ reason: "forgotten" });
});

test("attack 58: what was queued while no server was there arrives once, in order", async () => {
  const address = vacant();
  const dealer = client();
  dealer.connect(address);
  const sent = Array.from({ length: 100 }, (_, i) => dealer.send(`${i}`));
  const router = server();
  await router.bind(address);
  const heard = listen(router);
  await Promise.all(sent);
  await until(() => heard.length === 100);
  expect(heard).toEqual(sent.map((_, i) => `${i}`));
});

test("attack 58: a client that restarts under its name takes the place of its old session", async () => {
  const router = server();
  const address = await bound(router);
  const heard = listen(router);
  const first = client();
  first.connect(address);
  await first.send("one");
  await until(() => heard.length === 1);
  first.close();
  const second = client();
  second.connect(address);
  await second.send("two");
  await until(() => heard.length === 2);
  await until(() => router.sessions.size === 1);
  expect(router.sessions.stats).toMatchObject({ established: 2, lost: 1 });
  expect(heard).toEqual(["one", "two"]);
});

test("attack 33: an answer follows a client that connects anew, under another routing id", async () => {
  const router = server();
  const address = await bound(router);
  const dealer = client();
  dealer.connect(address);
  await dealer.send("one");
  const [old] = await router.receive();
  dealer.disconnect(address);
  dealer.connect(address);
  await dealer.send("two");
  const [now] = await router.receive();
  expect(old).not.toEqual(now);
  await router.send([old as Buffer, "to whoever asked first"]);
  expect(text(await dealer.receive())).toEqual(["to whoever asked first"]);
  expect(router.sessions.stats.established).toBe(1);
});

test("a name that nobody has is told with those that there are", async () => {
  const router = server();
  const dealer = client("client", { to: "serveur" });
  dealer.connect(await bound(router));
  expect(await failure(() => dealer.send("x"))).toMatchObject({
    code: "ERR_COUNTERSIGN_RECIPIENT",
    message: 'No session stands with "serveur". There is one with "server".',
  });
});

test("a broker in between is a broker", async () => {
  const [front, back] = [new zmq.Router({ linger: 0 }), new zmq.Dealer({ linger: 0 })];
  await front.bind("tcp://127.0.0.1:*");
  await back.bind("tcp://127.0.0.1:*");
  const proxy = new zmq.Proxy(front, back);
  const running = proxy.run();
  onTestFinished(async () => {
    proxy.terminate();
    await running;
    front.close();
    back.close();
  });
  const router = opened(
    new Router({ linger: 0, signing: { accept: psk({ key: KEY }), sender: "server", hops: 1 } }),
  );
  router.connect(back.lastEndpoint as string);
  const clients = ["a", "b", "c"].map((name) => client(name));
  for (const dealer of clients) {
    dealer.connect(front.lastEndpoint as string);
    void dealer.send(`from ${dealer.stats.sent}`);
  }
  for (const _ of clients) {
    const message = await router.receive();
    await router.send([message[0] as Buffer, message[1] as Buffer, `for ${message.origin.sender}`]);
  }
  for (const [i, dealer] of clients.entries())
    expect(text(await dealer.receive())).toEqual([`for ${"abc"[i]}`]);
});

test("keys are renewed after so many messages, and nobody notices", async () => {
  const events: SessionEvent[] = [];
  const router = server();
  const address = await bound(router);
  const dealer = client("client", {
    sessions: { ...QUICK, renewMessages: 50 },
    onSession: (event) => events.push(event),
  });
  dealer.connect(address);
  const [there, here] = [[] as string[], listen(dealer)];
  const ids = new Set<string>();
  void (async () => {
    for await (const message of router) {
      there.push(String(message[1]));
      ids.add(message.origin.keyId);
      await router.send([message[0] as Buffer, `${message[1]}!`]);
    }
  })();
  const exported = () => [...dealer.sessions][0]?.exportKey("mine", 32).toString("hex");
  await dealer.send("0");
  const key = exported();
  let count = 1;
  while (ids.size < 4) {
    for (let i = 0; i < 20; i++) void dealer.send(`${count++}`);
    await until(() => here.length === count);
  }
  await until(() => here.length === count);
  expect(there).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
  expect(here).toEqual(there.map((body) => `${body}!`));
  expect(events.filter(({ type }) => type === "renewed").length).toBeGreaterThanOrEqual(3);
  expect(events.filter(({ type }) => type === "lost")).toEqual([]);
  expect(exported()).toBe(key);
  expect([...router.sessions][0]?.exportKey("mine", 32).toString("hex")).toBe(key);
  expect(router.stats.rejected["unknown-key"]).toBe(0);
});

test("keys are renewed after some time, of a REQ too", async () => {
  const signing = { accept: psk({ key: KEY }), sender: "server" };
  const reply = opened(new Reply({ linger: 0, signing }));
  const sessions = { ...QUICK, renewAfter: 30 };
  const request = opened(new Request({ linger: 0, signing: { login: psk({ key: KEY }), sessions } }));
  request.connect(await bound(reply));
  void (async () => {
    for await (const [body] of reply) await reply.send(`${body}!`);
  })();
  for (let i = 0; reply.sessions.stats.renewed < 3; i++) {
    await request.send(`${i}`);
    expect(text(await request.receive())).toEqual([`${i}!`]);
  }
  expect(request.sessions.stats).toMatchObject({ established: 1, lost: 0 });
});

describe("revoke", () => {
  test("takes effect at once: nothing more is accepted, what waits is refused, nothing more is sent", async () => {
    const store = new MemoryStore({ alice: verifier, bob: verifier });
    const router = server({ accept: scram({ users: store }) });
    const address = await bound(router);
    const log = (user: string) => {
      const dealer = client(user, { login: scram({ user, password: "pencil" }) });
      dealer.connect(address);
      return dealer;
    };
    const [alice, bob] = [log("alice"), log("bob")];
    await alice.send("one");
    const [id] = await router.receive();
    await bob.send("one");
    await router.receive();
    // These were verified already, and nobody has asked for them.
    for (let i = 0; i < 5; i++) await alice.send(`waits ${i}`);
    await until(() => router.stats.accepted === 7);
    store.delete("alice");
    expect(router.sessions.revoke("alice")).toBe(1);
    await expect(router.send([id as Buffer, "for alice"])).rejects.toThrow(/No session/);
    await alice.send("after");
    await bob.send("two");
    expect(text((await router.receive()).slice(1))).toEqual(["two"]);
    expect(router.stats.rejected["revoked-key"]).toBeGreaterThanOrEqual(5);
    // Alice tries again, and is refused as anybody unknown is.
    await until(() => alice.sessions.stats.refused.refused > 0);
    await until(() => router.sessions.stats.refused["unknown-user"] > 0);
    expect([...router.sessions].map(({ user }) => user)).toEqual(["bob"]);
  });

  test("reaches a login that is under way", async () => {
    let proceed!: () => void;
    const asked = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    let looked = false;
    const memory = new MemoryStore({ alice: verifier });
    const store = {
      decoy: memory.decoy,
      async find(user: string) {
        looked = true;
        await asked;
        return memory.find(user);
      },
    };
    const router = server({ accept: scram({ users: store }) });
    const dealer = client("alice", { login: scram({ user: "alice", password: "pencil" }) });
    dealer.connect(await bound(router));
    await until(() => looked);
    expect(router.sessions.revoke("alice")).toBe(0);
    proceed();
    await until(() => router.sessions.stats.refused.revoked === 1);
    // The store still has her: she may log in again, and does.
    await until(() => router.sessions.size === 1);
  });
});

test("attack 52: another user cannot take a name that is in use", async () => {
  const router = server({ accept: scram({ users: { alice: verifier, bob: verifier } }) });
  const address = await bound(router);
  const alice = client("desk", { login: scram({ user: "alice", password: "pencil" }) });
  alice.connect(address);
  await alice.send("one");
  await router.receive();
  const bob = client("desk", { login: scram({ user: "bob", password: "pencil" }) });
  bob.connect(address);
  await until(() => router.sessions.stats.refused["name-taken"] > 0);
  await alice.send("two");
  expect((await router.receive()).origin).toMatchObject({ sender: "desk", user: "alice" });
});

test("a wrong password is refused in one word, and told at the server", async () => {
  const events: SessionEvent[] = [];
  const router = server({
    accept: scram({ users: { alice: verifier } }),
    onSession: (event) => events.push(event),
  });
  const dealer = client("desk", { login: scram({ user: "alice", password: "wrong" }) });
  dealer.connect(await bound(router));
  await until(() => dealer.sessions.stats.refused.refused > 0);
  expect(events[0]).toEqual({ type: "refused", reason: "bad-proof", client: "desk" });
  expect(router.sessions.size).toBe(0);
});

test("attack 58: a PAIR's server that restarts and speaks first is heard by a client that says nothing", async () => {
  const address = vacant();
  const make = () =>
    opened(new Pair({ linger: 0, signing: { accept: psk({ key: KEY }), sender: "server" } }));
  const pair = opened(new Pair({ linger: 0, signing: { login: psk({ key: KEY }), sessions: QUICK } }));
  pair.connect(address);
  const first = make();
  await first.bind(address);
  await first.send("one");
  expect(text(await pair.receive())).toEqual(["one"]);
  await retired(first, address);
  const second = make();
  await second.bind(address);
  await second.send("two");
  expect(text(await pair.receive())).toEqual(["two"]);
});
