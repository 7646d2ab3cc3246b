import {
  Dealer,
  generateKey,
  Pair,
  Publisher,
  Pull,
  Reply,
  Request,
  Router,
  type SigningOptions,
} from "countersign";
import { cpython, MemoryStore, mintVerifier, psk, scram } from "countersign/handshake";
import { expect, test } from "vitest";
import { opened } from "./harness.js";

const key = generateKey();
const login = psk({ key });
const accept = psk({ key });
const users = { alice: await mintVerifier("pencil", { iterations: 4096 }) };

const make = (Socket: typeof Router | typeof Dealer, signing: SigningOptions) => () =>
  opened(new (Socket as typeof Router)({ linger: 0, signing }));

test.each<[string, typeof Router | typeof Dealer, unknown, RegExp]>([
  ["both ends at once", Dealer, { login, accept }, /not both/],
  ["a key besides", Dealer, { login, key }, /signing.key is not for a socket with sessions.*Leave it out/],
  ["another evidence", Dealer, { login, admit: "challenge" }, /signing.admit is not for/],
  ["a state", Router, { accept, state: {} }, /signing.state is not for/],
  ["unsigned messages let in", Router, { accept, policy: "report" }, /signing.policy is not for/],
  [
    "a ROUTER that logs in",
    Router,
    { login },
    /A router cannot log in: signing.login is for DEALER, REQ and PAIR/,
  ],
  ["a DEALER that lets in", Dealer, { accept }, /A dealer cannot let anybody in/],
  ["a PUB", Publisher as never, { accept }, /A pub cannot let anybody in/],
  ["a PULL", Pull as never, { login }, /A pull cannot log in/],
  ["what can only let in", Dealer, { login: scram({ users }) }, /signing.login takes what can be the client/],
  ["what can only log in", Router, { accept: scram({ user: "a", password: "b" }) }, /can be the server/],
  ["CPython's handshake, which gives no key", Dealer, { login: cpython({ key }) }, /signing.login takes/],
  ["nobody", Router, { accept: [] }, /signing.accept is empty/],
  [
    "a name almost right",
    Dealer,
    { logins: login },
    /signing\.logins does not exist; there are .*login, accept/,
  ],
  ["one mechanism twice", Router, { accept: [accept, psk({ key })] }, /two mechanisms "psk"/],
  ["settings without sessions", Router, { key, sessions: {} }, /belong to signing.login or signing.accept/],
  [
    "a setting that does not exist",
    Router,
    { accept, sessions: { renew: 1 } },
    /signing.sessions.renew does not exist/,
  ],
  [
    "a setting out of bounds",
    Router,
    { accept, sessions: { pending: 0 } },
    /pending must be a number from 1/,
  ],
  ["a listener that is none", Router, { accept, onSession: 1 }, /onSession must be a function/],
])("%s is refused, with what to write instead", (_, Socket, signing, why) => {
  expect(make(Socket, signing as SigningOptions)).toThrow(why);
});

test("whoever can log in, and whoever can let in", () => {
  for (const Socket of [Dealer, Request, Pair])
    expect(opened(new Socket({ signing: { login } })).sessions.size).toBe(0);
  for (const Socket of [Router, Reply, Pair]) {
    const store = scram({ users: new MemoryStore(users) });
    expect(opened(new Socket({ signing: { accept: [accept, store] } })).sessions.size).toBe(0);
  }
});

test("a socket that logs in has one server", () => {
  const dealer = opened(new Dealer({ linger: 0, signing: { login } }));
  dealer.connect("tcp://127.0.0.1:1");
  expect(() => dealer.connect("tcp://127.0.0.1:2")).toThrow(/Make a socket for each/);
});

test("other sockets have no sessions", () => {
  const router = opened(new Router({ signing: { key } }));
  expect([...router.sessions]).toEqual([]);
  expect(router.sessions.stats).toMatchObject({ established: 0, pending: 0 });
});

test("a socket that keeps the last message alone has no sessions: that may be one of their own", () => {
  const why = /conflate keeps the last message alone.*Sign with a key/;
  expect(() => opened(new Dealer({ linger: 0, conflate: true, signing: { login } }))).toThrow(why);
  expect(() => opened(new Pair({ linger: 0, conflate: true, signing: { accept } } as never))).toThrow(why);
});
