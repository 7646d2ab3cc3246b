// Attacks 50 to 59 on sessions, over real sockets: an attacker between two ends that log in, or a peer that he runs himself.

import { randomBytes } from "node:crypto";
import {
  Dealer,
  generateKey,
  Reply,
  Request,
  Router,
  type SessionEvent,
  type SigningOptions,
} from "countersign";
import {
  type AcceptMechanism,
  clientExchange,
  type LoginMechanism,
  mintVerifier,
  psk,
  scram,
} from "countersign/handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import * as zmq from "zeromq";
import { type Message, read, write } from "../../src/handshake/messages.js";
import { bound, opened, text, until } from "../sockets/harness.js";
import { Attacker } from "./wire-proxy.js";

const KEY = generateKey();
const users = { alice: await mintVerifier("pencil", { iterations: 4096 }) };
const WAYS = {
  psk: { login: psk({ key: KEY }), accept: psk({ key: KEY }) },
  scram: { login: scram({ user: "alice", password: "pencil" }), accept: scram({ users }) },
};

function server(accept: AcceptMechanism, more: Partial<SigningOptions> = {}) {
  return opened(new Router({ linger: 0, signing: { accept, sender: "server", ...more } }));
}

function client(login: LoginMechanism, more: Partial<SigningOptions> = {}) {
  const sessions = { keepAlive: 50 };
  return opened(new Dealer({ linger: 0, signing: { login, sender: "client", sessions, ...more } }));
}

const typeOf = (frames: readonly Buffer[]): Message["type"] | undefined =>
  frames.map((frame) => read(frame)?.type).find(Boolean);

/** A peer of the attacker's own: a plain socket, and handshakes by hand. */
function stranger(address: string) {
  const socket = opened(new zmq.Dealer({ linger: 0, sendHighWaterMark: 0 }));
  socket.connect(address);
  return socket;
}

/** Steps a client's exchange over a plain socket until it has said so many messages; returns the last one. */
async function say(socket: zmq.Dealer, count: number, login: LoginMechanism = WAYS.psk.login) {
  const name = randomBytes(8).toString("hex");
  const exchange = clientExchange({
    name,
    pattern: "dealer",
    channel: "",
    mechanism: login,
    random: randomBytes,
  });
  let { state, send } = await exchange.step(exchange.initial, Buffer.alloc(0));
  for (let said = 1; ; said++) {
    await socket.send(send as Buffer);
    if (said === count) return send as Buffer;
    // What answers an earlier exchange over this socket is passed over.
    do {
      const [frame] = await socket.receive();
      ({ state, send } = await exchange.step(state, frame as Buffer));
    } while (send === undefined);
  }
}

describe.each(Object.entries(WAYS))("%s", (_, { login, accept }) => {
  async function meeting() {
    const router = server(accept);
    const attacker = await Attacker.between(await bound(router));
    onTestFinished(() => attacker.close());
    const dealer = client(login);
    dealer.connect(attacker.endpoint);
    await dealer.send("one");
    expect(text((await router.receive()).slice(1))).toEqual(["one"]);
    return { router, dealer, attacker };
  }

  test("attack 50: hello, open and proof replayed, on the same and on another connection, make no session", async () => {
    const { router, dealer, attacker } = await meeting();
    const own = attacker.sent("up").filter(({ frames }) => typeOf(frames) !== undefined);
    attacker.replay(...own);
    const other = stranger(attacker.endpoint);
    for (const { frames } of own) await other.send([...frames]);
    // The cookie is for another way: whoever comes with it there is refused, in one word.
    await until(() => router.sessions.stats.refused["bad-cookie"] >= 1);
    await dealer.send("two");
    expect(text((await router.receive()).slice(1))).toEqual(["two"]);
    expect(router.sessions.stats).toMatchObject({ established: 1, lost: 0 });
    expect(router.sessions.size).toBe(1);
  });

  test("attack 51: what a client says comes back to it: no session, and the honest one goes on", async () => {
    const { router, dealer, attacker } = await meeting();
    const connection = await attacker.connection(0);
    for (const { frames } of attacker.sent("up")) connection.inject("down", frames);
    const { accepted } = dealer.stats;
    await dealer.send("two");
    const [id] = await router.receive();
    await router.send([id as Buffer, "three"]);
    expect(text(await dealer.receive())).toEqual(["three"]);
    expect(dealer.stats.accepted).toBe(accepted + 1);
    expect(dealer.sessions.stats.established).toBe(1);
  });

  test("attack 52: messages of a session are worth nothing on another connection, and move no return address", async () => {
    const { router, dealer, attacker } = await meeting();
    const thief = stranger(attacker.endpoint);
    for (const { frames } of attacker.sent("up")) await thief.send([...frames]);
    await until(() => router.stats.rejected.replayed >= 1);
    await dealer.send("two");
    const [id] = await router.receive();
    await router.send([id as Buffer, "for the client"]);
    expect(text(await dealer.receive())).toEqual(["for the client"]);
  });

  test("attack 57: data without a session, or under one that is gone, is refused; the client makes a new one", async () => {
    const { router, dealer, attacker } = await meeting();
    const other = stranger(attacker.endpoint);
    await other.send("unsigned");
    await until(() => router.stats.rejected.unsigned === 1);
    router.sessions.revoke([...router.sessions][0]?.user as string);
    await dealer.send("two").catch(() => {});
    await until(() => router.stats.rejected["revoked-key"] >= 1);
    await until(() => router.sessions.size === 1);
    await until(() => dealer.sessions.stats.established === 2);
    await dealer.send("three");
    expect(text((await router.receive()).slice(1))).toEqual(["three"]);
    expect(router.stats.accepted).toBe(2);
  });

  test("attack 57: a false word that the session is lost costs nothing but the asking", async () => {
    const { router, dealer, attacker } = await meeting();
    const id = Buffer.from([...dealer.sessions][0]?.id as string, "hex");
    const connection = await attacker.connection(0);
    for (let i = 0; i < 20; i++) connection.inject("down", [write("lost", { session: id })]);
    connection.inject("down", [write("lost", { session: Buffer.from("none") })]);
    for (let i = 0; i < 5; i++) {
      await dealer.send(`${i}`);
      expect(text((await router.receive()).slice(1))).toEqual([`${i}`]);
    }
    expect(router.stats.rejected["unknown-key"]).toBe(0);
  });

  test("lost messages of a handshake are said again, those that come twice are answered twice and done once", async () => {
    const router = server(accept);
    const dropped = new Set<string>();
    const attacker = await Attacker.between(await bound(router), {
      onMessage(frames, { direction }) {
        const type = typeOf(frames);
        if (type === undefined) return undefined;
        const name = `${direction} ${type}`;
        if (dropped.has(name)) return [frames, frames];
        dropped.add(name);
        return "drop";
      },
    });
    onTestFinished(() => attacker.close());
    const dealer = client(login);
    dealer.connect(attacker.endpoint);
    await dealer.send("one");
    const [id] = await router.receive();
    await router.send([id as Buffer, "two"]);
    expect(text(await dealer.receive())).toEqual(["two"]);
    expect(router.sessions.size).toBe(1);
    expect(dropped.size).toBeGreaterThanOrEqual(6);
  });
});

describe("attack 53: a server that does not follow SCRAM", () => {
  const salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
  const dishonest: [string, (nonce: string) => string, string, string][] = [
    ["takes another nonce", () => `r=other,s=${salt},i=4096`, "v=", "bad-nonce"],
    ["asks for one iteration", (nonce) => `r=${nonce}x,s=${salt},i=1`, "v=", "iterations-out-of-range"],
    [
      "asks for 2^32 iterations",
      (nonce) => `r=${nonce}x,s=${salt},i=4294967296`,
      "v=",
      "iterations-out-of-range",
    ],
    ["demands an extension", (nonce) => `m=x,r=${nonce}x,s=${salt},i=4096`, "v=", "unsupported-extension"],
    ["never proves itself", (nonce) => `r=${nonce}x,s=${salt},i=4096`, "", "malformed"],
    ["proves nothing", (nonce) => `r=${nonce}x,s=${salt},i=4096`, "v=", "bad-server-proof"],
    [
      "proves another",
      (nonce) => `r=${nonce}x,s=${salt},i=4096`,
      `v=${Buffer.alloc(32).toString("base64")}`,
      "bad-server-proof",
    ],
  ];
  test.each(dishonest)("that %s", async (_, first, final, reason) => {
    const accept: AcceptMechanism = {
      name: "scram-sha-256",
      forwardSecrecy: true,
      server: () => ({
        initial: false,
        step: (asked, received) => {
          if (asked)
            return { state: true, send: Buffer.from(final), done: { user: "x", secret: Buffer.alloc(32) } };
          return {
            state: true,
            send: Buffer.from(first(/r=(.*)$/.exec(received.toString())?.[1] as string)),
          };
        },
      }),
    };
    const router = server(accept);
    const dealer = client(WAYS.scram.login);
    dealer.connect(await bound(router));
    await until(() => dealer.sessions.stats.refused[reason as "malformed"] > 0);
    expect(dealer.sessions.stats.established).toBe(0);
  });
});

test("attack 54: an unknown user is answered in the same form, the same each time, and refused in the same word", async () => {
  const router = server(WAYS.scram.accept);
  const address = await bound(router);
  const answers: Buffer[][] = [];
  for (const [user, password] of [
    ["alice", "wrong"],
    ["mallo", "wrong"],
    ["mallo", "wrong"],
  ] as const) {
    const socket = stranger(address);
    await say(socket, 3, scram({ user, password }));
    answers.push((await socket.receive()) as Buffer[]);
    socket.close();
  }
  expect(answers.map(([frame]) => typeOf([frame as Buffer]))).toEqual(["refused", "refused", "refused"]);
  expect(router.sessions.stats.refused).toMatchObject({ "bad-proof": 1, "unknown-user": 2 });
});

test("attack 52: of two users who are let in at the same moment under one name, one has it", async () => {
  const secret = Buffer.alloc(32, 1);
  let letIn!: () => void;
  const moment = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  let waiting = 0;
  const accept: AcceptMechanism = {
    name: "slow",
    forwardSecrecy: false,
    server: () => ({
      initial: "",
      step: async (user, received) => {
        if (user === "") return { state: String(received), send: received };
        waiting++;
        await moment;
        return { state: user, send: received, done: { user: String(user), secret } };
      },
    }),
  };
  const login = (user: string): LoginMechanism => ({
    name: "slow",
    forwardSecrecy: false,
    client: () => ({
      initial: 0,
      step: (said) =>
        said === 2
          ? { state: said, done: { user, secret } }
          : { state: Number(said) + 1, send: Buffer.from(user) },
    }),
  });
  const router = server(accept);
  const address = await bound(router);
  for (const user of ["alice", "bob"]) client(login(user), { sender: "desk" }).connect(address);
  await until(() => waiting === 2);
  letIn();
  await until(() => router.sessions.stats.refused["name-taken"] > 0);
  expect(router.sessions.stats.established).toBe(1);
});

test("what is no name never reaches the application, which writes it into its log", async () => {
  const events: SessionEvent[] = [];
  const router = server(WAYS.psk.accept, { onSession: (event) => events.push(event) });
  const socket = stranger(await bound(router));
  for (const client of ["x\n\x1b[31mall is well", "x"]) {
    const [nonce, cookie, nothing] = [randomBytes(32), Buffer.alloc(36), Buffer.alloc(0)];
    const said = {
      nonce,
      client: Buffer.from(client),
      pattern: Buffer.from([5]),
      mechanism: Buffer.from("psk"),
    };
    await socket.send(write("open", { ...said, share: nothing, cookie, data: nothing }));
  }
  await until(() => events.length === 2);
  expect(events).toEqual([
    { type: "refused", reason: "bad-cookie", client: undefined },
    { type: "refused", reason: "bad-cookie", client: "x" },
  ]);
});

test("attack 55: 10,000 hellos and many opens without a proof are no memory, and honest logins succeed", async () => {
  const router = server(WAYS.psk.accept, { sessions: { pending: 16 } });
  const address = await bound(router);
  const hostile = stranger(address);
  const hello = await say(hostile, 1);
  await hostile.receive();
  for (let i = 0; i < 10_000; i++) await hostile.send(hello);
  // Each answered, none kept.
  for (let i = 0; i < 10_000; i++) await hostile.receive();
  expect(router.sessions.stats.pending).toBe(0);
  const others = Array.from({ length: 40 }, () => stranger(address));
  for (const other of others) await say(other, 2);
  await until(() => router.sessions.stats.refused.displaced >= 24);
  expect(router.sessions.stats.pending).toBe(16);
  // One way that begins again and again displaces itself, and is put off.
  for (let i = 0; i < 12; i++) await say(hostile, 2);
  expect(router.sessions.stats.pending).toBe(16);
  const dealer = client(WAYS.psk.login);
  dealer.connect(address);
  await dealer.send("honest");
  expect(text((await router.receive()).slice(1))).toEqual(["honest"]);
});

test("attack 56: a peer that stalls or vanishes has a timeout of its own, and holds up nobody", async () => {
  const router = server(WAYS.psk.accept, { sessions: { timeout: 300 } });
  const address = await bound(router);
  const stalled = stranger(address);
  await say(stalled, 2);
  const vanished = stranger(address);
  await say(vanished, 2);
  vanished.close();
  const dealer = client(WAYS.psk.login);
  dealer.connect(address);
  await dealer.send("honest");
  expect(text((await router.receive()).slice(1))).toEqual(["honest"]);
  await until(() => router.sessions.stats.refused.timeout === 2);
  await until(() => router.sessions.stats.pending === 0);
});

test("attack 56: a store that never answers holds up nobody else", async () => {
  const never = {
    decoy: { secret: Buffer.alloc(32), iterations: 4096, saltBytes: 16 },
    find: () => new Promise<never>(() => {}),
  };
  const router = opened(
    new Router({
      linger: 0,
      signing: {
        accept: [scram({ users: never }), WAYS.psk.accept],
        sender: "server",
        sessions: { timeout: 300 },
      },
    }),
  );
  const address = await bound(router);
  const slow = client(WAYS.scram.login, { sender: "slow" });
  slow.connect(address);
  await until(() => router.sessions.stats.pending === 1);
  const dealer = client(WAYS.psk.login);
  dealer.connect(address);
  await dealer.send("honest");
  expect(text((await router.receive()).slice(1))).toEqual(["honest"]);
  await until(() => router.sessions.stats.refused.timeout >= 1);
});

test("attack 56: nor does it stop a REP for longer than its timeout", async () => {
  const never = {
    decoy: { secret: Buffer.alloc(32), iterations: 4096, saltBytes: 16 },
    find: () => new Promise<never>(() => {}),
  };
  const accept = [scram({ users: never }), WAYS.psk.accept];
  const reply = opened(
    new Reply({ linger: 0, signing: { accept, sender: "server", sessions: { timeout: 200 } } }),
  );
  const address = await bound(reply);
  const slow = opened(new Request({ linger: 0, signing: { login: WAYS.scram.login, sender: "slow" } }));
  slow.connect(address);
  await until(() => reply.sessions.stats.refused.unavailable >= 1);
  const request = opened(new Request({ linger: 0, signing: { login: WAYS.psk.login, sender: "client" } }));
  request.connect(address);
  const asked = request.send("honest");
  expect(text(await reply.receive())).toEqual(["honest"]);
  await asked;
});

test("attack 59: no forward secrecy, or another mechanism, is refused unless it is configured", async () => {
  const router = server(WAYS.psk.accept);
  const address = await bound(router);
  const weak = client(psk({ key: KEY, forwardSecrecy: false }), { sender: "weak" });
  weak.connect(address);
  const other = client(WAYS.scram.login, { sender: "other" });
  other.connect(address);
  await until(() => router.sessions.stats.refused["other-options"] > 0);
  await until(() => router.sessions.stats.refused["unknown-mechanism"] > 0);
  expect(router.sessions.size).toBe(0);
});

test("messages of a handshake mean nothing to a socket without sessions", async () => {
  const router = opened(new Router({ linger: 0, signing: { key: KEY } }));
  const other = stranger(await bound(router));
  await other.send(
    write("hello", { nonce: Buffer.alloc(32, 1), client: Buffer.from("x"), mechanism: Buffer.from("psk") }),
  );
  await other.send(write("lost", { session: Buffer.alloc(4) }));
  void router.receive().catch(() => {});
  await until(() => router.stats.rejected.malformed + router.stats.rejected.unsupported === 2);
});
