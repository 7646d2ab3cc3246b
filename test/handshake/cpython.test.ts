import { createHmac } from "node:crypto";
import {
  type CPythonRole,
  type CPythonState,
  cpython,
  type Failure,
  type Unkeyed,
} from "countersign/handshake";
import { expect, expectTypeOf, test } from "vitest";
import vectors from "../vectors/handshake/cpython.json" with { type: "json" };
import { NOTHING, seeded } from "./ends.js";

const KEY = Buffer.from("secret");

/** One end, and what it came to. */
function cpythonEnd(role: CPythonRole, seed = "x") {
  let state: CPythonState = role.initial;
  const end = { done: undefined as Unkeyed | undefined, error: undefined as Failure | undefined };
  const random = seeded(seed);
  const take = (received: Buffer): Buffer | undefined => {
    const step = role.step(state, received, { random });
    state = step.state;
    end.done ??= step.done;
    end.error ??= step.error;
    return step.send;
  };
  return {
    ...end,
    take,
    get done() {
      return end.done;
    },
    get error() {
      return end.error;
    },
  };
}

function talk(listener: ReturnType<typeof cpythonEnd>, client: ReturnType<typeof cpythonEnd>): string[] {
  const said: string[] = [];
  let next: Buffer | undefined = listener.take(NOTHING);
  for (let turn = 0; next !== undefined && turn < 12; turn++) {
    said.push(next.toString("latin1"));
    const hearer = turn % 2 === 0 ? client : listener;
    next = hearer.take(next);
    // The listener's word of welcome is followed by the client's own question, and the listener's answer by nothing.
    if (next === undefined && hearer === listener && listener.done === undefined) next = undefined;
  }
  return said;
}

test.each(vectors.exchanges)("$name: the bytes of CPython", ({ dialect, key, messages }) => {
  const roles = cpython({ key: Buffer.from(key, "hex"), dialect: dialect as "sha256" | "md5" });
  const challenges = messages.map((text) => Buffer.from(text, "hex"));
  const own = challenges[0] as Buffer;
  // The listener's randomness is that of the vector; everything else follows.
  let state: CPythonState = roles.listener().initial;
  const random = () => own.subarray(own.indexOf("#", 1) + 1 + (dialect === "sha256" ? 8 : 0));
  const listener = roles.listener();
  const asked = listener.step(state, NOTHING, { random });
  expect(asked.send).toEqual(own);
  state = asked.state;
  const welcomed = listener.step(state, challenges[1] as Buffer, { random });
  expect(welcomed.send?.toString()).toBe("#WELCOME#");
  const answered = listener.step(welcomed.state, challenges[3] as Buffer, { random });
  expect(answered.send).toEqual(challenges[4]);
  expect(listener.step(answered.state, Buffer.from("#WELCOME#"), { random }).done).toEqual({
    session: undefined,
    mutual: true,
  });
});

test("both ends of ours let each other in, in either dialect", () => {
  for (const dialect of ["sha256", "md5"] as const) {
    // Two processes: neither knows the other's challenges.
    const listener = cpythonEnd(cpython({ key: KEY, dialect }).listener(), "listener");
    const client = cpythonEnd(cpython({ key: KEY, dialect }).client(), "client");
    talk(listener, client);
    expect([listener.done, client.done]).toEqual([
      { session: undefined, mutual: true },
      { session: undefined, mutual: true },
    ]);
  }
});

test("another key is refused, in CPython's word", () => {
  const listener = cpythonEnd(cpython({ key: KEY }).listener(), "listener");
  const client = cpythonEnd(cpython({ key: Buffer.from("other") }).client(), "client");
  expect(talk(listener, client).at(-1)).toBe("#FAILURE#");
  expect([listener.error, client.error]).toEqual(["bad-proof", "refused"]);
});

test("attack 51: one's own challenge that comes back, on this or another connection, is not answered", () => {
  const roles = cpython({ key: KEY });
  const listener = cpythonEnd(roles.listener(), "a");
  const reflected = listener.take(NOTHING) as Buffer;
  const other = cpythonEnd(roles.client(), "b");
  expect(other.take(reflected)).toBeUndefined();
  expect(other.error).toBe("reflected");
});

test("attack 59: MD5 is taken from nobody, and given to nobody, unless it was asked for by name", () => {
  const listener = cpythonEnd(cpython({ key: KEY }).listener(), "a");
  const challenge = (listener.take(NOTHING) as Buffer).subarray("#CHALLENGE#".length);
  // What Python 3.12 and later let pass.
  expect(listener.take(createHmac("md5", KEY).update(challenge).digest())?.toString()).toBe("#FAILURE#");
  expect(listener.error).toBe("weak-digest");
  for (const weak of ["{md5}", ""]) {
    const client = cpythonEnd(cpython({ key: KEY }).client(), "b");
    expect(
      client.take(Buffer.concat([Buffer.from(`#CHALLENGE#${weak}`), Buffer.alloc(40, 7)])),
    ).toBeUndefined();
    expect(client.error).toBe("weak-digest");
  }
});

test("what is no message of the handshake is refused, and nothing throws", () => {
  for (const junk of [
    "",
    "#CHALLENGE",
    "#CHALLENGE#",
    "#WELCOME#",
    "x".repeat(257),
    "#CHALLENGE#{sha256}short",
  ]) {
    const client = cpythonEnd(cpython({ key: KEY }).client());
    expect(client.take(Buffer.from(junk))).toBeUndefined();
    expect(client.error).toMatch(/malformed|weak-digest/);
  }
});

test("it gives no session key, and its type says so", () => {
  expectTypeOf<Unkeyed["session"]>().toEqualTypeOf<undefined>();
  expectTypeOf<ReturnType<typeof cpython>>().not.toExtend<import("countersign/handshake").LoginMechanism>();
  expect(() => cpython({ key: Buffer.alloc(0) })).toThrow(/authkey/);
  // @ts-expect-error: there are two
  expect(() => cpython({ key: KEY, dialect: "sha1" })).toThrow(/dialect must be/);
});
