import { Dealer, generateKey, Pair, Reply, Request, Router, type SessionEvent } from "countersign";
import { mintVerifier, psk, scram } from "countersign/handshake";
import { describe, expect, test } from "vitest";
import { bound, opened, text, until } from "../sockets/harness.js";

const KEY = generateKey();
const users = { alice: await mintVerifier("pencil", { iterations: 4096 }) };
const accept = [scram({ users }), psk({ key: KEY })];
const ways = {
  psk: () => psk({ key: KEY }),
  scram: () => scram({ user: "alice", password: "pencil" }),
};

describe.each(Object.entries(ways))("%s", (mechanism, login) => {
  test("a DEALER logs in to a ROUTER, and both speak", async () => {
    const events: SessionEvent[] = [];
    const router = opened(
      new Router({ linger: 0, signing: { accept, sender: "server", onSession: (e) => events.push(e) } }),
    );
    const dealer = opened(new Dealer({ linger: 0, signing: { login: login(), sender: "client" } }));
    dealer.connect(await bound(router));
    await dealer.send(["hello", "there"]);
    const message = await router.receive();
    const [id, ...frames] = message;
    expect(text(frames)).toEqual(["hello", "there"]);
    expect(message.origin).toMatchObject({
      sender: "client",
      mechanism: mechanism === "psk" ? "psk" : "scram-sha-256",
    });
    expect(message.origin.user).toBe(mechanism === "psk" ? "client" : "alice");
    await router.send([id as Buffer, "welcome"]);
    expect(text(await dealer.receive())).toEqual(["welcome"]);
    expect(router.sessions.size).toBe(1);
    const [there] = router.sessions;
    const [here] = dealer.sessions;
    expect(there?.exportKey("x", 32)).toEqual(here?.exportKey("x", 32));
    expect(events.map(({ type }) => type)).toEqual(["established"]);
  });

  test("a REQ logs in to a REP", async () => {
    const reply = opened(new Reply({ linger: 0, signing: { accept, sender: "server" } }));
    const request = opened(new Request({ linger: 0, signing: { login: login(), sender: "client" } }));
    request.connect(await bound(reply));
    for (const body of ["one", "two"]) {
      const asked = request.send(body);
      expect(text(await reply.receive())).toEqual([body]);
      await asked;
      await reply.send(`${body}!`);
      expect(text(await request.receive())).toEqual([`${body}!`]);
    }
  });

  test("a REQ logs in to a ROUTER", async () => {
    const router = opened(new Router({ linger: 0, signing: { accept, sender: "server" } }));
    const request = opened(new Request({ linger: 0, signing: { login: login(), sender: "client" } }));
    request.connect(await bound(router));
    for (const body of ["one", "two"]) {
      const asked = request.send(body);
      const [id, empty, ...frames] = await router.receive();
      expect(text(frames)).toEqual([body]);
      await asked;
      await router.send([id as Buffer, empty as Buffer, `${body}!`]);
      expect(text(await request.receive())).toEqual([`${body}!`]);
    }
  });

  test("a DEALER logs in to a REP", async () => {
    const reply = opened(new Reply({ linger: 0, signing: { accept, sender: "server" } }));
    const dealer = opened(new Dealer({ linger: 0, signing: { login: login(), sender: "client" } }));
    dealer.connect(await bound(reply));
    await dealer.send(["", "one"]);
    expect(text(await reply.receive())).toEqual(["one"]);
    await reply.send("one!");
    expect(text(await dealer.receive())).toEqual(["", "one!"]);
  });

  test("a PAIR logs in to a PAIR, whose messages wait for it", async () => {
    const server = opened(new Pair({ linger: 0, signing: { accept, sender: "server" } }));
    const client = opened(new Pair({ linger: 0, signing: { login: login(), sender: "client" } }));
    const address = await bound(server);
    const sent = server.send("from the server");
    client.connect(address);
    expect(text(await client.receive())).toEqual(["from the server"]);
    await sent;
    await client.send("from the client");
    expect(text(await server.receive())).toEqual(["from the client"]);
    await until(() => server.sessions.size === 1);
  });
});
