// What RedisState takes, and what it says of what it does not; no server is needed.

import { expect, test } from "vitest";
import { CountersignError } from "../../../src/errors.js";
import { type RedisClient, RedisState, type RedisStateOptions } from "../../../src/state/redis.js";

/** A client that never answers, or with this. */
const clientOf = (answer: Promise<unknown> = new Promise(() => {})): RedisClient => ({
  evalSha: () => answer,
  eval: () => answer,
});

const STRICT = { window: 0, limit: 10 };
const client = clientOf();

test.each<[string, unknown, RegExp]>([
  ["nothing", undefined, /new RedisState\(\{ client \}\)/],
  ["no client", {}, /client must be an ioredis client or one of node-redis/],
  ["an address", { client: "redis://localhost" }, /client must be/],
  ["an option that there is not", { client, ttl: 5 }, /no option "ttl"; there are client, prefix, idle/],
  ["braces in the prefix", { client, prefix: "{app}:" }, /without braces/],
  ["a time that is none", { client, idle: 0 }, /idle must be whole milliseconds from 1/],
  [
    "a time that is too long",
    { client, timeout: 60_001 },
    /timeout must be whole milliseconds from 1 to 60000/,
  ],
  ["a listener that is none", { client, onError: "log" }, /onError must be a function; got string/],
])("refuses %s", (_, options, message) => {
  const make = () => new RedisState(options as RedisStateOptions);
  expect(make).toThrow(CountersignError);
  expect(make).toThrow(message);
});

test("a listener that throws breaks no ruling", async () => {
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  const told = new Error("told");
  const state = new RedisState({
    client: clientOf(Promise.reject(new Error("NOPERM no permission"))),
    onError: () => {
      throw told;
    },
  });
  const table = state.table("r", "", "push", STRICT);
  expect(await table.epochOf("a")).toBe(0);
  expect(await thrown).toBe(told);
});

test("whoever does not listen is told by a process warning, once", async () => {
  const warnings: (Error & { code?: string })[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const state = new RedisState({
    client: clientOf(Promise.reject(new Error("NOPERM no permission"))),
    timeout: 50,
  });
  const table = state.table("r", "", "push", STRICT);
  expect(await table.begin("a", { epoch: 1, sequence: 0, keyId: 1 })).toBe("state-unavailable");
  expect(await table.ask("a")).toBeUndefined();
  process.off("warning", note);
  const ours = warnings.filter(({ code }) => code === "COUNTERSIGN_STATE");
  expect(ours.map(({ message }) => message)).toEqual([
    'Redis fails at "countersign:{r//push}:streams" (NOPERM no permission): messages are refused as state-unavailable ' +
      "until it answers.",
  ]);
});

test("what is no answer of the script's is none", async () => {
  const told: string[] = [];
  const onError = ({ message }: Error) => told.push(message);
  const state = new RedisState({ client: clientOf(Promise.resolve(["OK"])), timeout: 50, onError });
  const table = state.table("r", "", "push", STRICT);
  expect(await table.begin("a", { epoch: 1, sequence: 0, keyId: 1 })).toBe("state-unavailable");
  expect(table.sinceOf("a")).toBeUndefined();
  expect(told).toEqual([expect.stringMatching(/it answers "OK" where a script was run/)]);
});

test("keys name the table, and stay together", async () => {
  const keys: string[][] = [];
  const spy: RedisClient = {
    evalSha: (_, options) => {
      keys.push(options.keys);
      return new Promise(() => {});
    },
    eval: () => new Promise(() => {}),
  };
  const state = new RedisState({ client: spy, prefix: "app:" });
  state.table("a/b", "{c}", "push", STRICT);
  state.table("\ud800", "", "pub", STRICT);
  await new Promise(setImmediate);
  const parts = (tag: string) => [
    ...["streams", "heard", "asked"].map((part) => `app:{${tag}}:${part}`),
    // One for each process that shares the table.
    expect.stringMatching(/:done:[0-9a-f]{16}$/),
  ];
  expect(keys).toEqual([parts("a%2Fb/%7Bc%7D/push"), parts("%EF%BF%BD//pub")]);
  for (const { 3: done } of keys) expect(done?.slice(0, done.indexOf("}"))).toMatch(/^app:\{/);
});
