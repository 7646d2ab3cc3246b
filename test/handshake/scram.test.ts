import { createHmac } from "node:crypto";
import {
  type AnyRole,
  type Context,
  checkVerifier,
  type Failure,
  MemoryStore,
  mintVerifier,
  openVerifierFile,
  type Proven,
  parseVerifier,
  plainScramClient,
  plainScramServer,
  scram,
} from "countersign/handshake";
import { describe, expect, test } from "vitest";
import rfc7677 from "../vectors/handshake/rfc7677.json" with { type: "json" };
import { clientEnd, converse, NOTHING, serverEnd } from "./ends.js";

const verifier = await mintVerifier("pencil", {
  iterations: 4096,
  salt: Buffer.from(rfc7677.salt, "base64"),
});
const users = { alice: verifier, user: verifier };

/** Nonces as they stand in the messages, though they are no base64 of ours. */
function context(nonce = "rOprNGfwEbeRWgbNEkqO"): Context {
  const random = () => ({ toString: () => nonce }) as unknown as Buffer;
  return { theirs: NOTHING, ours: NOTHING, client: "client", random };
}

/** A role, stepped with text. */
function end(role: AnyRole<Proven>, given: Context = context()) {
  let state = role.initial;
  return async (text: string): Promise<{ send?: string; done?: Proven; error?: Failure }> => {
    const step = await role.step(state, Buffer.from(text), given);
    state = step.state;
    const { send, done, error } = step;
    return { ...(send && { send: send.toString() }), ...(done && { done }), ...(error && { error }) };
  };
}

describe("RFC 7677, section 3", () => {
  const { user, password, clientNonce, serverNonce, messages } = rfc7677;
  const [clientFirst, serverFirst, clientFinal, serverFinal] = messages as [string, string, string, string];

  test("the client", async () => {
    const step = end(plainScramClient({ user, password }), context(clientNonce));
    expect((await step("")).send).toBe(clientFirst);
    expect((await step(serverFirst)).send).toBe(clientFinal);
    expect((await step(serverFinal)).done?.user).toBe(user);
  });

  test("the server", async () => {
    const step = end(plainScramServer({ users }), context(serverNonce));
    expect((await step(clientFirst)).send).toBe(serverFirst);
    const last = await step(clientFinal);
    expect(last.send).toBe(serverFinal);
    expect(last.done?.user).toBe(user);
  });

  test("its verifier, in PostgreSQL's text form", () => {
    expect(verifier).toBe(rfc7677.verifier);
  });
});

describe("between our own ends", () => {
  const meet = async (password: string, user = "alice") => {
    const meeting = { login: scram({ user, password }), accept: [scram({ users })] };
    const [client, server] = [clientEnd(meeting), serverEnd(meeting)];
    await converse(client, server);
    return { client, server };
  };

  test("a user with a password gets the same session as the server", async () => {
    const { client, server } = await meet("pencil");
    expect([client.error, server.error]).toEqual([undefined, undefined]);
    expect(client.session?.id).toBe(server.session?.id);
    expect(server.session).toMatchObject({ user: "alice", mechanism: "scram-sha-256", forwardSecrecy: true });
  });

  test.each([
    ["a wrong password", "pen", "alice", "bad-proof"],
    ["nobody", "pencil", "mallory", "unknown-user"],
  ])("%s gets none", async (_, password, user, reason) => {
    const { client, server } = await meet(password, user);
    expect([client.session, server.session, server.error]).toEqual([undefined, undefined, reason]);
  });
});

describe("attack 53: the client refuses, before it stretches the password where it can,", () => {
  const own = "rOprNGfwEbeRWgbNEkqO";
  const salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
  const firsts: [string, string, Failure][] = [
    ["a nonce that does not extend its own", `r=other,s=${salt},i=4096`, "bad-nonce"],
    ["its own nonce, not extended", `r=${own},s=${salt},i=4096`, "bad-nonce"],
    ...[
      "0",
      "1",
      "4095",
      "1000001",
      "4294967296",
      "4096abc",
      "-1",
      "+4096",
      " 4096",
      "4096.0",
      "04096",
      "",
    ].map((count): [string, string, Failure] => [
      `i=${count}`,
      `r=${own}x,s=${salt},i=${count}`,
      "iterations-out-of-range",
    ]),
    ["a mandatory extension", `m=x,r=${own}x,s=${salt},i=4096`, "unsupported-extension"],
    ["a mandatory extension at the end", `r=${own}x,s=${salt},i=4096,m=x`, "unsupported-extension"],
    ["attributes out of order", `s=${salt},r=${own}x,i=4096`, "malformed"],
    ["an attribute twice", `r=${own}x,s=${salt},i=4096,i=1`, "malformed"],
    ["no iteration count", `r=${own}x,s=${salt}`, "malformed"],
    ["an empty salt", `r=${own}x,s=,i=4096`, "bad-salt"],
    ["a salt in other base64", `r=${own}x,s=W22ZaJ0SNY7soEsUEjb6gR==,i=4096`, "bad-salt"],
    ["a salt without padding", `r=${own}x,s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096`, "bad-salt"],
    ["a NUL", `r=${own}x\0,s=${salt},i=4096`, "malformed"],
    ["what is no UTF-8", `r=${own}\u00e9,s=${salt},i=4096`, "malformed"],
    ["a message that is too long", `r=${own}x,s=${salt},i=4096,x=${"y".repeat(2048)}`, "malformed"],
    ["nothing", "", "malformed"],
  ];
  test.each(firsts)("%s", async (_, first, reason) => {
    let stretched = false;
    const password = () => {
      stretched = true;
      return "pencil";
    };
    const step = end(plainScramClient({ user: "user", password }));
    await step("");
    expect(await step(first)).toEqual({ error: reason });
    expect(stretched).toBe(false);
  });

  test.each([
    ["no server signature", "", "malformed"],
    ["an empty one", "v=", "bad-server-proof"],
    ["a wrong one", `v=${Buffer.alloc(32).toString("base64")}`, "bad-server-proof"],
    ["a short one", "v=AAAA", "bad-server-proof"],
    ["an error", "e=other-error", "server-error"],
  ])("at the end: %s", async (_, final, reason) => {
    const step = end(plainScramClient({ user: "user", password: "pencil" }));
    await step("");
    expect((await step(rfc7677.messages[1] as string)).send).toBe(rfc7677.messages[2]);
    expect(await step(final)).toEqual({ error: reason });
  });
});

describe("attack 53: the server refuses", () => {
  test.each([
    ["a channel binding that it was not asked for", "p=tls-unique,,n=user,r=abc", "bad-binding"],
    ["a client that would have bound", "y,,n=user,r=abc", "bad-binding"],
    ["an authorization identity", "n,a=admin,n=user,r=abc", "malformed"],
    ["a mandatory extension", "n,,m=x,n=user,r=abc", "unsupported-extension"],
    ["a name with a bare comma", "n,,n=a,r=x,r=abc", "malformed"],
    ["a name with a bare equals sign", "n,,n=a=b,r=abc", "malformed"],
    ["attributes out of order", "n,,r=abc,n=user", "malformed"],
    ["no nonce", "n,,n=user,r=", "malformed"],
    ["a NUL", "n,,n=us\0er,r=abc", "malformed"],
    ["nothing", "", "malformed"],
  ])("%s", async (_, first, reason) => {
    expect(await end(plainScramServer({ users }))(first)).toEqual({ error: reason });
  });

  test.each([
    ["another nonce", (text: string) => text.replace("r=r", "r=s"), "bad-nonce"],
    ["another channel binding", (text: string) => text.replace("c=biws", "c=eSws"), "bad-binding"],
    ["no proof", (text: string) => text.replace(/,p=.*/, ""), "malformed"],
    ["a proof that is too short", (text: string) => text.replace(/,p=.*/, ",p=AAAA"), "bad-proof"],
    ["a wrong proof", (text: string) => text.replace(/,p=./, ",p=A"), "bad-proof"],
    ["something behind the proof", (text: string) => `${text},x=y`, "malformed"],
    ["a mandatory extension", (text: string) => text.replace(",p=", ",m=x,p="), "unsupported-extension"],
  ])("%s", async (_, change, reason) => {
    const step = end(plainScramServer({ users }), context(rfc7677.serverNonce));
    await step(rfc7677.messages[0] as string);
    expect(await step(change(rfc7677.messages[2] as string))).toEqual({ error: reason });
  });

  test("a name like a,r=x is one name", async () => {
    const odd = "a,r=x";
    const server = plainScramServer({ users: { [odd]: verifier } });
    const client = plainScramClient({ user: odd, password: "pencil" });
    const [ask, answer] = [end(client), end(server, context("more"))];
    const { send: first = "" } = await ask("");
    expect(first).toContain("n=a=2Cr=3Dx,");
    const { send: second = "" } = await answer(first);
    const { send: third = "" } = await ask(second);
    expect((await answer(third)).done?.user).toBe(odd);
  });
});

describe("attack 54: an unknown user", () => {
  const ask = async (store: MemoryStore, user: string) =>
    (await end(plainScramServer({ users: store }), context("server"))(`n,,n=${user},r=abc`)).send ?? "";

  test("is answered in the same form, with the same salt each time and the usual iteration count", async () => {
    const many = await mintVerifier("x", { iterations: 5000 });
    const store = new MemoryStore({ a: many, b: many, c: verifier }, Buffer.alloc(32, 1));
    const [real, fake] = [await ask(store, "a"), await ask(store, "nobody")];
    expect(fake).toMatch(/^r=abcserver,s=[A-Za-z0-9+/]{22}==,i=5000$/);
    expect(fake.length).toBe(real.length);
    expect(await ask(store, "nobody")).toBe(fake);
    expect(await ask(store, "nobody else")).not.toBe(fake);
    // After a restart too, with the same secret.
    expect(await ask(new MemoryStore({ a: many }, Buffer.alloc(32, 1)), "nobody")).toBe(fake);
  });

  test("is answered alike under each spelling that SASLprep makes one name of, as a real one is", async () => {
    const store = new MemoryStore({ IX: verifier }, Buffer.alloc(32, 1));
    const saltOf = async (user: string) => {
      const server = end(plainScramServer({ users: store, text: "saslprep" }), context("server"));
      return ((await server(`n,,n=${user},r=abc`)).send ?? "").split(",")[1];
    };
    for (const [name, spelt] of [
      ["IX", "I\u00adX"],
      ["IV", "I\u00adV"],
    ] as const) {
      expect(await saltOf(spelt)).toBe(await saltOf(name));
    }
  });

  test("is refused where a wrong password is, after the same work", async () => {
    const refused = async (user: string) => {
      const [client, server] = [
        end(plainScramClient({ user, password: "wrong" })),
        end(plainScramServer({ users }), context("more")),
      ];
      const { send: first = "" } = await client("");
      const { send: second = "" } = await server(first);
      const { send: third = "" } = await client(second);
      return server(third);
    };
    expect(await refused("nobody")).toEqual({ error: "unknown-user" });
    expect(await refused("user")).toEqual({ error: "bad-proof" });
  });
});

describe("verifiers", () => {
  test("are checked against passwords", async () => {
    expect(await checkVerifier(verifier, "pencil")).toBe(true);
    expect(await checkVerifier(verifier, "pen")).toBe(false);
  });

  test("are minted with 600,000 iterations and a salt of their own", async () => {
    const [one, other] = [await mintVerifier("x"), await mintVerifier("x")];
    expect(parseVerifier(one)).toMatchObject({ iterations: 600_000 });
    expect(one).not.toBe(other);
  });

  test.each([
    ["", /Not a SCRAM-SHA-256 verifier/],
    [verifier.replace("4096", "1"), /from 4096 to 1000000/],
    [verifier.replace("4096", "1000001"), /from 4096 to 1000000/],
    [verifier.replace("SHA-256", "SHA-1"), /Not a SCRAM/],
    [`${verifier} `, /Not a SCRAM/],
    [verifier.slice(0, -1), /Not a SCRAM/],
  ])("%s is none", (text, why) => {
    expect(() => parseVerifier(text)).toThrow(why);
  });

  test("belong to users whose names fit into a login, whatever they hold", async () => {
    const login = (user: string) => plainScramClient({ user, password: "x" });
    const { send } = await end(login("=".repeat(512)))("");
    expect((await end(plainScramServer({ users }))(send ?? "")).error).toBeUndefined();
    expect(() => login("=".repeat(513))).toThrow(/513 bytes; it may have 512/);
  });

  test("never take a password that the policy for text refuses", async () => {
    await expect(mintVerifier("pässword")).rejects.toThrow(/policy "ascii"/);
    await expect(mintVerifier("")).rejects.toThrow(/empty/);
    await expect(mintVerifier("x", { iterations: 4095 })).rejects.toThrow(/iterations must be/);
  });
});

describe("text", () => {
  const salt = Buffer.alloc(16, 7);
  const mint = (password: string, text: "saslprep" | "none") =>
    mintVerifier(password, { iterations: 4096, salt, text });

  test("SASLprep makes one of what looks the same (RFC 4013, section 3)", async () => {
    expect(await mint("I\u00adX", "saslprep")).toBe(await mint("IX", "saslprep"));
    expect(await mint("\u2168", "saslprep")).toBe(await mint("IX", "saslprep"));
    expect(await mint("\u2168", "none")).not.toBe(await mint("IX", "none"));
    await expect(mint("\u0007", "saslprep")).rejects.toThrow(/policy "saslprep"/);
    await expect(mint("\u0627\u0031", "saslprep")).rejects.toThrow(/policy "saslprep"/);
  });

  test("is none of what does not exist", () => {
    // @ts-expect-error: there are three
    expect(() => scram({ user: "a", password: "b", text: "nfc" })).toThrow(/text must be/);
  });
});

test("options that cannot work are refused when the mechanism is made", () => {
  expect(() => scram({ user: "a" } as never)).toThrow(/password must be/);
  expect(() => scram({} as never)).toThrow(/scram needs users/);
  expect(() => scram({ users: ["alice"] } as never)).toThrow(/scram needs users: verifiers by name/);
  expect(() => openVerifierFile(undefined as never)).toThrow(
    /needs a path: openVerifierFile\("users.scram"\)/,
  );
  expect(() => scram({ users: { alice: "x" } })).toThrow(/Not a SCRAM/);
  expect(() => scram({ user: "a", password: "b", leastIterations: 1 })).toThrow(/leastIterations/);
  expect(() => scram({ user: "ä", password: "b" })).toThrow(/saslprep/);
});

test("the session's secret follows RFC 5802: who has only the verifier does not have it", async () => {
  const step = end(plainScramServer({ users }), context(rfc7677.serverNonce));
  await step(rfc7677.messages[0] as string);
  const { done } = await step(rfc7677.messages[2] as string);
  expect(done?.secret).toHaveLength(32);
  const { storedKey } = parseVerifier(verifier);
  expect(done?.secret).not.toEqual(createHmac("sha256", storedKey).update("GSS-API session key").digest());
});
