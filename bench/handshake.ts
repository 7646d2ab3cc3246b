// `npm run bench -- handshake`: handshakes a second at the server, new keys under load, and a login storm.

import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Dealer, Router } from "countersign";
import {
  type AcceptMechanism,
  Cookies,
  clientExchange,
  type LoginMechanism,
  mintVerifier,
  psk,
  scram,
  serverExchange,
} from "countersign/handshake";
import type { Run } from "./section.js";
import { type Summary, summarize } from "./statistics.js";
import { type Storm, storm } from "./storm.js";

/** What one mechanism costs a server. */
export interface HandshakeRate {
  readonly label: string;
  /** Whole handshakes a second of processor time. */
  readonly perSecond: Summary;
}

/** What renewals cost those who talk meanwhile. */
export interface Renewals {
  readonly messages: number;
  readonly lost: number;
  readonly renewed: number;
  /** Milliseconds between two messages at the receiver, at the longest: with renewals, and without. */
  readonly pause: Summary;
  readonly without: Summary;
}

/** A scram server's time, in milliseconds, for a login that it refuses. */
export interface Refusals {
  /** Of a user that it has, with a wrong password. */
  readonly known: Summary;
  /** Of a user that it does not have. */
  readonly unknown: Summary;
}

export interface Handshakes {
  readonly rates: readonly HandshakeRate[];
  readonly refusals: Refusals;
  readonly renewals: Renewals;
  readonly storm: Storm;
}

const EACH = 200;
const MESSAGES = 20_000;
/** Renewals in one run of messages. */
const RENEWALS = 20;
/** Messages that are sent before the event loop has its turn, which both ends share here. */
const BURST = 16;

export async function measureHandshake(
  { rounds, progress }: Run,
  each = EACH,
  messages = MESSAGES,
): Promise<Handshakes> {
  const key = randomBytes(32);
  const users = { alice: await mintVerifier("pencil", { iterations: 4096 }) };
  const ways: [string, LoginMechanism, AcceptMechanism][] = [
    ["psk", psk({ key }), psk({ key })],
    ["psk without X25519", psk({ key, forwardSecrecy: false }), psk({ key, forwardSecrecy: false })],
    ["scram", scram({ user: "alice", password: "pencil" }), scram({ users })],
  ];
  const measured = ways.map(([label]) => ({ label, figures: [] as number[] }));
  const [pauses, without, known, unknown]: number[][] = [[], [], [], []];
  let [lost, renewed] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    progress(`handshake: round ${round + 1} of ${rounds}`);
    for (const [i, [, login, accept]] of ways.entries())
      measured[i]?.figures.push(await rate(login, accept, each));
    const refused = await refusals(scram({ users }), each);
    known?.push(refused.known);
    unknown?.push(refused.unknown);
    const calm = await traffic(key, messages, Number.MAX_SAFE_INTEGER);
    const busy = await traffic(key, messages, Math.ceil(messages / RENEWALS));
    without?.push(calm.pause);
    pauses?.push(busy.pause);
    lost += busy.lost + calm.lost;
    renewed += busy.renewed;
  }
  progress("handshake: a login storm");
  return {
    rates: measured.map(({ label, figures }) => ({ label, perSecond: summarize(figures) })),
    refusals: { known: summarize(known ?? []), unknown: summarize(unknown ?? []) },
    renewals: {
      messages: messages * rounds,
      lost,
      renewed,
      pause: summarize(pauses ?? []),
      without: summarize(without ?? []),
    },
    storm: await storm(100, 10_000),
  };
}

const PLACE = { channel: "bench", random: randomBytes };

function serverOf(accept: AcceptMechanism) {
  const cookies = new Cookies(randomBytes(32), 60_000);
  return serverExchange({ ...PLACE, name: "server", pattern: "router", mechanisms: [accept], cookies });
}

/** One login, from hello to its end; the server's steps are taken by `timed`. */
async function logIn(
  login: LoginMechanism,
  server: ReturnType<typeof serverOf>,
  name: string,
  timed: <Result>(step: () => Result | Promise<Result>) => Promise<Result>,
): Promise<void> {
  const client = clientExchange({ ...PLACE, name, pattern: "dealer", mechanism: login });
  let [mine, theirs] = [client.initial, server.initial];
  let said: Buffer = Buffer.alloc(0);
  for (;;) {
    const up = await client.step(mine, said);
    mine = up.state;
    const { send } = up;
    if (send === undefined) return;
    const down = await timed(() => server.step(theirs, send, { path: Buffer.alloc(32), now: 0 }));
    theirs = down.state;
    said = down.send as Buffer;
  }
}

/** Whole handshakes a second of processor time, counting that of the server's steps alone. */
async function rate(login: LoginMechanism, accept: AcceptMechanism, count: number): Promise<number> {
  const server = serverOf(accept);
  let spent = 0;
  for (let i = 0; i < count; i++) {
    await logIn(login, server, `client-${i}`, async (step) => {
      const before = process.cpuUsage();
      const result = await step();
      const { user, system } = process.cpuUsage(before);
      spent += user + system;
      return result;
    });
  }
  return (1_000_000 * count) / spent;
}

/** Medians of a server's time for refused logins, of a user that it has and of one that it has not, in turns. */
async function refusals(accept: AcceptMechanism, count: number): Promise<{ known: number; unknown: number }> {
  const server = serverOf(accept);
  const times = { known: [] as number[], unknown: [] as number[] };
  const users = { known: "alice", unknown: "mallory" } as const;
  for (let i = 0; i < count; i++) {
    for (const kind of ["known", "unknown"] as const) {
      let spent = 0;
      const wrong = scram({ user: users[kind], password: "guess" });
      await logIn(wrong, server, `client-${i}`, async (step) => {
        const before = performance.now();
        const result = await step();
        spent += performance.now() - before;
        return result;
      });
      times[kind].push(spent);
    }
  }
  return { known: summarize(times.known).median, unknown: summarize(times.unknown).median };
}

/** A DEALER that sends to a ROUTER without awaiting each, with new keys every so many messages. */
async function traffic(key: Buffer, messages: number, renewMessages: number) {
  const server = new Router({ linger: 0, signing: { accept: psk({ key }), sender: "server" } });
  await server.bind("tcp://127.0.0.1:*");
  const signing = { login: psk({ key }), sender: "client", sessions: { renewMessages } };
  const client = new Dealer({ linger: 0, signing });
  client.connect(server.lastEndpoint as string);
  const body = Buffer.alloc(64, 1);
  await client.send(body);
  await server.receive();
  const sending = (async () => {
    for (let sent = 0; sent < messages; sent++) {
      const taken = client.send(body);
      if (sent % BURST === 0) {
        await taken;
        await nextTurn();
      }
    }
  })();
  let [pause, last, received] = [0, performance.now(), 0];
  const missing = () => {
    const { lost, rejected } = server.stats;
    return lost + Object.values(rejected).reduce((sum, count) => sum + count, 0);
  };
  while (received + missing() < messages) {
    await server.receive();
    received++;
    const now = performance.now();
    pause = Math.max(pause, now - last);
    last = now;
  }
  await sending;
  const lost = missing();
  const { renewed } = server.sessions.stats;
  client.close();
  server.close();
  return { pause, lost, renewed };
}
