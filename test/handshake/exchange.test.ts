// The exchange as pure machines: what it comes to, what each attack on it comes to, and that no order of events leaves one
// end authenticated with data that the other did not mean.

import { readFileSync } from "node:fs";
import { generateKey } from "countersign";
import { type AcceptMechanism, type LoginMechanism, mintVerifier, psk, scram } from "countersign/handshake";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { read, write } from "../../src/handshake/messages.js";
import { answerRenewal, beginRenewal, endRenewal } from "../../src/handshake/renewal.js";
import type { Session } from "../../src/handshake/session.js";
import { exchangesFile } from "../vectors/handshake.js";
import { clientEnd, converse, type End, type Meeting, NOTHING, PATH, seeded, serverEnd } from "./ends.js";

const KEY = generateKey();
const users = { alice: await mintVerifier("pencil", { iterations: 4096 }) };
const login = scram({ user: "alice", password: "pencil" });
const WAYS: Record<string, Pick<Meeting, "login" | "accept">> = {
  psk: { login: psk({ key: KEY }), accept: [psk({ key: KEY })] },
  scram: { login, accept: [scram({ users })] },
};

const keysOf = (session: Session | undefined) =>
  session && {
    id: session.id,
    lineage: session.lineage,
    exported: session.exportKey("x", 32).toString("hex"),
    up: (session.end === "client" ? session.sendKey : session.receiveKey).exportSecret().toString("hex"),
    down: (session.end === "client" ? session.receiveKey : session.sendKey).exportSecret().toString("hex"),
  };

test("the vectors are made byte for byte", async () => {
  const file = new URL("../vectors/handshake/exchanges.json", import.meta.url);
  expect((await exchangesFile()) === readFileSync(file, "utf8")).toBe(true);
});

describe.each(Object.entries(WAYS))("%s", (_, way) => {
  test("both ends come to the same keys, one for each direction", async () => {
    const [client, server] = [clientEnd(way), serverEnd(way)];
    await converse(client, server);
    expect(keysOf(client.session)).toEqual(keysOf(server.session));
    expect(keysOf(client.session)?.up).not.toBe(keysOf(client.session)?.down);
  });

  test("other randomness, other keys", async () => {
    const sessions = await Promise.all(
      ["a", "b"].map(async (seed) => {
        const [client, server] = [clientEnd({ ...way, seed }), serverEnd({ ...way, seed })];
        await converse(client, server);
        return client.session;
      }),
    );
    expect(keysOf(sessions[0])?.up).not.toBe(keysOf(sessions[1])?.up);
  });

  test("any byte of any message changed: no session at the client, and none that could be used at the server", async () => {
    const [client, server] = [clientEnd(way), serverEnd(way)];
    const honest: Buffer[] = [];
    await converse(client, server, (frame) => {
      honest.push(frame);
      return frame;
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: honest.length - 1 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (which, at, mask) => {
          const [c, s] = [clientEnd(way), serverEnd(way)];
          let count = 0;
          await converse(c, s, (frame) => {
            if (count++ !== which) return frame;
            const changed = Buffer.from(frame);
            changed[at % changed.length] = (changed[at % changed.length] as number) ^ mask;
            return changed;
          });
          expect(c.session).toBeUndefined();
          // What the server sent last may be lost for the client; it then has a session that nobody can use.
          if (which < honest.length - 1) expect(s.session).toBeUndefined();
        },
      ),
      { numRuns: 150 },
    );
  });

  test("drops, duplicates, reorderings and restarts of either end: equal keys, or not at all", async () => {
    const event = fc.constantFrom(
      "deliver",
      "duplicate",
      "drop",
      "swap",
      "restart client",
      "restart server",
      "old",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
        let generation = 0;
        let [client, server] = [clientEnd(way), serverEnd(way)];
        const everyone: { client: End[]; server: End[] } = { client: [client], server: [server] };
        const queues: Record<"up" | "down", Buffer[]> = { up: [], down: [] };
        const past: ["up" | "down", Buffer][] = [];
        const send = (direction: "up" | "down", frame: Buffer | undefined) => {
          if (frame === undefined) return;
          queues[direction].push(frame);
          past.push([direction, frame]);
        };
        const take = async (direction: "up" | "down", frame: Buffer) =>
          direction === "up" ? send("down", await server.take(frame)) : send("up", await client.take(frame));
        send("up", await client.take(NOTHING));
        for (const [i, what] of events.entries()) {
          const direction = queues.up.length > 0 && (i % 2 === 0 || queues.down.length === 0) ? "up" : "down";
          const queue = queues[direction];
          if (what === "restart client") {
            client = clientEnd({ ...way, seed: `client ${++generation}` });
            everyone.client.push(client);
            send("up", await client.take(NOTHING));
          } else if (what === "restart server") {
            server = serverEnd({ ...way, seed: `server ${++generation}` });
            everyone.server.push(server);
          } else if (what === "old" && past.length > 0) {
            const [where, frame] = past[i % past.length] as ["up" | "down", Buffer];
            await take(where, frame);
          } else if (what === "swap" && queue.length > 1) queue.push(queue.shift() as Buffer);
          else {
            const frame = queue.shift();
            if (frame === undefined || what === "drop") continue;
            await take(direction, frame);
            if (what === "duplicate") await take(direction, frame);
          }
        }
        // Who has a session at the client has it with a server that has the same one: never alone.
        const there = everyone.server.map(({ session }) => keysOf(session)).filter(Boolean);
        for (const { session } of everyone.client) if (session) expect(there).toContainEqual(keysOf(session));
        // And a server's session is with a client that made its proof: two servers never have the same.
        expect(new Set(there.map((keys) => keys?.up)).size).toBe(there.length);
      }),
      { numRuns: 100 },
    );
  });

  test("attack 50: a recorded hello, open or proof leads to nothing at a server that began anew", async () => {
    const said: Buffer[] = [];
    const [client, server] = [clientEnd(way), serverEnd(way)];
    await converse(client, server, (frame, direction) => {
      if (direction === "up") said.push(frame);
      return frame;
    });
    expect(server.session).toBeDefined();
    // The same server, with its cookie still good, and new randomness of its own.
    const again = serverEnd({ ...way, seed: "server" });
    const restarted = serverEnd({ ...way, seed: "restarted" });
    for (const frame of said) await restarted.take(frame);
    expect(restarted).toMatchObject({ session: undefined, error: "bad-cookie" });
    await again.take(said[0] as Buffer);
    await again.take(said[2] as Buffer);
    expect(again).toMatchObject({ session: undefined, error: "unexpected" });
  });

  test("attack 51: one's own messages that come back lead to nothing", async () => {
    const client = clientEnd(way);
    const hello = (await client.take(NOTHING)) as Buffer;
    expect(await client.take(hello)).toBeUndefined();
    const server = serverEnd(way);
    const cookie = (await server.take(hello)) as Buffer;
    const open = (await client.take(cookie)) as Buffer;
    const answer = (await server.take(open)) as Buffer;
    const proof = (await client.take(answer)) as Buffer;
    // The client's own proof, dressed up as the server's.
    const message = read(proof);
    if (message?.type !== "step") throw new Error("no proof");
    const forged = write("finish", {
      nonce: message.nonce,
      data: message.data,
      confirmation: Buffer.alloc(32),
    });
    await client.take(forged);
    expect(client.session).toBeUndefined();
    expect(client.error).toMatch(/bad-server-proof|malformed/);
  });

  test("attack 52: a relay that names itself to one end is not believed by the other", async () => {
    // He takes the client's words to a server that he does not want it to know, under his own name.
    const client = clientEnd(way);
    const server = serverEnd({ ...way, server: "somebody-else" });
    await converse(client, server, (frame, direction) => {
      const message = read(frame);
      if (direction === "up" || message?.type !== "answer") return frame;
      const { type, ...fields } = message;
      return write("answer", { ...fields, server: Buffer.from("server") });
    });
    expect([client.session, server.session]).toEqual([undefined, undefined]);
  });

  test("attack 52: two exchanges, interleaved, do not help each other", async () => {
    const [one, two] = [clientEnd({ ...way, seed: "one" }), clientEnd({ ...way, seed: "two" })];
    const server = serverEnd(way);
    const cookieOne = (await server.take((await one.take(NOTHING)) as Buffer)) as Buffer;
    const cookieTwo = (await server.take((await two.take(NOTHING)) as Buffer)) as Buffer;
    const openOne = (await one.take(cookieOne)) as Buffer;
    const openTwo = (await two.take(cookieTwo)) as Buffer;
    const answerOne = (await server.take(openOne)) as Buffer;
    expect(await server.take(openTwo)).toBeUndefined();
    // The answer to the one, told to the other under its nonce.
    const [a, b] = [read(answerOne), read(openTwo)];
    if (a?.type !== "answer" || b?.type !== "open") throw new Error("other messages");
    const { type, ...fields } = a;
    const proofTwo = await two.take(write("answer", { ...fields, nonce: b.nonce }));
    if (proofTwo !== undefined) {
      const step = read(proofTwo);
      if (step?.type !== "step") throw new Error("no proof");
      await server.take(write("step", { nonce: a.nonce, data: step.data }));
    }
    expect(server.session).toBeUndefined();
  });

  test("another channel, another name, the same name: no session", async () => {
    for (const other of [
      { serverChannel: "other" },
      { client: "same", server: "same" },
      { server: "~bad" },
    ]) {
      const meeting = { ...way, ...other };
      const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
      await converse(client, server);
      expect([client.session, server.session]).toEqual([undefined, undefined]);
    }
  });

  test("junk changes nothing, and does not throw", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 11 }),
        async (bytes, type) => {
          const head = Buffer.from([0xc1, 0x53, 1, 8, type]);
          for (const frame of [Buffer.from(bytes), Buffer.concat([head, bytes])]) {
            const [client, server] = [clientEnd(way), serverEnd(way)];
            await client.take(NOTHING);
            await client.take(frame);
            await server.take(frame);
            expect([client.phase, client.session, server.session]).toEqual(["hello", undefined, undefined]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("attack 59: downgrade", () => {
  const refused = async (client: LoginMechanism, server: readonly AcceptMechanism[]) => {
    const meeting = { login: client, accept: server };
    const [c, s] = [clientEnd(meeting), serverEnd(meeting)];
    await converse(c, s);
    expect([c.session, s.session]).toEqual([undefined, undefined]);
    return s.error;
  };

  test("to no forward secrecy, from either end", async () => {
    const [with_, without] = [psk({ key: KEY }), psk({ key: KEY, forwardSecrecy: false })];
    expect(await refused(without, [with_])).toBe("other-options");
    expect(await refused(with_, [without])).toBe("other-options");
  });

  test("to a mechanism that the server does not accept", async () => {
    expect(await refused(psk({ key: KEY }), [scram({ users })])).toBe("unknown-mechanism");
  });

  test("by whoever is on the way: shares taken out, mechanism exchanged", async () => {
    const meeting = { login: psk({ key: KEY }), accept: [psk({ key: KEY }), scram({ users })] };
    for (const change of [{ share: NOTHING }, { mechanism: Buffer.from("scram-sha-256") }]) {
      const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
      await converse(client, server, (frame) => {
        const message = read(frame);
        if (message?.type !== "open" && message?.type !== "answer") return frame;
        const { type, ...fields } = message;
        return write(type, {
          ...fields,
          ...(type === "open" || !("mechanism" in change) ? change : {}),
        } as never);
      });
      expect([client.session, server.session]).toEqual([undefined, undefined]);
    }
  });

  test("a share that leads to no secret is refused", async () => {
    const meeting = WAYS.psk as Meeting;
    const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
    await converse(client, server, (frame) => {
      const message = read(frame);
      if (message?.type !== "answer") return frame;
      const { type, ...fields } = message;
      return write(type, { ...fields, share: Buffer.alloc(32) });
    });
    expect(client.error).toBe("bad-share");
  });
});

test("a cookie is for one client over one way, for some time", async () => {
  const way = WAYS.psk as Meeting;
  const [client, server] = [clientEnd(way), serverEnd({ ...way, path: Buffer.from("another way") })];
  const cookie = await serverEnd(way).take((await client.take(NOTHING)) as Buffer);
  await server.take((await client.take(cookie as Buffer)) as Buffer);
  expect(server.error).toBe("bad-cookie");
  expect(PATH).not.toEqual(Buffer.from("another way"));
});

describe("renewal", () => {
  const meet = async () => {
    const [client, server] = [clientEnd(WAYS.psk as Meeting), serverEnd(WAYS.psk as Meeting)];
    await converse(client, server);
    return [client.session, server.session] as [Session, Session];
  };

  test("gives both ends new keys, another id, and what is exported stays", async () => {
    const [here, there] = await meet();
    const { state, send } = beginRenewal(here, seeded("r"));
    const asked = read(send);
    if (asked?.type !== "renew") throw new Error("no renewal");
    const answer = answerRenewal(there, asked, send, seeded("s"));
    const answered = read(answer.send as Buffer);
    if (answered?.type !== "renewed") throw new Error("no renewal");
    const ended = endRenewal(state, answered, answer.send as Buffer);
    expect(keysOf(ended.done)).toEqual(keysOf(answer.done));
    expect(ended.done?.id).not.toBe(here.id);
    expect(ended.done).toMatchObject({ generation: 1, lineage: here.lineage });
    expect(ended.done?.exportKey("x", 32)).toEqual(here.exportKey("x", 32));
    // Nobody without the session's keys can ask, or answer.
    const [, stranger] = await meet();
    const other = Buffer.from(send);
    other[40] = (other[40] as number) ^ 1;
    const forged = read(other);
    if (forged?.type !== "renew") throw new Error("no renewal");
    expect(answerRenewal(stranger, forged, other, seeded("t")).error).toBe("bad-proof");
    const changed = Buffer.from(answer.send as Buffer);
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    const bad = read(changed);
    if (bad?.type !== "renewed") throw new Error("no renewal");
    expect(endRenewal(state, bad, changed).error).toBe("bad-server-proof");
  });
});

test("a session is made by a finished exchange alone", async () => {
  const [client, server] = [clientEnd(WAYS.psk as Meeting), serverEnd(WAYS.psk as Meeting)];
  await converse(client, server);
  const session = client.session as Session;
  const offered = await import("countersign/handshake");
  expect(Object.keys(offered)).not.toContain("Session");
  // @ts-expect-error: the constructor is private
  void (() => new (session.constructor as typeof Session)());
  // @ts-expect-error: nothing that only looks like one is one
  const forged: Session = { ...session };
  expect(forged).not.toBe(session);
  expect(JSON.stringify(session)).not.toContain(session.sendKey.exportSecret().toString("hex"));
});

test("exportKey takes labels and lengths within bounds", async () => {
  const [client, server] = [clientEnd(WAYS.psk as Meeting), serverEnd(WAYS.psk as Meeting)];
  await converse(client, server);
  const session = client.session as Session;
  expect(session.exportKey("a", 8160)).toHaveLength(8160);
  expect(session.exportKey("a", 32)).not.toEqual(session.exportKey("b", 32));
  for (const [label, length] of [
    ["", 32],
    ["x".repeat(256), 32],
    ["a", 15],
    ["a", 8161],
    ["a", 1.5],
  ] as const) {
    expect(() => session.exportKey(label, length)).toThrow(/exportKey/);
  }
});
